"""What the columns of tables about a whole region, its ground, its scenes and its releases mean."""

from typing import Final

from catalog.facts.columns import Written

_BECAUSE: Final = "what speaks against comparing; an empty list where nothing does"
_REGION: Final = ("", "name of the region")
_YEAR: Final = ("", "calendar year")
_NOT_CALIBRATED: Final = "where range_missing_because says why"

TOTAL_COLUMNS: Final[Written] = {
    "region": _REGION,
    "year": _YEAR,
    "features": ("count", "features that the inventory lists, without below_minimum_area"),
    "features_partly_observed": ("count", "known features of which the year saw too little"),
    "features_unobserved": ("count", "known features that the year did not see"),
    "area_m2": ("m2", "sum of the listed areas"),
    "area_sigma_m2": ("m2", "one standard deviation of that sum; errors of one year are correlated"),
    "area_low_m2": ("m2", "lower end of its 95 % interval"),
    "area_high_m2": ("m2", "upper end of its 95 % interval"),
    "error_correlation": ("0-1", "correlation of the errors of two features of a year that the interval reckons with"),
    "observed_share": ("0-1", "share of the ground of known features that the year observed"),
    "comparable": ("bool", "whether the year may be compared with the others"),
    "because": ("", _BECAUSE),
}
TOTAL_CHANGE_COLUMNS: Final[Written] = {
    "region": _REGION,
    "year_from": ("", "earlier year"),
    "year_to": ("", "later year"),
    "features": ("count", "features that were settled in both years; only these count"),
    "area_from_m2": ("m2", "their total in the earlier year"),
    "area_to_m2": ("m2", "their total in the later year"),
    "change_m2": ("m2", "later less earlier, same features"),
    "change_low_m2": ("m2", "lower end of its 95 % interval; errors of one year are correlated"),
    "change_high_m2": ("m2", "upper end of its 95 % interval"),
    "listed_change_m2": ("m2", "difference of the two inventories as they are: change + only_to - only_from"),
    "only_from_m2": ("m2", "features that the later year did not observe"),
    "only_to_m2": ("m2", "features that the earlier year did not observe"),
    "significant": ("bool", "whether the interval of the change excludes 0"),
    "comparable": ("bool", "whether nothing but the ground can have made the change"),
    "because": ("", _BECAUSE),
}
COVERAGE_COLUMNS: Final[Written] = {
    "tile": ("", "mapped tile: <epsg>-<column>-<row>; ground beside a zone seam is there twice, once per zone"),
    "region": _REGION,
    "year": _YEAR,
    "state": ("", "done, empty (looked, nothing there), unobserved (nothing usable), skipped (cannot hold the target) or failed"),
    "cause": ("", "short code of the reason; empty for done"),
    "message": ("", "the reason in a sentence; empty for done"),
    "observed_share": ("0-1", "share of the mapped chips with a clear optical look", "where the tile was not looked at"),
    "cloud_share": ("0-1", "share hidden by clouds and their shadows", "where the tile was not looked at"),
    "snow_ice_share": ("0-1", "share under snow or lake ice", "where the tile was not looked at"),
    "shadow_share": ("0-1", "share in terrain shadow", "where the tile was not looked at"),
    "no_scene_share": ("0-1", "share that no scene shows", "where the tile was not looked at"),
    "looks_median": ("count", "median number of clear looks", "where the tile was not looked at"),
    "scenes_used": ("count", "optical and radar scenes"),
    "scenes_refused": ("count", "optical and radar scenes that were not used; scenes.parquet says why"),
    "seconds": ("s", "work on the tile, all stages"),
    "bytes": ("bytes", "decoded from scenes"),
}
SCENE_COLUMNS: Final[Written] = {
    "tile": ("", "tile for which the scene was considered"),
    "used": ("bool", "whether it went into the surface"),
    "refused_because": ("", "why not", "where it was used"),
    "clear_share_over_tile": ("0-1", "share of the tile that it shows without cloud", "for radar and elevation, and where nobody looked"),
    "baseline": ("", "processing baseline of Sentinel-2 as NN.NN", "for other sensors, and where the catalog does not tell"),
    "offset_applied": ("bool", "whether the offset of baseline 04.00 is already taken off its counts", "for other sensors"),
    "offset_evidence": ("", "catalog flag, metadata or measured"),
    "etag": ("", "checksum or update time of the item: changes when it is replaced", "where the catalog does not tell"),
    "provider": ("", "catalog that gave the item"),
}

_RANGES: Final[Written] = {
    "count": ("count", "slumps that observed ground holds by the counting rule", "where nothing was observed"),
    "count_low": ("count", "lower end of its 90 % interval", _NOT_CALIBRATED),
    "count_high": ("count", "upper end of its 90 % interval", _NOT_CALIBRATED),
    "counting_rule": ("", "the rule in words"),
    "minimum_area_m2": ("m2", "smaller slumps do not count"),
    "observed_km2": ("km2", "ground that was usable and looked at"),
    "observed_share": ("0-1", "share of the mapped ground"),
    "per_100_km2": ("1/100 km2", "count over observed ground", "where nothing was observed"),
    "per_100_km2_low": ("1/100 km2", "lower end of its 90 % interval", _NOT_CALIBRATED),
    "per_100_km2_high": ("1/100 km2", "upper end of its 90 % interval", _NOT_CALIBRATED),
    "area_m2": ("m2", "area of those slumps together", "where nothing was observed"),
    "area_low_m2": ("m2", "lower end of its 90 % interval", _NOT_CALIBRATED),
    "area_high_m2": ("m2", "upper end of its 90 % interval", _NOT_CALIBRATED),
    "detector_precision": ("0-1", "share of listed detections that are slumps, on the calibration's ground", _NOT_CALIBRATED),
    "detector_recall": ("0-1", "share of slumps that are found, on the calibration's ground", _NOT_CALIBRATED),
    "model": ("", "name and version of the detector"),
    "detections": ("count", "what was found, as it was found"),
    "range_missing_because": ("", "why there is no interval", "where there is one"),
}
COUNT_COLUMNS: Final[Written] = {"region": _REGION, "year": _YEAR} | dict(_RANGES)
COUNT_CELL_COLUMNS: Final[Written] = {"h3": ("", "H3 cell of resolution 5")} | dict(COUNT_COLUMNS)

_NO_PARTNER: Final = "where the other inventory has no such feature"
MATCH_COLUMNS: Final[Written] = {
    "feature_id": ("", "our name", "for only_theirs"),
    "other_id": ("", "name in the other inventory", "for only_ours"),
    "relation": ("", "same, split (one of theirs is several of ours), merged (the other way), tangled, only_ours or only_theirs"),
    "shared_m2": ("m2", "ground of both outlines", "for only_ours and only_theirs"),
    "iou": ("0-1", "intersection over union", "for only_ours and only_theirs"),
    "area_m2": ("m2", "our area", "for only_theirs"),
    "other_area_m2": ("m2", "their area", _NO_PARTNER),
    "area_difference_percent": ("%", "our area less theirs, over theirs", "for only_ours and only_theirs"),
    "distance_m": ("m", "between the outlines; to the nearest one for only_ours and only_theirs", "where the other side is empty"),
}
CROSSWALK_COLUMNS: Final[Written] = {
    "old_id": ("", "name in the superseded release", "for new"),
    "new_id": ("", "name in the release that supersedes it", "for gone"),
    "relation": ("", "kept, renamed, merged, split, gone or new"),
    "shared_m2": ("m2", "ground of both outlines", "for gone and new"),
    "old_release": ("", "name of the superseded release"),
    "new_release": ("", "name of the release that supersedes it"),
}
RELEASE_COLUMNS: Final[Written] = {
    "release": ("", "name of the release"),
    "sequence": ("", "1 for the first of the region, then counting"),
    "date": ("UTC date", "day of the release"),
    "target": ("", "lakes or slumps"),
    "region": _REGION,
    "years": ("", "years that it holds"),
    "reason": ("", "why it supersedes an earlier one; empty where it does not"),
    "supersedes": ("", "items that it takes the place of; an empty list where none"),
    "complete": ("bool", "false where ground is missing: its README names it"),
    "licence": ("", "SPDX identifier"),
    "doi": ("", "of the release", "without one"),
    "cryoatlas_version": ("", "of the program that published"),
}
