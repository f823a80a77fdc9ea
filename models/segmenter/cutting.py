"""Windows of a cube to chips with their labels and records: what is cut, and what is known of each chip."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from catalog.facts.chips import CHIP_PX, EARTH, LABEL_IGNORE, LABEL_SCALE, NEVER_MASKS, WET_SHARE, ChipBatch, ChipRecord, CutOptions
from catalog.facts.footprints import centres_lonlat, squares, squares_lonlat, touching_foreign_lakes
from catalog.facts.lattice import zones_of
from catalog.facts.splits import BLOCKS, BUFFER, PUBLISHED_BLOCKS, blocks_of, splits_of
from models.segmenter.contract import WindowArrays
from models.segmenter.labels import label_of, weight_of
from models.segmenter.lake_sides import Lakes, Place
from models.segmenter.sanity import Sanity, sanity_of

Names = NDArray[np.object_]
Places = NDArray[np.int64]
NEAR_EDGE: Final = "near a block of another split"
FOREIGN_LAKE: Final = "touches a lake of another split"
OUTSIDE, UNSEEN, DRY, EMPTY, NOT_SANE = (
    "outside the region, or never seen",
    "too little was seen",
    "dry, and not among the negatives kept",
    "no slump, and not among the negatives kept",
    "refused by the MNDWI filter",
)


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of one zone that may become chips, arrays of equal length."""

    epsg: int
    origins_yx_px: Places
    """(n, 2)."""
    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]
    split: Names
    reason: Names
    block: Names
    footprints: Names
    """EPSG:4326."""


def windows_of(tile_origin_yx_px: tuple[int, int], tile_px: int, epsg: int, lakes: Lakes, options: CutOptions) -> Windows:
    """Windows whose upper left corner lies in a tile, each with its split; those whose centre another zone owns are left to it."""
    starts = [
        np.arange(-(-first // options.stride_px) * options.stride_px, first + tile_px, options.stride_px) for first in tile_origin_yx_px
    ]
    origins = np.stack(np.meshgrid(*starts, indexing="ij"), axis=-1).reshape(-1, 2).astype(np.int64)
    if 32600 < epsg < 32800:
        origins = origins[zones_of(*centres_lonlat(origins, epsg)) == epsg]
    longitude, latitude = centres_lonlat(origins, epsg)
    split, reason = _splits(origins, longitude, latitude, lakes, options)
    footprints = squares_lonlat(origins, epsg)
    return Windows(epsg, origins, longitude, latitude, split, reason, blocks_of(latitude, longitude), footprints)


def _splits(
    origins: Places, longitude: NDArray[np.float64], latitude: NDArray[np.float64], lakes: Lakes, options: CutOptions
) -> tuple[Names, Names]:
    count = len(origins)
    if options.split != "blocks":
        return np.full(count, options.split, object), np.full(count, f"declared {options.split} as a whole", object)
    split = splits_of(latitude, longitude, PUBLISHED_BLOCKS if options.every_edge else BLOCKS)
    reason = np.where(split == BUFFER, NEAR_EDGE, "").astype(object)
    foreign = touching_foreign_lakes(squares(origins), split, lakes.metres, lakes.table["split"].to_numpy(object))
    split[foreign], reason[foreign] = BUFFER, FOREIGN_LAKE
    return split, reason


@dataclass(frozen=True, slots=True)
class Chip:
    """One chip with what is known of it."""

    window: WindowArrays
    label: NDArray[np.uint8]
    record: ChipRecord
    footprint: shapely.Geometry


def chip_of(window: WindowArrays, windows: Windows, number: int, *, lakes: Lakes, place: Place, options: CutOptions) -> Chip | str:
    """Label one window and judge whether it becomes a chip; else the reason why not."""
    seen = seen_by_any(window)
    if not seen.any():
        return OUTSIDE
    if seen.mean() < options.min_valid_share:
        return UNSEEN
    origin = windows.origins_yx_px[number]
    touching = shapely.intersects(lakes.metres, squares(origin[None])[0]) if len(lakes.metres) else np.empty(0, bool)
    band = options.ignore_band_px if options.ignore_band_px is not None else int(options.ground == EARTH)
    shaped = touching & ~lakes.table["class"].isin(NEVER_MASKS).to_numpy(bool)
    label = label_of(lakes.metres[shaped], (int(origin[0]), int(origin[1])), ignore_band_px=band)
    label[~seen] = LABEL_IGNORE
    s2 = window.s2 if window.s2 is not None else np.zeros((12, CHIP_PX, CHIP_PX), np.uint16)
    sanity = sanity_of(s2, label)
    record = _record(windows, number, float(seen.mean()), label, sanity, lakes.table[touching], place, options)
    if not is_drawn(record.chip_id, options.negatives):
        # a slump of any size makes a chip a positive: most are smaller than the hectare that a lake has to have
        if place.target == "slumps" and not shaped.any():
            return EMPTY
        if place.target == "lakes" and record.lake_share < WET_SHARE:
            return DRY
    if options.only_sane and not sanity.sane and record.split in {"train", "val"}:
        return NOT_SANE
    return Chip(window, label, record, windows.footprints[number])


def seen_by_any(window: WindowArrays) -> NDArray[np.bool_]:
    """Pixels (y, x) that optics or radar saw."""
    seen = np.zeros(window.cause.shape, bool)
    if window.s2 is not None:
        seen |= window.s2.any(axis=0)
    if window.s1 is not None:
        seen |= np.isfinite(window.s1).all(axis=0)
    return seen


def lake_share_of(label: NDArray[np.uint8]) -> float:
    """Share of the known pixels that lakes cover; 0 where nothing is known."""
    known = label[label != LABEL_IGNORE]
    return float(known.mean(dtype=np.float64)) / LABEL_SCALE if known.size else 0.0


def is_drawn(name: str, share: float) -> bool:
    """Choose a share of names by their hash: the same ones on every machine and in every run."""
    return int(sha256(name.encode()).hexdigest()[:8], 16) < share * 16**8


def _record(  # noqa: PLR0913 - a record is made of what all of these know
    windows: Windows,
    number: int,
    seen: float,
    label: NDArray[np.uint8],
    sanity: Sanity,
    lakes: gpd.GeoDataFrame,
    place: Place,
    options: CutOptions,
) -> ChipRecord:
    y, x = (int(value) for value in windows.origins_yx_px[number])
    hard = lakes[lakes["hard"].to_numpy(bool)]
    reasons = {reason for row in hard.itertuples() for reason in (row.hard_because or "hard").split(";")}
    return ChipRecord(
        f"{options.ground}/{place.region}/{place.year}/{windows.epsg}/{y}/{x}",
        options.ground,
        place.region,
        place.year,
        place.label_year,
        windows.epsg,
        y,
        x,
        float(windows.longitude[number]),
        float(windows.latitude[number]),
        str(windows.split[number]),
        str(windows.reason[number]),
        str(windows.block[number]),
        lake_share_of(label),
        len(lakes),
        seen,
        weight_of(place.year, place.label_year),
        sanity.sane,
        sanity.mask_px,
        sanity.water_px,
        sanity.iou,
        sanity.water_per_mask,
        sanity.background_share,
        place.source,
        tuple(sorted(set(lakes["class"]) - {""})),
        tuple(sorted(reasons)),
    )


def batch_of(chips: Sequence[Chip]) -> ChipBatch:
    """Stack chips; a modality that a cube lacks becomes its fill value."""
    size = (CHIP_PX, CHIP_PX)
    windows = [chip.window for chip in chips]
    return ChipBatch(
        np.stack([w.s2 if w.s2 is not None else np.zeros((12, *size), np.uint16) for w in windows]),
        np.stack([w.s1 if w.s1 is not None else np.full((2, *size), np.nan, np.float32) for w in windows]),
        np.stack([w.dem if w.dem is not None else np.full(size, np.nan, np.float32) for w in windows]),
        np.stack([w.cause for w in windows]),
        np.stack([chip.label for chip in chips]),
        np.array([chip.record.weight for chip in chips], np.float32),
    )
