"""How many slumps a region-year holds, with a range: from what a detector found, and from what it finds wrongly and misses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from catalog.facts.detector_cards import Calibration
from models.detector.precision import (
    Evidence,
    Performance,
    Tempering,
    crosstalk_at,
    evidence_of,
    learn,
    moved_probability,
    shifted_precision,
    tempering_of,
)

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

COUNTING_RULE: Final = (
    "One slump is one detection merged over all windows, of at least the minimum area and of score 0.3 or more, with its centre on "
    "observed ground. Each counts as the probability that it is a slump (calibrated on held-out ground, moved to the density found "
    "here) over the recall of its size. Low and high end a 90 % interval from 200 draws of calibration ground, of which detections are "
    "slumps, and of how many were missed. Unobserved ground adds nothing."
)
PLAIN_RULE: Final = (
    "One slump is one detection merged over all windows, of at least the minimum area and of the score from which the inventory lists it. "
    "Nothing is known of precision and recall, so there is no range. Unobserved ground adds nothing."
)
LEAST_BLOCKS: Final = 2
"""Pieces of calibration ground from which it can be told how much ground differs."""
_ENDS: Final = (0.05, 0.95)
_UNSEEN: Final = 0.5
"""Half a slump more among those found, before the misses are drawn: finding none does not prove that there is none (Jeffreys' prior)."""


@dataclass(frozen=True, slots=True)
class CountingRule:
    """What counts, and how hard the range is worked for."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}
    least_score: float = 0.3
    listed_score: float = 0.5
    """What is counted from where there is no calibration: the card's `threshold`."""
    minimum_area_m2: float = 400.0
    draws: int = 200
    prior_shift: bool = True
    """Move the precision to the density found; without it counts are wrong wherever slumps are denser or rarer than in the calibration."""


@dataclass(frozen=True, slots=True)
class CountRange:
    """What observed ground holds; NaN where it is not known."""

    count: float
    count_low: float
    count_high: float
    area_m2: float
    area_low_m2: float
    area_high_m2: float
    observed_km2: float
    detector_precision: float
    """Share of the detections from the least score on that are slumps, on this ground."""
    detector_recall: float
    detections: int
    range_missing_because: str = ""

    def per_100_km2(self) -> tuple[float, float, float]:
        """Return slumps per 100 km2 of observed ground with the ends of its interval."""
        factor = 100 / self.observed_km2 if self.observed_km2 > 0 else float("nan")
        return self.count * factor, self.count_low * factor, self.count_high * factor


@dataclass(frozen=True, slots=True)
class Represented:
    """How many slumps, and how much area of them, every detection stands for."""

    count: Floats
    """(detections,), 0 for those that do not count."""
    area_m2: Floats
    drawn_count: Floats
    """(draws, detections); no draws where no range can be told."""
    drawn_area_m2: Floats
    drawn_recall: Floats
    """(draws,)."""
    missed_m2: float
    """Mean area of the slumps that the calibration missed."""
    counted: NDArray[np.bool_]
    precision: float
    recall: float
    missing_because: str
    seed: int


def region_count(
    scores: Floats, areas_m2: Floats, calibration: Calibration, observed_km2: float, *, seed: int = 0, rule: CountingRule | None = None
) -> CountRange:
    """Return the number and area of slumps on the observed ground of a region-year, with 90 % intervals.

    `scores` and `areas_m2` (n,) are of merged detections, those below the listing threshold too (down to `rule.least_score`). The order
    of detections does not matter. Without a usable calibration the range is NaN and `range_missing_because` says why.
    """
    return total(represent(scores, areas_m2, calibration, seed=seed, rule=rule), observed_km2)


def represent(
    scores: Floats, areas_m2: Floats, calibration: Calibration, *, seed: int = 0, rule: CountingRule | None = None
) -> Represented:
    """Return what every detection (n,) stands for; sums over any ground are counts of that ground, and add up."""
    rule = rule or CountingRule()
    evidence = evidence_of(calibration, rule.least_score, rule.minimum_area_m2)
    tempering, every = tempering_of(evidence), np.ones(evidence.blocks)
    usual = learn(evidence, every, tempering)
    reason = _why_not(calibration, evidence, usual)
    if usual is None:
        return _plain(scores, areas_m2, rule, reason)
    counted = (scores >= rule.least_score) & (areas_m2 >= rule.minimum_area_m2)
    # ties of score and area are the same number to every sum
    order = np.flatnonzero(counted)[np.lexsort((areas_m2[counted], scores[counted]))]
    score, area = scores[order], areas_m2[order]
    found, precision = shifted_precision(usual.probability(score), usual.precision, shifted=rule.prior_shift)
    count, whole = np.zeros(len(scores)), np.zeros(len(scores))
    too_many, too_large = crosstalk_at(evidence, usual, every, precision)
    count[order] = found / usual.recall_at(area) / too_many
    whole[order] = found * area / (usual.area_recall * too_large)
    drawn = [] if reason else _draws((evidence, tempering), (score, area), rule, np.random.default_rng((seed, 0)))
    reason = reason or _why_no_draws(len(drawn), rule.draws)
    drawn = [] if reason else drawn
    tables = np.zeros((2, len(drawn), len(scores)))
    for row, (counts, areas, _) in enumerate(drawn):
        tables[:, row, order] = counts, areas
    recall = np.array([performance.overall_recall for *_, performance in drawn])
    return Represented(
        count, whole, tables[0], tables[1], recall, _missed_m2(evidence), counted, precision, usual.overall_recall, reason, seed
    )


def total(represented: Represented, observed_km2: float, members: Sequence[int] | Indices | None = None, *, number: int = 0) -> CountRange:
    """Sum what detections stand for over one ground; `members` are the places of those on it, `number` tells apart the grounds of a region.

    Ground without any observation or detection holds an unknown number, not none.
    """
    chosen = np.arange(len(represented.count)) if members is None else np.asarray(members, np.int64)
    figures = represented.precision, represented.recall, int(represented.counted[chosen].sum())
    unknown = float("nan")
    if observed_km2 <= 0 and not figures[2]:
        return CountRange(*(unknown,) * 6, 0.0, *figures, "no ground was observed")
    count, area = float(represented.count[chosen].sum()), float(represented.area_m2[chosen].sum())
    if represented.missing_because:
        return CountRange(count, unknown, unknown, area, unknown, unknown, observed_km2, *figures, represented.missing_because)
    unseen = np.random.default_rng((represented.seed, 1, number)).negative_binomial(_UNSEEN, represented.drawn_recall)
    counts = np.quantile(represented.drawn_count[:, chosen].sum(axis=1) + unseen, _ENDS, method="weibull")
    areas = np.quantile(represented.drawn_area_m2[:, chosen].sum(axis=1) + unseen * represented.missed_m2, _ENDS, method="weibull")
    low, high = float(min(counts[0], count)), float(max(counts[1], count))
    return CountRange(count, low, high, area, float(min(areas[0], area)), float(max(areas[1], area)), observed_km2, *figures)


def count_row(found: CountRange, rule: CountingRule, place: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of `slump_schemas.SLUMP_COUNTS`; `place` gives region, year, observed_share, model, and h3 for a cell."""
    density = dict(zip(("per_100_km2", "per_100_km2_low", "per_100_km2_high"), found.per_100_km2(), strict=True))
    names = ("count", "count_low", "count_high", "area_m2", "area_low_m2", "area_high_m2", "detector_precision", "detector_recall")
    numbers = {name: getattr(found, name) for name in names} | density
    known = {name: None if np.isnan(value) else value for name, value in numbers.items()}
    words = PLAIN_RULE if np.isnan(found.detector_recall) else COUNTING_RULE
    return {
        **place,
        **known,
        "counting_rule": words,
        "minimum_area_m2": rule.minimum_area_m2,
        "observed_km2": found.observed_km2,
        "detections": found.detections,
        "range_missing_because": found.range_missing_because or None,
    }


def _why_not(calibration: Calibration, evidence: Evidence, usual: Performance | None) -> str:
    if not calibration.truth_m2 and not calibration.score:
        return "the model has no calibration"
    if usual is None:
        return "the model found no slump on its calibration ground"
    if evidence.blocks < LEAST_BLOCKS:
        return "the model was calibrated on one piece of ground only"
    return ""


def _why_no_draws(drawn: int, wanted: int) -> str:
    return "" if drawn > wanted / 2 else "most draws of the calibration ground hold no slump that was found"


def _plain(scores: Floats, areas_m2: Floats, rule: CountingRule, reason: str) -> Represented:
    listed = (scores >= rule.listed_score) & (areas_m2 >= rule.minimum_area_m2)
    none, unknown = np.zeros((0, len(scores))), float("nan")
    count = listed.astype(np.float64)
    return Represented(count, listed * areas_m2, none, none, np.empty(0), 0.0, listed, unknown, unknown, reason, 0)


def _draws(
    known: tuple[Evidence, Tempering], detections: tuple[Floats, Floats], rule: CountingRule, rng: np.random.Generator
) -> list[tuple[Floats, Floats, Performance]]:
    """Return what every detection stands for in each draw that can be learned from: slumps, area in m2, and the performance drawn."""
    (evidence, tempering), (score, area) = known, detections
    drawn = []
    for _ in range(rule.draws):
        times = rng.multinomial(evidence.blocks, np.full(evidence.blocks, 1 / evidence.blocks)).astype(np.float64)
        performance = learn(evidence, times, tempering)
        again = rng.integers(len(score), size=len(score)) if len(score) else np.empty(0, np.int64)
        coin = rng.random(len(score))
        if performance is None:
            continue
        probability = performance.probability(score)
        # detections drawn again tell how well the precision here is known; which of those that are there are slumps, the coin
        here = shifted_precision(probability[again], performance.precision)[1]
        moved = moved_probability(probability, performance.precision, here) if rule.prior_shift else probability
        right = coin < moved
        recall = performance.recall_at(area)
        missed = np.where(right, rng.negative_binomial(1, recall), 0)
        too_many, too_large = crosstalk_at(evidence, performance, times, here if rule.prior_shift else performance.precision)
        sizes = (right + missed * _size_missed(performance, recall)) * area / too_large
        drawn.append(((right + missed) / too_many, sizes, performance))
    return drawn


def _size_missed(performance: Performance, recall: Floats) -> Floats:
    """Area of a missed slump over that of the one found beside it: the missed ones are smaller, and so area is missed less than number."""
    wanted = (1 - performance.area_recall) / performance.area_recall
    mean = (1 - recall) / recall
    return np.divide(wanted, mean, out=np.zeros_like(recall), where=mean > 0)


def _missed_m2(evidence: Evidence) -> float:
    missed = evidence.truth_m2[~evidence.found]
    return float(missed.mean()) if missed.size else 0.0
