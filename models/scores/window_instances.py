"""Instances of windows that share no ground against their targets: the figures that published work gives, and that training watches."""

from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np

from catalog.facts.errors import GridMismatch
from catalog.facts.grids import PIXEL_M
from models.detector.paste import paste
from models.scores.instances import Unit, coco_summary, dense_unit

HALF: Final = 0.5
"""Probability, or share of the labelers, from which a pixel belongs to a slump."""


class FoundInstances(Protocol):
    """Instances of one window, as a network or a detector answers; arrays or tensors on the CPU."""

    @property
    def boxes(self) -> Any:
        """(n, 4), x0 y0 x1 y1, network pixels."""
        ...

    @property
    def scores(self) -> Any:
        """(n,)."""
        ...

    @property
    def masks(self) -> Any:
        """(n, 28, 28), probability inside the box."""
        ...


class TrueInstances(Protocol):
    """Slumps of one window, as targets of training hold them; arrays or tensors on the CPU."""

    @property
    def masks(self) -> Any:
        """(t, y, x), 0..1, network pixels."""
        ...

    @property
    def ignore(self) -> Any:
        """(y, x), where nobody is asked."""
        ...


def window_scores(found: Sequence[FoundInstances], targets: Sequence[TrueInstances], *, up: int = 2) -> dict[str, float]:
    """AP, AP50, AP75, AR, and the same by size class (see `coco_summary`), of windows that share no ground.

    NaN where a class has no slump. Raises GridMismatch when windows and targets differ in number.
    """
    return coco_summary(window_units(found, targets, up=up))


def window_units(found: Sequence[FoundInstances], targets: Sequence[TrueInstances], *, up: int = 2) -> list[Unit]:
    """One unit per window, to be pooled over many calls before AP is taken; masks are compared pixel by pixel."""
    if len(found) != len(targets):
        raise GridMismatch(f"{len(found)} windows were predicted and {len(targets)} have targets: give one target per window.")
    return [_unit(own, target, (PIXEL_M / up) ** 2) for own, target in zip(found, targets, strict=True)]


def _unit(found: FoundInstances, target: TrueInstances, pixel_m2: float) -> Unit:
    truth = np.asarray(target.masks) >= HALF
    ignore = np.asarray(target.ignore, bool)
    boxes, scores, cells = (np.asarray(array, np.float32) for array in (found.boxes, found.scores, found.masks))
    predicted = paste(cells, boxes, (0, 0), ignore.shape) > HALF if len(scores) else np.zeros((0, *ignore.shape), bool)
    asked = np.concatenate([truth.reshape(len(truth), ignore.size), ignore.reshape(-1, ignore.size)[: int(ignore.any())]])
    crowd = np.arange(len(asked)) >= len(truth)
    ours, theirs = predicted.reshape(len(predicted), ignore.size).astype(np.float32), asked.astype(np.float32)
    shared, own, other = (ours @ theirs.T).astype(np.float64), ours.sum(axis=1, dtype=np.float64), theirs.sum(axis=1, dtype=np.float64)
    whole = np.where(crowd, own[:, None], own[:, None] + other - shared)
    return dense_unit(shared / np.maximum(whole, 1), scores.astype(np.float64), crowd, own * pixel_m2, other * pixel_m2)
