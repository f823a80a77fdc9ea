"""Outlines of lakes to labels: the exact share of every pixel that lakes cover, and how far a label of another year is trusted.

Burning every pixel that an outline touches, as CryoSentinel does, makes a lake of half a hectare a third larger. Here a pixel at the
shore is a soft target. Where outlines are registered no better than to a pixel, a band along the shore is ignored instead.
"""

import math
from typing import Final

import numpy as np
import shapely
from numba import njit
from numpy.typing import NDArray
from scipy import ndimage

from catalog.facts.chips import CHIP_PX, LABEL_IGNORE, LABEL_SCALE
from catalog.facts.grids import PIXEL_M

Outlines = NDArray[np.object_]
HALF_TRUST_YEARS: Final = 3.0
"""Lakes that grow with their glacier change their outline within a few years: after three a label is worth half."""
LEAST_WEIGHT: Final = 0.1


def weight_of(image_year: int, label_year: int) -> float:
    """Trust in a label: 1 in the year of the image, half every three years away from it, never below 0.1."""
    return max(LEAST_WEIGHT, math.exp2(-abs(image_year - label_year) / HALF_TRUST_YEARS))


def label_of(
    outlines: Outlines, origin_yx_px: tuple[int, int], *, shape: tuple[int, int] = (CHIP_PX, CHIP_PX), ignore_band_px: int = 0
) -> NDArray[np.uint8]:
    """Label (y, x) of a window from valid polygons in metres of its zone: coverage x 250, 255 within the band along a shore.

    Without a band, pixels that are partly covered are soft targets. With a band of b, pixels up to b away on either side are ignored,
    shores of lakes beyond the window's edge included.
    """
    band = ignore_band_px
    padded = (shape[0] + 2 * band, shape[1] + 2 * band)
    coverage = coverage_of(outlines, (origin_yx_px[0] - band, origin_yx_px[1] - band), padded)
    label = np.rint(coverage * LABEL_SCALE).astype(np.uint8)
    if band:
        label[_shore(coverage >= 0.5, band)] = LABEL_IGNORE
        label = label[band:-band, band:-band]
    return label


def coverage_of(outlines: Outlines, origin_yx_px: tuple[int, int], shape: tuple[int, int]) -> NDArray[np.float64]:
    """Exact share (y, x), 0..1, of every pixel that valid polygons cover together; overlaps count once."""
    top, left = origin_yx_px
    height, width = shape
    window = shapely.box(left * PIXEL_M, -(top + height) * PIXEL_M, (left + width) * PIXEL_M, -top * PIXEL_M)
    touching = outlines[shapely.intersects(outlines, window)] if len(outlines) else outlines
    signed = np.zeros((height, width + 2))
    if len(touching):
        inside = shapely.union_all(shapely.intersection(touching, window))
        for ring, sign in _rings(inside):
            corners = shapely.get_coordinates(ring)
            x, y = corners[:, 0] / PIXEL_M - left, -corners[:, 1] / PIXEL_M - top
            # floating point may leave the window by a hair
            _add_ring(signed, np.clip(x, 0.0, width), np.clip(y, 0.0, height), sign)
    coverage: NDArray[np.float64] = np.clip(np.cumsum(signed, axis=1)[:, :width], 0.0, 1.0)
    return coverage


def _rings(geometry: shapely.Geometry) -> list[tuple[shapely.Geometry, float]]:
    """Rings of all polygons, with the sign that makes shells add and holes subtract."""
    parts = shapely.get_parts(geometry)
    # what is left of an outline that touches the window's edge from outside are lines and points
    polygons = shapely.get_parts(parts[shapely.get_dimensions(parts) == 2])
    rings = []
    for polygon in polygons:
        shells = (shapely.get_exterior_ring(polygon), *(shapely.get_interior_ring(polygon, i) for i in range(len(polygon.interiors))))
        for number, ring in enumerate(shells):
            wanted = number == 0
            rings.append((ring, 1.0 if shapely.is_ccw(ring) == wanted else -1.0))
    return rings


def _shore(covered: NDArray[np.bool_], band: int) -> NDArray[np.bool_]:
    grown = ndimage.binary_dilation(covered, iterations=band)
    shrunk = ndimage.binary_erosion(covered, iterations=band, border_value=1)
    shore: NDArray[np.bool_] = grown & ~shrunk
    return shore


def _add_edge(signed: NDArray[np.float64], start: tuple[float, float], end: tuple[float, float], sign: float) -> None:
    """Add one edge: in every row, its height times the share of each pixel that lies right of it, as differences along x."""
    (x0, y0), (x1, y1) = start, end
    if y0 == y1:
        return
    if y0 > y1:
        x0, y0, x1, y1, sign = x1, y1, x0, y0, -sign
    slope = (x1 - x0) / (y1 - y0)
    for row in range(int(y0), min(int(np.ceil(y1)), signed.shape[0])):
        above, below = max(y0, float(row)), min(y1, row + 1.0)
        a, b = x0 + slope * (above - y0), x0 + slope * (below - y0)
        left, right, tall = min(a, b), max(a, b), (below - above) * sign
        first, last = int(left), int(right)
        before = 0.0
        for column in range(first, last + 1):
            # mean over the edge of how much of the pixel lies right of it, and whole pixels from where the edge is passed
            low, high = max(left, float(column)), min(right, column + 1.0)
            span = right - left
            passed = 1.0 if span == 0.0 else (high - left) / span
            part = 1.0 if span == 0.0 else (high - low) / span
            covered = passed - part + part * (column + 1.0 - 0.5 * (low + high))
            signed[row, column] += tall * (covered - before)
            before = covered
        signed[row, last + 1] += tall * (1.0 - before)


_edge_kernel = njit(cache=True, nogil=True)(_add_edge)


def _add_all(signed: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64], sign: float) -> None:
    for corner in range(len(x) - 1):
        _edge_kernel(signed, (x[corner], y[corner]), (x[corner + 1], y[corner + 1]), sign)


_add_ring = njit(cache=True, nogil=True)(_add_all)
