"""Columns of what `cryoatlas evaluate` writes; names here are promises to users."""

from typing import Final

import pyarrow as pa

_WHOSE: Final = [("model", pa.string()), ("split", pa.string()), ("subset", pa.string())]
_WHERE: Final = [("ground", pa.string()), ("region", pa.string()), ("year", pa.int16()), ("block", pa.int32())]

METRICS: Final = pa.schema(
    [
        *_WHOSE,
        ("group", pa.string()),
        ("metric", pa.string()),
        ("unit", pa.string()),
        ("value", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("blocks", pa.int32()),
        ("n", pa.int64()),
    ]
)
"""One figure per row with its interval (95 % for lakes, 90 % for slumps, descriptions and referred masks); low and high are NaN where fewer than two blocks carry it."""

RELIABILITY: Final = pa.schema(
    [
        *_WHOSE,
        ("bin_low", pa.float64()),
        ("bin_high", pa.float64()),
        ("pixels", pa.int64()),
        ("mean_probability", pa.float64()),
        ("lake_share", pa.float64()),
    ]
)

CHIP_SCORES: Final = pa.schema(
    [
        *_WHOSE,
        ("chip_id", pa.string()),
        *_WHERE,
        ("wet", pa.bool_()),
        ("iou", pa.float64()),
        *((name, pa.int64()) for name in ("hit_px", "false_px", "missed_px", "judged_px", "answered_px")),
        ("squared_error", pa.float64()),
        *((name, pa.int64()) for name in ("shore_predicted_px", "shore_true_px")),
        *((f"shore_{side}_within_{metres}m_px", pa.int64()) for metres in (10, 20) for side in ("predicted", "true")),
    ]
)
"""Counts at probability 0.5; every shore pixel belongs to one chip."""

LAKE_SCORES: Final = pa.schema(
    [
        *_WHOSE,
        ("lake_id", pa.string()),
        ("state", pa.string()),
        ("class", pa.string()),
        ("hard_because", pa.string()),
        *_WHERE,
        *((name, pa.float64()) for name in ("true_area_m2", "area_m2", "area_low_m2", "area_high_m2", "probability", "iou")),
    ]
)
"""One row per true lake that was asked for (`found`, `missed`) and per `invented` one; geometry of the truth, or of the prediction."""

SLUMP_SCORES: Final = pa.schema(
    [
        *_WHOSE,
        ("slump_id", pa.string()),
        ("state", pa.string()),
        ("lenient", pa.bool_()),
        ("class", pa.string()),
        ("hard_because", pa.string()),
        *_WHERE,
        *((name, pa.float64()) for name in ("true_area_m2", "area_m2", "score", "iou")),
    ]
)
"""One row per slump that was asked for (`found`, `missed`) and per detection too many (`invented`, or `duplicate` on a slump that another
one found); geometry of the truth, or of the detection. `lenient`: right when an overlap of 0.3 is enough instead of 0.5."""

DESCRIPTION_SCORES: Final = pa.schema(
    [
        *_WHOSE,
        ("scene_id", pa.string()),
        ("lakes", pa.int16()),
        *((name, pa.string()) for name in ("family", "question", "reference", "text", "verified")),
        *((name, pa.int16()) for name in ("claims_kept", "claims_corrected", "claims_dropped", "described", "hallucinated", "omitted")),
        ("count_exact", pa.bool_()),
        ("drawn", pa.int16()),
        *((name, pa.int32()) for name in ("hit_px", "false_px", "missed_px")),
    ]
)
"""One row per answered question; `verified` is the text fit to print, `drawn` the lakes of the mask. Null where nothing of a kind was asked."""

REFERRED_SCORES: Final = pa.schema(
    [
        *_WHOSE,
        ("scene_id", pa.string()),
        *((name, pa.string()) for name in ("task", "question", "reference", "text")),
        ("exact", pa.bool_()),
        ("refused", pa.bool_()),
        ("whole", pa.bool_()),
        *((name, pa.int16()) for name in ("referents", "drawn", "place")),
        *((name, pa.string()) for name in ("phrase", "class", "seen_as", "arrangement")),
        *((name, pa.int32()) for name in ("hit_px", "false_px", "missed_px")),
        *((name, pa.float64()) for name in ("share", "iou", "expected", "score", "box_iou")),
    ]
)
"""One row per mask that was asked for (`place` from 1 in its question), and one per answered question without masks, whose `place` is null.

`share` of the scene that the true mask covers; `expected` and `score` are what the drawn mask tells of itself; `box_iou` of questions for a
box. Null where nothing of a kind was asked, or drawn."""
