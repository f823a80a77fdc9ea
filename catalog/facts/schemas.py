"""Arrays, dims, units and columns of everything that is stored; names here are promises to users."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import pyarrow as pa

from catalog.facts.bands import S1_NAMES, S2_NAMES
from catalog.facts.detector_cards import MASK_PX
from catalog.facts.errors import SchemaError
from catalog.facts.records import Target

SCHEMA_VERSION: Final = 1
"""Raised when a column or array changes meaning; older programs refuse newer stores."""


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """One array of a Zarr cube."""

    name: str
    dtype: str
    fill: float
    bands: tuple[str, ...] = ()
    """Names along the leading dimension; empty for (y, x) arrays."""
    band_dim: str = "band"
    units: str = "1"
    meaning: str = ""
    scale: float = 1.0
    """Physical value = stored value x scale."""


SURFACE: Final = (
    ArraySpec("s2", "uint16", 0, S2_NAMES, "band", "1", "surface reflectance x 10 000, harmonised over processing baselines", 1e-4),
    ArraySpec("s1", "float32", float("nan"), S1_NAMES, "polarization", "dB", "radiometrically terrain-corrected gamma0"),
    ArraySpec("dem", "float32", float("nan"), units="m", meaning="height above the geoid"),
    ArraySpec("looks", "uint8", 0, meaning="clear optical observations used"),
    ArraySpec("day", "uint16", 0, units="day of year", meaning="median day of those observations; 0 where there is none"),
    ArraySpec(
        "cause",
        "uint8",
        7,
        meaning="0 usable, 1 no scene, 2 cloud, 3 cloud shadow, 4 terrain shadow, 5 snow or lake ice, 6 read failed, 7 outside region",
    ),
)
"""Arrays of the surface cube. An array holds its fill value wherever nothing was written."""

PROBABILITY_NODATA: Final = 255
PROBABILITY_SCALE: Final = 0.004
PROBABILITY: Final = (
    ArraySpec(
        "probability",
        "uint8",
        PROBABILITY_NODATA,
        meaning="calibrated probability of the target x 250; 255 = no prediction",
        scale=PROBABILITY_SCALE,
    ),
    ArraySpec(
        "spread",
        "uint8",
        PROBABILITY_NODATA,
        meaning="disagreement of ensemble members or augmentations x 250; 255 = none",
        scale=PROBABILITY_SCALE,
    ),
)

INSTANCES: Final = pa.schema(
    [
        ("window_y", pa.int32()),
        ("window_x", pa.int32()),
        ("valid_share", pa.float32()),
        ("score", pa.float32()),
        ("x0", pa.float32()),
        ("y0", pa.float32()),
        ("x1", pa.float32()),
        ("y1", pa.float32()),
        ("mask", pa.binary(MASK_PX**2)),
    ]
)
"""What a detector found in the windows of a tile: a row per detection, and one with nulls for a window without any.

`window_y`, `window_x`: global pixel of the window's upper left corner; boxes in network pixels from there; `mask`: probability x 255 of
28 x 28 cells inside the box, row after row.
"""

_PROVENANCE = (
    "schema_version",
    "cryoatlas_version",
    "run_id",
    "region",
    "year",
    "model",
    "model_sha256",
    "fingerprint",
    "licence",
    "attribution",
)
PROVENANCE_KEYS: Final = frozenset(_PROVENANCE)
"""Keys that the metadata of every published file carries."""

LAKES: Final = pa.schema(
    [
        ("lake_id", pa.string()),
        ("obs_id", pa.string()),
        ("longitude", pa.float64()),
        ("latitude", pa.float64()),
        ("area_m2", pa.float64()),
        ("area_low_m2", pa.float64()),
        ("area_high_m2", pa.float64()),
        ("area_sigma_m2", pa.float64()),
        ("area_probability_m2", pa.float64()),
        ("perimeter_m", pa.float64()),
        ("circularity", pa.float32()),
        ("shore_development", pa.float32()),
        ("elongation", pa.float32()),
        ("size_class", pa.string()),
        ("elevation_m", pa.float32()),
        ("elevation_range_m", pa.float32()),
        ("shore_slope_deg", pa.float32()),
        ("probability", pa.float32()),
        ("spread", pa.float32()),
        ("observed_share", pa.float32()),
        ("looks", pa.int16()),
        ("date_first", pa.date32()),
        ("date_median", pa.date32()),
        ("date_last", pa.date32()),
        ("sensors", pa.string()),
        ("agreement", pa.float32()),
        ("lake_type", pa.string()),
        ("glacier_id", pa.string()),
        ("glacier_distance_m", pa.float32()),
        ("glacier_overlap_share", pa.float32()),
        ("provider", pa.string()),
        ("flags", pa.list_(pa.string())),
        ("edit", pa.string()),
        ("edit_note", pa.string()),
        ("tile", pa.string()),
        ("utm_epsg", pa.int32()),
    ]
)
"""Columns of inventory/lakes beside `geometry`; region and year are Hive keys in the path.

`edit` says what a person did to the row (`accepted`, `redrawn`, `drawn`; null where nobody did), `edit_note` what they wrote.
"""

TRACKS: Final = pa.schema(
    [
        ("feature_id", pa.string()),
        ("year", pa.int16()),
        ("state", pa.string()),
        ("area_m2", pa.float64()),
        ("area_low_m2", pa.float64()),
        ("area_high_m2", pa.float64()),
        ("observed_share", pa.float32()),
        ("comparable", pa.bool_()),
        ("not_comparable_because", pa.string()),
    ]
)

EVENTS: Final = pa.schema(
    [
        ("event", pa.string()),
        ("year_from", pa.int16()),
        ("year_to", pa.int16()),
        ("parents", pa.list_(pa.string())),
        ("children", pa.list_(pa.string())),
        ("area_before_m2", pa.float64()),
        ("area_after_m2", pa.float64()),
        ("change_m2", pa.float64()),
        ("change_low_m2", pa.float64()),
        ("change_high_m2", pa.float64()),
        ("significant", pa.bool_()),
        ("alarm", pa.bool_()),
        ("reason", pa.string()),
    ]
)

COVERAGE: Final = pa.schema(
    [
        ("tile", pa.string()),
        ("region", pa.string()),
        ("year", pa.int16()),
        ("state", pa.string()),
        ("cause", pa.string()),
        ("message", pa.string()),
        ("observed_share", pa.float32()),
        ("cloud_share", pa.float32()),
        ("snow_ice_share", pa.float32()),
        ("shadow_share", pa.float32()),
        ("no_scene_share", pa.float32()),
        ("looks_median", pa.float32()),
        ("scenes_used", pa.int16()),
        ("scenes_refused", pa.int16()),
        ("seconds", pa.float32()),
        ("bytes", pa.int64()),
    ]
)

ID_COLUMNS: Final[Mapping[Target, str]] = MappingProxyType({"lakes": "lake_id", "slumps": "slump_id"})
"""Column of an inventory that names the feature."""

SIZE_CLASSES: Final = (("<0.5ha", 5e3), ("0.5-1ha", 1e4), ("1-5ha", 5e4), ("5-10ha", 1e5), ("10-100ha", 1e6), (">100ha", float("inf")))
"""Label and upper bound in m2."""


def size_class(area_m2: float) -> str:
    """Return the size class of an area in m2."""
    return next(label for label, upper in SIZE_CLASSES if area_m2 < upper)


def require(table: pa.Table, schema: pa.Schema, *, where: str) -> pa.Table:
    """Return `table` when it has every column of `schema` with its type; else raise SchemaError that lists every mismatch."""
    wrong = []
    for column in schema:
        if column.name not in table.column_names:
            wrong.append(f"{column.name} is missing")
        elif table.schema.field(column.name).type != column.type:
            wrong.append(f"{column.name} is {table.schema.field(column.name).type}, expected {column.type}")
    if wrong:
        raise SchemaError(f"{where}: {'; '.join(wrong)}. Rebuild it with `cryoatlas run`.")
    return table
