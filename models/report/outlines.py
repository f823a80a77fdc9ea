"""Outlines as the page draws them: simplified to what a screen can show, whole numbers, differences from point to point."""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from catalog.facts.grids import Tile, from_lonlat, to_lonlat
from catalog.facts.report_records import Geometries, Plane
from models.report.packing import Header, Packer, varints

TOLERANCES_M: Final = (5.0, 10.0, 15.0, 20.0, 30.0, 50.0, 80.0, 120.0)
"""How far a drawn outline may lie from the true one; the first whose bytes fit is taken. Half a pixel shows every stair."""
_WIDEST_UTM_DEG: Final = 40.0
_POLAR_FROM_DEG: Final = 45.0
_NSIDC_POLAR, _MERCATOR = 3413, 3857


def plane_epsg(bounds_wsen: tuple[float, float, float, float], main_epsg: int) -> int:
    """CRS of the map: that of the zone with most tiles, unless the region is too wide for any zone."""
    west, south, east, _ = bounds_wsen
    if (east - west) % 360.0 <= _WIDEST_UTM_DEG:
        return main_epsg
    return _NSIDC_POLAR if south >= _POLAR_FROM_DEG else _MERCATOR


def to_plane(outlines: Geometries, epsg: int) -> Geometries:
    """Move outlines from EPSG:4326 to a projected CRS, metres."""
    project = from_lonlat(epsg)
    moved = shapely.transform(outlines, lambda corners: np.column_stack(project.transform(corners[:, 0], corners[:, 1])))
    return np.asarray(moved, object)


@dataclass(frozen=True, slots=True)
class Drawn:
    """Outlines as they are drawn."""

    plane: Plane
    tolerance_m: float
    years: tuple[Geometries, ...]
    """In the plane's CRS, simplified."""


def fitted(years: Sequence[Geometries], frame: Geometries, epsg: int, budget_bytes: int) -> Drawn:
    """Simplify the outlines of all years, given in `epsg`, as little as fits into a budget of base64 text.

    The plane's corner is the upper left of everything, `frame` among it. At the largest tolerance the budget no longer counts.
    """
    left, _, _, top = shapely.total_bounds(np.concatenate([*years, frame]))
    for tolerance in TOLERANCES_M:
        plane = Plane(epsg, float(np.floor(left)), float(np.ceil(top)), tolerance / 2)
        drawn = Drawn(plane, tolerance, tuple(simplified(outlines, tolerance) for outlines in years))
        if sum(map(len, (packed for outlines in drawn.years for packed in _compressed(outlines, plane)))) * 4 / 3 <= budget_bytes:
            break
    return drawn


def simplified(outlines: Geometries, tolerance_m: float) -> Geometries:
    """Outlines with as few corners as keep them within a tolerance; none vanishes."""
    return np.asarray(shapely.simplify(outlines, tolerance_m, preserve_topology=True), object)


def packed_outlines(packer: Packer, outlines: Geometries, plane: Plane) -> Header:
    """Pack outlines given in the plane's CRS: rings per feature, points per ring, steps to the right and down."""
    names = ("rings", "points", "x", "y")
    streams = dict(zip(names, (packer.stream(stream)["at"] for stream in outline_streams(outlines, plane)), strict=True))
    return {"kind": "outlines", "length": len(outlines), **streams}


def outline_streams(outlines: Geometries, plane: Plane) -> tuple[bytes, bytes, bytes, bytes]:
    """Return outlines in the plane's CRS as bytes: rings per feature, points per ring, steps to the right, steps down."""
    parts, feature_of_part = shapely.get_parts(outlines, return_index=True)
    rings, part_of_ring = shapely.get_rings(parts, return_index=True)
    corners, ring_of_corner = shapely.get_coordinates(rings, return_index=True)
    rings_of = np.bincount(feature_of_part[part_of_ring], minlength=len(outlines)) if len(rings) else np.zeros(len(outlines), np.int64)
    # the last corner of a ring repeats the first
    last = np.append(ring_of_corner[1:] != ring_of_corner[:-1], True) if len(corners) else np.zeros(0, bool)
    kept, points_of = corners[~last], np.bincount(ring_of_corner[~last], minlength=len(rings))
    x = np.rint((kept[:, 0] - plane.left_m) / plane.quantum_m).astype(np.int64)
    y = np.rint((plane.top_m - kept[:, 1]) / plane.quantum_m).astype(np.int64)
    return varints(_whole(rings_of)), varints(_whole(points_of)), varints(_steps(x)), varints(_steps(y))


def tile_outlines(tiles: Sequence[Tile]) -> Geometries:
    """Tiles as outlines in EPSG:4326."""
    corners = []
    for tile in tiles:
        left, bottom, right, top = tile.bounds_lbrt
        longitude, latitude = to_lonlat(tile.epsg).transform([left, right, right, left], [bottom, bottom, top, top])
        corners.append(shapely.Polygon(np.column_stack([longitude, latitude])))
    result = np.empty(len(corners), object)
    result[:] = corners
    return result


def _compressed(outlines: Geometries, plane: Plane) -> list[bytes]:
    return [gzip.compress(stream, 6) for stream in outline_streams(outlines, plane)]


def _steps(values: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.diff(values, prepend=np.int64(0))


def _whole(values: NDArray[Any]) -> NDArray[np.int64]:
    return values.astype(np.int64)
