"""The joint loss: words and masks, each with its weight.

Sources: GLACIA (binary cross-entropy and Dice for the mask, cross-entropy for the words, a plain sum) and the boundary-weighted
variant of its released code. There `reduce='none'` makes the cross-entropy a mean before it is weighted, so that the weights cancel;
here nothing is reduced before it is weighted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import torch
from torch import Tensor
from torch.nn import functional

IGNORED: Final = -100
"""Label of a token that no loss counts: prompts, images, padding."""


@dataclass(frozen=True, slots=True)
class LossOptions:
    """How much each part counts."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}
    masks: float = 1.0
    words: float = 1.0
    telling: float = 1.0
    """How much more a word counts that tells a number, a size or a position than one that is a manner of speaking."""
    boundary: float = 0.0
    """How much more a pixel at a shore counts than one far from it; 5 in the released code, 0 leaves shores as they are."""
    boundary_px: int = 7
    """Side of the square in which a shore is near; 31 at 1024 px, 7 at 64 px."""
    patches: float = 0.0
    """Of a pretext for vision towers that start from nothing: how much of every patch is lake, whether a lake's point is in it, and how large that lake is.

    It stands in for a checkpoint.
    """
    reading: float = 0.0
    """Of a pretext for language models that start from nothing: what is asked, whatever the words."""
    points: float = 0.0
    """Of another: in which patches the lakes are that the answer is about, before it and at its mark."""


@dataclass(frozen=True, slots=True)
class JointLoss:
    """The parts and their weighted sum."""

    total: Tensor
    masks: Tensor
    words: Tensor
    patches: Tensor
    reading: Tensor
    points: Tensor

    @property
    def parts(self) -> dict[str, float]:
        """Numbers of a report."""
        return {name: float(getattr(self, name).detach()) for name in PARTS}


PARTS: Final = ("masks", "words", "patches", "reading", "points")


def joint(parts: Mapping[str, Tensor], options: LossOptions) -> JointLoss:
    """Add the parts up by their weights; those that are missing are 0."""
    nothing = next(iter(parts.values())).new_zeros(())
    every = {name: parts.get(name, nothing) for name in PARTS}
    return JointLoss(torch.stack([getattr(options, name) * every[name] for name in PARTS]).sum(), **every)


def mask_loss(logits: Tensor, target: Tensor, options: LossOptions) -> Tensor:
    """Cross-entropy and Dice of masks (N, 1, y, x), target 0..1, per sample, then averaged; an empty target has no Dice."""
    logits = logits.float()
    weights = 1.0 + options.boundary * shore_weights(target, options.boundary_px)
    entropy = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    entropy = (entropy * weights).sum(dim=(1, 2, 3)) / weights.sum(dim=(1, 2, 3))  # (N,)
    probability = logits.sigmoid()
    both = (probability * target * weights).sum(dim=(1, 2, 3))
    each = ((probability + target) * weights).sum(dim=(1, 2, 3))
    dice = 1.0 - (2.0 * both + 1.0) / (each + 1.0)
    filled = target.amax(dim=(1, 2, 3)) > 0
    return (entropy + torch.where(filled, dice, torch.zeros_like(dice))).mean()


def shore_weights(target: Tensor, side_px: int) -> Tensor:
    """How near to a shore each pixel is, 0..1: the difference between a pixel and the mean around it (N, 1, y, x)."""
    around = functional.avg_pool2d(target, side_px, stride=1, padding=side_px // 2, count_include_pad=False)
    return (around - target).abs()


def word_loss(logits: Tensor, labels: Tensor, telling: Tensor | None = None, weight: float = 1.0) -> Tensor:
    """Cross-entropy of the next token, the mean over the tokens that count.

    Logits (N, length, vocabulary), labels (N, length) with `IGNORED`; tokens that are `telling` (N, length) count `weight` times.
    """
    wanted = labels[:, 1:].flatten()
    entropy = functional.cross_entropy(logits[:, :-1].flatten(0, 1).float(), wanted, ignore_index=IGNORED, reduction="none")
    weights = (wanted != IGNORED).to(entropy)
    if telling is not None:
        weights = weights * (1.0 + (weight - 1.0) * telling[:, 1:].flatten().to(entropy))
    return (entropy * weights).sum() / weights.sum().clamp(min=1.0)
