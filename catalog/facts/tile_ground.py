"""The ground of a tile in longitude and latitude."""

from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from catalog.facts.antimeridian import split, unwrapped
from catalog.facts.grids import Tile, to_lonlat


@lru_cache(maxsize=16384)
def ground_of(tile: Tile) -> BaseGeometry:
    """Return a tile's ground in EPSG:4326, split at +-180, prepared."""
    square = shapely.segmentize(shapely.box(*tile.bounds_lbrt), tile.size_m / 8)
    lonlat = shapely.transform(square, lambda xy: np.column_stack(to_lonlat(tile.epsg).transform(xy[:, 0], xy[:, 1])))
    ground = split(unwrapped(lonlat))
    shapely.prepare(ground)
    return ground


def chip_centres_lonlat(tile: Tile) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return longitudes and latitudes of the centres of a tile's chips, row by row from the north, degrees."""
    left, _, _, top = tile.bounds_lbrt
    step = tile.size_m / tile.chips
    x, y = np.meshgrid(left + step * (np.arange(tile.chips) + 0.5), top - step * (np.arange(tile.chips) + 0.5))
    longitude, latitude = to_lonlat(tile.epsg).transform(x.ravel(), y.ravel())
    return longitude, latitude
