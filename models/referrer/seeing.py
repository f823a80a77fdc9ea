"""A referrer at work on the scenes of a place: it draws all of a class in each, and what a phrase means among them is told by rule.

Words such as `largest` or `in the upper left` are about the whole place, which no single scene shows.
"""

import numpy as np
from numpy.typing import NDArray

from catalog.facts.feature_classes import FeatureClass
from catalog.facts.pixel_grids import PixelGrid
from models.referrer.asking import View, by_sight
from models.referrer.loading import LoadedReferrer
from models.referrer.references import Reference
from models.referrer.scenes import images_of
from models.referrer.sightings import Sighting, sightings_of
from models.referrer.wording import phrase_of


def drawn_in(loaded: LoadedReferrer, s2: NDArray[np.uint16], noun: FeatureClass, grid: PixelGrid) -> tuple[Sighting, ...]:
    """Outlines (metres of the grid's zone) of all of a class in one scene, s2 (12, y, x) counts on the pixels of the grid."""
    (image,) = images_of(s2[None], loaded.card.network.vision)
    # `all lakes` is said of several alone; what stands alone in a scene is `the lake`
    for reference in (Reference(noun, "all"), Reference(noun)):
        (found,) = by_sight(loaded.network, loaded.dialogue, View(image, size=grid.shape), [phrase_of(reference)])
        if found.outcome == "found":
            return sightings_of(found.mask, grid, found.score)
    return ()
