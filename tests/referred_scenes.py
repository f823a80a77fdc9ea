"""Hand-drawn and simulated features, for tests of the referrer."""

from functools import lru_cache

import numpy as np

from catalog.facts.feature_classes import FeatureClass
from models.language.instances import Instances
from models.referrer.features import Feature, FeatureMap
from models.referrer.pairs import Told
from models.referrer.sources import features_of_labels
from simulator.referred import PIXEL_M, referred_chip

SIZE = 120


def discs(*places: tuple[float, float, float], kinds: tuple[FeatureClass, ...] | None = None) -> tuple[Feature, ...]:
    """Features from row, column and radius, pixels of a scene of 120."""
    rows, columns = np.mgrid[:SIZE, :SIZE]
    labels = np.zeros((SIZE, SIZE), np.int32)
    for number, (row, column, radius) in enumerate(places, 1):
        labels[np.hypot(rows - row, columns - column) <= radius] = number
    areas = tuple(float((labels == number).sum() * 100) for number in range(1, len(places) + 1))
    return FeatureMap(Instances(labels, areas), kinds or ("clear lake",) * len(places)).features()


@lru_cache(maxsize=2)
def told(count: int, first: int = 0) -> tuple[Told, ...]:
    """Scenes of simulated chips that may be asked about."""
    found, seed = [], first
    while len(found) < count:
        chip = referred_chip(seed, size_px=96)
        ground = features_of_labels(chip.labels, chip.kinds, PIXEL_M * 224 / 96)
        if ground.usable:
            found.append(Told.of(f"chip-{seed}", ground))
        seed += 1
    return tuple(found)
