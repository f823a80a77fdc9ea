"""A cube read piece by piece and made small, so that a region of a thousand tiles needs the memory of one."""

import math
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from catalog.facts.bands import s2_index
from catalog.facts.causes import Cause
from catalog.facts.grids import CHIP_PX, Tile
from catalog.facts.territory import ZoneTerritory
from catalog.stores.cubes import Cube, read_window

Shrink = Callable[[NDArray[np.uint16], NDArray[np.uint8], int], tuple[NDArray[np.uint16], NDArray[np.uint8]]]
"""(red, green, blue (3, y, x), cause (y, x), factor) -> both, blocks of factor x factor pixels made one."""
Rectangle = tuple[int, int, int, int]
"""Top, left, bottom, right on the zone's pixel lattice."""
_TRUE_COLOUR: Final = [s2_index(name) for name in ("B04", "B03", "B02")]
_STEP_PX: Final = 2240
"""Rows and columns read at once: 120 MB of all bands."""


def rectangle_of(zone: ZoneTerritory) -> Rectangle:
    """The rectangle around the mapped chips of a zone."""
    corners = np.array([corner for tile in zone.tiles for corner in _chip_corners(zone, tile)])
    (top, left), (bottom, right) = corners.min(0), corners.max(0) + CHIP_PX
    return int(top), int(left), int(bottom), int(right)


def factor_for(rectangles: list[Rectangle], longest_px: int) -> int:
    """Pixels that become one, so that zones side by side are no longer than `longest_px`."""
    height, width = max(bottom - top for top, _, bottom, _ in rectangles), sum(right - left for _, left, _, right in rectangles)
    return max(1, math.ceil(max(height, width) / longest_px))


def read_overview(cube: Cube, rectangle: Rectangle, factor: int, shrink: Shrink) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """Read colours (3, y, x), reflectance x 10 000, and causes (y, x) of a rectangle, made small by `shrink`."""
    top, left, bottom, right = rectangle
    step = max(1, _STEP_PX // factor) * factor
    rows, columns = -(-(bottom - top) // factor), -(-(right - left) // factor)
    rgb = np.zeros((3, rows, columns), np.uint16)
    cause = np.full((rows, columns), Cause.OUTSIDE_REGION, np.uint8)
    for y, x, window in _windows(rectangle, step):
        why: NDArray[Any] = read_window(cube, "cause", window)
        if (why == Cause.OUTSIDE_REGION).all():
            continue
        small = shrink(read_window(cube, "s2", window)[_TRUE_COLOUR], why, factor)
        row, column = (y - top) // factor, (x - left) // factor
        height, width = small[1].shape
        rgb[:, row : row + height, column : column + width], cause[row : row + height, column : column + width] = small
    return rgb, cause


def _windows(rectangle: Rectangle, step: int) -> Iterator[tuple[int, int, tuple[int, int, int, int]]]:
    top, left, bottom, right = rectangle
    for y in range(top, bottom, step):
        for x in range(left, right, step):
            yield y, x, (y, x, min(step, bottom - y), min(step, right - x))


def _chip_corners(zone: ZoneTerritory, tile: Tile) -> Iterator[tuple[int, int]]:
    top, left = tile.origin_yx_px
    for row, column in np.argwhere(zone.chip_mask(tile)):
        yield top + int(row) * CHIP_PX, left + int(column) * CHIP_PX
