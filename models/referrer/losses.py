"""The joint loss: words, masks, and what makes them hold together, each with its weight.

Source: GeoPix (cross-entropy of words 1, binary cross-entropy of masks 2, Dice 0.5, as LISA and PixelLM). The class of each mask, and the
overlap that a mask expects of itself, are ours: the paper does not say which row of the memory is read where nobody names a class.
"""

from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from catalog.facts.errors import RecipeWrong


@dataclass(frozen=True, slots=True)
class LossOptions:
    """How much each part counts."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}
    words: float = 1.0
    entropy: float = 2.0
    """Of pixels of masks."""
    dice: float = 0.5
    classes: float = 0.1
    agreement: float = 0.1
    """Of the overlap that a mask expects of itself."""
    patches: float = 0.0
    """Of a pretext for vision towers that start from nothing: points, sizes and classes of features, patch by patch. A checkpoint would know."""
    points: float = 0.0
    """Of a pretext for language models that start from nothing: in which patches the points of a referent are, and those of all of a question."""
    reading: float = 0.0
    """Of another: what is asked, and what the phrase of each mask says, whatever the words."""

    def __post_init__(self) -> None:
        """Raise RecipeWrong for weights below 0, or when nothing is learned."""
        weights = [getattr(self, each.name) for each in fields(self)]
        if min(weights) < 0 or self.words + self.entropy + self.dice == 0:
            raise RecipeWrong("Weights of a loss must not be negative, and not all of words, entropy and dice 0.")


@dataclass(frozen=True, slots=True)
class Losses:
    """The parts; `total` adds them up by their weights."""

    words: Tensor
    entropy: Tensor
    dice: Tensor
    classes: Tensor
    agreement: Tensor
    patches: Tensor
    points: Tensor
    reading: Tensor

    @classmethod
    def of_pretexts(cls, patches: Tensor, reading: Tensor) -> "Losses":
        """The losses of a tower that learns alone, while the language model learns to read."""
        nothing = cls(*(patches.new_zeros(()) for _ in fields(cls)))
        return replace(nothing, patches=patches, reading=reading)

    def total(self, options: LossOptions) -> Tensor:
        """The weighted sum."""
        return torch.stack([getattr(options, each.name) * getattr(self, each.name) for each in fields(options)]).sum()

    def as_dict(self) -> dict[str, float]:
        """Numbers of a report."""
        return {each.name: float(getattr(self, each.name).detach()) for each in fields(self)}


def pixel_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy of masks (T, 1, y, x), target 0..1; mean over pixels, then over referents."""
    return functional.binary_cross_entropy_with_logits(logits.float(), target, reduction="none").mean(dim=(1, 2, 3)).mean()


def dice(logits: Tensor, target: Tensor) -> Tensor:
    """1 - Dice of masks (T, 1, y, x), mean over referents."""
    probability = logits.float().sigmoid()
    both = (probability * target).sum(dim=(1, 2, 3))
    each = (probability + target).sum(dim=(1, 2, 3))
    return (1.0 - (2.0 * both + 1.0) / (each + 1.0)).mean()


def overlap(logits: Tensor, target: Tensor) -> Tensor:
    """IoU (T,) of masks (T, 1, y, x) with the truth; nothing flows back through it."""
    mask, truth = logits.detach() > 0, target >= 0.5
    both, either = (mask & truth).sum(dim=(1, 2, 3)), (mask | truth).sum(dim=(1, 2, 3))
    return both / either.clamp(min=1)
