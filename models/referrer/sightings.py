"""What a referrer drew in many scenes, as outlines of one place: joined where scenes meet, and compared with an inventory."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.features import shapes
from shapely.geometry import shape

from catalog.facts.pixel_grids import PixelGrid
from models.outlines.geodesy import to_degrees, to_metres
from models.referrer.meaning import SAME


@dataclass(frozen=True, slots=True)
class Sighting:
    """One thing that was drawn."""

    outline: shapely.Geometry
    score: float
    """0..1."""


def sightings_of(mask: NDArray[np.bool_], grid: PixelGrid, score: float) -> tuple[Sighting, ...]:
    """Outlines (metres of the grid's zone) of the parts of a mask (y, x); pixels that meet at a corner are one part, as in `instances`."""
    found = shapes(mask.astype(np.uint8), mask=mask, connectivity=8, transform=grid.transform)
    return tuple(Sighting(shapely.make_valid(shape(outline)), score) for outline, _ in found)


def joined(sightings: Sequence[Sighting]) -> tuple[Sighting, ...]:
    """Join outlines of one zone that touch or overlap; the score of a whole is the mean of its parts, weighed by area."""
    if not sightings:
        return ()
    outlines = np.array([each.outline for each in sightings], object)
    wholes = shapely.get_parts(shapely.union_all(outlines))
    wholes = wholes[shapely.area(wholes) > 0]
    whole_of, part_of = shapely.STRtree(outlines).query(wholes, predicate="intersects")
    shared = shapely.area(shapely.intersection(wholes[whole_of], outlines[part_of]))
    scores = np.array([each.score for each in sightings])[part_of]
    return tuple(
        Sighting(whole, float(np.average(scores[whole_of == number], weights=np.maximum(shared[whole_of == number], 1e-9))))
        for number, whole in enumerate(wholes)
    )


def in_degrees(by_zone: dict[int, list[Sighting]]) -> tuple[Sighting, ...]:
    """Join what was drawn zone by zone, and what two zones drew of the same ground; outlines in EPSG:4326."""
    zones = [(epsg, joined(own)) for epsg, own in sorted(by_zone.items())]
    moved = [
        Sighting(outline, each.score)
        for epsg, own in zones
        for outline, each in zip(to_degrees(np.array([each.outline for each in own], object), epsg), own, strict=True)
    ]
    # lines between the corners of two zones differ by a hair, so that only ground that both drew joins them
    return joined(moved) if len(zones) > 1 else tuple(moved)


def features_drawn(outline: shapely.Geometry, outlines: NDArray[np.object_], epsg: int) -> tuple[int, ...]:
    """Rows of the features of an inventory (EPSG:4326) that one drawn outline (EPSG:4326) is: one that it fits, or several that it covers."""
    near = shapely.STRtree(outlines).query(outline, predicate="intersects")
    if not len(near):
        return ()
    (drawn,) = to_metres(np.array([outline], object), epsg)
    own = to_metres(outlines[near], epsg)
    covered = shapely.area(shapely.intersection(own, drawn)) >= SAME * shapely.area(own)
    if not covered.any():
        return ()
    together = shapely.union_all(own[covered])
    overlap = shapely.area(shapely.intersection(together, drawn)) / shapely.area(shapely.union(together, drawn))
    return tuple(sorted(int(row) for row in near[covered])) if overlap >= SAME else ()
