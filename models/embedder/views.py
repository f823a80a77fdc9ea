"""A scene as it lies, about to be asked about: what is in it is found once, when it is asked for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from torch import Tensor

from models.embedder.captions import caption_of, region_caption
from models.embedder.scenes import PlacedScene
from models.embedder.searches import Region, Target
from models.embedder.stream import Item
from models.referrer.features import Feature
from models.referrer.questions import Asking

Choice = TypeVar("Choice")


@dataclass(frozen=True)
class View:
    """One scene, and the draws that are made for it."""

    placed: PlacedScene
    rng: np.random.Generator
    held_out: bool = False
    """Words are those that training never sees."""
    turn: int = 0
    """How it lies beside the scene that is asked about."""

    @property
    def image(self) -> Tensor:
        """(3, p, p)."""
        return self.placed.scene.image

    @cached_property
    def features(self) -> tuple[Feature, ...]:
        """What is in it."""
        return self.placed.scene.told(asked=False).features

    @cached_property
    def asking(self) -> Asking:
        """Features with the phrases that tell them apart; it takes a while."""
        told = self.placed.scene.told()
        return Asking(told.features, told.phrases, self.rng)

    @cached_property
    def regions(self) -> tuple[Region, ...]:
        """Boxes of the features of which something sure can be said."""
        told = ((feature, region_caption(feature, self.features)) for feature in self.features)
        return tuple(Region(words, feature.bounds_lbrt) for feature, words in told if words is not None)

    @cached_property
    def target(self) -> Target:
        """The image as something to be found: by its scene, or by any that is told the same."""
        name = self.placed.scene.scene_id
        marks = {f"image {name} turned {self.turn}" if self.turn else f"image {name}", told_mark(caption_of(self.features))}
        return Target(Item(image=self.image), frozenset(marks), self.regions)

    def otherwise(self, count: int) -> Iterator["View"]:
        """The same ground turned and mirrored in some of the seven other ways."""
        for turn in self.rng.permutation(np.arange(1, 8))[:count]:
            yield View(self.placed.turned(int(turn)), self.rng, self.held_out, int(turn))

    def one(self, choices: Sequence[Choice]) -> Choice:
        """Draw one of several."""
        return choices[int(self.rng.integers(len(choices)))]


def told_mark(words: str) -> str:
    """Mark of images that are told in these words."""
    return f"told {words}"
