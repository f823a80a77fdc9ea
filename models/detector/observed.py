"""How much ground was looked at, and in which cell of the globe: what counts are told per.

Ground is added up in blocks of 28 pixels, eight along a chip, so that no sum depends on the size of tiles; a block belongs to the zone
that holds its centre, so that ground which two zones map counts once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import h3
import numpy as np
from numpy.typing import NDArray

from catalog.facts.grids import CHIP_PX, PIXEL_M, Tile, from_lonlat, to_lonlat, zone_epsg
from models.outlines.geodesy import pixel_areas_m2

BLOCK_PX: Final = CHIP_PX // 8
RESOLUTION: Final = 5
"""Of the H3 cells: 253 km2 each on average."""
_UTM = (326, 327)
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ground:
    """Blocks of mapped ground, arrays of equal length."""

    cell: tuple[str, ...]
    """H3 cell of the centre."""
    observed_m2: Floats
    """Usable ground that a detector looked at, geodesic."""
    mapped_m2: Floats
    """Ground inside the region."""


def ground_of(tile: Tile, chips: NDArray[np.bool_], observed: NDArray[np.bool_]) -> Ground:
    """Return the blocks of a tile from its chips inside the region (rows, columns), and its pixels that were observed (y, x)."""
    usable = _per_block(observed)
    mapped = np.kron(chips, np.ones((CHIP_PX // BLOCK_PX,) * 2, np.int64)) * BLOCK_PX**2
    rows, columns = np.nonzero(mapped)
    top, left = tile.origin_yx_px
    longitude, latitude = _centres(tile.epsg, top + rows * BLOCK_PX, left + columns * BLOCK_PX)
    own = np.array([tile.epsg // 100 not in _UTM or zone_epsg(*at) == tile.epsg for at in zip(longitude, latitude, strict=True)], bool)
    rows, columns, longitude, latitude = rows[own], columns[own], longitude[own], latitude[own]
    area = pixel_areas_m2(tile.epsg, longitude, latitude) if rows.size else np.empty(0)
    return Ground(_cells(longitude, latitude), usable[rows, columns] * area, mapped[rows, columns] * area)


def looked_at(tile: Tile, windows_yx: NDArray[np.int64], window_px: int) -> NDArray[np.bool_]:
    """Return the pixels (y, x) of a tile that lie in a predicted window."""
    seen = np.zeros((tile.size_px, tile.size_px), bool)
    corners = windows_yx - np.array(tile.origin_yx_px)
    for y, x in corners[((corners > -window_px) & (corners < tile.size_px)).all(axis=1)]:
        seen[max(y, 0) : y + window_px, max(x, 0) : x + window_px] = True
    return seen


def together(grounds: Iterable[Ground]) -> dict[str, tuple[float, float]]:
    """Return observed and mapped square kilometres per cell, cells in order."""
    cells: dict[str, list[list[float]]] = {}
    for ground in grounds:
        for cell, observed, mapped in zip(ground.cell, ground.observed_m2, ground.mapped_m2, strict=True):
            sums = cells.setdefault(cell, [[], []])
            sums[0].append(observed)
            sums[1].append(mapped)
    # sorted before they are added: tiles of another size come in another order
    return {cell: (sum(sorted(cells[cell][0])) / 1e6, sum(sorted(cells[cell][1])) / 1e6) for cell in sorted(cells)}


def cells_of(epsg: Sequence[int], longitude: Floats, latitude: Floats) -> tuple[str, ...]:
    """Return the cell of the block that holds each point, in the zones given."""
    cells: list[str] = []
    for zone, east, north in zip(epsg, longitude, latitude, strict=True):
        x, y = from_lonlat(int(zone)).transform(east, north)
        corner = np.floor(np.array([-y, x]) / (PIXEL_M * BLOCK_PX)).astype(np.int64) * BLOCK_PX
        cells += _cells(*_centres(int(zone), corner[:1], corner[1:]))
    return tuple(cells)


def _per_block(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    count = mask.shape[0] // BLOCK_PX
    return np.asarray(mask.reshape(count, BLOCK_PX, count, BLOCK_PX).sum(axis=(1, 3)), np.int64)


def _centres(epsg: int, top_px: NDArray[np.int64], left_px: NDArray[np.int64]) -> tuple[Floats, Floats]:
    x, y = (left_px + BLOCK_PX / 2) * PIXEL_M, -(top_px + BLOCK_PX / 2) * PIXEL_M
    longitude, latitude = to_lonlat(epsg).transform(x, y)
    return np.asarray(longitude, np.float64), np.asarray(latitude, np.float64)


def _cells(longitude: Floats, latitude: Floats) -> tuple[str, ...]:
    return tuple(h3.latlng_to_cell(float(north), float(east), RESOLUTION) for east, north in zip(longitude, latitude, strict=True))
