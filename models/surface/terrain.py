"""Slope and shadow of terrain, from heights and the place of the sun."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numba
import numpy as np
import numpy.typing as npt

from catalog.facts.errors import GridMismatch
from catalog.facts.grids import Tile, to_lonlat
from catalog.facts.options import SurfaceOptions
from catalog.facts.pixel_grids import PixelGrid, covering_grid

Heights = npt.NDArray[np.float32]
TERRAIN_M: Final = 40.0
"""Pixels for shadows: near the 30 m of GLO-30, and whole numbers of them make a chip."""
NEAR_M: Final = 240.0
"""Ground around the tile whose shadow is also needed, because masks grow and 60 m pixels overlap tiles."""


@dataclass(frozen=True, slots=True)
class Terrain:
    """Heights in metres (NaN = unknown) and the grid they lie on."""

    heights: Heights
    grid: PixelGrid


@dataclass(frozen=True, slots=True)
class Sun:
    """Where the sun stands, degrees; azimuth clockwise from true north."""

    elevation_deg: float
    azimuth_deg: float


def terrain_grid(tile: Tile, options: SurfaceOptions) -> PixelGrid:
    """Return the grid of heights that `terrain_shadow` needs for a tile: 40 m, with a halo of the shadow range."""
    return covering_grid(tile.epsg, tile.bounds_lbrt, TERRAIN_M, math.ceil((options.shadow_range_m + NEAR_M) / TERRAIN_M))


def slope_deg(heights: Heights, resolution_m: float) -> Heights:
    """Return the slope in degrees (Horn 1981, Proc. IEEE 69), NaN at the rim and beside unknown heights."""
    east, south = _gradient(heights.astype(np.float64), resolution_m)
    return np.degrees(np.arctan(np.hypot(east, south))).astype(np.float32)


def terrain_shadow(terrain: Terrain, sun: Sun, grid: PixelGrid, range_m: float) -> npt.NDArray[np.bool_]:
    """Return where terrain shades `grid` (20 m, aligned to 40 m): cast shadow within `range_m`, or facing away from the sun.

    `sun.azimuth_deg` counts from the grid's north here; see `grid_azimuth_deg`. Cast shadow: march towards the sun until the
    ray leaves the relief (Corripio 2003, IJGIS 17, in its plain form). Raises GridMismatch when the heights do not reach far enough.
    """
    rows, columns = _inside(terrain.grid, grid)
    azimuth, elevation = math.radians(sun.azimuth_deg), math.radians(sun.elevation_deg)
    east, south = math.sin(azimuth), -math.cos(azimuth)
    steps = math.ceil(range_m / terrain.grid.resolution_m)
    climb = math.tan(elevation) * terrain.grid.resolution_m
    heights = np.ascontiguousarray(terrain.heights, dtype=np.float32)
    known = heights[np.isfinite(heights)]
    summit = float(known.max()) if known.size else 0.0
    shaded = _cast(heights, (rows.start, rows.stop, columns.start, columns.stop), (south, east, climb), steps, summit)
    window = slice(rows.start - 1, rows.stop + 1), slice(columns.start - 1, columns.stop + 1)
    slope_east, slope_south = _gradient(heights[window].astype(np.float64), terrain.grid.resolution_m)
    facing = math.sin(elevation) - math.cos(elevation) * (slope_east * east + slope_south * south)
    shaded |= facing[1:-1, 1:-1] <= 0
    factor = round(terrain.grid.resolution_m / grid.resolution_m)
    return np.asarray(np.repeat(np.repeat(shaded, factor, axis=0), factor, axis=1))


def _inside(outer: PixelGrid, inner: PixelGrid) -> tuple[slice, slice]:
    """Rows and columns of `outer` that `inner` covers."""
    size = outer.resolution_m
    top, left = (outer.top - inner.top) / size, (inner.left - outer.left) / size
    height, width = inner.height * inner.resolution_m / size, inner.width * inner.resolution_m / size
    whole = all(float(value).is_integer() for value in (top, left, height, width)) and outer.epsg == inner.epsg
    if not whole or min(top, left) < 1 or top + height >= outer.height or left + width >= outer.width:
        raise GridMismatch(f"Heights on {outer} do not surround {inner}; read them on `terrain_grid(tile, options)`.")
    return slice(int(top), int(top + height)), slice(int(left), int(left + width))


def _gradient(heights: npt.NDArray[np.float64], size_m: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Rise per metre towards east and towards south by Horn's weights; NaN at the rim."""
    east, south = np.full_like(heights, np.nan), np.full_like(heights, np.nan)
    upper, middle, lower = heights[:-2], heights[1:-1], heights[2:]
    column = upper + 2 * middle + lower
    row_up = upper[:, :-2] + 2 * upper[:, 1:-1] + upper[:, 2:]
    row_down = lower[:, :-2] + 2 * lower[:, 1:-1] + lower[:, 2:]
    east[1:-1, 1:-1] = (column[:, 2:] - column[:, :-2]) / (8 * size_m)
    south[1:-1, 1:-1] = (row_down - row_up) / (8 * size_m)
    return east, south


@numba.njit(nogil=True, cache=True)
def _cast(heights, window, ray, steps, summit):  # type: ignore[no-untyped-def]
    """Walk from each pixel of the window towards the sun, one pixel length a step, heights bilinear between centres."""
    first_row, last_row, first_column, last_column = window
    south, east, climb = ray
    shaded = np.zeros((last_row - first_row, last_column - first_column), np.bool_)
    for row in range(first_row, last_row):
        for column in range(first_column, last_column):
            height = heights[row, column]
            for step in range(1, steps + 1):
                level = height + climb * step
                y, x = row + south * step, column + east * step
                if not level < summit or y < 0 or x < 0 or y >= heights.shape[0] - 1 or x >= heights.shape[1] - 1:
                    break
                i, j = int(y), int(x)
                v, u = y - i, x - j
                upper = heights[i, j] * (1 - u) + heights[i, j + 1] * u
                lower = heights[i + 1, j] * (1 - u) + heights[i + 1, j + 1] * u
                if upper * (1 - v) + lower * v > level:
                    shaded[row - first_row, column - first_column] = True
                    break
    return shaded


def sun_position(instant: datetime, longitude: float, latitude: float) -> Sun:
    """Return the place of the sun to about 0.1 degree (Michalsky 1988, Solar Energy 40, low-precision almanac); UTC assumed aware."""
    days = (instant.astimezone(UTC) - datetime(2000, 1, 1, 12, tzinfo=UTC)).total_seconds() / 86400.0
    anomaly = math.radians(357.528 + 0.9856003 * days)
    ecliptic = math.radians(280.460 + 0.9856474 * days + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2 * anomaly))
    obliquity = math.radians(23.439 - 4e-7 * days)
    ascension = math.atan2(math.cos(obliquity) * math.sin(ecliptic), math.cos(ecliptic))
    declination = math.asin(math.sin(obliquity) * math.sin(ecliptic))
    sidereal = math.radians((280.46062 + 360.98564737 * days + longitude) % 360.0)
    hour, phi = sidereal - ascension, math.radians(latitude)
    elevation = math.asin(math.sin(phi) * math.sin(declination) + math.cos(phi) * math.cos(declination) * math.cos(hour))
    azimuth = math.atan2(-math.sin(hour), math.tan(declination) * math.cos(phi) - math.sin(phi) * math.cos(hour))
    return Sun(math.degrees(elevation), math.degrees(azimuth) % 360.0)


def grid_azimuth_deg(azimuth_deg: float, epsg: int, longitude: float, latitude: float) -> float:
    """Return an azimuth counted from the grid's north instead of true north: up to 3 degrees less at a zone's edge in the Arctic."""
    to_grid = to_lonlat(epsg)
    x, y = to_grid.transform(longitude, latitude, direction="INVERSE")
    x_north, y_north = to_grid.transform(longitude, latitude + 0.01, direction="INVERSE")
    return (azimuth_deg + math.degrees(math.atan2(x_north - x, y_north - y))) % 360.0
