"""Which outlines lie on the same ground, and on how much of it."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from models.outlines.edges import Edges, edges_of
from models.outlines.kernels import Int32, compiled, root_of
from models.outlines.shared_ground import proven_links, shared_areas

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
_M2_PER_SQUARE_DEGREE = 111_194.93**2
"""On the sphere of 6371 km: good enough to rank overlaps; areas that are published come from `geodesy`."""
_DECIMALS = 9
"""Shares are rounded: degrees are kept to a part in 1e10 of a pixel, so that outlines of one lattice that only touch may seem to share as much."""


@dataclass(frozen=True, slots=True)
class Overlaps:
    """Pairs of outlines that share ground, arrays of equal length, sorted by `left`, then `right`."""

    left: Indices
    right: Indices
    area_m2: Floats
    """Shared area, spherical."""
    share: Floats
    """Shared area over the area of the smaller outline, 0 to 1."""
    likeness: Floats
    """Shared area over the area of the union, 0 to 1; 1 for equal outlines."""


def overlaps_of(left: Geometries, right: Geometries) -> Overlaps:
    """Return all pairs of valid outlines (EPSG:4326) that share more than an edge, and how much they share.

    Areas are exact to 1e-9 of the smaller outline, and do not depend on where rings start or on the order of outlines.
    """
    one, other = boxes_meet(left, right)
    rows, row_of = np.unique(one, return_inverse=True)
    columns, column_of = np.unique(other, return_inverse=True)
    found = _measured(edges_of(left[rows]), edges_of(right[columns]), row_of, column_of)
    return Overlaps(rows[found.left], columns[found.right], found.area_m2, found.share, found.likeness)


def overlaps_between(left: Edges, right: Edges) -> Overlaps:
    """Return what `overlaps_of` returns, of outlines whose edges are known already."""
    return _measured(left, right, *boxes_meet(left.outlines, right.outlines))


def shared_m2(left: Geometries, right: Geometries, one: Indices, other: Indices) -> Floats:
    """Return the shared area (spherical) of the given pairs of positions, 0 where a pair shares none; as exact as `overlaps_of`."""
    rows, row_of = np.unique(one, return_inverse=True)
    columns, column_of = np.unique(other, return_inverse=True)
    share, smaller, _ = _shares(edges_of(left[rows]), edges_of(right[columns]), row_of, column_of)
    area: Floats = share * smaller
    return area


def _measured(left: Edges, right: Edges, one: Indices, other: Indices) -> Overlaps:
    share, smaller, both = _shares(left, right, one, other)
    found = np.flatnonzero(share > 0)
    share, area = share[found], (share * smaller)[found]
    return Overlaps(one[found], other[found], area, share, area / (both[found] - area))


def _shares(left: Edges, right: Edges, one: Indices, other: Indices) -> tuple[Floats, Floats, Floats]:
    """Return per pair the share of the smaller outline, the area of that and the sum of both areas, m2."""
    shared = shared_areas(left, right, one, other)
    first, second = _spherical(left)[one], _spherical(right)[other]
    planar = np.minimum(left.area[one], right.area[other])
    share = np.round(np.divide(shared, planar, out=np.zeros_like(shared), where=planar > 0), _DECIMALS)
    # of two as large, the one that is smaller on the sphere, whichever side it is on
    smaller = np.where(
        left.area[one] < right.area[other], first, np.where(left.area[one] > right.area[other], second, np.minimum(first, second))
    )
    return np.clip(share, 0.0, 1.0), smaller, first + second


def links_of(left: Geometries, right: Geometries) -> tuple[Indices, Indices]:
    """Return the positions of the pairs that `overlaps_of` returns, sorted, without measuring what needs no measure.

    Two outlines are known to share ground as soon as one level line crosses the inside of both; areas decide only where none is found.
    """
    first = edges_of(left, in_order=False)
    return links_between(first, first if right is left else edges_of(right, in_order=False))


def links_between(left: Edges, right: Edges) -> tuple[Indices, Indices]:
    """Return what `links_of` returns, of outlines whose edges are known already, in whatever order."""
    one, other = boxes_meet(left.outlines, right.outlines)
    linked = proven_links(left, right, one, other)
    unsure = np.flatnonzero(~linked)
    if unsure.size:
        rows, row_of = np.unique(one[unsure], return_inverse=True)
        columns, column_of = np.unique(other[unsure], return_inverse=True)
        edges, others = edges_of(left.outlines[rows]), edges_of(right.outlines[columns])
        share = shared_areas(edges, others, row_of, column_of) / np.minimum(edges.area[row_of], others.area[column_of])
        linked[unsure] = np.round(share, _DECIMALS) > 0
    return one[linked], other[linked]


def meetings_of(left: Geometries, right: Geometries) -> tuple[Indices, Indices]:
    """Return positions of all pairs of outlines that share at least a point."""
    if not len(left) or not len(right):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    one, other = shapely.STRtree(right).query(left, predicate="intersects")
    return one, other


def boxes_meet(left: Geometries, right: Geometries) -> tuple[Indices, Indices]:
    """Return positions of all pairs whose bounding boxes meet, sorted."""
    if not len(left) or not len(right):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    one, other = shapely.STRtree(right).query(left)
    order = np.lexsort((other, one))
    return one[order], other[order]


def spherical_area_m2(geometries: Geometries) -> Floats:
    """Return areas of outlines in EPSG:4326 on the sphere: planar degrees times the cosine of their middle latitude."""
    return _on_sphere(np.asarray(shapely.area(geometries)), shapely.bounds(geometries))


def _spherical(edges: Edges) -> Floats:
    return _on_sphere(edges.area, edges.bounds)


def _on_sphere(planar: Floats, bounds: Floats) -> Floats:
    latitude = np.where(np.isnan(bounds[:, 1]), 0.0, (bounds[:, 1] + bounds[:, 3]) / 2)
    areas: Floats = planar * np.cos(np.radians(latitude)) * _M2_PER_SQUARE_DEGREE
    return areas


def components(count: int, one: Indices, other: Indices) -> Indices:
    """Return the number of the connected group of each of `count` things linked by the pairs (one, other): its smallest member."""
    return _components(np.arange(count, dtype=np.int32), np.asarray(one, np.int64), np.asarray(other, np.int64)).astype(np.int64)


@compiled
def _components(parent: Int32, one: Indices, other: Indices) -> Int32:
    for k in range(one.size):
        first, second = root_of(parent, one[k]), root_of(parent, other[k])
        parent[max(first, second)] = min(first, second)
    for node in range(parent.size):
        parent[node] = root_of(parent, node)
    return parent
