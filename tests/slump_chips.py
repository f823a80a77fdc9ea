"""Chips with slumps of known outline, for tests."""

import numpy as np
import shapely

from catalog.facts.chips import ChipBatch
from models.detector.slumps import Slumps

ORIGIN = (-700_000, 50_000)


def blob(x_px: float, y_px: float, radius_px: float, origin=ORIGIN, aspect: float = 1.0) -> shapely.Geometry:
    """An ellipse around a place in pixels of a chip, metres of the zone."""
    disc = shapely.Point(0, 0).buffer(radius_px * 10, 32)
    return shapely.affinity.translate(shapely.affinity.scale(disc, aspect, 1 / aspect), (origin[1] + x_px) * 10, -(origin[0] + y_px) * 10)


def slumps(*shapes: shapely.Geometry, ignored=None, certainty=None, lures=()) -> Slumps:
    own = np.array(shapes, object)
    skip = np.zeros(len(own), bool) if ignored is None else np.array(ignored, bool)
    sure = np.ones(len(own), np.float32) if certainty is None else np.array(certainty, np.float32)
    ground = np.empty(len(lures), object)
    ground[:] = list(lures)
    return Slumps(own, skip, sure, tuple(own[[place]] for place in range(len(own))), ground)


def chips(count: int, seed: int = 0, size: int = 224) -> ChipBatch:
    """Noise that is different everywhere, so that any pixel tells where it came from."""
    rng = np.random.default_rng(seed)
    return ChipBatch(
        rng.integers(300, 4000, (count, 12, size, size)).astype(np.uint16),
        np.full((count, 2, size, size), np.nan, np.float32),
        rng.normal(100, 3, (count, size, size)).astype(np.float32),
        np.zeros((count, size, size), np.uint8),
        np.zeros((count, size, size), np.uint8),
        np.ones(count, np.float32),
    )
