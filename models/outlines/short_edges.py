"""Geodesic area and perimeter of very many outlines at once, as long as their edges are short, which those of pixels are."""

import numpy as np
from numpy.typing import NDArray

from models.outlines.edges import rings_of
from models.outlines.geodesy import area_perimeter
from models.outlines.kernels import Int64, compiled

Floats = NDArray[np.float64]
Geometries = NDArray[np.object_]
_A_M, _F = 6_378_137.0, 1 / 298.257223563
_E2 = _F * (2 - _F)
_E = np.sqrt(_E2)
_Q_POLE = (1 - _E2) * (1 / (1 - _E2) + np.arctanh(_E) / _E)
_LONG_DEG = 0.01
"""Longest edge of the short method, in longitude or latitude: area to 1e-11 and perimeter to 1e-9 of Karney's, fifty times as fast."""


def areas_perimeters(outlines: Geometries) -> tuple[Floats, Floats]:
    """Return what `geodesy.area_perimeter` returns: geodesic area (m2) and perimeter (m) of outlines in EPSG:4326.

    Short edges are great circles of the authalic sphere (area; Snyder 1987, equations 3-11 and 3-12) and of the ellipsoid's own curvature
    at their middle (length). Outlines with a longer edge are left to Karney's method.
    """
    corners, rings, owner, hole = rings_of(np.asarray(outlines, dtype=object))
    area, perimeter, long = np.zeros(len(outlines)), np.zeros(len(outlines)), np.zeros(len(outlines), np.bool_)
    _sum_rings(corners, rings, owner, hole, (area, perimeter, long))
    if long.any():
        area[long], perimeter[long] = area_perimeter(outlines[long])
    return area, perimeter


@compiled
def _sum_rings(corners: Floats, rings: Int64, owner: Int64, hole: NDArray[np.bool_], out: tuple[Floats, Floats, NDArray[np.bool_]]) -> None:
    area, perimeter, long = out
    for ring in range(owner.size):
        excess, length = 0.0, 0.0
        half = _half_tangent(corners[rings[ring], 1])
        for k in range(rings[ring] + 1, rings[ring + 1]):
            d_lon, d_lat = corners[k, 0] - corners[k - 1, 0], corners[k, 1] - corners[k - 1, 1]
            if abs(d_lon) > _LONG_DEG or abs(d_lat) > _LONG_DEG:
                long[owner[ring]] = True
                break
            before, half = half, _half_tangent(corners[k, 1])
            excess += 2 * np.arctan2(np.tan(np.radians(d_lon) / 2) * (before + half), 1 + before * half)
            middle = np.radians(corners[k, 1] - d_lat / 2)
            bent = 1 - _E2 * np.sin(middle) ** 2
            north = _A_M * (1 - _E2) / bent**1.5 * np.radians(d_lat)
            length += np.hypot(north, _A_M / np.sqrt(bent) * np.cos(middle) * np.radians(d_lon))
        # the authalic sphere has the ellipsoid's surface
        whole = abs(excess) * _A_M**2 * _Q_POLE / 2
        area[owner[ring]] += -whole if hole[ring] else whole
        perimeter[owner[ring]] += length


@compiled
def _half_tangent(latitude: float) -> float:
    """Return the tangent of half the authalic latitude."""
    sine = np.sin(np.radians(latitude))
    authalic = (1 - _E2) * (sine / (1 - _E2 * sine * sine) + np.arctanh(_E * sine) / _E) / _Q_POLE
    return float(authalic / (1 + np.sqrt(max((1 - authalic) * (1 + authalic), 0.0))))
