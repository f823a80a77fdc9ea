"""The ground of a tile in longitude and latitude, whole or the part of it that is mapped."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from catalog.facts.antimeridian import split, unwrapped
from catalog.facts.grids import Tile, to_lonlat


@dataclass(frozen=True, slots=True)
class TilePart:
    """A tile and the ground in it that is mapped."""

    tile: Tile
    ground: BaseGeometry
    """EPSG:4326, split at +-180."""


@lru_cache(maxsize=16384)
def ground_of(tile: Tile) -> BaseGeometry:
    """Return a tile's ground in EPSG:4326, split at +-180, prepared."""
    return _lonlat(shapely.box(*tile.bounds_lbrt), tile)


def part_of(tile: Tile, chips_inside: NDArray[np.bool_]) -> TilePart:
    """Return the part of a tile in the chips of a mask (rows from the north, columns from the west)."""
    if chips_inside.all():
        return TilePart(tile, ground_of(tile))
    left, _, _, top = tile.bounds_lbrt
    step = tile.size_m // tile.chips
    row, column = np.nonzero(chips_inside)
    west, north = left + column * step, top - row * step
    return TilePart(tile, _lonlat(shapely.union_all(shapely.box(west, north - step, west + step, north)), tile))


def _lonlat(ground: BaseGeometry, tile: Tile) -> BaseGeometry:
    dense = shapely.segmentize(ground, tile.size_m / 8)
    lonlat = shapely.transform(dense, lambda xy: np.column_stack(to_lonlat(tile.epsg).transform(xy[:, 0], xy[:, 1])))
    found = split(unwrapped(lonlat))
    shapely.prepare(found)
    return found


def chip_centres_lonlat(part: TilePart) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return longitudes and latitudes of the centres of the chips in a part, degrees; of all chips when none lies in it."""
    tile = part.tile
    left, _, _, top = tile.bounds_lbrt
    step = tile.size_m / tile.chips
    x, y = np.meshgrid(left + step * (np.arange(tile.chips) + 0.5), top - step * (np.arange(tile.chips) + 0.5))
    longitude, latitude = to_lonlat(tile.epsg).transform(x.ravel(), y.ravel())
    inside = shapely.intersects_xy(part.ground, longitude, latitude)
    return (longitude[inside], latitude[inside]) if inside.any() else (longitude, latitude)
