"""One leak-free split for all stages: blocks of longitude and latitude, each hashed to train, val or test.

The hash and its parameters are CryoSentinel's. Two things differ from its published split: one grid serves every stage (there, blocks
of 0.25 degrees in the first stage put most test blocks of the second into training), and a chip is dropped only when ground of a
*different* split is near, diagonal corners included. The published buffer of 0.02 degrees is narrower than half a chip in longitude
beyond 60 degrees of latitude, so it is widened there until it holds a chip turned by any angle.
"""

import hashlib
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

BUFFER: Final = "buffer"
REACH_M: Final = 1600.0
"""Half the diagonal of a chip is 1584 m: a chip turned by any angle, or drawn in another zone, stays within this of its centre."""
_METRES_PER_DEGREE: Final = 111_320.0

Floats = NDArray[np.float64]
Cells = NDArray[np.int64]
Names = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class BlockGrid:
    """The grid of blocks and how much ground lies between splits."""

    size_deg: float = 0.15
    buffer_deg: float = 0.02
    salt: str = "cryosentinel-blocks-v1"
    every_edge: bool = False
    """Drop chips within the buffer of any block edge, as published; else only near ground of a different split."""

    @property
    def columns(self) -> int:
        """Blocks around the globe."""
        return round(360.0 / self.size_deg)


BLOCKS: Final = BlockGrid()
PUBLISHED_BLOCKS: Final = BlockGrid(every_edge=True)


@lru_cache(maxsize=1 << 16)
def bucket_of(row: int, column: int, salt: str = BLOCKS.salt) -> int:
    """Bucket 0 to 99 of a block: the first eight hexadecimal digits of SHA-1 over `salt|row|column`, modulo 100."""
    digest = hashlib.sha1(f"{salt}|{row}|{column}".encode(), usedforsecurity=False).hexdigest()
    return int(digest[:8], 16) % 100


def split_of_bucket(bucket: int) -> str:
    """Split of a bucket: 80 % train, 10 % val, 10 % test."""
    return "train" if bucket < 80 else "val" if bucket < 90 else "test"


def cell_of(latitude: float, longitude: float, grid: BlockGrid = BLOCKS) -> tuple[int, int]:
    """Row and column of the block that holds a point, degrees."""
    return math.floor(latitude / grid.size_deg), math.floor(longitude / grid.size_deg)


def split_of(latitude: float, longitude: float, grid: BlockGrid = BLOCKS) -> str:
    """Split of a chip by its centre, degrees: `train`, `val`, `test` or `buffer`."""
    return str(splits_of(np.array([latitude]), np.array([longitude]), grid)[0])


def splits_of(latitude: Floats, longitude: Floats, grid: BlockGrid = BLOCKS) -> Names:
    """Split of chips by their centres, degrees, shape (n,)."""
    own = block_splits_of(latitude, longitude, grid)
    near = _near_an_edge(latitude, longitude, grid) if grid.every_edge else _near_another_split(latitude, longitude, own, grid)
    return np.where(near, BUFFER, own)


def block_splits_of(latitude: Floats, longitude: Floats, grid: BlockGrid = BLOCKS) -> Names:
    """Split of the block under each point, without any buffer: what a whole lake belongs to by its representative point."""
    return _splits_of_cells(*_cells(latitude, longitude, grid), grid)


def blocks_of(latitude: Floats, longitude: Floats, grid: BlockGrid = BLOCKS) -> Names:
    """Name `row|column` of the block under each point; intervals of scores are clustered by it."""
    rows, columns = _cells(latitude, longitude, grid)
    return np.array([f"{row}|{column}" for row, column in zip(rows.tolist(), columns.tolist(), strict=True)], object)


def buffer_longitude_deg(latitude: Floats, grid: BlockGrid = BLOCKS) -> Floats:
    """Buffer in degrees of longitude: as published where that is `REACH_M` on the ground, wider towards the poles."""
    # degrees of longitude on the ellipsoid are never shorter than on this sphere, so the buffer is never too narrow
    needed = REACH_M / (_METRES_PER_DEGREE * np.cos(np.radians(latitude)))
    return np.maximum(grid.buffer_deg, needed)


def _cells(latitude: Floats, longitude: Floats, grid: BlockGrid) -> tuple[Cells, Cells]:
    return np.floor(latitude / grid.size_deg).astype(np.int64), np.floor(longitude / grid.size_deg).astype(np.int64)


def _splits_of_cells(rows: Cells, columns: Cells, grid: BlockGrid) -> Names:
    pairs, place = np.unique(np.stack([rows, columns], axis=-1), axis=0, return_inverse=True)
    names = [split_of_bucket(bucket_of(row, column, grid.salt)) for row, column in pairs.tolist()]
    return np.array(names, object)[place.reshape(-1)]


def _near_an_edge(latitude: Floats, longitude: Floats, grid: BlockGrid) -> NDArray[np.bool_]:
    near = np.zeros(len(latitude), bool)
    for degrees in (latitude, longitude):
        share = degrees / grid.size_deg - np.floor(degrees / grid.size_deg)
        near |= np.minimum(share, 1.0 - share) * grid.size_deg < grid.buffer_deg
    return near


def _near_another_split(latitude: Floats, longitude: Floats, own: Names, grid: BlockGrid) -> NDArray[np.bool_]:
    """Chips whose widened surroundings touch a block of another split.

    The surroundings hold the footprint, and those of a kept chip lie in blocks of its own split alone: so footprints of two
    splits cannot meet, on any latitude and across any corner.
    """
    wide = buffer_longitude_deg(latitude, grid)
    south, west = _cells(latitude - grid.buffer_deg, longitude - wide, grid)
    north, east = _cells(latitude + grid.buffer_deg, longitude + wide, grid)
    near = np.zeros(len(latitude), bool)
    for step_y in range(_most(north - south) + 1):
        for step_x in range(_most(east - west) + 1):
            rows, columns = np.minimum(south + step_y, north), np.minimum(west + step_x, east)
            near |= _splits_of_cells(rows, _wrapped(columns, grid), grid) != own
    return near


def _most(steps: Cells) -> int:
    return int(steps.max(initial=0))


def _wrapped(columns: Cells, grid: BlockGrid) -> Cells:
    half = grid.columns // 2
    return (columns + half) % grid.columns - half
