"""Pixels of a scene on a grid that the caller names: blocks that are needed, nothing else, never a shift of half a pixel."""

import threading
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from rasterio.crs import CRS
from rasterio.io import DatasetReader
from rasterio.windows import Window

from catalog.facts.bands import SCL_NAME
from catalog.facts.errors import SourceBroken
from catalog.facts.pixel_grids import PixelGrid
from catalog.facts.records import Asset, Scene
from catalog.stores.raster_files import Retry, use_file
from catalog.stores.warp import finer, mean_of_parts, nodes_of, parts_per_pixel, sample

Pixels = npt.NDArray[np.generic]
ALIGNED_PX: Final = 1e-3
"""Offsets below this share of a pixel are rounding in a catalog's affine, not a different lattice."""
_RADAR_NODATA: Final = -32768.0


@dataclass(slots=True)
class ByteMeter:
    """Decoded bytes (pixels asked for x bytes per pixel, not what travelled compressed), counted over threads."""

    total: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, count: int) -> None:
        """Count more bytes."""
        with self._lock:
            self.total += count


def read_grid(
    scene: Scene,
    band: str,
    grid: PixelGrid,
    *,
    resampling: Literal["bilinear", "nearest"] | None = None,
    meter: ByteMeter | None = None,
    retry: Retry = Retry(),  # noqa: B008 (frozen)
) -> Pixels:
    """Return one band of a scene on `grid`: uint16 counts (S2, 0 nodata), uint8 classes (SCL) or float32 (S1, NaN nodata).

    Where the file lies on the grid's lattice its pixels are copied; otherwise they are warped, nearest for SCL and bilinear
    for the rest unless `resampling` says otherwise. Raises SourceUnavailable or SourceBroken; a failed read is never nodata.
    """
    asset = asset_of(scene, band)
    nearest = (resampling or ("nearest" if band == SCL_NAME else "bilinear")) == "nearest"

    def action(file: DatasetReader) -> Pixels:
        nodata = _nodata_of(scene, file)
        values = _on_grid(file, grid, asset, nodata, nearest=nearest)
        if meter is not None:
            meter.add(values.nbytes)
        if scene.sensor == "s2":
            return _as_counts(values, np.uint8 if band == SCL_NAME else np.uint16, nodata)
        return _as_measures(values, nodata)

    return use_file(asset.href, scene.provider, action, retry=retry)


def asset_of(scene: Scene, band: str) -> Asset:
    """Return the file of a band; raises SourceBroken when the scene has none."""
    if band not in scene.assets:
        raise SourceBroken(f"Scene {scene.id} has no asset for band {band} (it has {', '.join(sorted(scene.assets))}); exclude the scene.")
    return scene.assets[band]


def _nodata_of(scene: Scene, file: DatasetReader) -> float:
    if file.nodata is not None:
        return float(file.nodata)
    return 0.0 if scene.sensor == "s2" else _RADAR_NODATA


def _on_grid(file: DatasetReader, grid: PixelGrid, asset: Asset, nodata: float, *, nearest: bool) -> Pixels:
    if file.count != 1:
        raise SourceBroken(f"{asset.href} has {file.count} bands where one is expected; the table of sources names the wrong asset.")
    crs = file.crs or (CRS.from_epsg(asset.epsg) if asset.epsg else None)
    if crs is None:
        raise SourceBroken(f"{asset.href} has no CRS, and neither has its catalog entry; exclude the scene.")
    offset = _lattice_offset(file, grid) if crs.to_epsg() == grid.epsg else None
    if offset is not None:
        return _copy(file, grid, offset, nodata)
    return _warp(file, grid, crs, nodata, nearest=nearest)


def _lattice_offset(file: DatasetReader, grid: PixelGrid) -> tuple[int, int] | None:
    """Row and column of the grid's corner in the file, or None where their pixels do not coincide."""
    affine = file.transform
    size = grid.resolution_m
    square = abs(affine.a - size) < 1e-9 * size and abs(affine.e + size) < 1e-9 * size and affine.b == affine.d == 0
    if not square:
        return None
    column, row = (grid.left - affine.c) / size, (affine.f - grid.top) / size
    if abs(column - round(column)) > ALIGNED_PX or abs(row - round(row)) > ALIGNED_PX:
        return None
    return round(row), round(column)


def _copy(file: DatasetReader, grid: PixelGrid, offset: tuple[int, int], nodata: float) -> Pixels:
    row, column = offset
    return read_rectangle(file, (row, row + grid.height, column, column + grid.width), nodata)


def read_rectangle(file: DatasetReader, rectangle: tuple[int, int, int, int], nodata: float) -> Pixels:
    """Return rows and columns (first, last, first, last; last exclusive) of a file, nodata beyond its edges.

    rasterio's own boundless read builds a VRT per call and costs several times as much.
    """
    first_row, last_row, first_column, last_column = rectangle
    top, left = max(first_row, 0), max(first_column, 0)
    bottom, right = min(last_row, file.height), min(last_column, file.width)
    if (top, bottom, left, right) == rectangle:
        return np.asarray(file.read(1, window=Window(left, top, right - left, bottom - top)))
    values = np.full((last_row - first_row, last_column - first_column), nodata, dtype=file.dtypes[0])
    if top < bottom and left < right:
        part = file.read(1, window=Window(left, top, right - left, bottom - top))
        values[top - first_row : bottom - first_row, left - first_column : right - first_column] = part
    return values


def _warp(file: DatasetReader, grid: PixelGrid, crs: CRS, nodata: float, *, nearest: bool) -> Pixels:
    parts = 1 if nearest else parts_per_pixel(grid, crs, file.transform)
    target = finer(grid, parts)
    nodes = nodes_of(target, crs, file.transform)
    top, bottom, left, right = nodes.window
    if bottom <= 0 or right <= 0 or top >= file.height or left >= file.width:
        return np.full(grid.shape, nodata, dtype=file.dtypes[0])
    values = sample(read_rectangle(file, nodes.window, nodata), nodes, target.shape, nearest=nearest, nodata=nodata)
    return values if parts == 1 else mean_of_parts(values, parts, nodata)


def _as_counts(values: Pixels, dtype: type[np.uint8 | np.uint16], nodata: float) -> Pixels:
    """Unsigned counts with nodata 0; what is negative in a signed file is very dark, not nodata."""
    if values.dtype == dtype and nodata == 0:
        return values
    known = np.isfinite(values) & (values != 0) & (values != nodata)
    counts = np.clip(np.nan_to_num(values), 1, np.iinfo(dtype).max)
    return np.where(known, counts, 0).round().astype(dtype)


def _as_measures(values: Pixels, nodata: float) -> Pixels:
    measures = values.astype(np.float32, copy=False)
    measures[measures == np.float32(nodata)] = np.nan
    return measures
