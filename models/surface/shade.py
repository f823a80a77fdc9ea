"""What scenes imply for the ground of a window without their pixels: terrain shadow, and the footprints of those that failed."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely

from catalog.facts.grids import from_lonlat
from catalog.facts.options import SurfaceOptions
from catalog.facts.records import Scene
from models.surface.terrain import Sun, Terrain, grid_azimuth_deg, sun_position, terrain_shadow
from models.surface.window import Window

Codes = npt.NDArray[np.uint8]


def shaded_looks(scenes: Sequence[Scene], terrain: Terrain | None, window: Window, options: SurfaceOptions) -> npt.NDArray[np.bool_]:
    """Return where terrain shades each scene (date, y, x) at 20 m; nowhere when no heights are known."""
    grid = window.native(20)
    shaded = np.zeros((len(scenes), *grid.shape), dtype=bool)
    if terrain is not None:
        for t, scene in enumerate(scenes):
            shaded[t] = terrain_shadow(terrain, sun_over_grid(scene, grid.epsg), grid, options.shadow_range_m)
    return shaded


def sun_over_grid(scene: Scene, epsg: int) -> Sun:
    """Return the sun of a scene with its azimuth counted from the north of a grid.

    Both the azimuth's correction and a missing position are taken at the middle of the scene, never of the tile: the
    shadow of a pixel must not depend on the tile that it is computed in.
    """
    middle = shapely.from_wkt(scene.footprint_wkt).centroid
    sun = sun_position(scene.acquired, middle.x, middle.y)
    if scene.sun_elevation_deg is not None and scene.sun_azimuth_deg is not None:
        sun = Sun(scene.sun_elevation_deg, scene.sun_azimuth_deg)
    return Sun(sun.elevation_deg, grid_azimuth_deg(sun.azimuth_deg, epsg, middle.x, middle.y))


def count_failed(lost: Sequence[Scene], window: Window) -> Codes:
    """Return how many of the lost scenes cover each pixel (y, x) at 20 m, by their footprints."""
    grid = window.native(20)
    count = np.zeros(grid.shape, dtype=np.uint8)
    if lost:
        x, y = np.meshgrid(grid.left + (np.arange(grid.width) + 0.5) * 20, grid.top - (np.arange(grid.height) + 0.5) * 20)
        for scene in lost:
            corners = shapely.from_wkt(scene.footprint_wkt)
            outline = shapely.transform(corners, lambda lonlat: np.column_stack(from_lonlat(grid.epsg).transform(*lonlat.T)))
            shapely.prepare(outline)
            count += shapely.contains_xy(outline, x, y)
    return count
