"""Longitudes around +-180: rings made continuous, geometries split at the line or moved beside a meridian."""

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import LinearRing, Polygon, box
from shapely.geometry.base import BaseGeometry

_WORLD = 360.0


def unwrapped(geometry: BaseGeometry) -> BaseGeometry:
    """Return polygons whose rings run on beyond +-180 instead of jumping back, degrees.

    Catalogs write a footprint that crosses the line as one ring from 179 to -179; no scene is half a globe wide, so a step of
    more than 180 degrees is such a jump.
    """
    west, _, east, _ = geometry.bounds if not geometry.is_empty else (0.0, 0.0, 0.0, 0.0)
    if east - west <= _WORLD / 2:
        return geometry
    parts = [_unwrapped_polygon(part) for part in _polygons(geometry)]
    return shapely.union_all(parts) if parts else geometry


def _polygons(geometry: BaseGeometry) -> list[Polygon]:
    return [part for part in shapely.get_parts(geometry) if part.geom_type == "Polygon"]


def _unwrapped_polygon(polygon: Polygon) -> BaseGeometry:
    shell = _unwrapped_ring(polygon.exterior)
    holes = [_unwrapped_ring(ring) for ring in polygon.interiors]
    for hole in holes:
        hole[:, 0] += _WORLD * np.round((shell[0, 0] - hole[0, 0]) / _WORLD)
    return shapely.make_valid(Polygon(shell, holes))


def _unwrapped_ring(ring: LinearRing) -> NDArray[np.float64]:
    coordinates = np.array(ring.coords, dtype=np.float64)[:, :2]
    coordinates[:, 0] = np.unwrap(coordinates[:, 0], period=_WORLD)
    return coordinates


def split(geometry: BaseGeometry) -> BaseGeometry:
    """Return the same ground with longitudes from -180 to 180, cut at the line as RFC 7946 section 3.1.9 asks."""
    if geometry.is_empty:
        return geometry
    west, _, east, _ = geometry.bounds
    if west >= -_WORLD / 2 and east <= _WORLD / 2:
        return geometry
    turns = range(int(np.floor((west + 180.0) / _WORLD)), int(np.floor((east + 180.0) / _WORLD)) + 1)
    window = box(-180.0, -90.0, 180.0, 90.0)
    moved = [_shifted(geometry, -_WORLD * turn).intersection(window) for turn in turns]
    return shapely.union_all([part for part in moved if part.area > 0 or geometry.area == 0])


def near(geometry: BaseGeometry, meridian_deg: float, reach_deg: float) -> BaseGeometry:
    """Return the part of a split geometry within `reach_deg` of a meridian, in longitudes continuous around it."""
    moved = [
        shapely.clip_by_rect(_shifted(geometry, turn), meridian_deg - reach_deg, -90.0, meridian_deg + reach_deg, 90.0)
        for turn in (-_WORLD, 0.0, _WORLD)
        if _meets(geometry, turn, meridian_deg, reach_deg)
    ]
    found = [part for part in moved if not part.is_empty]
    return found[0] if len(found) == 1 else shapely.union_all(found)


def _meets(geometry: BaseGeometry, turn: float, meridian_deg: float, reach_deg: float) -> bool:
    west, _, east, _ = geometry.bounds
    return bool(west + turn <= meridian_deg + reach_deg and east + turn >= meridian_deg - reach_deg)


def split_bounds(bounds_wsen: tuple[float, float, float, float]) -> tuple[tuple[float, float, float, float], ...]:
    """Return one box, or two where `west` lies east of `east` (a box across +-180)."""
    west, south, east, north = bounds_wsen
    if west <= east:
        return (bounds_wsen,)
    return (west, south, 180.0, north), (-180.0, south, east, north)


def _shifted(geometry: BaseGeometry, degrees: float) -> BaseGeometry:
    if degrees == 0.0:
        return geometry
    return shapely.transform(geometry, lambda xy: xy + np.array([degrees, 0.0]))
