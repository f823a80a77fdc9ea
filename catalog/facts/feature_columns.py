"""What the columns of the inventories mean."""

from typing import Final

from catalog.facts.columns import Written

_LEVEL: Final = "where the elevation model has no value"
_UNSEEN: Final = "where no optical look was clear"
_EDITED: Final = "where nobody edited the row"

LAKE_COLUMNS: Final[Written] = {
    "lake_id": ("", "name, given once: GL<longitude x 1000>E<latitude x 1000>N of a point inside at first sight; it never changes"),
    "obs_id": ("", "key of the row: hash of the name, the year and the run; other runs give another"),
    "longitude": ("deg", "of a point inside the feature, WGS 84"),
    "latitude": ("deg", "of a point inside the feature, WGS 84"),
    "area_m2": ("m2", "geodesic area on WGS 84, holes excluded"),
    "area_low_m2": ("m2", "lower end of the 95 % interval of the area (methods.md, section 3)"),
    "area_high_m2": ("m2", "upper end of the 95 % interval of the area"),
    "area_sigma_m2": ("m2", "one standard deviation of the area: shore pixels, doubt of the model, misregistration"),
    "area_probability_m2": ("m2", "sum of probability x pixel area over the feature and its rim of 2 pixels"),
    "perimeter_m": ("m", "geodesic length of the outline, holes included, with the stairs of the pixels"),
    "circularity": ("1", "4 pi area / perimeter^2 of the outer shore, smoothed over 40 m against the stairs of the pixels: 1 for a disc"),
    "shore_development": ("1", "length of all shores, smoothed likewise, over the circumference of the disc of equal area: 1 for a disc"),
    "elongation": ("1", "long over short side of the rotated rectangle of least area around the outline: 1 for a disc or a square"),
    "size_class": ("", "by area: <0.5ha, 0.5-1ha, 1-5ha, 5-10ha, 10-100ha, >100ha"),
    "elevation_m": ("m", "median height above the geoid inside, Copernicus DEM (acquired 2010 to 2015)", _LEVEL),
    "elevation_range_m": ("m", "from the 5th to the 95th percentile of the heights inside", _LEVEL),
    "shore_slope_deg": ("deg", "median slope of the 30 m around the outline", _LEVEL),
    "probability": ("0-1", "mean calibrated probability of water inside"),
    "spread": ("0-1", "mean disagreement inside, of augmented views or of spectral indices", "where the model gives none"),
    "observed_share": ("0-1", "share of the feature and its rim of 2 pixels that had a clear optical look"),
    "looks": ("count", "median number of clear optical looks inside"),
    "date_first": ("UTC date", "earliest of the pixels' median days of those looks", _UNSEEN),
    "date_median": ("UTC date", "median of the pixels' median days of those looks", _UNSEEN),
    "date_last": ("UTC date", "latest of the pixels' median days of those looks", _UNSEEN),
    "sensors": ("", "what saw at least half of it: S1, S2 or S1+S2; empty when neither did"),
    "agreement": ("0-1", "intersection over union of the outlines that optics and radar give alone", "with one sensor"),
    "lake_type": ("", "ice_contact, glacier_fed, unconnected or supraglacial (lake_types.md)", "without glacier outlines"),
    "glacier_id": ("", "name of the nearest glacier outline that the user gave", "without glacier outlines, or with none near"),
    "glacier_distance_m": ("m", "to that outline; 0 where they touch", "without glacier outlines, or with none near"),
    "glacier_overlap_share": ("0-1", "share of the feature that lies inside glacier outlines", "without glacier outlines"),
    "provider": ("", "catalogs of the scenes that were used, joined by +"),
    "flags": (
        "",
        "what to beware of: region_edge, few_looks, lake_ice, cloud_share, terrain_shadow, single_sensor, below_minimum_area, edited; "
        "an empty list where nothing",
    ),
    "edit": ("", "what a person did to the row: accepted, redrawn or drawn (review.md)", _EDITED),
    "edit_note": ("", "what that person wrote", _EDITED),
    "tile": ("", "tile that holds the point: <epsg>-<column>-<row>"),
    "utm_epsg": ("", "EPSG code of the zone on whose pixels the outline lies"),
}

_NO_GROWTH: Final = "before the second observed year"
_NO_HEAD: Final = "without elevation"
_SLUMPS_ONLY: Final[Written] = {
    "slump_id": ("", "name, given once: RTS<longitude x 1000>E<latitude x 1000>N of a point inside at first sight; it never changes"),
    "probability": ("0-1", "calibrated probability that the feature is a slump", "where the model has no calibration"),
    "spread": ("0-1", "not used for slumps: mask_probability_sd says how sure the mask is", "always"),
    "area_sigma_m2": ("m2", "one standard deviation of the area: the detector's doubt along the rim, shore pixels, misregistration"),
    "area_probability_m2": ("m2", "sum of mask probability x pixel area over the feature and its rim"),
    "flags": ("", "what to beware of: as for lakes, snow in place of lake_ice, and below_darts_minimum under 3 200 m2"),
    "score": ("0-1", "of the detector, in the surest window that does not cut the slump"),
    "members": ("count", "detections that were merged into the slump"),
    "tier": ("", "high from probability 0.7, medium from 0.4, else low", "where the model has no calibration"),
    "status": ("", "new, growing, stable, stabilized, merged, split or unknown beside the years before; a first year is unknown"),
    "related_ids": ("", "slumps that merged into this one or split off with it; an empty list where none"),
    "headwall_length_m": ("m", "length of the upslope part of the outline", _NO_HEAD),
    "headwall_retreat_m": (
        "m",
        "way upslope since the last year in which the slump was observed",
        "without such a year, or without elevation",
    ),
    "aspect_deg": ("deg", "downslope direction, clockwise from north", _NO_HEAD),
    "ndvi_contrast": ("1", "NDVI inside less that of the 100 m around", "where neither was seen clearly"),
    "relative_elevation_m": ("m", "height inside less that of the 100 m around", _NO_HEAD),
    "volume_m3": ("m3", "by the area-volume law that the file's metadata names (`volume_law`)"),
    "volume_low_m3": ("m3", "lower end of its 95 % interval"),
    "volume_high_m3": ("m3", "upper end of its 95 % interval"),
    "growth_m2_per_year": ("m2/yr", "slope of a line through the areas of the observed years", _NO_GROWTH),
    "growth_se_m2_per_year": ("m2/yr", "standard error of that slope", _NO_GROWTH),
    "growth_significant": ("bool", "whether that slope differs from 0 beyond its error", _NO_GROWTH),
    "label_agreement": ("0-1", "agreement of several labelers", "without several labelers: always in what `run` maps"),
    "votes_share": ("0-1", "share of the views of its ground in which it was detected"),
    "edge_cut": ("bool", "whether it reaches the end of what was looked at"),
    "merge_conflict": ("bool", "whether some window saw it and a neighbour as one"),
    "mask_probability": ("0-1", "mean of the merged mask inside"),
    "mask_probability_sd": ("0-1", "its standard deviation over the views"),
    "boundary_sd_m": ("m", "half the width of the band in which the merged mask is between 0.25 and 0.75"),
}
_LAKES_ONLY: Final = frozenset({"lake_id", "lake_type", "glacier_id", "glacier_distance_m", "glacier_overlap_share"})
SLUMP_COLUMNS: Final[Written] = {name: text for name, text in LAKE_COLUMNS.items() if name not in _LAKES_ONLY} | dict(_SLUMPS_ONLY)
