"""What a vision tower that starts from nothing learns first: where the points of lakes are, how large they are, and how many there are.

It stands in for a checkpoint that knows what lakes look like, and is thrown away when the words are learned. Without it the language
model learns the commonest answers and stays blind to the image.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from catalog.facts.scene_facts import MANY, QUADRANTS, Place, SceneFacts
from models.describer.scenes import Scene, shares

PLACES: Final = (Place("center"), *(Place(quadrant, near) for quadrant in QUADRANTS if quadrant != "center" for near in (True, False)))
"""All places that words tell apart."""
OF_A_PATCH: Final = 2 + len(PLACES)
"""The share of lake, the size of a lake whose point is near, and for each place whether a point of it is near."""
OF_A_SCENE: Final = 1 + len(PLACES)
"""Lakes in all, and of each place."""
_SMALLEST_M2: Final = 2_000.0
_LARGEST_M2: Final = 1_000_000.0
"""Between these lakes are told by their size."""
_COUNTS: Final = 0.25
"""Weight of numbers of lakes, which are hard to learn before points are."""


@dataclass(frozen=True, slots=True)
class Known:
    """What should be known of B scenes of T patches."""

    patches: Tensor
    """(B, T, `OF_A_PATCH`), 0..1."""
    counts: Tensor
    """(B, `OF_A_SCENE`), whole numbers; `MANY` stands for itself and all above."""

    def to(self, device: torch.device) -> "Known":
        """Move to a device."""
        return Known(self.patches.to(device), self.counts.to(device))


class Pretext(nn.Module):
    """Two linear maps: what patches say, and what all of them say together. More would learn in the tower's place."""

    def __init__(self, hidden: int) -> None:
        """Build with fresh weights for a tower of that width."""
        super().__init__()
        self.patches = nn.Linear(hidden, OF_A_PATCH)
        self.counts = nn.Linear(hidden, OF_A_SCENE * (MANY + 1))

    def loss(self, seen: Tensor, known: Known) -> Tensor:
        """How far the tokens of the tower (B, T, hidden) are from telling what is known: cross-entropy of patches and of counts."""
        patches = functional.binary_cross_entropy_with_logits(self.patches(seen), known.patches)
        counts = functional.cross_entropy(self.numbers(seen).flatten(0, 1), known.counts.flatten())
        return patches + _COUNTS * counts

    def numbers(self, seen: Tensor) -> Tensor:
        """Logits (B, `OF_A_SCENE`, `MANY` + 1) of the numbers of lakes."""
        logits: Tensor = self.counts(seen.mean(dim=1)).unflatten(1, (OF_A_SCENE, MANY + 1))
        return logits


def known_of(scenes: list[Scene], side: int) -> Known:
    """What should be known of scenes by a tower of side x side patches."""
    facts = [scene.facts() for scene in scenes]
    patches = [
        torch.cat([shares(scene.lakes.labels > 0, (side, side)), _points(own, side)]) for scene, own in zip(scenes, facts, strict=True)
    ]
    return Known(torch.stack(patches).flatten(2).transpose(1, 2), torch.stack([_counts(own) for own in facts]))


def _points(facts: SceneFacts, side: int) -> Tensor:
    """Sizes and points by place (`OF_A_PATCH` - 1, side, side).

    A point is shared by the four patches around it, by their nearness: one patch alone would be a guess where two meet.
    """
    sizes, points = torch.zeros(side, side), torch.zeros(len(PLACES), side, side)
    for lake in facts.lakes:
        place = PLACES.index(lake.place)
        for row, of_row in _shared(lake.y, side):
            for column, of_column in _shared(lake.x, side):
                points[place, row, column] += of_row * of_column
                sizes[row, column] = max(float(sizes[row, column]), _size(lake.area_m2) * of_row * of_column)
    return torch.cat([sizes[None], points]).clamp(max=1.0)


def _shared(share: float, side: int) -> list[tuple[int, float]]:
    """The two cells next to a place on an axis, and what part of it each has."""
    place = share * side - 0.5
    lower = int(np.floor(place))
    part = place - lower
    return [(min(max(lower, 0), side - 1), 1.0 - part), (min(max(lower + 1, 0), side - 1), part)]


def _size(area_m2: float) -> float:
    return float(np.clip(np.log(area_m2 / _SMALLEST_M2) / np.log(_LARGEST_M2 / _SMALLEST_M2), 0.05, 1.0))


def _counts(facts: SceneFacts) -> Tensor:
    numbers = [len(facts.lakes), *(len(facts.at(place)) for place in PLACES)]
    return torch.tensor([min(number, MANY) for number in numbers])
