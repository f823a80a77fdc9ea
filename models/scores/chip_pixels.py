"""What a model got right on each chip, pixel by pixel, as counts that add up over any choice of chips."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from catalog.facts.chips import LABEL_IGNORE, LABEL_SCALE
from catalog.facts.errors import GridMismatch

THRESHOLDS: Final = tuple(round(0.10 + 0.05 * step, 2) for step in range(17))
"""0.10 to 0.90 in steps of 0.05, as CryoSentinel sweeps them; a pixel is predicted when its probability is not below."""
HALF: Final = THRESHOLDS.index(0.5)
BINS: Final = 15
"""Bins of the reliability diagram, of equal width."""
Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ChipPixels:
    """Counts over the judged pixels of N chips; a pixel is true when lakes cover at least half of it."""

    hit: Counts
    """(N, thresholds), predicted and true."""
    false: Counts
    """(N, thresholds), predicted and not true."""
    missed: Counts
    """(N, thresholds), true and not predicted."""
    judged: Counts
    """(N,), pixels with a label that a sensor saw."""
    answered: Counts
    """(N,), judged pixels for which the model gave a probability; elsewhere it counts as having said land."""
    squared: Floats
    """(N,), sum over answered pixels of (probability - share covered by lakes)²."""
    bins: Floats
    """(N, BINS, 3): answered pixels, sum of their probabilities, sum of their shares covered by lakes."""

    def __len__(self) -> int:
        """Count the chips."""
        return len(self.judged)

    @property
    def true(self) -> Counts:
        """(N,), true pixels."""
        return self.hit[:, 0] + self.missed[:, 0]

    @property
    def wet(self) -> NDArray[np.bool_]:
        """(N,), chips with a true pixel."""
        return self.true > 0


def count_chips(probability: NDArray[np.float32], label: NDArray[np.uint8], seen: NDArray[np.bool_]) -> ChipPixels:
    """Count chips (N, y, x); `probability` may be NaN where the model abstains, `label` is coverage x 250 with 255 = ignore.

    Raises GridMismatch when shapes differ.
    """
    if not probability.shape == label.shape == seen.shape:
        raise GridMismatch(
            f"Chips to compare have shapes {probability.shape}, {label.shape}, {seen.shape}: predict the chips that the labels are of."
        )
    parts = [_count(*chip) for chip in zip(probability, label, seen & (label != LABEL_IGNORE), strict=True)]
    return ChipPixels(*(np.stack(column) for column in zip(*parts, strict=True)))


def concatenate(pieces: Sequence[ChipPixels]) -> ChipPixels:
    """Put the counts of several batches behind each other."""
    return ChipPixels(*(np.concatenate([getattr(piece, field.name) for piece in pieces]) for field in fields(ChipPixels)))


def _count(probability: NDArray[np.float32], label: NDArray[np.uint8], judged: NDArray[np.bool_]) -> tuple[object, ...]:
    value, share = probability[judged].astype(np.float64), label[judged] / LABEL_SCALE
    answered = np.isfinite(value)
    # float32 0.35 is a little more than 0.35: thresholds are compared in the precision of the prediction
    passed = np.searchsorted(np.array(THRESHOLDS, np.float32), np.nan_to_num(probability[judged], nan=0.0), side="right")
    steps = len(THRESHOLDS) + 1
    # pixels by how many thresholds they pass; summed from the end they are what each threshold lets through
    by_passed = np.bincount(passed + steps * (share >= 0.5), minlength=2 * steps).reshape(2, steps)
    through = by_passed[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]
    false, hit = through.astype(np.int64)
    value, share = value[answered], share[answered]
    place = np.minimum((value * BINS).astype(np.int64), BINS - 1)
    bins = np.stack([np.bincount(place, weights=weight, minlength=BINS) for weight in (np.ones_like(value), value, share)], axis=-1)
    return (
        hit,
        false,
        by_passed[1].sum() - hit,
        np.int64(judged.sum()),
        np.int64(answered.sum()),
        np.float64(((value - share) ** 2).sum()),
        bins,
    )


def chip_iou(counts: ChipPixels, *, smooth: float = 0.0) -> Floats:
    """Intersection over union of each chip at 0.5: (I + smooth) / (U + smooth), NaN where both masks are empty and smooth is 0."""
    hit = counts.hit[:, HALF] + smooth
    union = counts.hit[:, HALF] + counts.false[:, HALF] + counts.missed[:, HALF] + smooth
    shares: Floats = np.divide(hit, union, out=np.full(len(counts), np.nan), where=union > 0)
    return shares


def best_threshold(counts: ChipPixels) -> float:
    """Threshold of `THRESHOLDS` with the highest IoU over all chips; the lowest of equals. To be chosen on val and applied to test."""
    hit = counts.hit.sum(axis=0)
    union = hit + counts.false.sum(axis=0) + counts.missed.sum(axis=0)
    return THRESHOLDS[int(np.argmax(hit / np.maximum(union, 1)))]


def calibration_error(bins: Floats) -> Floats:
    """Expected calibration error of sums (..., BINS x 3): mean over pixels of |mean probability - share of lake| of their bin (Guo et al. 2017)."""
    count, said, was = np.moveaxis(bins.reshape(*bins.shape[:-1], BINS, 3), -1, 0)
    whole = count.sum(axis=-1)
    error: Floats = np.divide(np.abs(said - was).sum(axis=-1), whole, out=np.full(whole.shape, np.nan), where=whole > 0)
    return error
