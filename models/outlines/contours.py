"""Outlines of a field of probability between the pixels: marching squares, holes kept, valid, small parts left out."""

from dataclasses import dataclass

import contourpy
import numpy as np
import shapely
from numpy.typing import NDArray

Geometries = NDArray[np.object_]
Shape = shapely.Polygon | shapely.MultiPolygon


@dataclass(frozen=True, slots=True)
class ContourOptions:
    """What of a field becomes an outline."""

    level: float = 0.5
    """Ground above this probability is inside."""
    min_area_m2: float = 400.0
    """Parts below are dropped: four pixels of 10 m."""
    min_hole_m2: float = 400.0
    """Holes below are filled."""
    simplify_m: float = 0.5
    """No corner moves further. It halves the corners; 2 m would take 3 % of the area of a slump of 30 m radius, this takes 0.1 %."""


def outline_of(field: NDArray[np.floating], origin_yx: tuple[int, int], *, pixel_m: float, options: ContourOptions) -> Shape:
    """Return the ground where the field (y, x) is above the level, in metres of the zone: a Polygon, a MultiPolygon, or an empty Polygon.

    `origin_yx` is the field's upper left pixel on the zone's lattice of `pixel_m` (y = -northing / pixel_m). Values hold at the
    centres of pixels, x = (column + 0.5) pixel_m, and are linear between them; beyond the field everything is outside. Areas that
    decide what is dropped are those of the zone's plane, within 0.1 % of the ellipsoid's.
    """
    rings, ring_ends, part_ends = _traced(field, options.level)
    lattice = np.array([pixel_m, -pixel_m])
    corners = (rings + 0.5 + np.array([origin_yx[1], origin_yx[0]])) * lattice
    parts = shapely.from_ragged_array(shapely.GeometryType.POLYGON, corners, (ring_ends, part_ends))
    return _cleaned(np.asarray(parts, dtype=object), options)


def _traced(field: NDArray[np.floating], level: float) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Corners (x, y) in pixels of the field, ends of rings in corners and of parts in rings; an exterior comes first, then its holes."""
    padded = np.pad(np.asarray(field, np.float64), 1)
    # "above" is strict: a tie of votes is outside, and no corner of a ring falls on a pixel's centre, where rings could touch
    padded[padded == level] = np.nextafter(level, -np.inf)
    generator = contourpy.contour_generator(z=padded, fill_type=contourpy.FillType.ChunkCombinedOffsetOffset)
    points, ring_ends, part_ends = generator.filled(level, np.inf)
    if points[0] is None:
        return np.empty((0, 2)), np.zeros(1, np.int64), np.zeros(1, np.int64)
    return points[0] - 1.0, ring_ends[0].astype(np.int64), part_ends[0].astype(np.int64)


def _cleaned(parts: Geometries, options: ContourOptions) -> Shape:
    filled = np.array([_filled(part, options.min_hole_m2) for part in parts], dtype=object)
    whole = shapely.simplify(_large_enough(filled, options.min_area_m2), options.simplify_m, preserve_topology=True)
    if not shapely.is_valid(whole):
        # simplified parts may cross each other; scraps of repair are no ground
        repaired = shapely.make_valid(whole, method="structure", keep_collapsed=False)
        whole = _large_enough(np.asarray(shapely.get_parts(repaired), dtype=object), options.min_area_m2)
    return shapely.normalize(whole)


def _large_enough(parts: Geometries, min_area_m2: float) -> Shape:
    kept = [part for part in parts if shapely.area(part) >= min_area_m2]
    if not kept:
        return shapely.Polygon()
    return kept[0] if len(kept) == 1 else shapely.MultiPolygon(kept)


def _filled(part: shapely.Polygon, min_hole_m2: float) -> shapely.Polygon:
    if not shapely.get_num_interior_rings(part):
        return part
    holes = [ring for ring in part.interiors if shapely.area(shapely.polygons(ring)) >= min_hole_m2]
    return shapely.Polygon(part.exterior, holes)
