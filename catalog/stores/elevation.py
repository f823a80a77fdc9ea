"""Heights on a grid, mosaicked from the elevation tiles that exist; where the sea has none, the sea."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely
from affine import Affine
from rasterio.crs import CRS
from rasterio.io import DatasetReader
from scipy import ndimage

from catalog.facts.bands import DEM_NAME
from catalog.facts.errors import SourceBroken
from catalog.facts.grids import to_lonlat
from catalog.facts.pixel_grids import PixelGrid
from catalog.facts.records import Scene
from catalog.facts.regions import geometry_of
from catalog.stores.pixels import ByteMeter, asset_of, read_rectangle
from catalog.stores.raster_files import Retry, use_file
from catalog.stores.warp import nodes_of, sample

Heights = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
SOURCE_PX_M: Final = 30.0
"""Copernicus GLO-30; gap widths are counted in its pixels."""
SEA_LEVEL_M: Final = 0.0


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

    Copernicus publishes no tile where there is only sea, so a cell of 1 degree without a tile is `sea_level_m`; pass None when
    the elevation collection could not be searched completely, and that ground stays NaN. Raises SourceUnavailable, SourceBroken.
    """
    heights = np.full(grid.shape, np.nan, dtype=np.float32)
    covered = np.zeros(grid.shape, dtype=bool)
    files = [_Heights.of(scene, retry) for scene in sorted(scenes, key=lambda scene: scene.id)]
    for lattice in _by_lattice(files):
        values, known = _mosaic(lattice, grid, retry)
        np.copyto(heights, values, where=np.isnan(heights))
        covered |= known
    if meter is not None:
        meter.add(heights.nbytes)
    width_px = max(1, round(gap_px * SOURCE_PX_M / grid.resolution_m))
    filled = fill_narrow_gaps(heights, width_px)
    if sea_level_m is not None:
        rows, columns = np.nonzero(~covered & np.isnan(filled))
        at_sea = _without_tile(scenes, grid, rows, columns)
        filled[rows[at_sea], columns[at_sea]] = sea_level_m
    return filled


def _without_tile(scenes: Sequence[Scene], grid: PixelGrid, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp]) -> Flags:
    """Say which pixels lie in a cell of 1 degree of which no elevation tile is given; a cropped tile still holds its cell."""
    if not rows.size:
        return np.zeros(0, dtype=bool)
    x, y = grid.transform @ (columns + 0.5, rows + 0.5)
    longitude, latitude = to_lonlat(grid.epsg).transform(x, y)
    held = {_cell(*shapely.get_coordinates(shapely.centroid(geometry_of(scene.footprint_wkt)))[0]) for scene in scenes}
    cells = 360 * np.floor(latitude).astype(np.int64) + np.floor(longitude).astype(np.int64)
    return ~np.isin(cells, list(held))


def _cell(longitude: float, latitude: float) -> int:
    return 360 * math.floor(latitude) + math.floor(longitude)


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


@dataclass(frozen=True, slots=True)
class _Heights:
    """One elevation tile, by its header."""

    scene: Scene
    crs: CRS
    transform: Affine
    shape: tuple[int, int]

    @classmethod
    def of(cls, scene: Scene, retry: Retry) -> "_Heights":
        """Read the header."""
        href = asset_of(scene, DEM_NAME).href

        def header(file: DatasetReader) -> "_Heights":
            if file.crs is None:
                raise SourceBroken(f"{href} has no CRS; exclude the elevation tile.")
            return cls(scene, file.crs, file.transform, file.shape)

        return use_file(href, scene.provider, header, retry=retry)

    def offset_in(self, other: "_Heights") -> tuple[float, float]:
        """Row and column of this tile's corner in the pixels of another, the short way round the Earth."""
        column, row = ~other.transform @ (self.transform.c, self.transform.f)
        around = 360.0 / self.transform.a if self.crs.is_geographic else math.inf
        if abs(column) > around / 2:
            column -= round(column / around) * around
        return float(row), float(column)

    def shares_lattice(self, other: "_Heights") -> bool:
        """Say whether the pixels of both belong to one lattice: Copernicus changes its longitude step at 50, 60, 70 degrees."""
        same = np.allclose(self.transform[:2] + self.transform[3:5], other.transform[:2] + other.transform[3:5], rtol=1e-9, atol=0)
        return same and self.crs == other.crs and all(abs(value - round(value)) < 0.01 for value in self.offset_in(other))


def _by_lattice(files: Sequence[_Heights]) -> list[list[_Heights]]:
    groups: list[list[_Heights]] = []
    for file in files:
        group = next((group for group in groups if file.shares_lattice(group[0])), None)
        if group is None:
            groups.append([file])
        else:
            group.append(file)
    return groups


def _mosaic(files: Sequence[_Heights], grid: PixelGrid, retry: Retry) -> tuple[Heights, Flags]:
    """Join tiles of one lattice before they are interpolated, so that no step runs along the degree lines."""
    nodes = nodes_of(grid, files[0].crs, files[0].transform)
    top, bottom, left, right = nodes.window
    joined = np.full((bottom - top, right - left), np.nan, dtype=np.float32)
    covered = np.zeros(joined.shape, dtype=np.uint8)
    for file in files:
        row, column = (round(value) for value in file.offset_in(files[0]))
        rectangle = top - row, bottom - row, left - column, right - column
        inside = _overlap(rectangle, file.shape)
        if inside is not None:
            joined[inside] = _read(file.scene, rectangle, retry)[inside]
            covered[inside] = 1
    heights = sample(joined, nodes, grid.shape, nearest=False, nodata=math.nan)
    known = sample(covered, nodes, grid.shape, nearest=True, nodata=0)
    return heights.astype(np.float32), known.astype(bool)


def _read(scene: Scene, rectangle: tuple[int, int, int, int], retry: Retry) -> Heights:
    def action(file: DatasetReader) -> Heights:
        nodata = math.nan if file.nodata is None else float(file.nodata)
        values = read_rectangle(file, rectangle, nodata if np.issubdtype(file.dtypes[0], np.floating) or not math.isnan(nodata) else 0)
        return np.where(values == nodata, np.nan, values).astype(np.float32)

    return use_file(scene.assets[DEM_NAME].href, scene.provider, action, retry=retry)


def _overlap(rectangle: tuple[int, int, int, int], shape: tuple[int, int]) -> tuple[slice, slice] | None:
    """Rows and columns of the rectangle that a file of `shape` fills."""
    top, bottom, left, right = rectangle
    rows = slice(max(0, -top), min(bottom, shape[0]) - top)
    columns = slice(max(0, -left), min(right, shape[1]) - left)
    return (rows, columns) if rows.start < rows.stop and columns.start < columns.stop else None
