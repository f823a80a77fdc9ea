"""One step's scenes, turned anew, with questions about them and what is to be answered."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
import torch
from torch import Tensor

from catalog.facts.feature_classes import CLASSES
from models.language.dialogue import Dialogue, Tokens
from models.language.pretext import Known
from models.referrer.pairs import Pair, PairOptions, Told, draw_pairs
from models.referrer.phrasings import TASKS
from models.referrer.pretext import known_of
from models.referrer.references import CELLS, RELATIONS
from models.referrer.scenes import Scene, images_together, patch_of
from models.referrer.wording import reference_of

MEANINGS: Final = (len(CLASSES), len(RELATIONS), len(CELLS) + 1)
"""How many classes, relations and cells a phrase can tell."""


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
    """(T, patches), shares of the patches that hold the points of the features of each."""
    tasks: Tensor
    """(N, 1), what each question asks for, by its place among all tasks."""
    meanings: Tensor
    """(T, 3), class, relation and cell that the phrase of each mask tells; the last cell is none."""
    known: Known
    """What the pretext of the vision tower asks."""

    def to(self, device: torch.device) -> "Batch":
        """Move to a device."""
        return Batch(**{each.name: getattr(self, each.name).to(device) for each in fields(self)})


def draw_batch(
    scenes: Sequence[Scene],
    dialogue: Dialogue,
    options: PairOptions,
    rng: np.random.Generator,
    size: int,
    read: int | None = None,
) -> Batch:
    """Turn scenes, and draw pairs of each; masks are `size` pixels wide.

    With `read`, that many of the scenes are asked about, by questions that are only read: without an image before them, and without masks.
    """
    lying = [scene.turned(int(rng.integers(8))) if options.turns else scene for scene in scenes]
    edge = len(lying) if read is None else read
    told = [scene.told(asked=number < edge) for number, scene in enumerate(lying)]
    pairs = [(number, pair) for number, each in enumerate(told[:edge]) for pair in draw_pairs(each, options, rng)]
    return batch_of(lying, told, pairs, dialogue, size, seen=read is None)


def batch_of(
    scenes: Sequence[Scene], told: Sequence[Told], pairs: Sequence[tuple[int, Pair]], dialogue: Dialogue, size: int, *, seen: bool = True
) -> Batch:
    """Put scenes and pairs (the number of the scene first) together; not `seen`: without images before the questions, and without masks."""
    side = round(dialogue.image_tokens**0.5)
    before = dialogue if seen else replace(dialogue, image_tokens=0)
    targets = [(number, numbers) for number, pair in pairs for numbers in pair.targets]
    masks = [scenes[number].target(numbers, size) for number, numbers in targets if seen]
    points = torch.zeros(len(targets), side * side)
    for row, (number, numbers) in zip(points, targets, strict=True):
        for each in numbers:
            row[patch_of(told[number].features[each - 1], side)] += 1 / len(numbers)
    classes = [CLASSES.index(word) for _, pair in pairs if pair.targets for word in pair.words]  # talk has words, too, and no masks
    return Batch(
        images_together(scenes),
        torch.tensor([number for number, _ in pairs], dtype=torch.long),
        before.learned([pair.question for _, pair in pairs], [pair.answer for _, pair in pairs]),
        torch.stack(masks) if masks else torch.zeros(0, 1, size, size),
        torch.tensor(classes, dtype=torch.long),
        points,
        torch.tensor([[TASKS.index(pair.task)] for _, pair in pairs], dtype=torch.long).reshape(-1, 1),
        torch.tensor([_meaning(phrase) for _, pair in pairs if pair.targets for phrase in pair.phrases], dtype=torch.long).reshape(-1, 3),
        known_of(scenes, [each.features for each in told], side),
    )


def _meaning(phrase: str) -> tuple[int, int, int]:
    told = reference_of(phrase)
    assert told is not None, phrase
    return CLASSES.index(told.noun), RELATIONS.index(told.relation), len(CELLS) if told.cell is None else CELLS.index(told.cell)
