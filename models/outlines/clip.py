"""Which outlines belong to a piece of ground."""

import numpy as np
import shapely
from numpy.typing import NDArray

Geometries = NDArray[np.object_]


def on_ground(outlines: Geometries, ground: shapely.Geometry) -> NDArray[np.bool_]:
    """Say of each outline whether it shares at least a point with the ground, both in EPSG:4326; nothing is cut."""
    shapely.prepare(ground)
    inside: NDArray[np.bool_] = shapely.intersects(np.asarray(outlines, dtype=object), ground)
    return inside


def hull_of(outlines: Geometries) -> shapely.Geometry:
    """Return the convex hull of outlines: the ground of an inventory that tells no region."""
    return shapely.convex_hull(shapely.GeometryCollection(list(shapely.envelope(np.asarray(outlines, dtype=object)))))
