"""A rectangular patch of one zone's lattice as arrays: centres, zones of the centres, and what touches what."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from catalog.facts.grids import CHIP_PX, PIXEL_M, UTM_NORTH_LIMIT_DEG, UTM_SOUTH_LIMIT_DEG, Tile, from_lonlat, to_lonlat

_EDGE_POINTS = 4


@dataclass(frozen=True)
class Patch:
    """Tiles of one lattice as (rows from the north, columns from the west)."""

    epsg: int
    first_column: int
    top_row: int
    shape: tuple[int, int]
    chips: int
    named_crs: bool
    """True when the region names its CRS: the lattice then has no zones and no seams."""

    @property
    def size_m(self) -> int:
        """Metres along one side of a tile."""
        return self.chips * CHIP_PX * PIXEL_M

    @cached_property
    def corners(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Left and bottom of every tile, metres."""
        columns = self.first_column + np.arange(self.shape[1])
        rows = self.top_row - np.arange(self.shape[0])
        left, bottom = np.meshgrid(columns * float(self.size_m), rows * float(self.size_m))
        return left, bottom

    @cached_property
    def centres(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Longitude and latitude of every centre, degrees."""
        left, bottom = self.corners
        longitude, latitude = to_lonlat(self.epsg).transform(left + self.size_m / 2, bottom + self.size_m / 2)
        return longitude, latitude

    @cached_property
    def boxes(self) -> NDArray[np.object_]:
        """Every tile as a square in metres."""
        left, bottom = self.corners
        squares: NDArray[np.object_] = shapely.box(left, bottom, left + self.size_m, bottom + self.size_m)
        return squares

    @cached_property
    def in_zone(self) -> NDArray[np.bool_]:
        """Whether the centre lies in the patch's own zone."""
        if self.named_crs:
            return np.ones(self.shape, dtype=np.bool_)
        mine: NDArray[np.bool_] = zones_of(*self.centres) == self.epsg
        return mine

    @cached_property
    def ring(self) -> NDArray[np.bool_]:
        """Tiles whose centre lies in another zone, beside (of eight neighbours) one whose centre lies in this zone."""
        padded = np.pad(self.in_zone, 1)
        beside = np.zeros(self.shape, dtype=np.bool_)
        for dy in range(3):
            for dx in range(3):
                beside |= padded[dy : dy + self.shape[0], dx : dx + self.shape[1]]
        return beside & ~self.in_zone

    def beside_seam(self, reach_deg: float) -> NDArray[np.bool_]:
        """Tiles of this zone near enough to another zone to meet that zone's ring."""
        if self.named_crs:
            return np.zeros(self.shape, dtype=np.bool_)
        longitude, latitude = self.centres
        reach = reach_deg / np.cos(np.radians(latitude))
        west, east = zones_of(longitude - reach, latitude), zones_of(longitude + reach, latitude)
        near_equator = np.abs(latitude) < reach_deg
        beside: NDArray[np.bool_] = (west != self.epsg) | (east != self.epsg) | near_equator | _near_exceptions(latitude, reach_deg)
        return beside

    def touches(self, ground: BaseGeometry, where: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
        """Tiles that touch a geometry in metres of the patch's CRS; only those in `where` are tested."""
        found = np.zeros(self.shape, dtype=np.bool_)
        tested = np.ones(self.shape, dtype=np.bool_) if where is None else where
        if not ground.is_empty and tested.any():
            shapely.prepare(ground)
            found[tested] = shapely.intersects(ground, self.boxes[tested])
        return found

    def centre_inside(self, geometry_lonlat: BaseGeometry, where: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tiles whose centre lies in a geometry or on its edge; only those in `where` are tested."""
        found = np.zeros(self.shape, dtype=np.bool_)
        longitude, latitude = self.centres
        found[where] = shapely.intersects_xy(geometry_lonlat, longitude[where], latitude[where])
        return found

    def tiles(self, mask: NDArray[np.bool_]) -> tuple[Tile, ...]:
        """The tiles of a mask, row by row from the north."""
        rows, columns = np.nonzero(mask)
        pairs = zip(rows, columns, strict=True)
        return tuple(Tile(self.epsg, int(self.first_column + column), int(self.top_row - row), self.chips) for row, column in pairs)

    def outlines_lonlat(self, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        """The tiles of a mask as arrays of corner and edge points (tile, point, lon/lat)."""
        left, bottom = (values[mask] for values in self.corners)
        along = np.linspace(0.0, 1.0, _EDGE_POINTS, endpoint=False)
        unit_x = np.concatenate([along, np.ones(_EDGE_POINTS), 1 - along, np.zeros(_EDGE_POINTS)])
        unit_y = np.concatenate([np.zeros(_EDGE_POINTS), along, np.ones(_EDGE_POINTS), 1 - along])
        x = left[:, None] + self.size_m * unit_x
        y = bottom[:, None] + self.size_m * unit_y
        return np.stack(to_lonlat(self.epsg).transform(x, y), axis=-1)

    def project(self, outlines: NDArray[np.float64]) -> NDArray[np.object_]:
        """Outlines in lon/lat as polygons in metres of this patch; those too far from the zone are left out."""
        meridian = (self.epsg % 100) * 6.0 - 183.0
        away = np.abs((outlines[:, 0, 0] - meridian + 180.0) % 360.0 - 180.0)
        kept = outlines[away < 45.0]
        x, y = from_lonlat(self.epsg).transform(kept[..., 0], kept[..., 1])
        return np.asarray(shapely.polygons(np.stack([x, y], axis=-1)))


def patch_over(ground: BaseGeometry, epsg: int, *, chips: int, named_crs: bool) -> Patch:
    """Return the patch that holds every tile touching `ground` (metres) and one tile more on each side."""
    size = chips * CHIP_PX * PIXEL_M
    left, bottom, right, top = ground.bounds
    first, last = int(np.floor(left / size)) - 1, int(np.floor(right / size)) + 1
    low, high = int(np.floor(bottom / size)) - 1, int(np.floor(top / size)) + 1
    return Patch(epsg, first, high, (high - low + 1, last - first + 1), chips, named_crs)


def zones_of(longitude: NDArray[np.float64], latitude: NDArray[np.float64]) -> NDArray[np.int64]:
    """EPSG codes of UTM zones as `catalog.facts.grids.zone_epsg` gives them; 0 beyond 84 N or 80 S."""
    wrapped = (longitude + 180.0) % 360.0 - 180.0
    zone = np.minimum(np.floor((wrapped + 180.0) / 6.0).astype(np.int64) + 1, 60)
    zone = np.where((latitude >= 56) & (latitude < 64) & (wrapped >= 3) & (wrapped < 12), 32, zone)
    svalbard = (latitude >= 72) & (wrapped >= 0) & (wrapped < 42)
    zone = np.where(svalbard, np.select([wrapped < 9, wrapped < 21, wrapped < 33], [31, 33, 35], 37), zone)
    codes = np.where(latitude >= 0, 32600, 32700) + zone
    return np.where((latitude > UTM_NORTH_LIMIT_DEG) | (latitude < UTM_SOUTH_LIMIT_DEG), 0, codes)


def zones_near(bounds: Iterable[tuple[float, float, float, float]]) -> tuple[int, ...]:
    """EPSG codes of the UTM zones on whose lattice ground within boxes (west, south, east, north) may be mapped."""
    codes: set[int] = set()
    for west, south, east, north in bounds:
        first, last = int(np.floor((west + 180.0) / 6.0)), int(np.floor((east + 180.0) / 6.0))
        numbers = {step % 60 + 1 for step in range(first - 1, last + 2)}
        codes |= {32600 + number for number in numbers if north >= -1.0}
        codes |= {32700 + number for number in numbers if south <= 1.0}
    return tuple(sorted(codes))


def _near_exceptions(latitude: NDArray[np.float64], reach_deg: float) -> NDArray[np.bool_]:
    """Where zones change along a meridian: the edges of the Norway and Svalbard exceptions."""
    return np.asarray(np.any([np.abs(latitude - edge) < reach_deg for edge in (56.0, 64.0, 72.0)], axis=0))
