"""Ground gained and lost between two outlines of a feature."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from models.changes.pairs import Pairs
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
    one, other = (_or_empty(timeline.outlines[pairs.row[places], column[places]]) for column in (pairs.before, pairs.after))
    # areas on the sphere become geodesic ones by what the whole outline's are
    scales = [
        area[places] / np.maximum(spherical_area_m2(side), 1e-9) for area, side in ((pairs.area_to_m2, other), (pairs.area_from_m2, one))
    ]
    gain, loss = _without_slivers(shapely.difference(other, one)), _without_slivers(shapely.difference(one, other))
    owner = np.concatenate([gain[0], loss[0]])
    shapes = np.concatenate([gain[1], loss[1]])
    kind = np.repeat(["gain", "loss"], [len(gain[0]), len(loss[0])])
    area = np.concatenate([scale[of] * spherical_area_m2(shape) for scale, (of, shape) in zip(scales, (gain, loss), strict=True)])
    order = np.lexsort((kind, owner))
    return Pieces(places[owner[order]], kind[order].tolist(), area[order], shapes[order])


def _or_empty(outlines: Geometries) -> Geometries:
    filled = outlines.copy()
    filled[~shapely.is_geometry(outlines)] = shapely.Polygon()
    return filled


def _without_slivers(shapes: Geometries) -> tuple[NDArray[np.int64], Geometries]:
    """Return positions and what remains of the shapes that keep a piece."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    kept = (shapely.get_dimensions(parts) == 2) & (spherical_area_m2(parts) >= SLIVER_M2)
    parts, owner = parts[kept], owner[kept]
    found, group, count = np.unique(owner, return_inverse=True, return_counts=True)
    joined = np.empty(len(found), dtype=object)
    several = count[group] > 1
    joined[group[~several]] = parts[~several]
    if several.any():
        _, number = np.unique(group[several], return_inverse=True)
        joined[count > 1] = shapely.multipolygons(parts[several], indices=number)
    return found, joined
