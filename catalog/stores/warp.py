"""Values of a raster at the pixel centres of a grid in another CRS or on another lattice.

GDAL's warper approximates coordinates over the rectangle that it is asked for, so a pixel's value depends a little on the
window. Here coordinates are exact at nodes of one fixed lattice and linear between, so that it does not: tiles of any size agree.
"""

import math
import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numba
import numpy as np
import numpy.typing as npt
from affine import Affine
from pyproj import Transformer
from rasterio.crs import CRS

from catalog.facts.pixel_grids import PixelGrid

Pixels = npt.NDArray[np.generic]
NODE_PX: Final = 32
"""Between nodes 320 m apart the curvature of one UTM zone in another is below a millimetre."""
_METRES_PER_DEGREE: Final = 111_320.0


@dataclass(frozen=True, slots=True)
class Nodes:
    """Positions in a raster, in its pixels (0.5 = centre of the first), of every 32nd pixel corner of a grid's lattice."""

    columns: npt.NDArray[np.float64]
    rows: npt.NDArray[np.float64]
    inset: tuple[float, float]
    """Pixels (rows, columns) from the first node to the grid's corner."""

    @property
    def window(self) -> tuple[int, int, int, int]:
        """First and last (exclusive) row, first and last column of the raster that sampling touches; may reach beyond it."""
        top, bottom = math.floor(self.rows.min()) - 1, math.ceil(self.rows.max()) + 2
        return top, bottom, math.floor(self.columns.min()) - 1, math.ceil(self.columns.max()) + 2


def nodes_of(grid: PixelGrid, crs: CRS, transform: Affine) -> Nodes:
    """Return where a grid lies in a raster of `crs` and `transform`."""
    size = grid.resolution_m
    first_column, first_row = grid.left / size, -grid.top / size
    columns = np.arange(math.floor(first_column / NODE_PX), math.ceil((first_column + grid.width) / NODE_PX) + 1) * NODE_PX
    rows = np.arange(math.floor(first_row / NODE_PX), math.ceil((first_row + grid.height) / NODE_PX) + 1) * NODE_PX
    x, y = np.meshgrid(columns * size, -rows * size)
    if crs.to_epsg() != grid.epsg:
        x, y = _transformer(threading.get_ident(), grid.epsg, crs.to_wkt()).transform(x, y)
    if crs.is_geographic:
        x = x[0, 0] + (x - x[0, 0] + 180.0) % 360.0 - 180.0  # continuous over the antimeridian
    back = ~transform
    inset = first_row - float(rows[0]), first_column - float(columns[0])
    return Nodes(back.a * x + back.b * y + back.c, back.d * x + back.e * y + back.f, inset)


def parts_per_pixel(grid: PixelGrid, crs: CRS, transform: Affine) -> int:
    """How many samples a pixel of the grid needs along each side so that no pixel of a finer raster is passed over."""
    size = abs(transform.e) * (_METRES_PER_DEGREE if crs.is_geographic else 1.0)
    return max(1, round(grid.resolution_m / float(size)))


def finer(grid: PixelGrid, parts: int) -> PixelGrid:
    """Return the grid with every pixel cut into `parts` x `parts`."""
    return PixelGrid(grid.epsg, grid.left, grid.top, grid.resolution_m / parts, grid.height * parts, grid.width * parts)


def sample(values: Pixels, nodes: Nodes, shape: tuple[int, int], *, nearest: bool, nodata: float) -> Pixels:
    """Return values of `nodes.window` at the centres of the grid's pixels, nearest or bilinear, in the type of `values`.

    Nodata neighbours get no weight; a pixel whose nearest source pixel is nodata is nodata.
    """
    top, _, left, _ = nodes.window
    out = np.empty(shape, dtype=values.dtype)
    corner = nodes.inset[0], nodes.inset[1], top, left
    if nearest:
        _nearest(values, (nodes.rows, nodes.columns), corner, out)
    else:
        rounding = 0.0 if np.issubdtype(values.dtype, np.floating) else 0.5
        _bilinear(values, (nodes.rows, nodes.columns), corner, (values.dtype.type(nodata), rounding), out)
    return out


def mean_of_parts(values: Pixels, parts: int, nodata: float) -> Pixels:
    """Return the mean of every `parts` x `parts` values that are not nodata; nodata where more than half are."""
    height, width = values.shape[0] // parts, values.shape[1] // parts
    blocks = values.reshape(height, parts, width, parts)
    known = (blocks != nodata) & (blocks == blocks)  # noqa: PLR0124 (NaN)
    count = known.sum(axis=(1, 3))
    mean = np.where(known, blocks, 0).sum(axis=(1, 3), dtype=np.float64) / np.maximum(count, 1)
    if not np.issubdtype(values.dtype, np.floating):
        mean = np.round(mean)
    return np.where(2 * count >= parts**2, mean, nodata).astype(values.dtype)


@lru_cache(maxsize=256)
def _transformer(thread: int, epsg: int, wkt: str) -> Transformer:  # noqa: ARG001 (a transformer must not be shared by threads)
    return Transformer.from_crs(epsg, wkt, always_xy=True)


@numba.njit(nogil=True, cache=True)
def _position(nodes, v, u):  # type: ignore[no-untyped-def]
    """Linear between the four nodes around (v, u), given in pixels from the first node."""
    i, j = int(v // 32), int(u // 32)
    y, x = v / 32.0 - i, u / 32.0 - j
    upper = nodes[i, j] * (1.0 - x) + nodes[i, j + 1] * x
    lower = nodes[i + 1, j] * (1.0 - x) + nodes[i + 1, j + 1] * x
    return upper * (1.0 - y) + lower * y


@numba.njit(nogil=True, cache=True)
def _nearest(values, nodes, corner, out):  # type: ignore[no-untyped-def]
    (rows, columns), (inset_y, inset_x, top, left) = nodes, corner
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            row = int(np.floor(_position(rows, inset_y + y + 0.5, inset_x + x + 0.5)))
            column = int(np.floor(_position(columns, inset_y + y + 0.5, inset_x + x + 0.5)))
            out[y, x] = values[row - top, column - left]


@numba.njit(nogil=True, cache=True)
def _bilinear(values, nodes, corner, constants, out):  # type: ignore[no-untyped-def]
    (rows, columns), (inset_y, inset_x, top, left) = nodes, corner
    nodata, rounding = constants
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            v = _position(rows, inset_y + y + 0.5, inset_x + x + 0.5) - 0.5
            u = _position(columns, inset_y + y + 0.5, inset_x + x + 0.5) - 0.5
            row, column = int(np.floor(v)), int(np.floor(u))
            weight_y, weight_x = v - row, u - column
            near_row, near_column = row + int(weight_y >= 0.5), column + int(weight_x >= 0.5)
            near = values[near_row - top, near_column - left]
            if near == nodata or near != near:  # noqa: PLR0124
                out[y, x] = nodata
                continue
            total, weight = 0.0, 0.0
            for down in range(2):
                for along in range(2):
                    value = values[row + down - top, column + along - left]
                    share = (weight_y if down else 1.0 - weight_y) * (weight_x if along else 1.0 - weight_x)
                    if share > 0.0 and value != nodata and value == value:  # noqa: PLR0124
                        total += share * value
                        weight += share
            out[y, x] = total / weight + rounding
