"""Which glacier is nearest to a lake, how far, and how much of the lake lies on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from catalog.facts.glaciers import GLACIER_REACH_M, Glaciers
from models.outlines.geodesy import to_metres

Floats = NDArray[np.float64]
Geometries = NDArray[np.object_]
_DEGREE_M: Final = 110_500.0
"""Least length of a degree of latitude."""
_SEARCH_M: Final = 1.5 * GLACIER_REACH_M
"""A shore may lie far from the point that stands for its lake."""
_PIECE: Final = 32
"""Edges of a glacier's margin that are searched together: the distance to a whole margin looks at every one of its edges."""


@dataclass(frozen=True)
class Ice:
    """Outlines of glaciers as one year knows them, metres of a zone."""

    ids: NDArray[np.object_]
    outlines: Geometries

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Index of the outlines."""
        return shapely.STRtree(self.outlines)


@dataclass(frozen=True, slots=True)
class GlacierLinks:
    """What glaciers are to lakes, arrays of equal length, one entry per lake."""

    ids: NDArray[np.object_]
    """The glacier of largest overlap, else the nearest, of equals the first by name; None where none is within reach."""
    distance_m: Floats
    """From margin to shore, true to the scale of the ground; 0 in contact; NaN where no glacier is within reach."""
    overlap_share: Floats
    """Share of the lake inside any outline."""


def ice_near(glaciers: Glaciers, epsg: int, points: Floats, year: int) -> Ice:
    """Return the outlines within reach of lakes at `points` (n, 2; degrees), of each glacier those drawn nearest to a year.

    GLIMS holds a glacier once per analysis. Of outlines without a date all are taken.
    """
    near = np.flatnonzero(_within_reach(shapely.bounds(glaciers.outlines), points))
    chosen = near[_contemporary(glaciers.part(near), year)]
    return Ice(glaciers.ids[chosen], to_metres(glaciers.outlines[chosen], epsg))


def links(lakes: Geometries, ice: Ice, scales: Floats) -> GlacierLinks:
    """Link lakes to glaciers, both in metres of one zone; `scales` are metres of the zone per metre of ground at each lake."""
    count = len(lakes)
    share, own = _overlaps(lakes, ice)
    free = np.flatnonzero(own < 0)
    distance = np.zeros(count)
    distance[free], own[free] = _nearest(lakes[free], ice, scales[free])
    ids = np.array([ice.ids[place] if place >= 0 else None for place in own.tolist()], object).reshape(count)
    return GlacierLinks(ids, distance, share)


def _within_reach(bounds: Floats, points: Floats) -> NDArray[np.bool_]:
    if not len(points):
        return np.zeros(len(bounds), bool)
    south, north = points[:, 1].min(), points[:, 1].max()
    up = _SEARCH_M / _DEGREE_M
    aside = up / max(float(np.cos(np.radians(min(max(abs(south), abs(north)) + up, 89.0)))), 0.01)
    # longitudes from the first lake on, so that +-180 is a place like any other
    east = (points[:, 0] - points[0, 0] + 180.0) % 360.0 - 180.0
    west, width = points[0, 0] + east.min() - aside, float(np.ptp(east)) + 2 * aside
    start = (bounds[:, 0] - west) % 360.0
    beside = (start <= width) | (start + bounds[:, 2] - bounds[:, 0] >= 360.0)
    return np.asarray(beside & (bounds[:, 3] >= south - up) & (bounds[:, 1] <= north + up), bool)


def _contemporary(glaciers: Glaciers, year: int) -> NDArray[np.int64]:
    off = np.abs(glaciers.years - year)
    names, member = np.unique(glaciers.ids.astype(str), return_inverse=True)
    least = np.full(len(names), np.inf)
    np.fmin.at(least, member, off)
    return np.flatnonzero(np.isnan(off) & np.isinf(least[member]) | (off == least[member]))


def together(parts: Sequence[tuple[NDArray[np.int64], GlacierLinks]], count: int) -> GlacierLinks:
    """Return the links of `count` lakes from those of parts of them, each with the places of its lakes."""
    ids, distance, share = np.full(count, None, object), np.full(count, np.nan), np.zeros(count)
    for places, part in parts:
        ids[places], distance[places], share[places] = part.ids, part.distance_m, part.overlap_share
    return GlacierLinks(ids, distance, share)


def _overlaps(lakes: Geometries, ice: Ice) -> tuple[Floats, NDArray[np.int64]]:
    """Share of each lake inside outlines, and the glacier that holds most of it; -1 where it touches none."""
    share, own = np.zeros(len(lakes)), np.full(len(lakes), -1, np.int64)
    lake, glacier = ice.tree.query(lakes, predicate="intersects")
    if not lake.size:
        return share, own
    order = np.lexsort((glacier, lake))
    lake, glacier = lake[order], glacier[order]
    pieces = _common(lakes[lake], ice.outlines[glacier])
    areas = shapely.area(pieces)
    first_by_name = np.lexsort((ice.ids[glacier].astype(str), -np.round(areas, 3), lake))
    _, starts = np.unique(lake[first_by_name], return_index=True)
    own[lake[first_by_name[starts]]] = glacier[first_by_name[starts]]
    touched, starts, pairs = np.unique(lake, return_index=True, return_counts=True)
    on_ice = areas[starts]
    for place in np.flatnonzero(pairs > 1):
        # outlines may lie on each other, as those of several analysts do
        on_ice[place] = shapely.area(shapely.union_all(pieces[starts[place] : starts[place] + pairs[place]]))
    share[touched] = np.minimum(on_ice / shapely.area(lakes[touched]), 1.0)
    return share, own


def _common(lakes: Geometries, outlines: Geometries) -> Geometries:
    """Common ground of pairs; a glacier is cut to the lake's box first, for it may have thousands of corners."""
    boxes = shapely.bounds(lakes) + np.array([-1.0, -1.0, 1.0, 1.0])
    cut = np.array([shapely.clip_by_rect(outline, *box) for outline, box in zip(outlines, boxes.tolist(), strict=True)], object)
    invalid = ~shapely.is_valid(cut)
    cut[invalid] = shapely.make_valid(cut[invalid])
    return np.asarray(shapely.intersection(lakes, cut), object)


def _nearest(lakes: Geometries, ice: Ice, scales: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Distance from shore to the nearest margin on the ground (m), and whose it is; NaN and -1 where none is within reach."""
    distance, nearest = np.full(len(lakes), np.nan), np.full(len(lakes), -1, np.int64)
    pieces, glacier = _margins(ice.outlines)
    if not pieces.size or not len(lakes):
        return distance, nearest
    reach = GLACIER_REACH_M * float(scales.max())
    (lake, piece), found = shapely.STRtree(pieces).query_nearest(lakes, max_distance=reach, return_distance=True, all_matches=True)
    order = np.lexsort((ice.ids[glacier[piece]].astype(str), np.round(found, 3), lake))
    _, starts = np.unique(lake[order], return_index=True)
    best = order[starts]
    distance[lake[best]], nearest[lake[best]] = found[best] / scales[lake[best]], glacier[piece[best]]
    return distance, nearest


def _margins(outlines: Geometries) -> tuple[Geometries, NDArray[np.int64]]:
    """Margins in pieces of up to `_PIECE` edges, and the outline each belongs to."""
    parts, outline_of = shapely.get_parts(outlines, return_index=True)
    rings, part_of = shapely.get_rings(parts, return_index=True)
    corners, ring_of = shapely.get_coordinates(rings, return_index=True)
    if not len(corners):
        return np.empty(0, object), np.empty(0, np.int64)
    starts = np.searchsorted(ring_of, np.arange(len(rings)))
    place = np.arange(len(corners)) - starts[ring_of]
    piece = np.maximum(place - 1, 0) // _PIECE
    first_of_next = (place > 0) & (place % _PIECE == 0) & (np.append(ring_of[1:] == ring_of[:-1], False))
    # the corner between two pieces belongs to both
    repeated = np.repeat(np.arange(len(corners)), 1 + first_of_next)
    second = np.append(False, repeated[1:] == repeated[:-1])
    ring, piece = ring_of[repeated], piece[repeated] + second
    new = np.append(True, (ring[1:] != ring[:-1]) | (piece[1:] != piece[:-1]))
    lines = shapely.linestrings(corners[repeated], indices=np.cumsum(new) - 1)
    return np.asarray(lines, object), outline_of[part_of[ring[new]]]
