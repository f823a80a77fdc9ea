"""One step's scenes, turned anew, with questions about them and what is to be answered."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor

from models.describer.network import Views
from models.describer.pairs import Pair, draw_pairs
from models.describer.phrasings import PHRASINGS, REFERRING, Family
from models.describer.pretext import known_of
from models.describer.recipe import PairOptions
from models.describer.scenes import Scene, views_together
from models.language.dialogue import Dialogue, Tokens
from models.language.instances import PARTS, InstanceOptions
from models.language.pretext import Known


@dataclass(frozen=True, slots=True)
class Batch:
    """B scenes and N pairs."""

    views: Views
    of_scene: Tensor
    """(N,), the scene that each pair is about."""
    tokens: Tokens
    target: Tensor
    """(N, 1, y, x), share of each pixel that the lakes of the answer cover."""
    asked: Tensor
    """(N,), the family of each question, by its place among all."""
    points: Tensor
    """(N, patches), shares of the patches that hold the points of the lakes that each answer is about; zeros where it is about none."""
    known: Known
    """What the pretext of the tower asks."""

    def to(self, device: torch.device) -> "Batch":
        """Move to a device."""
        return Batch(**{each.name: getattr(self, each.name).to(device) for each in fields(self)})


def draw_batch(
    scenes: Sequence[Scene],
    dialogue: Dialogue,
    options: PairOptions,
    rng: np.random.Generator,
    lakes: InstanceOptions | None = None,
    *,
    seen: bool = True,
) -> Batch:
    """Turn scenes, show parts of them, and draw pairs of each: referring questions first, so that one image has several right masks.

    Not `seen`: questions have no image before them.
    """
    lying = [scene.turned(int(rng.integers(8))) if options.turns else scene for scene in scenes]
    lying = [scene.part(_window(rng), lakes or InstanceOptions()) if options.parts else scene for scene in lying]
    drawn: list[tuple[int, Pair]] = []
    for number, scene in enumerate(lying):
        facts = scene.facts()
        for count, families in ((options.referring, REFERRING), (options.others, _others())):
            weights = {family: options.weights.get(family, 1.0) if family in families else 0.0 for family in _every()}
            drawn += [(number, pair) for pair in draw_pairs(facts, count, rng, weights, options.holes, options.wordings)]
    return batch_of(lying, drawn, dialogue, seen=seen)


def batch_of(scenes: Sequence[Scene], pairs: Sequence[tuple[int, Pair]], dialogue: Dialogue, *, seen: bool = True) -> Batch:
    """Put scenes and pairs (the number of the scene first) together; not `seen`: for questions alone, without images and masks."""
    side = round(dialogue.image_tokens**0.5)
    told = dialogue if seen else replace(dialogue, image_tokens=0)
    return Batch(
        views_together(scenes),
        torch.tensor([number for number, _ in pairs], dtype=torch.long),
        told.learned([pair.question for _, pair in pairs], [pair.answer if seen else "" for _, pair in pairs]),
        _stacked([scenes[number].target(pair.lakes) for number, pair in pairs if seen]),
        torch.tensor([_every().index(pair.family) for _, pair in pairs], dtype=torch.long),
        _points([(scenes[number], pair.lakes) for number, pair in pairs if seen], side),
        known_of(scenes, side),
    )


def _stacked(targets: list[Tensor]) -> Tensor:
    return torch.stack(targets) if targets else torch.zeros(0)


def _points(answers: Sequence[tuple[Scene, Sequence[int]]], side: int) -> Tensor:
    points = torch.zeros(len(answers), side * side)
    for row, (scene, lakes) in zip(points, answers, strict=True):
        for lake in scene.facts().lakes:
            if lake.number in lakes:
                row[min(int(lake.y * side), side - 1) * side + min(int(lake.x * side), side - 1)] += 1 / len(lakes)
    return points


def _window(rng: np.random.Generator) -> tuple[int, int, int]:
    """A square that is three quarters as wide as the scene at least, in sixteenths."""
    side = int(rng.integers(PARTS * 3 // 4, PARTS + 1))
    top, left = (int(rng.integers(PARTS - side + 1)) for _ in range(2))
    return top, left, side


def _every() -> tuple[Family, ...]:
    return tuple(PHRASINGS)


def _others() -> tuple[Family, ...]:
    return tuple(family for family in _every() if family not in REFERRING)
