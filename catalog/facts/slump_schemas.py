"""Columns of what is stored about thaw slumps; names here are promises to users."""

from typing import Final

import pyarrow as pa

from catalog.facts.schemas import LAKES

_ONLY_LAKES: Final = frozenset({"lake_id", "lake_type", "glacier_id", "glacier_distance_m", "glacier_overlap_share"})

SLUMPS: Final = pa.schema(
    [
        ("slump_id", pa.string()),
        *(field for field in LAKES if field.name not in _ONLY_LAKES),
        ("score", pa.float32()),
        ("members", pa.int16()),
        ("tier", pa.string()),
        ("status", pa.string()),
        ("related_ids", pa.list_(pa.string())),
        ("headwall_length_m", pa.float32()),
        ("headwall_retreat_m", pa.float32()),
        ("aspect_deg", pa.float32()),
        ("ndvi_contrast", pa.float32()),
        ("relative_elevation_m", pa.float32()),
        ("volume_m3", pa.float64()),
        ("volume_low_m3", pa.float64()),
        ("volume_high_m3", pa.float64()),
        ("growth_m2_per_year", pa.float64()),
        ("growth_se_m2_per_year", pa.float64()),
        ("growth_significant", pa.bool_()),
        ("label_agreement", pa.float32()),
        ("votes_share", pa.float32()),
        ("edge_cut", pa.bool_()),
        ("merge_conflict", pa.bool_()),
        ("mask_probability", pa.float32()),
        ("mask_probability_sd", pa.float32()),
        ("boundary_sd_m", pa.float32()),
    ]
)
"""Columns of inventory/slumps beside `geometry`; region and year are Hive keys in the path.

As for lakes, but `probability` is the calibrated probability that the feature is a slump (null without calibration), and the mask's own
mean inside the outline is `mask_probability`. `related_ids`: the slumps that merged into this one or split off with it. Growth is
null before the second observed year, headwall columns without elevation, `headwall_retreat_m` without a previous observed year,
`label_agreement` without several labelers.
"""

_RANGES: Final = [
    ("count", pa.float64()),
    ("count_low", pa.float64()),
    ("count_high", pa.float64()),
    ("counting_rule", pa.string()),
    ("minimum_area_m2", pa.float64()),
    ("observed_km2", pa.float64()),
    ("observed_share", pa.float64()),
    ("per_100_km2", pa.float64()),
    ("per_100_km2_low", pa.float64()),
    ("per_100_km2_high", pa.float64()),
    ("area_m2", pa.float64()),
    ("area_low_m2", pa.float64()),
    ("area_high_m2", pa.float64()),
    ("detector_precision", pa.float64()),
    ("detector_recall", pa.float64()),
    ("model", pa.string()),
    ("detections", pa.int32()),
    ("range_missing_because", pa.string()),
]

SLUMP_COUNTS: Final = pa.schema([("region", pa.string()), ("year", pa.int16()), *_RANGES])
"""Columns of counts/slumps, one row per region and year.

`count` is what observed ground holds by the counting rule; `low` and `high` end a 90 % interval and are null, with the reason in
`range_missing_because`, where the model has no calibration. `detections` is what was found, as it was found. Unobserved ground adds
nothing: `observed_share` says how much of the region the row speaks for.
"""

SLUMP_COUNTS_H3: Final = pa.schema([("h3", pa.string()), *SLUMP_COUNTS])
"""Columns of counts/slumps_h3: the same per H3 cell of resolution 5; counts and areas of all cells add up to those of the region."""

TIERS: Final = (("high", 0.7), ("medium", 0.4), ("low", 0.0))
"""Name and least calibrated probability of each tier of confidence."""

SLUMP_SIZE_EDGES_M2: Final = (1e4, 5e4)
"""Areas that part small, medium and large slumps, wherever slumps are scored or calibrated by size."""

DARTS_MINIMUM_M2: Final = 3_200.0
"""DARTS drops what is smaller (32 pixels of 10 m); such slumps carry the flag `below_darts_minimum`."""


def tier_of(probability: float) -> str:
    """Return the tier of confidence of a calibrated probability, 0 to 1."""
    return next(name for name, least in TIERS if probability >= least)
