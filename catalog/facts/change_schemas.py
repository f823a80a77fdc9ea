"""Columns of what is said about features through the years, and beside the inventories of others; names here are promises to users."""

from typing import Final

import pyarrow as pa

CHANGES: Final = pa.schema(
    [
        ("feature_id", pa.string()),
        ("year_from", pa.int16()),
        ("year_to", pa.int16()),
        ("area_from_m2", pa.float64()),
        ("area_to_m2", pa.float64()),
        ("change_m2", pa.float64()),
        ("change_low_m2", pa.float64()),
        ("change_high_m2", pa.float64()),
        ("relative_change_percent", pa.float64()),
        ("gain_m2", pa.float64()),
        ("loss_m2", pa.float64()),
        ("p_value", pa.float64()),
        ("significant", pa.bool_()),
        ("comparable", pa.bool_()),
        ("verdict", pa.string()),
        ("because", pa.list_(pa.string())),
    ]
)
"""One row per feature and pair of consecutive settled years (present or absent in both; years between them were not observed).

`gain_m2`, `loss_m2`: ground of one outline that the other lacks. `verdict`: `grown`, `shrunk`, `within_error`, or `not_comparable` when
something else than the ground may have made the change. `because`: what differs between the two years (`fewer_looks`, `area_dip`,
`other_model`, `other_baseline`, `other_season`, `other_sensors`, `other_provider`, `redrawn`), empty when nothing does.
"""

CHANGE_SHAPES: Final = pa.schema(
    [("feature_id", pa.string()), ("year_from", pa.int16()), ("year_to", pa.int16()), ("kind", pa.string()), ("area_m2", pa.float64())]
)
"""Ground gained and lost, a row with `geometry` per feature, pair of years and `kind` (`gain` or `loss`)."""

_TREND: Final = [
    ("years_observed", pa.int16()),
    ("first_year", pa.int16()),
    ("last_year", pa.int16()),
    ("slope_m2_per_year", pa.float64()),
    ("slope_low", pa.float64()),
    ("slope_high", pa.float64()),
    ("p_value", pa.float64()),
    ("relative_slope_percent", pa.float64()),
    ("area_first_m2", pa.float64()),
    ("area_last_m2", pa.float64()),
    ("direction", pa.string()),
]
TRENDS: Final = pa.schema([("feature_id", pa.string()), *_TREND])
"""One row per feature: Theil-Sen slope with its 95 % interval and Mann-Kendall, over comparable years only.

`direction`: `growing`, `shrinking`, `no_trend`, or `too_short`, where slope, interval and p-value are null.
"""
REGION_TRENDS: Final = pa.schema([("region", pa.string()), ("basis", pa.string()), *_TREND, ("features", pa.int32())])
"""The same for the total of a region; `basis`: `same_mask` (the features that were settled and comparable in every year counted)."""

TOTALS: Final = pa.schema(
    [
        ("region", pa.string()),
        ("year", pa.int16()),
        ("features", pa.int32()),
        ("features_partly_observed", pa.int32()),
        ("features_unobserved", pa.int32()),
        ("area_m2", pa.float64()),
        ("area_sigma_m2", pa.float64()),
        ("area_low_m2", pa.float64()),
        ("area_high_m2", pa.float64()),
        ("error_correlation", pa.float64()),
        ("observed_share", pa.float64()),
        ("comparable", pa.bool_()),
        ("because", pa.list_(pa.string())),
    ]
)
"""One row per region and year: what the inventory lists (without `below_minimum_area`), with an interval that knows that the errors of a
year's features are correlated (`error_correlation`), and how many known features the year says nothing about."""

TOTAL_CHANGES: Final = pa.schema(
    [
        ("region", pa.string()),
        ("year_from", pa.int16()),
        ("year_to", pa.int16()),
        ("features", pa.int32()),
        ("area_from_m2", pa.float64()),
        ("area_to_m2", pa.float64()),
        ("change_m2", pa.float64()),
        ("change_low_m2", pa.float64()),
        ("change_high_m2", pa.float64()),
        ("listed_change_m2", pa.float64()),
        ("only_from_m2", pa.float64()),
        ("only_to_m2", pa.float64()),
        ("significant", pa.bool_()),
        ("comparable", pa.bool_()),
        ("because", pa.list_(pa.string())),
    ]
)
"""The same-mask recount, one row per pair of neighbouring years and one from the first to the last: only features settled in both.

`listed_change_m2` is the difference of the two lists as they are; `only_from_m2` and `only_to_m2` are areas of features that the other
year did not observe: listed change = change + only_to - only_from.
"""

MATCHES: Final = pa.schema(
    [
        ("feature_id", pa.string()),
        ("other_id", pa.string()),
        ("relation", pa.string()),
        ("shared_m2", pa.float64()),
        ("iou", pa.float32()),
        ("area_m2", pa.float64()),
        ("other_area_m2", pa.float64()),
        ("area_difference_percent", pa.float32()),
        ("distance_m", pa.float32()),
    ]
)
"""Features of ours beside those of another inventory: `same`, `split` (one of theirs is several of ours), `merged` (several of theirs are
one of ours), `tangled` (several of both), `only_ours`, `only_theirs`; the missing side is null, `distance_m` is then to the nearest."""

CROSSWALK: Final = pa.schema(
    [
        ("old_id", pa.string()),
        ("new_id", pa.string()),
        ("relation", pa.string()),
        ("shared_m2", pa.float64()),
        ("old_release", pa.string()),
        ("new_release", pa.string()),
    ]
)
"""From the names of a superseded release to those of the next: `kept`, `renamed`, `merged`, `split`, `gone` (`new_id` null), `new`
(`old_id` null)."""
