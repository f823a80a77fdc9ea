"""Agreement of two masks, pixel by pixel, over valid pixels only."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.facts.errors import GridMismatch

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PixelCounts:
    """Counts of valid pixels; counts of several chips add up."""

    hit: int
    """Predicted and true."""
    false: int
    """Predicted and not true."""
    missed: int
    """True and not predicted."""
    correct_rejected: int

    def __add__(self, other: "PixelCounts") -> "PixelCounts":
        """Add counts, so that scores over many chips weigh every pixel alike."""
        return PixelCounts(
            self.hit + other.hit, self.false + other.false, self.missed + other.missed, self.correct_rejected + other.correct_rejected
        )

    @property
    def iou(self) -> float:
        """Intersection over union, 0 to 1; NaN where neither mask has a pixel."""
        return _share(self.hit, self.hit + self.false + self.missed)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall (Dice), 0 to 1; NaN where neither mask has a pixel."""
        return _share(2 * self.hit, 2 * self.hit + self.false + self.missed)

    @property
    def precision(self) -> float:
        """Share of predicted pixels that are true; NaN where none is predicted."""
        return _share(self.hit, self.hit + self.false)

    @property
    def recall(self) -> float:
        """Share of true pixels that are predicted; NaN where none is true."""
        return _share(self.hit, self.hit + self.missed)


def count_pixels(predicted: Mask, truth: Mask, valid: Mask) -> PixelCounts:
    """Count agreement where `valid`; raises GridMismatch when shapes differ."""
    if not predicted.shape == truth.shape == valid.shape:
        raise GridMismatch(f"Masks to compare have shapes {predicted.shape}, {truth.shape}, {valid.shape}: put them on one grid first.")
    codes = 2 * truth[valid].astype(np.int64) + predicted[valid]
    rejected, false, missed, hit = np.bincount(codes, minlength=4).tolist()
    return PixelCounts(hit, false, missed, rejected)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
