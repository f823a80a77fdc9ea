"""Which outlines lie on the same ground, and on how much of it."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
_M2_PER_SQUARE_DEGREE = 111_194.93**2
"""On the sphere of 6371 km: good enough to rank overlaps; areas that are published come from `geodesy`."""


@dataclass(frozen=True, slots=True)
class Overlaps:
    """Pairs of outlines that share ground, arrays of equal length."""

    left: Indices
    right: Indices
    area_m2: Floats
    """Shared area, spherical."""
    share: Floats
    """Shared area over the area of the smaller outline, 0 to 1."""
    likeness: Floats
    """Shared area over the area of the union, 0 to 1; 1 for equal outlines."""


def overlaps_of(left: Geometries, right: Geometries) -> Overlaps:
    """Return all pairs of outlines (EPSG:4326) that share more than an edge; found through an STRtree."""
    one, other = meetings_of(left, right)
    first, second = spherical_area_m2(left)[one], spherical_area_m2(right)[other]
    # The intersection of equal outlines is exact in theory only; ranks must not hang on the last bit.
    equal = shapely.equals_identical(left[one], right[other])
    shared = np.where(equal, first, 0.0)
    shared[~equal] = spherical_area_m2(shapely.intersection(left[one[~equal]], right[other[~equal]]))
    shared = np.minimum(shared, np.minimum(first, second))
    smaller, union = np.minimum(first, second), first + second - shared
    found = shared > 0
    return Overlaps(one[found], other[found], shared[found], (shared / smaller)[found], (shared / union)[found])


def meetings_of(left: Geometries, right: Geometries) -> tuple[Indices, Indices]:
    """Return positions of all pairs of outlines that share at least a point."""
    if not len(left) or not len(right):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    one, other = shapely.STRtree(right).query(left, predicate="intersects")
    return one, other


def spherical_area_m2(geometries: Geometries) -> Floats:
    """Return areas of outlines in EPSG:4326 on the sphere: planar degrees times the cosine of their middle latitude."""
    bounds = shapely.bounds(geometries)
    latitude = np.where(np.isnan(bounds[:, 1]), 0.0, (bounds[:, 1] + bounds[:, 3]) / 2)
    areas: Floats = np.asarray(shapely.area(geometries)) * np.cos(np.radians(latitude)) * _M2_PER_SQUARE_DEGREE
    return areas


def components(count: int, one: Indices, other: Indices) -> Indices:
    """Return the number of the connected group of each of `count` things linked by the pairs (one, other)."""
    parent = list(range(count))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for a, b in zip(one.tolist(), other.tolist(), strict=True):
        first, second = sorted((root(a), root(b)))
        parent[second] = first
    return np.array([root(node) for node in range(count)], np.int64)
