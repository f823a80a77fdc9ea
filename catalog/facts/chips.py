"""Chips: training samples of 224 px as they are stored, what is known of each, and how a set of them is cut."""

from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

CHIP_PX: Final = 224
LABEL_SCALE: Final = 250
"""A label holds the share of the pixel that lakes cover x 250."""
LABEL_IGNORE: Final = 255
"""Nobody knows: no loss and no score counts the pixel."""
NEGATIVE: Final = "negative"
"""Class of an outline around ground that only looks like the target."""
UNCLEAR: Final = "unclear"
"""Class of an outline that tells where targets are but not their shape, as a box does."""
NEVER_MASKS: Final = (NEGATIVE, UNCLEAR)
Split = str
"""`train`, `val`, `test`, or `buffer` for a chip that no stage may use."""
SPLITS: Final = ("train", "val", "test", "buffer")
WET_SHARE: Final = 0.002
"""Lakes on that share of a chip (1 ha) make it a positive, as CryoSentinel counts it."""
EARTH: Final = "earth"
"""The ground of real chips. A simulated world is a ground of its own, though its coordinates may be another's."""
CHIPS_SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class ChipBatch:
    """N chips in stored units; a modality that a chip lacks holds its fill value everywhere."""

    s2: NDArray[np.uint16]
    """(N, 12, y, x), surface reflectance x 10 000, 0 = nodata."""
    s1: NDArray[np.float32]
    """(N, 2, y, x), VV and VH in dB, NaN = nodata."""
    dem: NDArray[np.float32]
    """(N, y, x), metres, NaN = nodata."""
    cause: NDArray[np.uint8]
    """(N, y, x), codes of `Cause`."""
    label: NDArray[np.uint8]
    """(N, y, x), lake coverage x 250, 255 = ignore."""
    weight: NDArray[np.float32]
    """(N,), below one where the label is of another year than the image."""

    def __len__(self) -> int:
        """Count the chips."""
        return len(self.label)


@dataclass(frozen=True, slots=True)
class ChipRecord:
    """One row of `chips.parquet`; its footprint stands beside it in the geometry column (EPSG:4326)."""

    chip_id: str
    ground: str
    """`earth`, or the name of a simulated world."""
    region: str
    year: int
    """Year of the images."""
    label_year: int
    epsg: int
    origin_y_px: int
    """Global pixel of the upper left corner on the zone's lattice (see `Tile.origin_yx_px`)."""
    origin_x_px: int
    longitude: float
    """Of the chip's centre, degrees; NaN when nobody knows."""
    latitude: float
    split: Split
    reason: str
    """Why the chip is `buffer`, or how its split was declared; empty for the split of its block."""
    block: str
    lake_share: float
    """Share of the known pixels that lakes cover; what no sensor saw is not known."""
    lakes: int
    """Outlines that touch the chip; -1 when only a mask is known."""
    valid_share: float
    """Share of pixels that a sensor saw."""
    weight: float
    sane: bool
    """Whether the two-regime MNDWI filter would keep the chip; reported, never decided by."""
    mask_px: int
    mndwi_px: int
    mndwi_iou: float
    mndwi_ratio: float
    mndwi_background: float
    source: str
    classes: tuple[str, ...] = ()
    """Classes of the outlines that touch the chip."""
    hard_classes: tuple[str, ...] = ()
    """Why outlines that touch the chip are hard to map."""
    lake_split: str = ""
    """Split of a foreign archive, kept for diagnostics."""


_NAMES = pa.list_(pa.string())
CHIPS: Final = pa.schema(
    [
        ("chip_id", pa.string()),
        ("ground", pa.string()),
        ("region", pa.string()),
        ("year", pa.int16()),
        ("label_year", pa.int16()),
        ("epsg", pa.int32()),
        ("origin_y_px", pa.int32()),
        ("origin_x_px", pa.int32()),
        ("longitude", pa.float64()),
        ("latitude", pa.float64()),
        ("split", pa.string()),
        ("reason", pa.string()),
        ("block", pa.string()),
        ("lake_share", pa.float32()),
        ("lakes", pa.int16()),
        ("valid_share", pa.float32()),
        ("weight", pa.float32()),
        ("sane", pa.bool_()),
        ("mask_px", pa.int32()),
        ("mndwi_px", pa.int32()),
        ("mndwi_iou", pa.float32()),
        ("mndwi_ratio", pa.float32()),
        ("mndwi_background", pa.float32()),
        ("source", pa.string()),
        ("classes", _NAMES),
        ("hard_classes", _NAMES),
        ("lake_split", pa.string()),
    ]
)
"""Columns of `chips.parquet` beside `geometry`; row i describes chip i of `chips.zarr`."""

CHIP_LABELS: Final = pa.schema(
    [
        ("lake_id", pa.string()),
        ("ground", pa.string()),
        ("region", pa.string()),
        ("year", pa.int16()),
        ("label_year", pa.int16()),
        ("split", pa.string()),
        ("class", pa.string()),
        ("hard", pa.bool_()),
        ("hard_because", pa.string()),
        ("observable", pa.bool_()),
        ("area_m2", pa.float64()),
        ("covered_share", pa.float32()),
        ("labeler", pa.string()),
    ]
)
"""Columns of `labels.parquet` beside `geometry`: one row per outline and image year; `lake_id` is the name of a slump too.

`labeler` tells who drew it where several did (sets of before have no such column; then all are one labeler's). `covered_share` is the part of the outline inside chips of its own split and year: object scores can leave out lakes that are cut.
"""


@dataclass(frozen=True, slots=True)
class CutOptions:
    """How chips are cut from the cubes of a store."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    split: Literal["blocks", "train", "val", "test"] = "blocks"
    """`blocks` by the grid that all stages share; else the whole set is declared to be of one split."""
    every_edge: bool = False
    """The published variant of the grid, which drops chips near every edge."""
    stride_px: int = 112
    negatives: float = 1.0
    """Share of chips without lakes that are kept, chosen by a hash of their name; 1 keeps all."""
    only_sane: bool = False
    """Leave chips of train and val out that the MNDWI filter refuses; test chips always stay."""
    ignore_band_px: int | None = None
    """Pixels on both sides of a shore that nobody is asked about; None: 1 on earth (inventories are registered no better), 0 in a
    simulated world (its truth is exact)."""
    min_valid_share: float = 0.25
    """Chips of which less was seen are left out."""
    label_year: int | None = None
    """Year of labels that do not tell it themselves."""
    ground: str = EARTH
    """`earth`, or the name of a simulated world: two worlds may use the same coordinates."""
    licence: str = "unknown"
    """Licence of the labels."""
    attribution: str = ""


@dataclass(frozen=True, slots=True)
class ChipCounts:
    """What a set holds."""

    out: str
    chips: int
    by_split: dict[str, int]
    outlines: int
    repaired: int
    """Outlines whose geometry was invalid and was repaired."""
    left_out: dict[str, int]
    """Windows that were not kept, by reason."""
