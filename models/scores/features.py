"""Predicted features against true ones: found, invented, and how right their areas are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from catalog.facts.schemas import SIZE_CLASSES, size_class
from models.outlines.overlaps import overlaps_of

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Criterion = Literal["iou", "overlap"]


@dataclass(frozen=True, slots=True)
class ScoredFeatures:
    """Features of one region and year; arrays of equal length."""

    outlines: Geometries
    """EPSG:4326."""
    area_m2: Floats
    area_low_m2: Floats | None = None
    area_high_m2: Floats | None = None
    classes: Sequence[str] | None = None
    """Kind of each feature, for example `turbid` or `frozen`; known for the truth only."""


@dataclass(frozen=True, slots=True)
class Matches:
    """One-to-one pairs, the best first, and what is left over."""

    predicted: Indices
    truth: Indices
    missed: Indices
    """Truth without a prediction."""
    invented: Indices
    """Predictions without a truth."""


@dataclass(frozen=True, slots=True)
class FeatureScores:
    """Scores over one group of features; NaN where the group is empty."""

    group: str
    true_count: int
    predicted_count: int
    recall: float
    """Share of true features that were found."""
    precision: float
    """Share of predictions that are true; NaN for a group that only the truth knows (truth classes)."""
    area_bias_m2: float
    """Mean of predicted minus true area over matched pairs."""
    area_mae_m2: float
    """Mean absolute error of area over matched pairs."""
    total_area_error: float
    """(Predicted total - true total) / true total, missed and invented included."""
    interval_coverage: float
    """Share of matched 95 % intervals that contain the true area."""


def match(predicted: Geometries, truth: Geometries, *, criterion: Criterion = "iou", threshold: float = 0.5) -> Matches:
    """Pair features one to one, greedily by intersection over union.

    `iou`: pairs need that much intersection over union. `overlap`: pairs need that much of the smaller outline shared, which
    forgives shores but not splits.
    """
    pairs = overlaps_of(predicted, truth)
    measure = pairs.likeness if criterion == "iou" else pairs.share
    enough = measure >= threshold
    order = np.lexsort((pairs.right, pairs.left, -pairs.likeness))
    free_left, free_right = np.ones(len(predicted), bool), np.ones(len(truth), bool)
    chosen = []
    for pair in order[enough[order]]:
        left, right = pairs.left[pair], pairs.right[pair]
        if free_left[left] and free_right[right]:
            free_left[left] = free_right[right] = False
            chosen.append((left, right))
    left, right = np.array(chosen, np.int64).reshape(-1, 2).T
    return Matches(left, right, np.flatnonzero(free_right), np.flatnonzero(free_left))


def score(predicted: ScoredFeatures, truth: ScoredFeatures, matches: Matches) -> tuple[FeatureScores, ...]:
    """Score all features together (`all`), per size class of the truth, and per class that the truth names.

    A prediction belongs to the size class of the truth it matched, or to its own where it matched none.
    """
    true_sizes = np.array([size_class(area) for area in truth.area_m2], dtype=object)
    predicted_sizes = np.array([size_class(area) for area in predicted.area_m2], dtype=object)
    predicted_sizes[matches.predicted] = true_sizes[matches.truth]
    everything = (np.ones(len(true_sizes), bool), np.ones(len(predicted_sizes), bool))
    groups = [("all", *everything)]
    groups += [(f"size {label}", true_sizes == label, predicted_sizes == label) for label, _ in SIZE_CLASSES]
    scores = [_scores(group, (of_truth, of_predicted), predicted, truth, matches) for group, of_truth, of_predicted in groups]
    named = np.array(truth.classes if truth.classes is not None else [], dtype=object)
    for name in sorted(set(named.tolist())):
        found = np.zeros(len(predicted_sizes), bool)
        found[matches.predicted] = named[matches.truth] == name
        scores.append(_scores(f"class {name}", (named == name, found), predicted, truth, matches, knows_false=False))
    return tuple(each for each in scores if each.group == "all" or each.true_count or each.predicted_count)


def _scores(
    group: str,
    members: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    predicted: ScoredFeatures,
    truth: ScoredFeatures,
    matches: Matches,
    *,
    knows_false: bool = True,
) -> FeatureScores:
    of_truth, of_predicted = members
    inside = of_truth[matches.truth]
    left, right = matches.predicted[inside], matches.truth[inside]
    errors = predicted.area_m2[left] - truth.area_m2[right]
    total = truth.area_m2[of_truth].sum()
    return FeatureScores(
        group,
        int(of_truth.sum()),
        int(of_predicted.sum()),
        recall=_ratio(len(right), of_truth.sum()),
        precision=_ratio(len(left), of_predicted.sum()) if knows_false else float("nan"),
        area_bias_m2=float(errors.mean()) if errors.size else float("nan"),
        area_mae_m2=float(np.abs(errors).mean()) if errors.size else float("nan"),
        total_area_error=_ratio(predicted.area_m2[of_predicted].sum() - total, total),
        interval_coverage=_coverage(predicted, left, truth.area_m2[right]),
    )


def _coverage(predicted: ScoredFeatures, left: Indices, true_area_m2: Floats) -> float:
    if predicted.area_low_m2 is None or predicted.area_high_m2 is None or not left.size:
        return float("nan")
    inside = (predicted.area_low_m2[left] <= true_area_m2) & (true_area_m2 <= predicted.area_high_m2[left])
    return float(inside.mean())


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")
