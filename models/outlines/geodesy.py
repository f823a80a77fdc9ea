"""Geodesic area, perimeter and position of polygons that lie in a UTM zone."""

from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Geod, Proj, Transformer

from catalog.facts.grids import PIXEL_M, from_lonlat, to_lonlat

Floats = NDArray[np.float64]
Geometries = NDArray[np.object_]
_WGS84 = Geod(ellps="WGS84")


def to_degrees(geometries: Geometries, epsg: int) -> Geometries:
    """Return geometries of a zone (metres) in EPSG:4326 (longitude, latitude), cut at +-180 (RFC 7946, section 3.1.9)."""
    moved = _transformed(geometries, to_lonlat(epsg))
    bounds = shapely.bounds(moved)
    # Nothing on the ground is half a globe wide: such a ring jumps from -180 to 180.
    for place in np.flatnonzero(bounds[:, 2] - bounds[:, 0] > 180):
        moved[place] = _cut(moved[place])
    return moved


def to_metres(geometries: Geometries, epsg: int) -> Geometries:
    """Return geometries in EPSG:4326 as metres of a zone."""
    return _transformed(geometries, from_lonlat(epsg))


def _transformed(geometries: Geometries, transformer: Transformer) -> Geometries:
    def move(corners: Floats) -> Floats:
        return np.column_stack(transformer.transform(corners[:, 0], corners[:, 1]))

    moved: Geometries = np.asarray(shapely.transform(geometries, move), dtype=object)
    return moved


def _cut(geometry: shapely.Geometry) -> shapely.Geometry:
    eastward = shapely.transform(geometry, lambda corners: np.column_stack([corners[:, 0] % 360.0, corners[:, 1]]))
    west = shapely.intersection(eastward, shapely.box(0, -90, 180, 90))
    east = shapely.intersection(eastward, shapely.box(180, -90, 360, 90))
    east = shapely.transform(east, lambda corners: corners - np.array([360.0, 0.0]))
    return shapely.MultiPolygon([*shapely.get_parts(west), *shapely.get_parts(east)])


def zone_area_perimeter(polygons: Geometries, epsg: int) -> tuple[Floats, Floats]:
    """Return geodesic area (m2) and perimeter (m) of polygons of a zone; a cut at +-180 adds no shore."""
    return area_perimeter(_transformed(polygons, to_lonlat(epsg)))


def area_perimeter(geometries: Geometries) -> tuple[Floats, Floats]:
    """Return geodesic area (holes excluded, m2) and perimeter (holes included, m) of polygons in EPSG:4326.

    Method: Karney 2013, as in GeographicLib; edges are geodesics on WGS 84, so that +-180 needs no care.
    """
    parts, part_of = shapely.get_parts(geometries, return_index=True)
    rings, ring_of = shapely.get_rings(parts, return_index=True)
    corners, corner_of = shapely.get_coordinates(rings, return_index=True)
    first_of_part = np.concatenate([[True], ring_of[1:] != ring_of[:-1]]) if ring_of.size else np.empty(0, bool)
    edges = np.searchsorted(corner_of, np.arange(rings.size + 1))
    area, perimeter = np.zeros(len(geometries)), np.zeros(len(geometries))
    owner = part_of[ring_of]
    for ring in range(rings.size):
        place = slice(edges[ring], edges[ring + 1])
        ring_area, ring_perimeter = _WGS84.polygon_area_perimeter(corners[place, 0], corners[place, 1])
        area[owner[ring]] += abs(ring_area) if first_of_part[ring] else -abs(ring_area)
        perimeter[owner[ring]] += ring_perimeter
    return area, perimeter


def representative_points(polygons: Geometries, epsg: int) -> Floats:
    """Return (longitude, latitude) of one point inside each polygon of a zone, shape (n, 2).

    The middle of the widest stretch of the line half-way up the polygon (GEOS InteriorPointArea): the same pixels give the same point.
    """
    inside = shapely.get_coordinates(shapely.point_on_surface(polygons))
    return np.column_stack(to_lonlat(epsg).transform(inside[:, 0], inside[:, 1]))


def pixel_area_m2(epsg: int, longitude: float, latitude: float) -> float:
    """Return the geodesic area of one pixel: 100 m2 over the squared scale factor of the zone at that point (Snyder 1987)."""
    return PIXEL_M**2 / float(_projection(epsg).get_factors(longitude, latitude).areal_scale)


def pixel_areas_m2(epsg: int, longitude: Floats, latitude: Floats) -> Floats:
    """Return the geodesic area of a pixel at each of many points of a zone, as `pixel_area_m2` does of one."""
    return np.asarray(PIXEL_M**2 / np.asarray(_projection(epsg).get_factors(longitude, latitude).areal_scale), np.float64)


@lru_cache(maxsize=128)
def _projection(epsg: int) -> Proj:
    return Proj(epsg)
