"""Pixels of a scene on a grid that the caller names: blocks that are needed, nothing else, never a shift of half a pixel."""

import threading
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.io import DatasetReader
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds
from rasterio.windows import Window

from catalog.facts.bands import SCL_NAME
from catalog.facts.errors import SourceBroken
from catalog.facts.pixel_grids import PixelGrid
from catalog.facts.records import Asset, Scene
from catalog.stores.raster_files import Retry, use_file

Pixels = npt.NDArray[np.generic]
ALIGNED_PX: Final = 1e-3
"""Offsets below this share of a pixel are rounding in a catalog's affine, not a different lattice."""
_RESAMPLING: Final = {"bilinear": Resampling.bilinear, "nearest": Resampling.nearest}
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
    asset = _asset_of(scene, band)
    kernel = _RESAMPLING[resampling or ("nearest" if band == SCL_NAME else "bilinear")]

    def action(file: DatasetReader) -> Pixels:
        nodata = _nodata_of(scene, file)
        values = _on_grid(file, grid, asset, kernel, nodata)
        if meter is not None:
            meter.add(values.nbytes)
        if scene.sensor == "s2":
            return _as_counts(values, np.uint8 if band == SCL_NAME else np.uint16, nodata)
        return _as_measures(values, nodata)

    return use_file(asset.href, scene.provider, action, retry=retry)


def _asset_of(scene: Scene, band: str) -> Asset:
    if band not in scene.assets:
        raise SourceBroken(f"Scene {scene.id} has no asset for band {band} (it has {', '.join(sorted(scene.assets))}); exclude the scene.")
    return scene.assets[band]


def _nodata_of(scene: Scene, file: DatasetReader) -> float:
    if file.nodata is not None:
        return float(file.nodata)
    return 0.0 if scene.sensor == "s2" else _RADAR_NODATA


def _on_grid(file: DatasetReader, grid: PixelGrid, asset: Asset, kernel: Resampling, nodata: float) -> Pixels:
    if file.count != 1:
        raise SourceBroken(f"{asset.href} has {file.count} bands where one is expected; the table of sources names the wrong asset.")
    crs = file.crs or (CRS.from_epsg(asset.epsg) if asset.epsg else None)
    if crs is None:
        raise SourceBroken(f"{asset.href} has no CRS, and neither has its catalog entry; exclude the scene.")
    offset = _lattice_offset(file, grid) if crs.to_epsg() == grid.epsg else None
    if offset is not None:
        return _copy(file, grid, offset, nodata)
    return _warp(file, grid, crs, kernel, nodata)


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
    """Copy the overlap; rasterio's own boundless read builds a VRT per call and costs several times as much."""
    row, column = offset
    top, left = max(row, 0), max(column, 0)
    bottom, right = min(row + grid.height, file.height), min(column + grid.width, file.width)
    if (top, left, bottom, right) == (row, column, row + grid.height, column + grid.width):
        return np.asarray(file.read(1, window=Window(left, top, grid.width, grid.height)))
    values = np.full(grid.shape, nodata, dtype=file.dtypes[0])
    if top < bottom and left < right:
        part = file.read(1, window=Window(left, top, right - left, bottom - top))
        values[top - row : bottom - row, left - column : right - column] = part
    return values


def _warp(file: DatasetReader, grid: PixelGrid, crs: CRS, kernel: Resampling, nodata: float) -> Pixels:
    dtype = file.dtypes[0]
    if not _touches(file, grid, crs):
        return np.full(grid.shape, nodata, dtype=dtype)
    with WarpedVRT(
        file,
        src_crs=crs,
        crs=CRS.from_epsg(grid.epsg),
        transform=grid.transform,
        width=grid.width,
        height=grid.height,
        resampling=kernel,
        src_nodata=nodata,
        nodata=nodata,
        # Heights and backscatter in whole numbers would come out as stairs.
        dtype="float32" if dtype == "int16" else dtype,
        tolerance=0.01,  # pixels; the default of 0.125 moves lake shores by more than a metre
    ) as warped:
        return np.asarray(warped.read(1))


def _touches(file: DatasetReader, grid: PixelGrid, crs: CRS) -> bool:
    """A warp of a file that ends elsewhere fails in GDAL instead of giving nodata."""
    left, bottom, right, top = transform_bounds(CRS.from_epsg(grid.epsg), crs, *grid.bounds_lbrt, densify_pts=21)
    bounds = file.bounds
    return bool(left < bounds.right and right > bounds.left and bottom < bounds.top and top > bounds.bottom)


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
