"""Ground gained and lost between two outlines of a feature."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from models.changes.pairs import Pairs
from models.outlines.geodesy import area_perimeter
from models.outlines.overlaps import shared_m2, spherical_area_m2
from models.outlines.timeline import Timeline

Floats = NDArray[np.float64]
Geometries = NDArray[np.object_]
Mask = NDArray[np.bool_]

SLIVER_M2 = 100.0
"""One pixel: smaller pieces of a difference are dropped."""


@dataclass(frozen=True, slots=True)
class Turnover:
    """m2 per pair of years."""

    gain_m2: Floats
    """Ground of the later outline that the earlier lacks."""
    loss_m2: Floats


@dataclass(frozen=True, slots=True)
class Pieces:
    """Ground gained or lost, arrays of equal length."""

    pair: NDArray[np.int64]
    """Position of the pair."""
    kind: list[str]
    """`gain` or `loss`."""
    area_m2: Floats
    geometry: Geometries
    """EPSG:4326, valid polygons or multipolygons."""


def turnover_of(pairs: Pairs, timeline: Timeline) -> Turnover:
    """Return gain and loss of every pair: each area less the share of it that both outlines cover."""
    one, other = timeline.outlines[pairs.row, pairs.before], timeline.outlines[pairs.row, pairs.after]
    both = np.flatnonzero(shapely.is_geometry(one) & shapely.is_geometry(other))
    shared = np.zeros(len(one))
    shared[both] = shared_m2(one, other, both, both)
    # shares, because outlines are weighed on the sphere here and areas are geodesic
    sides = ((pairs.area_from_m2, one), (pairs.area_to_m2, other))
    spheres = [np.nan_to_num(spherical_area_m2(side)) for _, side in sides]
    loss, gain = (area * np.clip(1 - shared / np.maximum(on, 1e-9), 0.0, 1.0) for (area, _), on in zip(sides, spheres, strict=True))
    return Turnover(gain, loss)


def pieces_of(pairs: Pairs, timeline: Timeline, chosen: Mask) -> Pieces:
    """Draw gain and loss of the chosen pairs; pieces under `SLIVER_M2` are dropped, and rows without any piece."""
    places = np.flatnonzero(chosen)
    one, other = (timeline.outlines[pairs.row[places], column[places]] for column in (pairs.before, pairs.after))
    one, other = _or_empty(one), _or_empty(other)
    drawn = {"gain": shapely.difference(other, one), "loss": shapely.difference(one, other)}
    found = [(place, kind, shape) for kind, shapes in drawn.items() for place, shape in _without_slivers(places, shapes)]
    found.sort(key=lambda piece: (piece[0], piece[1]))
    geometry = np.empty(len(found), dtype=object)
    geometry[:] = [shape for _, _, shape in found]
    area = area_perimeter(geometry)[0] if len(geometry) else np.empty(0)
    return Pieces(np.array([place for place, _, _ in found], np.int64), [kind for _, kind, _ in found], area, geometry)


def _or_empty(outlines: Geometries) -> Geometries:
    filled = outlines.copy()
    filled[~shapely.is_geometry(outlines)] = shapely.Polygon()
    return filled


def _without_slivers(places: NDArray[np.int64], shapes: Geometries) -> list[tuple[int, shapely.Geometry]]:
    parts, owner = shapely.get_parts(shapes, return_index=True)
    kept = (shapely.get_dimensions(parts) == 2) & (spherical_area_m2(parts) >= SLIVER_M2)
    parts, owner = parts[kept], owner[kept]
    found = []
    for place in np.unique(owner).tolist():
        own = parts[owner == place]
        found.append((int(places[place]), own[0] if len(own) == 1 else shapely.multipolygons(own)))
    return found
