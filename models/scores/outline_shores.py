"""How far outlines of two sides lie apart, as vectors: points along each outline, and how many have the other side near."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from models.outlines.overlaps import Geometries

STEP_M: Final = 5.0
"""A network pixel: outlines know no more."""
TOLERANCES_M: Final = (10.0, 20.0)


@dataclass(frozen=True, slots=True)
class OutlinePoints:
    """Points along n outlines, counted per outline."""

    points: NDArray[np.int64]
    """(n,)."""
    near: NDArray[np.int64]
    """(n, tolerances), those with an outline of the other side within the tolerance."""


def count_near(outlines: Geometries, others: Geometries) -> OutlinePoints:
    """Count points every 5 m along polygons (metres) that have the outline of any of `others` within 10 and within 20 m."""
    lines = np.asarray(shapely.boundary(outlines), object)
    points, owner = _points(lines)
    near = np.zeros((len(points), len(TOLERANCES_M)), bool)
    if len(points) and len(others):
        tree = shapely.STRtree(np.asarray(shapely.boundary(others), object))
        for place, tolerance in enumerate(TOLERANCES_M):
            near[np.unique(tree.query(points, predicate="dwithin", distance=tolerance)[0]), place] = True
    counts = [np.bincount(owner, weights=near[:, place], minlength=len(outlines)) for place in range(len(TOLERANCES_M))]
    return OutlinePoints(np.bincount(owner, minlength=len(outlines)).astype(np.int64), np.stack(counts, axis=-1).astype(np.int64))


def _points(lines: Geometries) -> tuple[Geometries, NDArray[np.int64]]:
    """Points in the middle of equal steps of about 5 m along lines, and the line of each."""
    parts, of_line = shapely.get_parts(lines, return_index=True)
    length = np.asarray(shapely.length(parts), np.float64)
    steps = np.maximum(np.rint(length / STEP_M), 1).astype(np.int64)
    owner = np.repeat(np.arange(len(parts)), steps)
    along = (np.arange(len(owner)) - np.repeat(np.cumsum(steps) - steps, steps) + 0.5) * (length / steps)[owner]
    return np.asarray(shapely.line_interpolate_point(parts[owner], along), object), of_line[owner]
