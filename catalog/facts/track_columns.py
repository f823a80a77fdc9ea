"""What the columns of tracks and events mean."""

from typing import Final

from catalog.facts.columns import Written

NO_AREA: Final = "where the year has no outline of it and was not observed"

TRACK_COLUMNS: Final[Written] = {
    "feature_id": ("", "lake_id or slump_id of the inventories"),
    "year": ("", "calendar year"),
    "state": ("", "present, absent (both are findings), partly_observed or unobserved (neither is)"),
    "area_m2": ("m2", "as in the inventory; 0 where absent", NO_AREA),
    "area_low_m2": ("m2", "as in the inventory; 0 where absent", NO_AREA),
    "area_high_m2": ("m2", "as in the inventory; 0 where absent", NO_AREA),
    "observed_share": ("0-1", "share of the outline, or of the nearest one in time, that was observed"),
    "comparable": ("bool", "whether the year may be compared with the others; false too where nothing was found out"),
    "not_comparable_because": (
        "",
        "fewer_looks, area_dip, other_model, other_baseline, other_season, other_sensors, other_provider, joined by commas",
        "where nothing speaks against comparing",
    ),
}

EVENT_COLUMNS: Final[Written] = {
    "event": ("", "appear, vanish, merge, split, reappear, drain or surge"),
    "year_from": ("", "last settled year before"),
    "year_to": ("", "first settled year after"),
    "parents": ("", "names before; an empty list where the feature is new"),
    "children": ("", "names after; an empty list where the feature is gone"),
    "area_before_m2": ("m2", "of the parents together"),
    "area_after_m2": ("m2", "of the children together"),
    "change_m2": ("m2", "area after less area before"),
    "change_low_m2": ("m2", "lower end of its 95 % interval, from the errors of both years"),
    "change_high_m2": ("m2", "upper end of its 95 % interval"),
    "significant": ("bool", "whether that interval excludes 0"),
    "alarm": ("bool", "sudden, significant loss between comparable years: look at the scenes"),
    "reason": ("", "why the event may be none: reasons of the years it rests on; empty where nothing speaks against it"),
}
