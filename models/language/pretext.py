"""What a vision tower that starts from nothing learns first: what each of its patches holds, and how many of everything there are.

It stands in for a checkpoint that knows how things look, and is thrown away at the end. Without it a language model learns the
commonest answers and stays blind to the image.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

_SMALLEST_M2: Final = 2_000.0
_LARGEST_M2: Final = 1_000_000.0
"""Between these things are told by their size."""
_NUMBERS: Final = 0.25
"""Weight of numbers, which are hard to learn before points are."""
_STANDOUTS: Final = 0.1
"""Weight of superlatives, which need the sizes of all things of a scene compared."""


@dataclass(frozen=True, slots=True)
class Known:
    """What should be known of B scenes of T patches."""

    patches: Tensor
    """(B, T, known of a patch), 0..1."""
    counts: Tensor
    """(B, groups), whole numbers."""
    standouts: Tensor
    """(B, superlatives, T), shares of the patches around the one thing that each is true of, which add up to 1; zeros where it is true of none."""

    def to(self, device: torch.device) -> "Known":
        """Move to a device."""
        return Known(self.patches.to(device), self.counts.to(device), self.standouts.to(device))


class Pretext(nn.Module):
    """Two linear maps: what patches say, and what all of them say together. More would learn in the tower's place."""

    def __init__(self, hidden: int, parts: tuple[int, ...], groups: int, most: int, superlatives: int) -> None:
        """Build with fresh weights for a tower of width `hidden`.

        What is known of a patch is in parts that count alike, however many numbers each has; numbers of `groups` go from 0 to `most`.
        """
        super().__init__()
        self.parts, self.groups, self.most = parts, groups, most
        self.patches = nn.Linear(hidden, sum(parts))
        self.counts = nn.Linear(hidden, groups * (most + 1))
        self.standouts = nn.Linear(hidden, superlatives)

    def loss(self, seen: Tensor, known: Known) -> Tensor:
        """How far the tokens of the tower (B, T, hidden) are from telling what is known: cross-entropy of patches, numbers and standouts."""
        told, true = (values.split(self.parts, dim=-1) for values in (self.patches(seen).float(), known.patches))
        patches = torch.stack([functional.binary_cross_entropy_with_logits(*part) for part in zip(told, true, strict=True)]).sum()
        numbers = functional.cross_entropy(self.numbers(seen).float().flatten(0, 1), known.counts.clamp(max=self.most).flatten())
        return patches + _NUMBERS * numbers + _STANDOUTS * self._missed(seen, known.standouts)

    def _missed(self, seen: Tensor, true: Tensor) -> Tensor:
        """Cross-entropy over the patches: a superlative is told of one thing among all, so that its patch competes with the others."""
        entropy = -(true * self.standouts(seen).float().transpose(1, 2).log_softmax(dim=-1)).sum(dim=-1)  # (B, superlatives)
        lost: Tensor = entropy.sum() / true.sum().clamp(min=1.0)
        return lost

    def numbers(self, seen: Tensor) -> Tensor:
        """Logits (B, groups, most + 1) of the numbers."""
        logits: Tensor = self.counts(seen.mean(dim=1)).unflatten(1, (self.groups, self.most + 1))
        return logits


class Board:
    """Patches of one scene, onto which points are put layer by layer."""

    def __init__(self, layers: int, side: int) -> None:
        """Begin with nothing known of side x side patches."""
        self.side = side
        self.sizes, self.points = torch.zeros(side, side), torch.zeros(layers, side, side)

    def put(self, layer: int, x: float, y: float, area_m2: float) -> None:
        """Put the point of one thing (shares of width and height) on a layer.

        It is shared by the four patches around it, by their nearness: one patch alone would be a guess where two meet.
        """
        for row, of_row in _shared(y, self.side):
            for column, of_column in _shared(x, self.side):
                self.points[layer, row, column] += of_row * of_column
                self.sizes[row, column] = max(float(self.sizes[row, column]), _size(area_m2) * of_row * of_column)

    def known(self) -> Tensor:
        """Sizes and points (1 + layers, side, side), 0..1."""
        return torch.cat([self.sizes[None], self.points]).clamp(max=1.0)


def around(x: float, y: float, side: int) -> Tensor:
    """Shares (side, side) of the patches around a point, which add up to 1."""
    board = Board(1, side)
    board.put(0, x, y, _LARGEST_M2)
    return board.points[0]


def _shared(share: float, side: int) -> list[tuple[int, float]]:
    """The two cells next to a place on an axis, and what part of it each has."""
    place = share * side - 0.5
    lower = int(np.floor(place))
    part = place - lower
    return [(min(max(lower, 0), side - 1), 1.0 - part), (min(max(lower + 1, 0), side - 1), part)]


def _size(area_m2: float) -> float:
    return float(np.clip(np.log(area_m2 / _SMALLEST_M2) / np.log(_LARGEST_M2 / _SMALLEST_M2), 0.05, 1.0))
