"""One step's scenes, turned anew, with questions about them and what is to be answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from catalog.facts.feature_classes import CLASSES
from models.language.dialogue import Dialogue, Tokens
from models.language.pretext import Known
from models.referrer.pairs import Pair, PairOptions, Told, draw_pairs
from models.referrer.pretext import known_of
from models.referrer.scenes import Scene, images_together, patch_of

NOWHERE: Final = -100
"""Of a referent that has no point of its own: no loss counts it."""


@dataclass(frozen=True, slots=True)
class Batch:
    """B scenes, N pairs and the T masks of their answers, in order."""

    images: Tensor
    """(B, 3, p, p)."""
    of_scene: Tensor
    """(N,), the scene that each pair is about."""
    tokens: Tokens
    target: Tensor
    """(T, 1, y, x), share of each pixel that the features of a mask cover."""
    classes: Tensor
    """(T,), class that the phrase of each mask names."""
    points: Tensor
    """(T,), patch of the point of each, or `NOWHERE`."""
    known: Known
    """What the pretext of the vision tower asks."""

    def to(self, device: torch.device) -> "Batch":
        """Move to a device."""
        target, classes, points = (part.to(device) for part in (self.target, self.classes, self.points))
        tokens, known = self.tokens.to(device), self.known.to(device)
        return Batch(self.images.to(device), self.of_scene.to(device), tokens, target, classes, points, known)


def draw_batch(
    scenes: Sequence[Scene], dialogue: Dialogue, options: PairOptions, rng: np.random.Generator, size: int, *, asked: bool = True
) -> Batch:
    """Turn scenes, and draw pairs of each unless nothing is asked; masks are `size` pixels wide."""
    lying = [scene.turned(int(rng.integers(8))) if options.turns else scene for scene in scenes]
    told = [scene.told(asked=asked) for scene in lying]
    pairs = [(number, pair) for number, each in enumerate(told) for pair in (draw_pairs(each, options, rng) if asked else ())]
    return batch_of(lying, told, pairs, dialogue, size)


def batch_of(scenes: Sequence[Scene], told: Sequence[Told], pairs: Sequence[tuple[int, Pair]], dialogue: Dialogue, size: int) -> Batch:
    """Put scenes and pairs (the number of the scene first) together."""
    side = round(dialogue.image_tokens**0.5)
    targets = [(number, numbers) for number, pair in pairs for numbers in pair.targets]
    masks = [scenes[number].target(numbers, size) for number, numbers in targets]
    points = [patch_of(told[number].features[numbers[0] - 1], side) if len(numbers) == 1 else NOWHERE for number, numbers in targets]
    classes = [CLASSES.index(word) for _, pair in pairs if pair.targets for word in pair.words]  # talk has words, too, and no masks
    return Batch(
        images_together(scenes),
        torch.tensor([number for number, _ in pairs], dtype=torch.long),
        dialogue.learned([pair.question for _, pair in pairs], [pair.answer for _, pair in pairs]),
        torch.stack(masks) if masks else torch.zeros(0, 1, size, size),
        torch.tensor(classes, dtype=torch.long),
        torch.tensor(points, dtype=torch.long),
        known_of(scenes, [each.features for each in told], side),
    )
