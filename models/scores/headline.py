"""The few figures by which a run against known truth is judged."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.scores.features import FeatureScores, ScoredFeatures, match, score

Mask = NDArray[np.bool_]
MIN_AREA_M2 = 5_000.0
"""Half a hectare: fifty pixels of 10 m, below which no published inventory claims to be complete."""


@dataclass(frozen=True, slots=True)
class Headline:
    """Features of at least half a hectare, without the classes that the truth calls hard."""

    true_count: int
    predicted_count: int
    recall: float
    precision: float
    area_error: float
    """(Predicted total - true total) / true total, over the same features."""
    interval_coverage: float
    """Share of 95 % area intervals that hold the true area."""


def headline(predicted: ScoredFeatures, truth: ScoredFeatures, hard: Mask) -> tuple[Headline, tuple[FeatureScores, ...]]:
    """Return the headline, and the scores by size and class with the hard classes in.

    Hard truths, and small ones, are neither asked for nor held against a prediction that finds them.
    """
    matches = match(predicted.outlines, truth.outlines, criterion="iou", threshold=0.5)
    asked = (truth.area_m2 >= MIN_AREA_M2) & ~hard
    excused = np.zeros(len(predicted.area_m2), bool)
    excused[_touching(predicted, truth, ~asked)] = True
    counted = (predicted.area_m2 >= MIN_AREA_M2) & ~excused
    counted[matches.predicted] = asked[matches.truth]
    of_asked = _subset(truth, asked)
    of_counted = _subset(predicted, counted)
    overall = score(of_counted, of_asked, match(of_counted.outlines, of_asked.outlines, criterion="iou", threshold=0.5))[0]
    figures = Headline(
        overall.true_count, overall.predicted_count, overall.recall, overall.precision, overall.total_area_error, overall.interval_coverage
    )
    return figures, score(predicted, truth, matches)


def _touching(predicted: ScoredFeatures, truth: ScoredFeatures, members: Mask) -> Sequence[int]:
    """Predictions that share most of the smaller outline with one of some truths."""
    some = _subset(truth, members)
    found = match(predicted.outlines, some.outlines, criterion="overlap", threshold=0.5).predicted
    return [int(position) for position in found]


def _subset(features: ScoredFeatures, members: Mask) -> ScoredFeatures:
    return ScoredFeatures(
        features.outlines[members],
        features.area_m2[members],
        None if features.area_low_m2 is None else features.area_low_m2[members],
        None if features.area_high_m2 is None else features.area_high_m2[members],
        None if features.classes is None else [name for name, kept in zip(features.classes, members, strict=True) if kept],
    )
