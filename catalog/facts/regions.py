"""Regions: which ground, which target, which family, and the windows of the year without ice or snow.

The rule for overlaps. Within a family every tile belongs to exactly one region: among the regions whose geometry contains the
tile's centre, the one with the lowest priority number (the most specific first, `hma_other` last). A tile whose centre lies in
no region of the family, but which some region's geometry touches, belongs to the touching region of the lowest number. Regions
that a user adds (family `user`) stand alone: they own every tile they touch, and only the chips that touch the geometry are
mapped.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import shapely
from shapely.geometry.base import BaseGeometry

from catalog.facts.records import Target

Family = Literal["hma", "arctic", "user"]
Extent = Literal["tiles", "geometry"]

LOWEST_M: Final = -500.0
HIGHEST_M: Final = 9000.0
KM_PER_DEGREE: Final = 111.2
RIM_KM: Final = {"tiles": 48.0, "geometry": 4.0}
"""How far what is mapped may reach beyond the geometry: a tile and an overlap tile, or a chip."""
DEFAULT_OUTLINE_BUFFER_M: Final = 10_000.0
"""Glacial lakes are sought within 10 km of glaciers (Zhang et al. 2015; Wang et al. 2020)."""


@dataclass(frozen=True, slots=True)
class SeasonRule:
    """The window of one latitude and elevation band; `from` belongs to a band, `to` does not."""

    start: str
    """MM-DD, first day."""
    end: str
    """MM-DD, last day; before `start` when the window runs over New Year, and then it counts for the year of its end."""
    latitude_from: float = -90.0
    latitude_to: float = 90.1
    elevation_from_m: float = LOWEST_M
    elevation_to_m: float = HIGHEST_M


@dataclass(frozen=True, slots=True)
class Region:
    """A named area of interest."""

    name: str
    title: str
    target: Target
    family: Family
    geometry_wkt: str
    """EPSG:4326, longitudes from -180 to 180, split at the antimeridian."""
    priority: int = 1
    territory: Extent = "geometry"
    seasons: tuple[SeasonRule, ...] = ()
    elevation_floor_m: float | None = None
    """Tiles whose highest ground is lower cannot hold the target."""
    elevation_floor_why: str = ""
    outline_buffer_m: float | None = None
    """Distance to the user's glacier outlines beyond which a tile is skipped; None when outlines say nothing about the target."""
    crs_epsg: int | None = None
    """Polar CRS for ground beyond the UTM zones; None means UTM."""

    @property
    def geometry(self) -> BaseGeometry:
        """The geometry itself, prepared for repeated predicates."""
        return geometry_of(self.geometry_wkt)

    @property
    def bounds_wsen(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees; west > east where the region crosses +-180."""
        pieces = [part.bounds for part in shapely.get_parts(self.geometry)]
        south, north = min(piece[1] for piece in pieces), max(piece[3] for piece in pieces)
        if min(piece[0] for piece in pieces) <= -180.0 and max(piece[2] for piece in pieces) >= 180.0:
            east_side = [piece for piece in pieces if piece[0] >= 0]
            west_side = [piece for piece in pieces if piece[0] < 0]
            if east_side and west_side and max(piece[2] for piece in west_side) < min(piece[0] for piece in east_side):
                return min(piece[0] for piece in east_side), south, max(piece[2] for piece in west_side), north
        return min(piece[0] for piece in pieces), south, max(piece[2] for piece in pieces), north


@lru_cache(maxsize=65_536)  # every scene of a season over ten thousand tiles is asked for again and again, tile by tile
def geometry_of(wkt: str) -> BaseGeometry:
    """Return the prepared geometry of a WKT text."""
    geometry = shapely.from_wkt(wkt)
    shapely.prepare(geometry)
    return geometry


def in_order(family: tuple[Region, ...]) -> tuple[Region, ...]:
    """Return the regions of a family in the order in which they claim tiles."""
    return tuple(sorted(family, key=lambda region: (region.priority, region.name)))


def search_bounds(region: Region) -> tuple[float, float, float, float]:
    """Return west, south, east, north of all ground that a region maps, rim included; west > east across +-180.

    Tiles reach beyond the geometry, and a scene that shows only that rim is needed there too.
    """
    west, south, east, north = region.bounds_wsen
    rim = RIM_KM[region.territory] / KM_PER_DEGREE
    south, north = max(south - rim, -90.0), min(north + rim, 90.0)
    aside = rim / max(math.cos(math.radians(max(abs(south), abs(north)))), 0.01)
    width = (east - west) % 360.0 or (360.0 if east > west else 0.0)
    if width + 2 * aside >= 360.0:
        return -180.0, south, 180.0, north
    return _turned(west - aside), south, _turned(east + aside), north


def _turned(longitude: float) -> float:
    return longitude if -180.0 <= longitude <= 180.0 else (longitude + 180.0) % 360.0 - 180.0
