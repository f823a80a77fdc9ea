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
TERRAIN_M: Final = 20.0
"""Pixels for shadows: those of the masks. On 40 m ridges of GLO-30 get blunt, and a third of the cast shadow is missed."""
SUN_MARGIN_DEG: Final = 2.0
"""Heights of 30 m are smoother than ground, so their shadows are too short; what is missed would be taken for water."""
_NEVER_M: Final = np.float32(-1e6)
"""Stands for heights that are unknown or beyond the array: nothing there casts a shadow."""
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
    """Return the grid of heights that `terrain_shadow` needs for a tile: 20 m, with a halo of the shadow range."""
    return covering_grid(tile.epsg, tile.bounds_lbrt, TERRAIN_M, math.ceil((options.shadow_range_m + NEAR_M) / TERRAIN_M))


def slope_deg(heights: Heights, resolution_m: float) -> Heights:
    """Return the slope in degrees (Horn 1981, Proc. IEEE 69), NaN at the rim and beside unknown heights."""
    east, south = _gradient(heights.astype(np.float64), resolution_m)
    return np.degrees(np.arctan(np.hypot(east, south))).astype(np.float32)


def terrain_shadow(terrain: Terrain, sun: Sun, grid: PixelGrid, range_m: float) -> npt.NDArray[np.bool_]:
    """Return where terrain shades `grid`: cast shadow within `range_m`, or facing away from the sun.

    `sun.azimuth_deg` counts from the grid's north here; see `grid_azimuth_deg`. Cast shadow: the
    ground on the way to the sun against the ray (Corripio 2003, IJGIS 17), all pixels at once. Raises GridMismatch when the heights do not reach far enough.
    """
    rows, columns = _inside(terrain.grid, grid)
    azimuth, elevation = math.radians(sun.azimuth_deg), math.radians(max(sun.elevation_deg - SUN_MARGIN_DEG, 1.0))
    east, south = math.sin(azimuth), -math.cos(azimuth)
    steps = math.ceil(range_m / terrain.grid.resolution_m)
    climb = math.tan(elevation) * terrain.grid.resolution_m
    heights = np.ascontiguousarray(terrain.heights, dtype=np.float32)
    shaded = _obstacles(heights, (south, east, climb), steps)[rows, columns] > heights[rows, columns]
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


def _obstacles(heights: Heights, ray: tuple[float, float, float], steps: int) -> Heights:
    """Return how high the ground towards the sun stands above the level of the ray at the pixel, at most, over 1 to `steps` pixels.

    The maximum over 2n steps is that over n steps here and, lowered by their climb, that over n steps seen n steps ahead.
    """
    south, east, climb = ray
    known = np.where(np.isnan(heights), _NEVER_M, heights).astype(np.float32)
    reach = _ahead(known, np.full_like(known, _NEVER_M), (south, east), climb)
    done = 1
    while done < steps:
        step = min(done, steps - done)
        reach = _ahead(reach, reach, (south * step, east * step), climb * step)
        done += step
    return reach


def _ahead(field: Heights, here: Heights, shift_yx: tuple[float, float], drop: float) -> Heights:
    whole_y, whole_x = math.floor(shift_yx[0]), math.floor(shift_yx[1])
    weights = np.float32(shift_yx[0] - whole_y), np.float32(shift_yx[1] - whole_x)
    out = here.copy()
    _raise(field, (whole_y, whole_x), weights, np.float32(drop), out)
    return out


@numba.njit(nogil=True, cache=True)
def _raise(field, shift, weights, drop, out):  # type: ignore[no-untyped-def]
    """Raise `out` to the field at a constant shift, bilinear, less `drop`."""
    (dy, dx), (wy, wx) = shift, weights
    height, width = field.shape
    one = np.float32(1)
    for y in range(max(0, -dy), min(height, height - 1 - dy)):
        upper, lower, target = field[y + dy], field[y + dy + 1], out[y]
        for x in range(max(0, -dx), min(width, width - 1 - dx)):
            top = upper[x + dx] * (one - wx) + upper[x + dx + 1] * wx
            bottom = lower[x + dx] * (one - wx) + lower[x + dx + 1] * wx
            target[x] = max(target[x], top * (one - wy) + bottom * wy - drop)


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
