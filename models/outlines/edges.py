"""Outlines as sorted edges: what overlap kernels read, made once per set of outlines and used for every pair."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from models.outlines.kernels import Int64, compiled

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]
Signs = NDArray[np.int8]
_COLLECTION = 7
_INSERTION = 24
"""Up to so many edges are sorted by insertion alone."""


@dataclass(frozen=True, slots=True)
class Edges:
    """All edges of n outlines but the level ones, those of an outline sorted by their lower ends.

    A point lies in an outline when the signs of the edges to its left, at its height, add up to 1 (else to 0): left shores count 1,
    right shores -1, whatever way a ring turns, and those of holes the other way round.
    """

    outlines: Geometries
    lines: Floats
    """(edges, 4): y and y of the lower and the upper end, x of the lower and the upper end, degrees."""
    signs: Signs
    first: Int64
    """First edge of each outline, shape (n,)."""
    end: Int64
    """One behind its last edge."""
    tallest: Floats
    """Height of its tallest edge."""
    bounds: Floats
    """(n, 4): west, south, east, north; NaN where an outline is empty."""
    area: Floats
    """Planar, square degrees."""

    def take(self, rows: Int64) -> "Edges":
        """Return some of the outlines, in the order of `rows`; edges are shared, not copied."""
        of_outline = (self.first[rows], self.end[rows], self.tallest[rows], self.bounds[rows], self.area[rows])
        return Edges(self.outlines[rows], self.lines, self.signs, *of_outline)


def edges_of(outlines: Geometries, *, in_order: bool = True) -> Edges:
    """Return the edges of valid outlines (polygons, multipolygons, collections of them; lines and points in these are left out).

    Sorting them takes half of the time, and only areas need it (`in_order`).
    """
    outlines = np.asarray(outlines, dtype=object)
    corners, rings, owner, hole = rings_of(outlines)
    room = np.bincount(owner, weights=np.diff(rings) - 1, minlength=len(outlines)).astype(np.int64)
    first = np.concatenate([[0], np.cumsum(room)])[:-1].astype(np.int64)
    lines, signs = np.empty((int(room.sum()), 4)), np.empty(int(room.sum()), np.int8)
    end, tallest = first.copy(), np.zeros(len(outlines))
    _collect(corners, rings, owner, hole, (lines, signs, end, tallest))
    if in_order:
        _sort_all(lines, signs, first, end)
    return Edges(outlines, lines, signs, first, end, tallest, shapely.bounds(outlines), np.asarray(shapely.area(outlines)))


def rings_of(outlines: Geometries) -> tuple[Floats, Int64, Int64, NDArray[np.bool_]]:
    """Return corners, ring offsets into them, and per ring its outline and whether it is a hole."""
    # Single rings are nearly all there is, and asking each outline for its parts and rings costs more than the corners themselves.
    plain = (shapely.get_type_id(outlines) == shapely.GeometryType.POLYGON) & (shapely.get_num_interior_rings(outlines) == 0)
    plain &= ~shapely.is_empty(outlines)
    one, other = np.flatnonzero(plain), np.flatnonzero(~plain)
    parts, part_of = shapely.get_parts(outlines[other], return_index=True)
    if (shapely.get_type_id(parts) >= shapely.GeometryType.MULTIPOINT).any():
        parts, outer = shapely.get_parts(parts, return_index=True)
        part_of = part_of[outer]
    areal = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    rings, ring_of = shapely.get_rings(parts[areal], return_index=True)
    hole = np.concatenate([np.zeros(one.size, bool), np.diff(ring_of, prepend=-1) == 0])
    sizes = np.concatenate([shapely.get_num_coordinates(outlines[one]), shapely.get_num_coordinates(rings)])
    corners = np.concatenate([shapely.get_coordinates(outlines[one]), shapely.get_coordinates(rings)])
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return corners, offsets, np.concatenate([one, other[part_of[areal][ring_of]]]).astype(np.int64), hole


@compiled
def _collect(corners: Floats, rings: Int64, owner: Int64, hole: NDArray[np.bool_], out: tuple[Floats, Signs, Int64, Floats]) -> None:
    """Write the edges of every ring behind those of its outline; `end` and `tallest` of `out` grow with them."""
    lines, signs, end, tallest = out
    for ring in range(owner.size):
        start, stop = rings[ring], rings[ring + 1]
        twice = 0.0
        for k in range(start, stop - 1):
            # relative to the ring's first corner, so that nothing cancels
            twice += (corners[k, 0] - corners[start, 0]) * (corners[k + 1, 1] - corners[start, 1])
            twice -= (corners[k + 1, 0] - corners[start, 0]) * (corners[k, 1] - corners[start, 1])
        # counter-clockwise: what goes down is a left shore
        down = 1 if (twice > 0) != hole[ring] else -1
        place, outline = end[owner[ring]], owner[ring]
        for k in range(start, stop - 1):
            y0, y1 = corners[k, 1], corners[k + 1, 1]
            if y0 == y1:
                continue
            low, high = (k, k + 1) if y0 < y1 else (k + 1, k)
            lines[place, 0], lines[place, 1] = corners[low, 1], corners[high, 1]
            lines[place, 2], lines[place, 3] = corners[low, 0], corners[high, 0]
            signs[place] = down if y1 < y0 else -down
            tallest[outline] = max(tallest[outline], abs(y1 - y0))
            place += 1
        end[outline] = place


@compiled
def _sort_all(lines: Floats, signs: Signs, first: Int64, end: Int64) -> None:
    """Sort the edges of every outline by their lower ends, in place."""
    held, held_signs = np.empty((0, 4)), np.empty(0, np.int8)
    for outline in range(first.size):
        start, stop = first[outline], end[outline]
        count = stop - start
        if count > _INSERTION:
            if held.shape[0] < count:
                held, held_signs = np.empty((2 * count, 4)), np.empty(2 * count, np.int8)
            held[:count], held_signs[:count] = lines[start:stop], signs[start:stop]
            _spread((held[:count], held_signs[:count]), (lines[start:stop], signs[start:stop]))
        _insert(lines[start:stop], signs[start:stop])


@compiled
def _spread(edges: tuple[Floats, Signs], out: tuple[Floats, Signs]) -> None:
    """Write edges into `out` in the order of as many equal steps of height: nearly sorted, in linear time."""
    lines, signs = edges
    count = signs.size
    lowest, highest = lines[0, 0], lines[0, 0]
    for k in range(count):
        lowest, highest = min(lowest, lines[k, 0]), max(highest, lines[k, 0])
    step = (highest - lowest) / count
    bins = np.zeros(count + 2, np.int64)
    step = step if step > 0 else 1.0
    for k in range(count):
        bins[int((lines[k, 0] - lowest) / step) + 1] += 1
    for k in range(1, bins.size):
        bins[k] += bins[k - 1]
    for k in range(count):
        at = int((lines[k, 0] - lowest) / step)
        place = bins[at]
        for part in range(4):
            out[0][place, part] = lines[k, part]
        out[1][place] = signs[k]
        bins[at] += 1


@compiled
def _insert(lines: Floats, signs: Signs) -> None:
    for k in range(1, signs.size):
        edge = (lines[k, 0], lines[k, 1], lines[k, 2], lines[k, 3], signs[k])
        at = k
        # All five numbers count, so that sums over edges do not depend on where a ring starts.
        while at > 0 and lines[at - 1, 0] >= edge[0]:
            if (lines[at - 1, 0], lines[at - 1, 1], lines[at - 1, 2], lines[at - 1, 3], signs[at - 1]) <= edge:
                break
            # by element: numba makes a view of every row that is named, which costs four times as much
            for part in range(4):
                lines[at, part] = lines[at - 1, part]
            signs[at] = signs[at - 1]
            at -= 1
        lines[at, 0], lines[at, 1], lines[at, 2], lines[at, 3], signs[at] = edge
