"""What the columns of changes and trends mean."""

from typing import Final

from catalog.facts.columns import Written

_SHORT: Final = "where direction is too_short"
_BECAUSE: Final = "fewer_looks, area_dip, other_model, other_baseline, other_season, other_sensors, other_provider, redrawn; an empty list where nothing differs"

CHANGE_COLUMNS: Final[Written] = {
    "feature_id": ("", "lake_id or slump_id of the inventories"),
    "year_from": ("", "earlier settled year"),
    "year_to": ("", "next settled year; years between were not observed"),
    "area_from_m2": ("m2", "area in the earlier year; 0 where absent"),
    "area_to_m2": ("m2", "area in the later year; 0 where absent"),
    "change_m2": ("m2", "later less earlier"),
    "change_low_m2": ("m2", "lower end of its 95 % interval, from the errors of both years"),
    "change_high_m2": ("m2", "upper end of its 95 % interval"),
    "relative_change_percent": ("%", "change over the earlier area", "where the earlier area is 0"),
    "gain_m2": ("m2", "ground of the later outline that the earlier lacks"),
    "loss_m2": ("m2", "ground of the earlier outline that the later lacks"),
    "p_value": ("0-1", "two-sided, of no change", "where the errors are not known"),
    "significant": ("bool", "whether the change differs from 0 beyond the errors of both years"),
    "comparable": ("bool", "whether nothing but the ground can have made the change"),
    "verdict": ("", "grown, shrunk, within_error or not_comparable"),
    "because": ("", f"what differs between the two years: {_BECAUSE}"),
}
CHANGE_SHAPE_COLUMNS: Final[Written] = {
    "feature_id": ("", "lake_id or slump_id of the inventories"),
    "year_from": ("", "earlier settled year"),
    "year_to": ("", "next settled year"),
    "kind": ("", "gain or loss"),
    "area_m2": ("m2", "geodesic area of the geometry"),
}

_TREND: Final[Written] = {
    "years_observed": ("count", "comparable years that the trend rests on"),
    "first_year": ("", "first of them", "where there is none"),
    "last_year": ("", "last of them", "where there is none"),
    "slope_m2_per_year": ("m2/yr", "Theil-Sen slope of the area", _SHORT),
    "slope_low": ("m2/yr", "lower end of its 95 % interval", _SHORT),
    "slope_high": ("m2/yr", "upper end of its 95 % interval", _SHORT),
    "p_value": ("0-1", "Mann-Kendall, two-sided", _SHORT),
    "relative_slope_percent": ("%/yr", "slope over the median area", _SHORT),
    "area_first_m2": ("m2", "area in the first of the years", "where there is none"),
    "area_last_m2": ("m2", "area in the last of the years", "where there is none"),
    "direction": ("", "growing, shrinking, no_trend or too_short"),
}
TREND_COLUMNS: Final[Written] = {"feature_id": ("", "lake_id or slump_id of the inventories")} | dict(_TREND)
REGION_TREND_COLUMNS: Final[Written] = {
    "region": ("", "name of the region"),
    "basis": ("", "same_mask: the features that were settled and comparable in every year counted"),
    **_TREND,
    "features": ("count", "features in the total"),
}
