"""Cells of ground (chips of 2.24 km) to look for what an inventory misses: what was seen of each, and where the model was in doubt."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from catalog.facts.causes import Cause
from catalog.facts.grids import CHIP_PX, PIXEL_M, Tile, to_lonlat, zone_epsg
from catalog.facts.schemas import PROBABILITY_NODATA, PROBABILITY_SCALE
from models.outlines.geodesy import to_degrees

DOUBT: Final = (0.2, 0.5)
"""Probability of ground that is not listed and not plainly something else."""
UTM: Final = frozenset({*range(32601, 32661), *range(32701, 32761)})
LEAST_SEEN: Final = 0.05
"""Share of a cell that must have been seen for it to be asked about."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells of one tile, arrays of equal length."""

    epsg: int
    origin_yx: NDArray[np.int64]
    """Global pixel of the upper left corner, (n, 2)."""
    seen_share: NDArray[np.float64]
    doubtful_share: NDArray[np.float64]
    outlines: NDArray[np.object_]
    """EPSG:4326."""

    @property
    def seen_m2(self) -> NDArray[np.float64]:
        """Ground that was seen, m2 of the zone."""
        return self.seen_share * (CHIP_PX * PIXEL_M) ** 2


def cells_of(tile: Tile, inside: NDArray[np.bool_], cause: NDArray[np.uint8], probability: NDArray[np.uint8] | None) -> Cells:
    """Return the chips of a tile that the region maps (`inside`, chips), of which enough was seen, and which lie in the tile's zone.

    `cause` and `probability` are (y, x) of the tile as stored; without probability nothing is in doubt.
    """
    seen = _by_chip(cause == Cause.USABLE, tile.chips)
    doubtful = np.zeros_like(seen) if probability is None else _by_chip(_doubtful(probability), tile.chips)
    rows, columns = np.nonzero(inside & (seen >= LEAST_SEEN))
    top, left = tile.origin_yx_px
    origin = np.column_stack([top + rows * CHIP_PX, left + columns * CHIP_PX]).astype(np.int64).reshape(-1, 2)
    at_home = _at_home(origin, tile.epsg)
    origin, rows, columns = origin[at_home], rows[at_home], columns[at_home]
    side = CHIP_PX * PIXEL_M
    west, north = origin[:, 1] * PIXEL_M, -origin[:, 0] * PIXEL_M
    boxes = np.asarray(shapely.box(west, north - side, west + side, north), dtype=object).reshape(-1)
    return Cells(tile.epsg, origin, seen[rows, columns], doubtful[rows, columns], to_degrees(boxes, tile.epsg))


def _at_home(origin_yx: NDArray[np.int64], epsg: int) -> NDArray[np.bool_]:
    """Chips whose middle lies in the zone of their lattice: ground beside a seam is mapped in both zones, and is asked about once."""
    if epsg not in UTM:
        return np.ones(len(origin_yx), bool)
    middle = (origin_yx + CHIP_PX / 2) * PIXEL_M
    longitude, latitude = to_lonlat(epsg).transform(middle[:, 1], -middle[:, 0])
    zones = [zone_epsg(east, north) for east, north in zip(np.atleast_1d(longitude), np.atleast_1d(latitude), strict=True)]
    return np.array([zone == epsg for zone in zones], bool)


def _doubtful(stored: NDArray[np.uint8]) -> NDArray[np.bool_]:
    low, high = (round(limit / PROBABILITY_SCALE) for limit in DOUBT)
    return np.asarray((stored != PROBABILITY_NODATA) & (stored >= low) & (stored < high), bool)


def _by_chip(mask: NDArray[np.bool_], chips: int) -> NDArray[np.float64]:
    return np.asarray(mask.reshape(chips, CHIP_PX, chips, CHIP_PX).mean((1, 3)), np.float64)
