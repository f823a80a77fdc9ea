"""Exact ground that two outlines share, from their edges alone: no clipping, no new polygons."""

import numpy as np
from numpy.typing import NDArray

from models.outlines.edges import Edges, Signs
from models.outlines.kernels import Int64, compiled

Floats = NDArray[np.float64]


def shared_areas(left: Edges, right: Edges, one: Int64, other: Int64) -> Floats:
    """Return the planar area (square degrees) that each pair of outlines shares; pairs are positions in `left` and `right`.

    A point is in an outline when the signs s of the edges left of it, at its height, add up to 1. So the shared area is the sum over
    pairs of edges (e, f) of s_e s_f times the integral of X - max(x_e(y), x_f(y)) over the heights that both span, for any X: a
    closed form, as two edges cross at most once. Edges are swept in the order of their lower ends, so that only pairs at one
    height are ever looked at. Exact but for rounding, which is below 1e-12 of the smaller bounding box.
    """
    found = np.empty(one.size)
    _share_all(_side(left), _side(right), one.astype(np.int64), other.astype(np.int64), found)
    return found


def proven_links(left: Edges, right: Edges, one: Int64, other: Int64) -> NDArray[np.bool_]:
    """Say of each pair whether some level line is seen to cross the inside of both outlines; edges need no order.

    True is proof that they share ground, False is none that they do not.
    """
    found = np.empty(one.size, np.bool_)
    _link_all(_side(left), _side(right), one.astype(np.int64), other.astype(np.int64), found)
    return found


_Side = tuple[Floats, Signs, Int64, Int64, Floats, Floats]


def _side(edges: Edges) -> _Side:
    return edges.lines, edges.signs, edges.first, edges.end, edges.tallest, edges.bounds


@compiled
def _share_all(left: _Side, right: _Side, one: Int64, other: Int64, out: Floats) -> None:
    for pair in range(one.size):
        a, b = one[pair], other[pair]
        box_a, box_b = left[5][a], right[5][b]
        south, north = max(box_a[1], box_b[1]), min(box_a[3], box_b[3])
        east = min(box_a[2], box_b[2])
        if south >= north or max(box_a[0], box_b[0]) >= east:
            out[pair] = 0.0
            continue
        i = _lower(left[0], left[2][a], left[3][a], south - left[4][a])
        j = _lower(right[0], right[2][b], right[3][b], south - right[4][b])
        spans = (i, left[3][a], j, right[3][b])
        out[pair] = _shared((left[0], left[1]), (right[0], right[1]), spans, (east, south, north))


@compiled
def _lower(lines: Floats, first: int, end: int, y: float) -> int:
    """Return the first edge of a sorted span whose lower end is not below y."""
    while first < end:
        middle = (first + end) // 2
        if lines[middle, 0] < y:
            first = middle + 1
        else:
            end = middle
    return first


@compiled
def _shared(
    left: tuple[Floats, Signs], right: tuple[Floats, Signs], spans: tuple[int, int, int, int], box: tuple[float, float, float]
) -> float:
    """Sweep two sorted spans of edges upward; every pair that shares heights is met once, by the edge that starts first."""
    lines_a, signs_a = left
    lines_b, signs_b = right
    i, end_a, j, end_b = spans
    east, south, north = box
    total = 0.0
    while i < end_a and j < end_b:
        if lines_a[i, 0] <= lines_b[j, 0]:
            if lines_a[i, 0] >= north:
                break
            if lines_a[i, 1] > south and not (lines_a[i, 2] > east and lines_a[i, 3] > east):
                total += signs_a[i] * _beside(lines_a, i, (lines_b, signs_b), (j, end_b), east)
            i += 1
        else:
            if lines_b[j, 0] >= north:
                break
            if lines_b[j, 1] > south and not (lines_b[j, 2] > east and lines_b[j, 3] > east):
                total += signs_b[j] * _beside(lines_b, j, (lines_a, signs_a), (i, end_a), east)
            j += 1
    return total


@compiled
def _beside(lines: Floats, i: int, others: tuple[Floats, Signs], span: tuple[int, int], east: float) -> float:
    """Sum over the edges f of `others` that start at or above edge i and below its end: s_f times the integral of east - max(x_i, x_f)."""
    other, signs = others
    low, high, x_low, x_high = lines[i, 0], lines[i, 1], lines[i, 2], lines[i, 3]
    slope = (x_high - x_low) / (high - low)
    total = 0.0
    for k in range(span[0], span[1]):
        bottom = other[k, 0]
        if bottom >= high:
            break
        if other[k, 2] > east and other[k, 3] > east:
            # beyond the other outline, not on its rim: with all edges of that one, such pairs cancel
            continue
        top = min(high, other[k, 1])
        b_low, b_high = east - other[k, 2], east - other[k, 3]
        if top < other[k, 1]:
            b_high = b_low + (b_high - b_low) * ((top - bottom) / (other[k, 1] - bottom))
        a_low = (east - x_low) - slope * (bottom - low)
        a_high = (east - x_low) - slope * (top - low) if top < high else east - x_high
        before, after = a_low - b_low, a_high - b_high
        height = top - bottom
        if before * after >= 0:
            part = height * (min(a_low, b_low) + min(a_high, b_high)) / 2
        else:
            at = before / (before - after)
            middle = a_low + (a_high - a_low) * at
            part = height * ((min(a_low, b_low) + middle) * at + (middle + min(a_high, b_high)) * (1 - at)) / 2
        total += signs[k] * part
    return total


@compiled
def _link_all(left: _Side, right: _Side, one: Int64, other: Int64, out: NDArray[np.bool_]) -> None:
    crossings = np.empty((2, 64))
    for pair in range(one.size):
        a, b = one[pair], other[pair]
        south, north = max(left[5][a, 1], right[5][b, 1]), min(left[5][a, 3], right[5][b, 3])
        room = max(left[3][a] - left[2][a], right[3][b] - right[2][b])
        if room > crossings.shape[1]:
            crossings = np.empty((2, 2 * room))
        out[pair] = False
        # golden steps: few lines, and none of them likely on a lattice
        for step in (0.5, 0.236068, 0.763932):
            y = south + (north - south) * step
            if not out[pair] and south < y < north:
                count_a = _cross(left[0], (left[2][a], left[3][a]), y, crossings[0])
                count_b = _cross(right[0], (right[2][b], right[3][b]), y, crossings[1])
                out[pair] = _intervals_meet(crossings[0, :count_a], crossings[1, :count_b])


@compiled
def _cross(lines: Floats, span: tuple[int, int], y: float, out: Floats) -> int:
    """Write where edges cross a level line into `out`, from west to east; return how many do."""
    count = 0
    for k in range(span[0], span[1]):
        if lines[k, 0] <= y < lines[k, 1]:
            x = lines[k, 2] + (lines[k, 3] - lines[k, 2]) * ((y - lines[k, 0]) / (lines[k, 1] - lines[k, 0]))
            at = count
            while at > 0 and out[at - 1] > x:
                out[at] = out[at - 1]
                at -= 1
            out[at] = x
            count += 1
    return count


@compiled
def _intervals_meet(a: Floats, b: Floats) -> bool:
    """Say whether two rows of intervals share more than rounding: a part in a million of the shorter one."""
    i, j = 0, 0
    while i + 1 < a.size and j + 1 < b.size:
        shared = min(a[i + 1], b[j + 1]) - max(a[i], b[j])
        if shared > 1e-6 * min(a[i + 1] - a[i], b[j + 1] - b[j]):
            return True
        if a[i + 1] < b[j + 1]:
            i += 2
        else:
            j += 2
    return False
