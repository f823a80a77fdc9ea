"""Features of a tile or a region from their outlines alone: a region has more pixels than words need."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from catalog.facts.feature_classes import FeatureClass
from catalog.facts.pixel_grids import PixelGrid
from models.referrer.features import Feature

_STEP: Final = 0.004
"""Of the points along a shore, share of the width: half of what two distances may differ by and still be the same to words."""


def features_of_outlines(
    grid: PixelGrid, outlines: NDArray[np.object_], areas_m2: Sequence[float], ids: Sequence[str], kind: FeatureClass
) -> tuple[Feature, ...]:
    """Features of a rectangle from outlines in its CRS, numbered from 1 in their order; nothing is too small.

    What lies beyond the rectangle, as ends of lakes do, counts as at its edge.
    """
    left, bottom, right, top = grid.bounds_lbrt
    shares = shapely.transform(
        outlines, lambda at: np.column_stack([(at[:, 0] - left) / (right - left), (top - at[:, 1]) / (top - bottom)])
    )
    diameters = 2 * np.sqrt(shapely.area(outlines) / np.pi) / (right - left)
    placed = [_placed(number, shape, name, kind) for number, (shape, name) in enumerate(zip(shares, ids, strict=True), 1)]
    return tuple(
        replace(each, area_m2=float(area), diameter=float(diameter), elongation=_elongation(outline))
        for each, area, diameter, outline in zip(placed, areas_m2, diameters, outlines, strict=True)
    )


def _placed(number: int, shape: shapely.Geometry, name: str, kind: FeatureClass) -> Feature:
    """A feature as it lies in shares of the rectangle; its measures on the ground are not known yet."""
    west, north, east, south = shapely.bounds(shape)
    x, y = np.clip(shapely.get_coordinates(_point(shape))[0], 0.0, 1.0 - 1e-9)
    return Feature(
        number=number,
        kind=kind,
        x=float(x),
        y=float(y),
        area_m2=np.nan,
        diameter=np.nan,
        elongation=np.nan,
        bounds_lbrt=(float(west), float(south), float(east), float(north)),
        shore=shapely.get_coordinates(shapely.segmentize(shapely.boundary(shape), _STEP)).astype(np.float32),
        feature_id=name,
    )


def _point(shape: shapely.Geometry) -> shapely.Point:
    """The centroid, or a point inside where a bent feature does not hold its own."""
    center: shapely.Point = shapely.centroid(shape)
    return center if shapely.contains(shape, center) else shapely.point_on_surface(shape)


def _elongation(outline: shapely.Geometry) -> float:
    """Ratio of the sides of the smallest rectangle around it, however turned."""
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(outline))
    sides = np.hypot(*np.diff(corners[:3], axis=0).T)
    return float(sides.max() / sides.min()) if len(sides) == 2 and sides.min() > 0 else 1.0
