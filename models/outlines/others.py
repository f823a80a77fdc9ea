"""Outlines that others drew: twice in a year on overlapping images, and on images that do not cover every ground every year."""

from collections.abc import Mapping, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from models.outlines.overlaps import components, overlaps_of
from models.outlines.timeline import Observed

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]


def dissolved(outlines: Geometries, *, min_overlap: float) -> Geometries:
    """Join outlines (EPSG:4326) of one year that share at least `min_overlap` of the smaller: one slump, drawn on two images.

    The order of the result is that of its northern edges; the order of the input does not matter.
    """
    valid = np.asarray(shapely.make_valid(np.asarray(outlines, dtype=object)), dtype=object)
    pairs = overlaps_of(valid, valid)
    linked = (pairs.left < pairs.right) & (pairs.share >= min_overlap)
    group = components(len(valid), pairs.left[linked], pairs.right[linked])
    order = np.argsort(group, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(group[order])) + 1) if order.size else []
    joined = [shapely.union_all(valid[rows]) if rows.size > 1 else valid[rows[0]] for rows in members]
    found = np.empty(len(joined), dtype=object)
    found[:] = sorted(joined, key=lambda shape: (-shape.bounds[3], shape.bounds[0], shape.wkb))
    return found


def observed_on_tiles(outlines: Mapping[int, Geometries], tiles: Mapping[int, Sequence[str]]) -> Observed:
    """Return what was observed in a year: ground within the images that the year has outlines on, 1, else 0.

    The ground of an image is the hull of all outlines ever drawn on it. Outlines without the name of an image make every year that is
    given observed everywhere. An image without any outline in a year is not known to have been looked at.
    """
    if any("" in names for names in tiles.values()):
        return lambda _, asked: np.ones(len(asked))
    drawn: dict[str, list[shapely.Geometry]] = {}
    for year, shapes in outlines.items():
        for shape, tile in zip(shapes, tiles[year], strict=True):
            drawn.setdefault(tile, []).append(shape)
    hulls = {tile: shapely.convex_hull(shapely.union_all(shapely.envelope(np.array(shapes, object)))) for tile, shapes in drawn.items()}

    def observed(year: int, asked: Geometries) -> Floats:
        seen = set(tiles.get(year, ()))
        ground = [hulls[tile] for tile in sorted(seen)]
        return np.array([float(any(hull.intersects(shape) for hull in ground)) for shape in asked], np.float64)

    return observed
