"""Polygons of labelled runs on the pixel lattice, holes kept, valid, and equal byte for byte for equal pixels."""

import numpy as np
import shapely
from numpy.typing import NDArray

from catalog.facts.grids import PIXEL_M
from models.outlines.kernels import Int32, Int64, compiled
from models.outlines.runs import Runs, by_label

Polygons = NDArray[np.object_]


def polygons_of(runs: Runs) -> tuple[Int64, Polygons]:
    """Return the labels and one polygon each, in metres of the zone. Labels must be whole components, as `join` gives them.

    Crack following over the sides of runs, without a raster: time and memory grow with the number of runs, not of pixels.
    Pixels connect through edges (4-connectivity). Where two pixels of one component meet only at a corner the boundary
    passes between the background pixels, so that a ring never touches itself and every polygon is valid. Collinear
    vertices are left out. Exteriors start at the top left corner of the first pixel and turn counter-clockwise, holes
    start at their own and turn clockwise (RFC 7946); holes are ordered by first pixel.
    """
    labels = np.arange(runs.labels, dtype=np.int64)
    if not runs.size:
        return labels, np.empty(0, dtype=object)
    coordinates, rings, parts = _trace(runs)
    return labels, shapely.from_ragged_array(shapely.GeometryType.POLYGON, coordinates, (rings, parts))


def _trace(runs: Runs) -> tuple[NDArray[np.float64], Int64, Int64]:
    order, offsets = by_label(runs)
    y, x0, x1 = runs.y[order], runs.x0[order], runs.x1[order]
    follower = np.full(2 * runs.size, -1, np.int64)
    _link_sides(y, x0, x1, offsets, follower)
    # A side ends in at most two corners; a ring has at least two sides and repeats one corner.
    corners = np.empty((5 * runs.size, 2), np.float64)
    rings = np.zeros(runs.size + 1, np.int64)
    parts = np.zeros(runs.labels + 1, np.int64)
    used, ring_count = _walk((y, x0, x1), offsets, follower, (corners, rings, parts))
    lattice = np.array([PIXEL_M, -PIXEL_M], np.float64)
    return corners[:used] * lattice + 0.0, rings[: ring_count + 1], parts


@compiled
def _link_sides(y: Int32, x0: Int32, x1: Int32, offsets: Int64, follower: Int64) -> None:
    """Link every side of every run to the side that follows it along the boundary, label by label.

    Side 2i is the left side of run i, walked down; side 2i + 1 its right side, walked up: the component is on the left hand.
    """
    for part in range(offsets.size - 1):
        first, end = offsets[part], offsets[part + 1]
        above, above_end = first, first
        while above_end < end:
            below, below_end = above_end, above_end
            while below_end < end and y[below_end] == y[below]:
                below_end += 1
            _link_line(x0, x1, (above, above_end), (below, below_end), follower)
            above, above_end = below, below_end
        _link_line(x0, x1, (above, above_end), (end, end), follower)


@compiled
def _link_line(x0: Int32, x1: Int32, upper: tuple[int, int], lower: tuple[int, int], follower: Int64) -> None:
    """Link sides across the line between two rows; runs of row A lie above it, of row B below.

    A sweep over x holds the one open horizontal edge: walked east below A alone, west above B alone. Where it closes, the
    side that arrives is linked to the side that leaves. At equal x starts come before ends, which lets straight sides pass
    through and makes the walk turn right where two corners touch.
    """
    a, a_end = upper
    b, b_end = lower
    in_a, in_b = False, False
    open_side = -1
    while a < a_end or b < b_end:
        if _upper_is_next(x0, x1, (a, a_end, in_a), (b, b_end, in_b)):
            side, arrives = 2 * a + in_a, not in_a
            a += in_a
            in_a = not in_a
        else:
            side, arrives = 2 * b + in_b, in_b
            b += in_b
            in_b = not in_b
        if in_a != in_b:
            open_side = side
        elif arrives:
            follower[side] = open_side
        else:
            follower[open_side] = side


@compiled
def _upper_is_next(x0: Int32, x1: Int32, upper: tuple[int, int, bool], lower: tuple[int, int, bool]) -> bool:
    """Say whether the next start or end from the west belongs to the upper row; starts come before ends."""
    a, a_end, in_a = upper
    b, b_end, in_b = lower
    if a >= a_end or b >= b_end:
        return a < a_end
    at_a = x1[a] if in_a else x0[a]
    at_b = x1[b] if in_b else x0[b]
    return bool(at_a < at_b or (at_a == at_b and in_b))


@compiled
def _walk(
    sides: tuple[Int32, Int32, Int32], offsets: Int64, follower: Int64, out: tuple[NDArray[np.float64], Int64, Int64]
) -> tuple[int, int]:
    """Write the corners (x, y in pixels) of all rings into `out` (corners, ring offsets, part offsets); return both counts."""
    corners, rings, parts = out
    used, ring_count = 0, 0
    for part in range(offsets.size - 1):
        for start in range(2 * offsets[part], 2 * offsets[part + 1]):
            if follower[start] < 0:
                continue
            used = _walk_ring(sides, start, follower, (corners, used))
            ring_count += 1
            rings[ring_count] = used
        parts[part + 1] = ring_count
    return used, ring_count


@compiled
def _walk_ring(sides: tuple[Int32, Int32, Int32], start: int, follower: Int64, out: tuple[NDArray[np.float64], int]) -> int:
    """Follow one ring from `start`, erase its links and write its corners; returns the corners used so far."""
    y, x0, x1 = sides
    corners, used = out
    first = used
    side = start
    if start % 2 == 0:
        corners[used, 0], corners[used, 1] = x0[start // 2], y[start // 2]
        used += 1
    while follower[side] >= 0:
        after = follower[side]
        follower[side] = -1
        line = y[side // 2] + (1 if side % 2 == 0 else 0)
        x_here = x0[side // 2] if side % 2 == 0 else x1[side // 2]
        x_after = x0[after // 2] if after % 2 == 0 else x1[after // 2]
        if x_here != x_after:
            corners[used, 0], corners[used, 1] = x_here, line
            corners[used + 1, 0], corners[used + 1, 1] = x_after, line
            used += 2
        side = after
    if start % 2 == 1:
        corners[used, 0], corners[used, 1] = corners[first, 0], corners[first, 1]
        used += 1
    return used
