"""How sure a detector's scores are and what it misses, learned from calibration ground; and how both move to other ground."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression
from sklearn.linear_model import LogisticRegression

from catalog.facts.detector_cards import Calibration
from catalog.facts.slump_schemas import SLUMP_SIZE_EDGES_M2

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]

ISOTONIC_FROM: Final = 200
"""Detections from which a free monotone curve is fitted; fewer make one of two parameters (Platt 1999)."""
TRUTHS_PER_BIN: Final = 50
"""Slumps that a class of size needs for a recall of its own."""
_HALVINGS: Final = 30
_SETTLED: Final = 1e-9
_FOLDS: Final = 5
_GRID: Final = np.linspace(0.0, 1.0, 1_001)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The part of a calibration that a counting rule looks at; the first four arrays (detections,), the next three (slumps,)."""

    score: Floats
    true: Mask
    predicted_m2: Floats
    matched_m2: Floats
    found: Mask
    truth_m2: Floats
    truth_block: Indices
    detection_block: Indices
    """(detections,), places among `blocks`."""
    blocks: int
    """Pieces of ground, those without any slump or detection too."""


@dataclass(frozen=True, slots=True)
class Performance:
    """What a detector does on ground like that of its calibration."""

    curve: Floats
    """Probability that a detection is a slump, at scores of 0, 0.001 ... 1."""
    precision: float
    """Share of the detections that are slumps: the prior of the curve."""
    recall: Floats
    """Per class of size (`SLUMP_SIZE_EDGES_M2`): share of the slumps that are found."""
    overall_recall: float
    area_recall: float
    """Share of the area of all slumps that lies in those found."""
    area_ratio: float
    """Predicted over true area of the slumps found."""

    def probability(self, score: Floats) -> Floats:
        """Return the probability that detections of these scores are slumps, on ground of the calibration's density."""
        return np.interp(score, _GRID, self.curve)

    def recall_at(self, predicted_m2: Floats) -> Floats:
        """Return the recall of slumps that were predicted with these areas."""
        return self.recall[np.digitize(predicted_m2 / self.area_ratio, SLUMP_SIZE_EDGES_M2)]


def evidence_of(calibration: Calibration, least_score: float, minimum_area_m2: float) -> Evidence:
    """Select what counts: detections from a score on and slumps from an area on; a detection of a smaller slump is a false one."""
    score, predicted = np.array(calibration.score, np.float64), np.array(calibration.predicted_m2, np.float64)
    matched, truth_m2 = np.array(calibration.matched_m2, np.float64), np.array(calibration.truth_m2, np.float64)
    kept, asked = (score >= least_score) & (predicted >= minimum_area_m2), truth_m2 >= minimum_area_m2
    places = np.array([*calibration.detection_block, *calibration.truth_block, *range(len(calibration.observed_km2))], np.int64)
    names, block = np.unique(places, return_inverse=True)
    of_detection, of_truth = block[: len(score)], block[len(score) : len(score) + len(truth_m2)]
    return Evidence(
        score=score[kept],
        true=np.array(calibration.true, bool)[kept] & (matched[kept] >= minimum_area_m2),
        predicted_m2=predicted[kept],
        matched_m2=matched[kept],
        found=np.array(calibration.truth_score, np.float64)[asked] >= least_score,
        truth_m2=truth_m2[asked],
        truth_block=of_truth[asked],
        detection_block=of_detection[kept],
        blocks=len(names),
    )


@dataclass(frozen=True, slots=True)
class Tempering:
    """How a fitted curve must be bent to be right on ground that it was not fitted on: offset and factor of its log odds."""

    offset: float = 0.0
    factor: float = 1.0

    def __call__(self, probability: Floats) -> Floats:
        """Return tempered probabilities."""
        odds = np.exp(self.offset + self.factor * np.log(probability / (1 - probability)))
        tempered: Floats = odds / (1 + odds)
        return tempered


AS_FITTED: Final = Tempering()


def tempering_of(evidence: Evidence) -> Tempering:
    """Learn on blocks held out of the fit, a fifth at a time, how sure the curve may be.

    A curve that follows the luck of single detections parts slumps from other things better than its scores do, and holds a prior
    back where it should move: without tempering, counts at 0.4 of the calibration's density came out a tenth too high.
    """
    fold = evidence.detection_block % _FOLDS
    held_out = np.full(len(evidence.score), np.nan)
    for part in range(min(_FOLDS, evidence.blocks)):
        others = (fold != part).astype(np.float64)
        if 0 < (others * evidence.true).sum() < others.sum():
            sure = 1 / (others.sum() + 2)
            held_out[fold == part] = np.interp(evidence.score[fold == part], _GRID, np.clip(_curve(evidence, others), sure, 1 - sure))
    known = np.isfinite(held_out)
    if evidence.blocks < 2 or not 0 < evidence.true[known].sum() < known.sum():
        return AS_FITTED
    odds = np.log(held_out[known] / (1 - held_out[known]))[:, None]
    fitted = LogisticRegression(C=1e3).fit(odds, evidence.true[known])
    return Tempering(float(fitted.intercept_[0]), float(np.clip(fitted.coef_[0, 0], 0.0, 1.0)))


def learn(evidence: Evidence, times: Floats, tempering: Tempering | None = None) -> Performance | None:
    """Return the performance when every block counts `times` (blocks,); None where the blocks that count say nothing of it.

    They say nothing without a detection, without a slump, or when no slump was found. `tempering` None learns it here.
    """
    seen, asked = times[evidence.detection_block], times[evidence.truth_block]
    right = seen * evidence.true
    if not right.sum() or not (asked * evidence.found).sum():
        return None
    bent = tempering_of(evidence) if tempering is None else tempering
    overall = float((asked * evidence.found).sum() / asked.sum())
    area = asked * evidence.truth_m2
    # not even a curve that holds only right detections is certain: certainty could not be moved by a prior
    sure = float(1 / (seen.sum() + 2))
    return Performance(
        curve=bent(np.clip(_curve(evidence, seen), sure, 1 - sure)),
        precision=float(np.clip(right.sum() / seen.sum(), sure, 1 - sure)),
        recall=_recall_by_size(evidence, asked, overall),
        overall_recall=overall,
        area_recall=float((area * evidence.found).sum() / area.sum()),
        area_ratio=float((right * evidence.predicted_m2).sum() / (right * evidence.matched_m2).sum()),
    )


def shifted_precision(probability: Floats, prior: float, *, shifted: bool = True) -> tuple[Floats, float]:
    """Return the probabilities of detections on other ground and their mean, the precision there.

    The fixed point of the expectation-maximisation over the prior (Saerens et al. 2002): slumps may be denser or rarer there, as long as
    the scores of slumps and of other things are spread as before. `shifted=False` keeps the prior of the calibration, which is wrong
    wherever density differs.
    """
    if not probability.size or not shifted:
        return probability, float(probability.mean()) if probability.size else prior
    here = _likeliest_share(probability / prior, (1 - probability) / (1 - prior), prior)
    moved = moved_probability(probability, prior, here)
    return moved, float(moved.mean())


def crosstalk_at(evidence: Evidence, performance: Performance, times: Floats, here: float) -> tuple[float, float]:
    """Return by how much sums over detections exceed the slumps found and their true area, where the share of slumps is `here`.

    The sums are of probability over recall, and of probability x predicted area. Slumps and other things differ in size at equal score, so
    that probabilities alone would hand size from one to the other. Calibration ground is weighted to the share of slumps there.
    """
    weight = times[evidence.detection_block] * np.where(
        evidence.true, here / performance.precision, (1 - here) / (1 - performance.precision)
    )
    probability = moved_probability(performance.probability(evidence.score), performance.precision, here)
    over_recall = weight / performance.recall_at(evidence.predicted_m2)
    true_m2 = float((weight * evidence.true * evidence.matched_m2).sum())
    if not true_m2:
        return 1.0, performance.area_ratio
    count = float((over_recall * probability).sum() / (over_recall * evidence.true).sum())
    return count, float((weight * probability * evidence.predicted_m2).sum()) / true_m2


def moved_probability(probability: Floats, prior: float, here: float) -> Floats:
    """Return probabilities learned where the share of slumps was `prior` for ground where it is `here`, both between 0 and 1."""
    slump, other = here / prior * probability, (1 - here) / (1 - prior) * (1 - probability)
    moved: Floats = slump / (slump + other)
    return moved


def _likeliest_share(slump: Floats, other: Floats, otherwise: float) -> float:
    """Share w that maximises sum(log(w slump + (1 - w) other)), which is concave; `otherwise` where every share is as likely."""
    difference = slump - other
    if np.abs(difference).max() < _SETTLED:
        return otherwise
    low, high = _SETTLED, 1 - _SETTLED
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        rising = (difference / (other + middle * difference)).sum() > 0
        low, high = (middle, high) if rising else (low, middle)
    return (low + high) / 2


def _curve(evidence: Evidence, times: Floats) -> Floats:
    score, true, weight = evidence.score[times > 0], evidence.true[times > 0], times[times > 0]
    if true.all():
        return np.ones(len(_GRID))
    if len(evidence.score) >= ISOTONIC_FROM:
        return _monotone(score, true, weight)
    return np.asarray(LogisticRegression().fit(_logit(score), true, sample_weight=weight).predict_proba(_logit(_GRID))[:, 1], np.float64)


def _monotone(score: Floats, true: Mask, weight: Floats) -> Floats:
    """The likeliest curve that never falls; equal scores are one point of it."""
    points, place = np.unique(score, return_inverse=True)
    total = np.bincount(place, weights=weight)
    steps: Floats = isotonic_regression(np.bincount(place, weights=weight * true) / total, weights=total).x
    curve: Floats = np.interp(_GRID, points, steps)
    return curve


def _logit(score: Floats) -> Floats:
    inside = np.clip(score, 1e-3, 1 - 1e-3)
    return np.log(inside / (1 - inside))[:, None]


def _recall_by_size(evidence: Evidence, times: Floats, overall: float) -> Floats:
    """Own recall where a class has slumps enough, that of all thin classes together for those, and the overall one where even they are thin."""
    classes = np.digitize(evidence.truth_m2, SLUMP_SIZE_EDGES_M2)
    thick = np.bincount(classes, minlength=len(SLUMP_SIZE_EDGES_M2) + 1) >= TRUTHS_PER_BIN
    rest = ~thick[classes]
    recall = np.full(len(thick), _share(evidence.found, times, rest, overall) if rest.sum() >= TRUTHS_PER_BIN else overall)
    for place in np.flatnonzero(thick):
        recall[place] = _share(evidence.found, times, classes == place, overall)
    return recall


def _share(found: Mask, times: Floats, among: Mask, otherwise: float) -> float:
    """Share of the slumps found; `otherwise` where a draw of blocks holds none, or finds none."""
    total, hits = float(times[among].sum()), float((times * found)[among].sum())
    return hits / total if hits else otherwise
