"""Figures of outlines that a person drew: what geometry alone can tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from catalog.facts.grids import CHIPS_PER_TILE, tiles_over_bounds, zone_epsg
from catalog.facts.schemas import size_class
from models.detector.volume import volume_of
from models.outlines.geodesy import area_perimeter, representative_points, to_metres
from models.outlines.interval import area_interval, without_probability
from models.outlines.shape import shape_indices

Geometries = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Lattice:
    """The pixels, tiles and sizes that drawings are measured against."""

    chips: int = CHIPS_PER_TILE
    """Chips along one side of the store's tiles."""
    crs_epsg: int | None = None
    """Polar CRS of the region; None means the UTM zone of each outline."""
    small_m2: float = 5_000.0
    """Smaller features carry `small_flag`."""
    small_flag: str = "below_minimum_area"


def drawn_figures(outlines: Geometries, epsg: Sequence[int | None], lattice: Lattice) -> dict[str, list[Any]]:
    """Return the columns that follow from outlines (EPSG:4326); `epsg` is the zone of the mapped feature, None where nothing was mapped.

    Areas are geodesic; the 95 % interval is that of an outline without probability. `area_probability_m2` is null: no model drew it.
    """
    area, perimeter = area_perimeter(outlines)
    interval = area_interval(without_probability(area, perimeter))
    zones = [_zone(outline, known, lattice) for outline, known in zip(outlines, epsg, strict=True)]
    points = np.array([_point(outline, zone) for outline, zone in zip(outlines, zones, strict=True)]).reshape(-1, 2)
    shapes = [shape_indices(to_metres(np.array([outline], object), zone)) for outline, zone in zip(outlines, zones, strict=True)]
    volume = volume_of(area, interval.low_m2, interval.high_m2)
    return {
        "longitude": points[:, 0].tolist(),
        "latitude": points[:, 1].tolist(),
        "area_m2": area.tolist(),
        "area_low_m2": interval.low_m2.tolist(),
        "area_high_m2": interval.high_m2.tolist(),
        "area_sigma_m2": interval.sigma_m2.tolist(),
        "area_probability_m2": [None] * len(outlines),
        "perimeter_m": perimeter.tolist(),
        **{name: [float(getattr(one, name)[0]) for one in shapes] for name in ("circularity", "shore_development", "elongation")},
        "size_class": [size_class(value) for value in area.tolist()],
        "tile": [_tile(outline, zone, lattice.chips) for outline, zone in zip(outlines, zones, strict=True)],
        "utm_epsg": zones,
        "volume_m3": volume.volume_m3.tolist(),
        "volume_low_m3": volume.low_m3.tolist(),
        "volume_high_m3": volume.high_m3.tolist(),
    }


def points_of(outlines: Geometries, lattice: Lattice) -> NDArray[np.float64]:
    """Return a point inside each outline (longitude, latitude), shape (n, 2), for its name."""
    return np.array([_point(outline, _zone(outline, None, lattice)) for outline in outlines], np.float64).reshape(-1, 2)


def _zone(outline: shapely.Geometry, known: int | None, lattice: Lattice) -> int:
    if known is not None:
        return int(known)
    if lattice.crs_epsg is not None:
        return lattice.crs_epsg
    inside = shapely.point_on_surface(outline)
    return zone_epsg(float(inside.x), float(inside.y))


def _point(outline: shapely.Geometry, epsg: int) -> NDArray[np.float64]:
    return np.asarray(representative_points(to_metres(np.array([outline], object), epsg), epsg)[0], np.float64)


def _tile(outline: shapely.Geometry, epsg: int, chips: int) -> str:
    inside = shapely.get_coordinates(shapely.point_on_surface(to_metres(np.array([outline], object), epsg)[0]))[0]
    east, north = float(inside[0]), float(inside[1])
    return next(tiles_over_bounds(epsg, (east, north, east + 1e-6, north + 1e-6), chips)).id
