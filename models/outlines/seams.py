"""Features of neighbouring UTM zones: every lake exactly once, whole, in the zone that owns it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations

import numpy as np
import shapely
from numpy.typing import NDArray

from catalog.facts.grids import zone_epsg
from models.outlines.geodesy import representative_points, to_degrees, to_metres
from models.outlines.overlaps import components, overlaps_of

Geometries = NDArray[np.object_]
MIN_OVERLAP = 0.1
"""Share of the smaller outline from which outlines of two zones are one feature: their pixels differ at the shore only."""
_UTM = (326, 327)
_TOUCH_M = 0.5
"""An outline this near to the end of the mapped ground is cut by it; lattice polygons end on it exactly."""


@dataclass(frozen=True, slots=True)
class ZoneFeatures:
    """Outlines of one zone, overlap with its neighbours included."""

    epsg: int
    polygons: Geometries
    """In metres of the zone."""
    extent: shapely.Geometry
    """Union of the mapped tiles, in metres of the zone."""


@dataclass(frozen=True, slots=True)
class OwnedFeature:
    """A feature that its zone owns."""

    epsg: int
    polygon: shapely.Geometry
    """In metres of the owner's zone."""
    pieces: tuple[tuple[int, int], ...]
    """(epsg, position in its ZoneFeatures) of the outlines it is made of, the owner's first."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    zone: int
    """Position of its zone in the sequence."""
    place: int
    polygon: shapely.Geometry
    owner_epsg: int
    """Zone that holds the representative point."""
    point_mapped: bool
    """True where that is another zone, which is here and mapped the point."""
    cut: bool


def own(zones: Sequence[ZoneFeatures]) -> tuple[OwnedFeature, ...]:
    """Return every feature exactly once, sorted by zone and position; zones may come in any order.

    Outlines of different zones that overlap are versions of one feature. The zone that holds the representative point of the
    largest version owns it. A version that the end of its zone's ground cuts gives way to a whole one; where every version
    is cut, the owner's is completed with what the others saw beyond its ground. A feature that only one zone saw is dropped
    only if another zone owns its point and mapped it: the owner looked, and found nothing.
    """
    zones = sorted(zones, key=lambda zone: zone.epsg)
    candidates = [candidate for position in range(len(zones)) for candidate in _candidates(zones, position)]
    one, other = _versions(zones)
    group = components(len(candidates), one, other)
    members: dict[int, list[_Candidate]] = {}
    for number, candidate in zip(group.tolist(), candidates, strict=True):
        members.setdefault(number, []).append(candidate)
    owned = [feature for versions in members.values() for feature in _settled(versions, zones)]
    return tuple(sorted(owned, key=lambda feature: feature.pieces[0]))


def _candidates(zones: Sequence[ZoneFeatures], position: int) -> Iterator[_Candidate]:
    zone = zones[position]
    if not len(zone.polygons):
        return
    extents = {other.epsg: other.extent for other in zones}
    points = representative_points(zone.polygons, zone.epsg)
    cut = shapely.dwithin(zone.polygons, shapely.boundary(zone.extent), _TOUCH_M)
    for place, (longitude, latitude) in enumerate(points):
        # ground in a named polar CRS has one lattice and no zones
        owner = zone_epsg(longitude, latitude) if zone.epsg // 100 in _UTM else zone.epsg
        mapped = owner != zone.epsg and owner in extents and _maps(extents[owner], owner, longitude, latitude)
        yield _Candidate(position, place, zone.polygons[place], owner, mapped, bool(cut[place]))


def _maps(extent: shapely.Geometry, epsg: int, longitude: float, latitude: float) -> bool:
    point = to_metres(np.array([shapely.Point(longitude, latitude)], dtype=object), epsg)[0]
    return bool(shapely.covers(extent, point))


def _versions(zones: Sequence[ZoneFeatures]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return pairs of candidates (numbered zone after zone) that are one feature seen from two zones."""
    first = np.cumsum([0, *(len(zone.polygons) for zone in zones)])
    degrees = [to_degrees(zone.polygons, zone.epsg) for zone in zones]
    one, other = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for a, b in combinations(range(len(zones)), 2):
        pairs = overlaps_of(degrees[a], degrees[b])
        same = pairs.share >= MIN_OVERLAP
        one.append(pairs.left[same] + first[a])
        other.append(pairs.right[same] + first[b])
    return np.concatenate(one), np.concatenate(other)


def _settled(versions: Sequence[_Candidate], zones: Sequence[ZoneFeatures]) -> Iterator[OwnedFeature]:
    present = {candidate.zone for candidate in versions}
    if len(present) == 1:
        for candidate in versions:
            epsg = zones[candidate.zone].epsg
            if not candidate.point_mapped:
                yield OwnedFeature(epsg, candidate.polygon, ((epsg, candidate.place),))
        return
    owner = _owner(versions, zones)
    own_pieces = [candidate for candidate in versions if candidate.zone == owner]
    if any(candidate.cut for candidate in own_pieces):
        yield _completed(own_pieces, [candidate for candidate in versions if candidate.zone != owner], zones)
        return
    epsg = zones[owner].epsg
    for candidate in own_pieces:
        yield OwnedFeature(epsg, candidate.polygon, ((epsg, candidate.place),))


def _owner(versions: Sequence[_Candidate], zones: Sequence[ZoneFeatures]) -> int:
    """Return the position of the zone whose version stands: whole before cut, then the holder of the point, then the lower EPSG."""
    largest = max(versions, key=lambda candidate: (float(shapely.area(candidate.polygon)), -candidate.zone))
    cut = {candidate.zone for candidate in versions if candidate.cut}
    return min({candidate.zone for candidate in versions}, key=lambda zone: (zone in cut, zones[zone].epsg != largest.owner_epsg, zone))


def _completed(own_pieces: Sequence[_Candidate], others: Sequence[_Candidate], zones: Sequence[ZoneFeatures]) -> OwnedFeature:
    """Add to the owner's pieces what other zones saw beyond the owner's ground."""
    zone = zones[own_pieces[0].zone]
    beyond = []
    for candidate in others:
        moved = to_metres(to_degrees(np.array([candidate.polygon], dtype=object), zones[candidate.zone].epsg), zone.epsg)[0]
        beyond.append(shapely.difference(moved, zone.extent))
    whole = reduce(shapely.union, [*(piece.polygon for piece in own_pieces), *beyond])
    pieces = tuple((zones[candidate.zone].epsg, candidate.place) for candidate in (*own_pieces, *others))
    return OwnedFeature(zone.epsg, shapely.normalize(whole), pieces)
