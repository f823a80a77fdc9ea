"""The ground of a tile in longitude and latitude, whole or the part of it that is mapped."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from catalog.facts.antimeridian import split, unwrapped
from catalog.facts.grids import Tile, to_lonlat
from catalog.facts.regions import geometry_of


@dataclass(frozen=True, slots=True)
class TilePart:
    """A tile and the ground in it that is mapped."""

    tile: Tile
    ground: BaseGeometry
    """EPSG:4326, split at +-180."""
    # dates of one orbit show the same ground, so what one footprint shows is worked out once, not for every scene
    _meets: dict[str, bool] = field(default_factory=dict, init=False, repr=False, compare=False)
    _shown: dict[str, BaseGeometry] = field(default_factory=dict, init=False, repr=False, compare=False)
    _added: dict[tuple[str, ...], float] = field(default_factory=dict, init=False, repr=False, compare=False)

    def meets(self, footprint_wkt: str) -> bool:
        """Say whether a footprint in EPSG:4326 touches the ground."""
        if footprint_wkt not in self._meets:
            self._meets[footprint_wkt] = bool(shapely.intersects(self.ground, geometry_of(footprint_wkt)))
        return self._meets[footprint_wkt]

    def shown(self, footprint_wkt: str) -> BaseGeometry:
        """Return the part of the ground inside a footprint; the very ground where that is all of it, which costs little to find."""
        if footprint_wkt not in self._shown:
            footprint = geometry_of(footprint_wkt)
            inside = shapely.covers(footprint, self.ground)
            self._shown[footprint_wkt] = self.ground if inside else shapely.intersection(self.ground, footprint)
        return self._shown[footprint_wkt]

    def added(self, footprint_wkt: str, before: Sequence[str]) -> float:
        """Share of the ground that one footprint shows and those before it do not, 0 to 1."""
        key = (footprint_wkt, *before)
        if key not in self._added:
            self._added[key] = self._gain(footprint_wkt, [self.shown(other) for other in before]) / self.ground.area
        return self._added[key]

    def _gain(self, footprint_wkt: str, before: Sequence[BaseGeometry]) -> float:
        if any(other is self.ground for other in before):
            return 0.0
        shown = self.shown(footprint_wkt)
        if not before:
            return float(shown.area)
        return float(shapely.difference(shown, before[0] if len(before) == 1 else shapely.union_all(before)).area)


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
