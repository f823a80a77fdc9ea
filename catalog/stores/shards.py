"""CryoSentinel's chip archive: `<dir>/<region>/<year>/shard_*.parquet`, one row per chip, pixels as raw bytes.

The archive does not say which processing baseline its Sentinel-2 counts have, and nothing in it can tell: they are taken as they are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from catalog.facts.chips import CHIP_PX, LABEL_IGNORE, LABEL_SCALE
from catalog.facts.errors import ChipsUnusable

_PIXELS: Final = {"s2": ("<u2", (12,)), "s1": ("<f4", (2,)), "dem": ("<i2", ()), "mask": ("u1", ())}
_OPTIONAL: Final[dict[str, Any]] = {"split": "UNKNOWN", "lake_id": "", "lat": np.nan, "lon": np.nan, "water_frac": np.nan}
"""Columns that legacy shards may lack, and what stands for them."""
_ROWS: Final = 32
S2_MOST: Final = 16_000
DEM_LIMITS: Final = (-500, 9000)
DEM_SENTINEL: Final = 32_000


@dataclass(frozen=True, slots=True)
class Shard:
    """One file; region and year stand in its path."""

    path: Path
    region: str
    year: int


@dataclass(frozen=True, slots=True)
class ArchivedChip:
    """One chip in our units."""

    s2: NDArray[np.uint16]
    s1: NDArray[np.float32]
    dem: NDArray[np.float32]
    label: NDArray[np.uint8]


def find_shards(folder: Path) -> tuple[Shard, ...]:
    """List the shards of an archive, in a fixed order; raises ChipsUnusable when there are none."""
    found = []
    for path in sorted(folder.glob("*/*/shard_*.parquet")):
        year = path.parent.name
        if not year.isdigit():
            raise ChipsUnusable(f"Shards {path}: its folder {year!r} is not a year. The layout is <dir>/<region>/<year>/shard_*.parquet.")
        found.append(Shard(path, path.parent.parent.name, int(year)))
    if not found:
        raise ChipsUnusable(f"Shards {folder}: none here. The layout is <dir>/<region>/<year>/shard_*.parquet.")
    return tuple(found)


def read_facts(shard: Shard) -> pd.DataFrame:
    """What a shard says of its chips, without their pixels: chip_id, split, lake_id, lat, lon, water_frac."""
    with _opened(shard) as file:
        there = [name for name in ("chip_id", *_OPTIONAL) if name in file.schema_arrow.names]
        facts: pd.DataFrame = file.read(columns=there).to_pandas()
        count = file.metadata.num_rows
    if "chip_id" not in facts:
        facts["chip_id"] = [f"{shard.path.stem}-{row}" for row in range(count)]
    for name, instead in _OPTIONAL.items():
        facts[name] = facts[name].fillna(instead) if name in facts else instead
    return facts.reset_index(drop=True)


def read_pixels(shard: Shard) -> Iterator[list[ArchivedChip]]:
    """Yield the chips of a shard in order, a few at a time; raises ChipsUnusable when a buffer does not fit its shape."""
    columns = [f"{name}_{part}" for name in _PIXELS for part in ("bytes", "shape")]
    with _opened(shard) as file:
        for rows in file.iter_batches(batch_size=_ROWS, columns=columns):
            yield [_chip(rows, number, shard) for number in range(rows.num_rows)]


def invalid_pixels(s2: NDArray[np.uint16], s1: NDArray[np.float32], dem: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Pixels (y, x) without data in any sensor, by the archive's own rules, on raw values."""
    return _no_optics(s2) | ~np.isfinite(s1).all(axis=0) | _no_height(dem)


def converted(s2: NDArray[np.uint16], s1: NDArray[np.float32], dem: NDArray[np.int16], mask: NDArray[np.uint8]) -> ArchivedChip:
    """A chip in our units: nodata as 0 or NaN, valid counts 1 to 16 000, heights -500 to 9 000 m, label 255 where the archive's
    rules call a pixel invalid.
    """
    label = np.where(mask > 0, np.uint8(LABEL_SCALE), np.uint8(0))
    label[invalid_pixels(s2, s1, dem)] = LABEL_IGNORE
    optical = np.where(_no_optics(s2), np.uint16(0), np.clip(s2, 1, S2_MOST))
    radar = np.where(np.isfinite(s1).all(axis=0), s1, np.float32(np.nan))
    height = np.where(_no_height(dem), np.float32(np.nan), np.clip(dem, *DEM_LIMITS).astype(np.float32))
    return ArchivedChip(optical, radar, height, label)


def _no_optics(s2: NDArray[np.uint16]) -> NDArray[np.bool_]:
    none: NDArray[np.bool_] = (s2 == 0).all(axis=0) | (s2 >= S2_MOST).all(axis=0)
    return none


def _no_height(dem: NDArray[np.int16]) -> NDArray[np.bool_]:
    return (dem <= -DEM_SENTINEL) | (dem >= DEM_SENTINEL)


def _chip(rows: pa.RecordBatch, number: int, shard: Shard) -> ArchivedChip:
    return converted(*(_array(rows, number, name, shard) for name in _PIXELS))


def _array(rows: pa.RecordBatch, number: int, name: str, shard: Shard) -> NDArray[Any]:
    dtype, leading = _PIXELS[name]
    shape = tuple(rows.column(f"{name}_shape")[number].as_py())
    content = rows.column(f"{name}_bytes")[number].as_buffer()
    expected = (*leading, CHIP_PX, CHIP_PX)
    # a single band may come with or without its band dimension
    if tuple(shape) not in {expected, (1, *expected)} or content.size != np.dtype(dtype).itemsize * int(np.prod(expected)):
        raise ChipsUnusable(
            f"Shard {shard.path}, row {number}: {name} is {shape} in {content.size} bytes, expected {expected} of {dtype}. "
            "Fetch the shard again, or leave it out."
        )
    return np.frombuffer(content, dtype).reshape(expected)


def _opened(shard: Shard) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(shard.path)
    except (pa.ArrowInvalid, OSError) as error:
        raise ChipsUnusable(f"Shard {shard.path}: not a readable Parquet file ({error}). Fetch it again, or leave it out.") from error
