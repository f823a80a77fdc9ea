"""The fixed lattice: pixels of 10 m, chips of 224 px, tiles of 10 x 10 chips, one per UTM zone."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from affine import Affine
from pyproj import Transformer

from catalog.facts.errors import WrongCall

PIXEL_M = 10
CHIP_PX = 224
CHIPS_PER_TILE = 10
UTM_NORTH_LIMIT_DEG = 84.0
UTM_SOUTH_LIMIT_DEG = -80.0
_TILE_ID = re.compile(r"^(\d{4,5})-(\d{4}|-\d{3,4})-(\d{4}|-\d{3,4})$")  # polar CRSs have four digits and negative columns


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """A cell of the lattice: the unit of work, storage and retry."""

    epsg: int
    column: int
    row: int
    chips: int = CHIPS_PER_TILE
    """Chips along one side. Only tests of tile invariance change it."""

    @property
    def id(self) -> str:
        """`<epsg>-<column>-<row>`, for example `32643-0029-0214`."""
        return f"{self.epsg}-{self.column:04d}-{self.row:04d}"

    @property
    def size_px(self) -> int:
        """Pixels along one side."""
        return self.chips * CHIP_PX

    @property
    def size_m(self) -> int:
        """Metres along one side."""
        return self.size_px * PIXEL_M

    @property
    def bounds_lbrt(self) -> tuple[int, int, int, int]:
        """Left, bottom, right, top in metres of the zone."""
        left, bottom = self.column * self.size_m, self.row * self.size_m
        return left, bottom, left + self.size_m, bottom + self.size_m

    @property
    def transform(self) -> Affine:
        """North-up affine of the tile's pixels."""
        left, _, _, top = self.bounds_lbrt
        return Affine(PIXEL_M, 0, left, 0, -PIXEL_M, top)

    @property
    def origin_yx_px(self) -> tuple[int, int]:
        """Global pixel position (y down from the zone's top line, x) of the upper left pixel.

        `x = easting / 10`, `y = -northing / 10`, so y grows downward as rows do.
        """
        left, _, _, top = self.bounds_lbrt
        return -top // PIXEL_M, left // PIXEL_M

    def neighbours(self) -> tuple["Tile", ...]:
        """The eight tiles around this one, in the same zone."""
        steps = [(dx, dy) for dy in (1, 0, -1) for dx in (-1, 0, 1) if (dx, dy) != (0, 0)]
        return tuple(Tile(self.epsg, self.column + dx, self.row + dy, self.chips) for dx, dy in steps)


def parse_tile(text: str) -> Tile:
    """Read a tile ID; raises WrongCall with an example when it is not one."""
    match = _TILE_ID.match(text)
    if match is None:
        raise WrongCall(f"Tile {text!r} is not a tile ID: write <epsg>-<column>-<row>, for example 32643-0029-0214.")
    epsg, column, row = (int(part) for part in match.groups())
    return Tile(epsg, column, row)


def zone_epsg(longitude: float, latitude: float) -> int:
    """EPSG code of the UTM zone that holds a point, with the exceptions of Norway and Svalbard.

    Source: DMA Technical Manual 8358.2, section 2. Raises WrongCall beyond 84 N or 80 S.
    """
    if not UTM_SOUTH_LIMIT_DEG <= latitude <= UTM_NORTH_LIMIT_DEG:
        raise WrongCall(f"Latitude {latitude:.2f} lies beyond the UTM zones (80 S to 84 N): name a polar CRS in the region's `crs`.")
    wrapped = (longitude + 180.0) % 360.0 - 180.0
    zone = min(int((wrapped + 180.0) // 6) + 1, 60)
    zone = _norway_and_svalbard(zone, wrapped, latitude)
    return (32600 if latitude >= 0 else 32700) + zone


def _norway_and_svalbard(zone: int, longitude: float, latitude: float) -> int:
    if 56 <= latitude < 64 and 3 <= longitude < 12:
        return 32
    if latitude >= 72 and 0 <= longitude < 42:
        return 31 if longitude < 9 else 33 if longitude < 21 else 35 if longitude < 33 else 37
    return zone


@lru_cache(maxsize=256)
def to_lonlat(epsg: int) -> Transformer:
    """Transformer from a projected CRS to longitude, latitude (WGS 84)."""
    return Transformer.from_crs(epsg, 4326, always_xy=True)


@lru_cache(maxsize=256)
def from_lonlat(epsg: int) -> Transformer:
    """Transformer from longitude, latitude (WGS 84) to a projected CRS."""
    return Transformer.from_crs(4326, epsg, always_xy=True)


def tile_centre_lonlat(tile: Tile) -> tuple[float, float]:
    """Longitude and latitude of the centre of a tile, degrees."""
    left, bottom, right, top = tile.bounds_lbrt
    longitude, latitude = to_lonlat(tile.epsg).transform((left + right) / 2, (bottom + top) / 2)
    return float(longitude), float(latitude)


def owns_its_centre(tile: Tile) -> bool:
    """Say whether the tile's zone is the zone that holds its centre."""
    longitude, latitude = tile_centre_lonlat(tile)
    if not UTM_SOUTH_LIMIT_DEG <= latitude <= UTM_NORTH_LIMIT_DEG:
        return False
    return zone_epsg(longitude, latitude) == tile.epsg


def tiles_over_bounds(epsg: int, bounds_lbrt: tuple[float, float, float, float], chips: int = CHIPS_PER_TILE) -> Iterator[Tile]:
    """Yield the tiles of one zone that touch bounds given in metres of that zone, row by row from the north."""
    size = chips * CHIP_PX * PIXEL_M
    left, bottom, right, top = bounds_lbrt
    columns = range(math.floor(left / size), math.ceil(right / size))
    rows = range(math.ceil(top / size) - 1, math.floor(bottom / size) - 1, -1)
    for row in rows:
        for column in columns:
            yield Tile(epsg, column, row, chips)
