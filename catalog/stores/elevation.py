"""Heights on a grid, mosaicked from the elevation tiles that exist; where the sea has none, the sea."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from catalog.facts.bands import DEM_NAME
from catalog.facts.grids import to_lonlat
from catalog.facts.pixel_grids import PixelGrid
from catalog.facts.records import Scene
from catalog.stores.pixels import ByteMeter, read_grid
from catalog.stores.raster_files import Retry, use_file

Heights = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
SOURCE_PX_M: Final = 30.0
"""Copernicus GLO-30; gap widths are counted in its pixels."""
SEA_LEVEL_M: Final = 0.0
_NODE_PX: Final = 32
"""Longitude and latitude are exact at every 32nd pixel and linear between: the error is under a centimetre."""


def read_dem(
    scenes: Sequence[Scene],
    grid: PixelGrid,
    *,
    gap_px: int = 2,
    sea_level_m: float | None = SEA_LEVEL_M,
    meter: ByteMeter | None = None,
    retry: Retry = Retry(),  # noqa: B008 (frozen)
) -> Heights:
    """Return heights in metres, float32, NaN where a tile has a void wider than `gap_px` pixels of 30 m.

    Copernicus publishes no tile where there is only sea, so ground without a tile is `sea_level_m`; pass None when the
    elevation collection could not be searched completely, and that ground stays NaN. Raises SourceUnavailable, SourceBroken.
    """
    heights = np.full(grid.shape, np.nan, dtype=np.float32)
    covered = np.zeros(grid.shape, dtype=bool)
    longitude, latitude = _lonlat(grid)
    for scene in sorted(scenes, key=lambda scene: scene.id):
        values = read_grid(scene, DEM_NAME, grid, resampling="bilinear", meter=meter, retry=retry)
        np.copyto(heights, values, where=np.isnan(heights))
        covered |= _inside(scene, longitude, latitude, retry)
    width_px = max(1, round(gap_px * SOURCE_PX_M / grid.resolution_m))
    filled = fill_narrow_gaps(heights, width_px)
    if sea_level_m is not None:
        filled[~covered & np.isnan(filled)] = sea_level_m
    return filled


def fill_narrow_gaps(heights: Heights, width_px: int) -> Heights:
    """Return heights with the gaps filled that no square of `width_px + 1` pixels fits into, by the mean of what surrounds them."""
    valid = np.isfinite(heights)
    if valid.all() or not valid.any():
        return heights.copy()
    # Beyond the array everything counts as gap, so that an outer strip is never taken for a narrow one.
    wide = ndimage.binary_opening(np.pad(~valid, width_px + 1, constant_values=True), np.ones((width_px + 1, width_px + 1), dtype=bool))
    inner = slice(width_px + 1, -width_px - 1)
    narrow = ~valid & ~wide[inner, inner]
    size = 2 * width_px + 1
    weight = ndimage.uniform_filter(valid.astype(np.float64), size, mode="constant")
    total = ndimage.uniform_filter(np.where(valid, heights, 0.0).astype(np.float64), size, mode="constant")
    filled = heights.copy()
    known = narrow & (weight > 0.5 / size**2)
    filled[known] = (total[known] / weight[known]).astype(np.float32)
    return filled


def _inside(scene: Scene, longitude: npt.NDArray[np.float64], latitude: npt.NDArray[np.float64], retry: Retry) -> Flags:
    bounds = use_file(scene.assets[DEM_NAME].href, scene.provider, lambda file: file.bounds, retry=retry)
    across = (longitude >= bounds.left) & (longitude <= bounds.right)
    return np.asarray(across & (latitude >= bounds.bottom) & (latitude <= bounds.top))


def _lonlat(grid: PixelGrid) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    rows, columns = _nodes(grid.height), _nodes(grid.width)
    x = grid.left + (columns + 0.5) * grid.resolution_m
    y = grid.top - (rows + 0.5) * grid.resolution_m
    longitude, latitude = to_lonlat(grid.epsg).transform(*np.meshgrid(x, y))
    down, along = _weights(grid.height, rows), _weights(grid.width, columns)
    return down @ longitude @ along.T, down @ latitude @ along.T


def _nodes(count: int) -> npt.NDArray[np.float64]:
    return np.linspace(0.0, count - 1.0, max(2, count // _NODE_PX + 1))


def _weights(count: int, nodes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Matrix that interpolates linearly from nodes to every pixel."""
    return np.stack([np.interp(np.arange(count), nodes, unit) for unit in np.eye(len(nodes))], axis=1)
