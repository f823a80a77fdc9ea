"""A referrer at work on the scenes of a place: it draws all of a class in each, and what a phrase means among them is told by rule.

Words such as `largest` or `in the upper left` are about the whole place, which no single scene shows.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from catalog.facts.feature_classes import FeatureClass
from catalog.facts.pixel_grids import PixelGrid
from catalog.facts.referrer_cards import ReferrerCard
from models.language.dialogue import Dialogue
from models.language.tokenizer import tokenizer_of
from models.referrer.asking import View, by_sight
from models.referrer.marks import MARKS
from models.referrer.network import Referrer, build
from models.referrer.references import Reference
from models.referrer.scenes import images_of
from models.referrer.sightings import Sighting, sightings_of
from models.referrer.wording import phrase_of
from models.segmenter.tensors import fill, place_named


@dataclass(frozen=True, slots=True)
class LoadedReferrer:
    """A referrer that is ready to draw."""

    card: ReferrerCard
    network: Referrer
    dialogue: Dialogue


def load(card: ReferrerCard, tensors: Mapping[str, Tensor], vocabulary: str, device: str) -> LoadedReferrer:
    """Build a referrer from its card and fill it; raises WeightsUnfit when they do not belong together, WrongCall for a device that is not here."""
    tokenizer = tokenizer_of(vocabulary, MARKS, "referrer")
    dialogue = Dialogue(tokenizer, card.network.vision.tokens, MARKS)
    network = build(card.network, dialogue.ids, dialogue.mark_ids, len(tokenizer))
    fill(network, tensors, where=card.name)
    return LoadedReferrer(card, network.eval().to(torch.device(place_named(device))), dialogue)


def drawn_in(loaded: LoadedReferrer, s2: NDArray[np.uint16], noun: FeatureClass, grid: PixelGrid) -> tuple[Sighting, ...]:
    """Outlines (metres of the grid's zone) of all of a class in one scene, s2 (12, y, x) counts on the pixels of the grid."""
    (image,) = images_of(s2[None], loaded.card.network.vision)
    # `all lakes` is said of several alone; what stands alone in a scene is `the lake`
    for reference in (Reference(noun, "all"), Reference(noun)):
        (found,) = by_sight(loaded.network, loaded.dialogue, View(image, size=grid.shape), [phrase_of(reference)])
        if found.outcome == "found":
            return sightings_of(found.mask, grid, found.score)
    return ()
