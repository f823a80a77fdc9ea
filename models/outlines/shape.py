"""How round, how winding and how long outlines are, free of the stairs of their pixels."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Geometries = NDArray[np.object_]

STEP_M: Final = 5.0
"""Spacing of the points along a ring: half a pixel."""
WINDOW_M: Final = 40.0
"""Length along the stairs that is averaged: four pixels, which hold a whole step of most slopes of a digital line.

On discs of 20 to 70 000 pixels the smoothed circularity is 0.978 to 0.996 whatever the size, where the stairs give 0.62 and less.
"""
LEAST_POINTS: Final = 16
"""Points along the smallest ring."""


@dataclass(frozen=True, slots=True)
class ShapeIndices:
    """Indices of outlines, arrays of equal length, without a unit."""

    circularity: Floats
    """4 pi A / P^2 of the outer shore: 1 for a disc, 0.79 for a square (Cox 1927). Islands do not count."""
    shore_development: Floats
    """P / (2 sqrt(pi A)), islands' shores in P, their ground not in A: 1 for a disc (Hutchinson 1957)."""
    elongation: Floats
    """Long over short side of the rotated rectangle of least area around the outline, stairs included: 1 for a disc or a square."""


def shape_indices(polygons: Geometries) -> ShapeIndices:
    """Describe polygons and multipolygons in metres of a zone; parts of one feature count together.

    A, P of the first two are those of the outline after a moving average over `WINDOW_M` along each ring, and so belong to each other:
    the stairs of pixels make a perimeter 4/pi too long on average, by how much depends on the direction of the shore. The average rounds
    corners off; below some 30 pixels every compact outline is nearly a disc.
    """
    parts, part_of = shapely.get_parts(polygons, return_index=True)
    rings, ring_of = shapely.get_rings(parts, return_index=True)
    outer = np.concatenate([[True], ring_of[1:] != ring_of[:-1]]) if ring_of.size else np.empty(0, bool)
    figures = np.array([_smoothed_area_length(shapely.get_coordinates(ring)) for ring in rings], np.float64).reshape(-1, 2)
    owner, count = part_of[ring_of], len(polygons)
    area, length = (np.bincount(owner[outer], figures[outer, side], count) for side in (0, 1))
    water = area - np.bincount(owner[~outer], figures[~outer, 0], count)
    shores = length + np.bincount(owner[~outer], figures[~outer, 1], count)
    return ShapeIndices(4 * np.pi * area / length**2, shores / (2 * np.sqrt(np.pi * water)), _elongation(polygons))


def _smoothed_area_length(corners: Floats) -> tuple[float, float]:
    """Area (m2) and length (m) of one closed ring (n, 2) after the moving average."""
    steps = np.hypot(*np.diff(corners, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    points = max(round(along[-1] / STEP_M), LEAST_POINTS)
    places = (np.arange(points) + 0.5) * along[-1] / points
    # from the first corner on, so that squares of large coordinates do not eat the digits of a small area
    x, y = (_averaged(np.interp(places, along, corners[:, axis] - corners[0, axis]), along[-1] / points) for axis in (0, 1))
    return abs(float(x @ np.roll(y, -1) - np.roll(x, -1) @ y)) / 2, float(np.hypot(np.diff(x, append=x[0]), np.diff(y, append=y[0])).sum())


def _averaged(values: Floats, step_m: float) -> Floats:
    """Centred moving average along a ring."""
    half = min(round(WINDOW_M / step_m / 2), (len(values) - 1) // 6)
    wrapped = np.concatenate([values[-half:], values, values[:half]]) if half else values
    total = np.concatenate([[0.0], np.cumsum(wrapped)])
    return np.asarray((total[2 * half + 1 :] - total[: len(total) - 2 * half - 1]) / (2 * half + 1), np.float64)


def _elongation(polygons: Geometries) -> Floats:
    boxes = shapely.oriented_envelope(polygons)
    corners = shapely.get_coordinates(boxes).reshape(-1, 5, 2)
    sides = np.sort(np.hypot(*np.moveaxis(np.diff(corners[:, :3], axis=1), -1, 0)), axis=1)
    return np.asarray(sides[:, 1] / sides[:, 0], np.float64)
