"""Merged slumps of one zone and year beside the outlines that are asked for there."""

from dataclasses import dataclass, replace
from typing import Final

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from models.detector.slumps import SlumpOptions, slumps_of
from models.outlines.geodesy import to_metres, zone_area_perimeter
from models.scores.disagreements import Ground
from models.scores.instances import Unit

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]

LEAST_M2: Final = 400.0
"""Four pixels: the smallest slump that is mapped, and that is asked for."""
LEAST_INSIDE: Final = 0.9
"""Share of a slump on ground that was looked at from which it is asked for; it is cut to that ground, and so is its area."""


@dataclass(frozen=True, slots=True)
class TrueSlumps:
    """Outlines of one zone and year; arrays of equal length."""

    ids: NDArray[np.object_]
    outlines: Geometries
    """Metres of the zone; cut to the ground that was looked at where they are asked for."""
    area_m2: Floats
    """Geodesic."""
    asked: Flags
    """False where nobody is asked: cut by the edge of the ground, not to be seen, recovering, tiny."""
    kinds: NDArray[np.object_]
    reasons: NDArray[np.object_]
    """Why it is hard to find, `;` between; empty for others."""
    blocks: Indices
    """Number of the spatial block."""


@dataclass(frozen=True, slots=True)
class FoundSlumps:
    """Merged detections of one zone and year; arrays of equal length."""

    outlines: Geometries
    """Metres of the zone."""
    area_m2: Floats
    """Geodesic."""
    scores: Floats
    blocks: Indices


@dataclass(frozen=True, slots=True)
class SlumpScene:
    """One zone and year to score."""

    shows: Ground
    truth: TrueSlumps
    found: FoundSlumps


@dataclass(frozen=True, slots=True)
class Blocks:
    """Where the spatial blocks of one zone lie: chips are drawn together with their block when intervals are made."""

    centres_xy: Floats
    """(chips, 2), metres of the zone."""
    numbers: Indices
    """(chips,)."""

    def at(self, outlines: Geometries) -> Indices:
        """Block of each outline: that of the chip whose centre is nearest to a point inside; ties go to the first chip."""
        if not len(outlines):
            return np.zeros(0, np.int64)
        return self.nearest(shapely.get_coordinates(shapely.point_on_surface(outlines)))

    def nearest(self, points_xy: Floats) -> Indices:
        """The same of points (n, 2), metres."""
        tree = shapely.STRtree(np.asarray(shapely.points(self.centres_xy), object))
        one, other = tree.query_nearest(np.asarray(shapely.points(points_xy), object), all_matches=True)
        nearest = np.full(len(points_xy), len(self.numbers), np.int64)
        np.minimum.at(nearest, one, other)
        return self.numbers[nearest]


def true_slumps(labels: gpd.GeoDataFrame, shows: Ground, ground: shapely.Geometry, blocks: Blocks, options: SlumpOptions) -> TrueSlumps:
    """Outlines of a set of chips (rows of `CHIP_LABELS` for one year) as they can be asked for on `ground`, metres of the zone.

    Several labelers' outlines of a slump are joined, and slumps that a detector is not asked to find left out, as in training
    (`models.detector.slumps`); a slump is asked for when at least 0.9 of it was looked at.
    """
    metres = to_metres(labels.geometry.to_numpy(), shows.epsg)
    slumps = slumps_of(labels, metres, shows.year, options)
    near = np.flatnonzero(shapely.intersects(slumps.shapes, ground)) if len(slumps) else np.zeros(0, np.int64)
    whole = slumps.shapes[near]
    cut = np.array([polygonal(piece) for piece in shapely.intersection(whole, ground)], object)
    inside = np.asarray(shapely.area(cut), np.float64) / np.maximum(shapely.area(whole), 1e-9)
    asked = ~slumps.ignored[near] & (inside >= LEAST_INSIDE) & (np.asarray(shapely.area(cut)) >= LEAST_M2)
    # of a slump that nobody is asked about, all excuses what is found on it
    shapes = np.array([piece if wanted else shape for piece, shape, wanted in zip(cut, whole, asked.tolist(), strict=True)], object)
    row = _rows(shapes, metres)
    names = (labels[name].fillna("").to_numpy(object)[row] for name in ("lake_id", "class", "hard_because"))
    ids, kinds, reasons = names
    return TrueSlumps(ids, shapes, zone_area_perimeter(shapes, shows.epsg)[0], asked, kinds, reasons, blocks.at(shapes))


def found_slumps(outlines: Geometries, scores: Floats, shows: Ground, blocks: Blocks) -> FoundSlumps:
    """Merged detections (metres of the zone) with their areas and blocks."""
    return FoundSlumps(outlines, zone_area_perimeter(outlines, shows.epsg)[0], np.asarray(scores, np.float64), blocks.at(outlines))


def unit_of(scene: SlumpScene) -> Unit:
    """The scene as a unit of the matcher: overlaps in the plane of the zone, found through an STRtree."""
    found, truth = scene.found, scene.truth
    one, other, shared = shared_areas(found.outlines, truth.outlines)
    own, its = np.asarray(shapely.area(found.outlines))[one], np.asarray(shapely.area(truth.outlines))[other]
    whole = np.where(~truth.asked[other], own, own + its - shared)
    return Unit(found.scores, found.area_m2, truth.area_m2, ~truth.asked, one, other, np.minimum(shared / np.maximum(whole, 1e-9), 1.0))


def above(scene: SlumpScene, threshold: float) -> SlumpScene:
    """The scene with those detections alone that an inventory would list."""
    kept = scene.found.scores >= threshold
    names = ("outlines", "area_m2", "scores", "blocks")
    return replace(scene, found=FoundSlumps(*(getattr(scene.found, name)[kept] for name in names)))


def shared_areas(left: Geometries, right: Geometries) -> tuple[Indices, Indices, Floats]:
    """Pairs of outlines that share ground, and how much of it, m² of the plane."""
    if not len(left) or not len(right):
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    one, other = shapely.STRtree(right).query(left, predicate="intersects")
    shared = np.asarray(shapely.area(shapely.intersection(left[one], right[other])), np.float64)
    kept = shared > 0
    return one[kept].astype(np.int64), other[kept].astype(np.int64), shared[kept]


def polygonal(geometry: shapely.Geometry) -> shapely.Geometry:
    """What of a geometry has an area: cutting may leave lines and points."""
    if isinstance(geometry, shapely.Polygon | shapely.MultiPolygon):
        return geometry
    return shapely.MultiPolygon([part for part in shapely.get_parts(geometry) if isinstance(part, shapely.Polygon)])


def _rows(shapes: Geometries, metres: Geometries) -> Indices:
    """For every slump the outline that shares most ground with it: joined outlines go under that one's name."""
    one, other, shared = shared_areas(shapes, metres)
    order = np.lexsort((other, -shared, one))
    first = np.searchsorted(one[order], np.arange(len(shapes)))
    return other[order][first]
