"""How far it is from an outline to the nearest of many others."""

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Geod

Floats = NDArray[np.float64]
Geometries = NDArray[np.object_]
_WGS84 = Geod(ellps="WGS84")


def nearest_m(outlines: Geometries, others: Geometries) -> Floats:
    """Return the geodesic distance (m) from each outline to the nearest of the others, both in EPSG:4326; NaN where there is none.

    Which point is nearest is decided on a plane that is true at the latitude of the outline; +-180 is crossed where that is nearer.
    """
    found = np.full(len(outlines), np.nan)
    others = np.asarray(others, dtype=object)[~(shapely.is_empty(others) | shapely.is_missing(others))]
    if not len(others):
        return found
    around = np.concatenate([others, *(_moved(others, turn) for turn in (-360.0, 360.0))])
    tree = shapely.STRtree(around)
    for place in np.flatnonzero(~shapely.is_empty(outlines)):
        shape = outlines[place]
        narrow = max(np.cos(np.radians((shape.bounds[1] + shape.bounds[3]) / 2)), 1e-3)
        reach = float(tree.query_nearest(shape, return_distance=True, all_matches=False)[1][0])
        # What lies nearer on the ground than the nearest in degrees lies in this box.
        west, south, east, north = shape.bounds
        box = shapely.box(west - reach / narrow, south - reach, east + reach / narrow, north + reach)
        plane = [_moved(each, 0.0, narrow) for each in (np.array([shape]), around[tree.query(box)])]
        lines = shapely.shortest_line(plane[0][0], plane[1])
        line = shapely.get_coordinates(lines[np.argmin(shapely.length(lines))]) / (narrow, 1.0)
        found[place] = _WGS84.inv(line[0, 0], line[0, 1], line[1, 0], line[1, 1])[2]
    return found


def _moved(geometries: Geometries, turn: float, narrow: float = 1.0) -> Geometries:
    """Return geometries turned around the globe (degrees) and then narrowed."""

    def move(corners: Floats) -> Floats:
        return np.column_stack([(corners[:, 0] + turn) * narrow, corners[:, 1]])

    moved: Geometries = np.asarray(shapely.transform(geometries, move), dtype=object)
    return moved
