"""Average precision with intervals: whole blocks are drawn with replacement, both models at once where two are compared."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.scores.instances import Outcome, average_precisions, recalls
from models.scores.intervals import ScoreInterval, SumStatistic, bootstrap_of_sums, ratio
from models.scores.scorecard import SEED, Metric

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
LEVEL: Final = 0.9
"""Of every interval about slumps."""
DRAWS: Final = 300
"""Of average precision, which has to be reckoned anew for every draw; sums are drawn a thousand times."""


def slump_metric(names: tuple[str, str, str], values: Floats, blocks: Indices, statistic: SumStatistic = ratio) -> Metric:
    """One metric (group, name, unit) of rows with their blocks, with its 90 % interval."""
    found = bootstrap_of_sums(values, blocks, np.random.default_rng(SEED), statistic=statistic, level=LEVEL)
    return Metric(*names, found.value, found.low, found.high, found.blocks, len(values))


class BlockDraws:
    """The same draws of blocks for everything that is compared."""

    def __init__(self, count: int, draws: int = DRAWS) -> None:
        """Draw from `count` blocks, numbered from 0; blocks without a slump are drawn like any other."""
        self.blocks = count
        self._times = np.random.default_rng(SEED).multinomial(count, np.full(count, 1 / count), draws) if count > 1 else np.ones((0, 1))

    def precision(self, outcome: Outcome, found_blocks: Indices, truth_blocks: Indices) -> tuple[Floats, Floats]:
        """AP per threshold, (thresholds,), and of every draw, (draws, thresholds); blocks are those of all detections and truths."""
        drawn = [average_precisions(outcome, times[found_blocks], times[truth_blocks]) for times in self._times.astype(np.float64)]
        return average_precisions(outcome), np.array(drawn).reshape(-1, len(outcome.matched))

    def recall(self, outcome: Outcome, truth_blocks: Indices) -> ScoreInterval:
        """AR, the mean over all levels but the last, which is the lenient one, with its interval."""
        drawn = np.array([recalls(outcome, times[truth_blocks])[:-1].mean() for times in self._times.astype(np.float64)])
        return self.interval(float(recalls(outcome)[:-1].mean()), drawn)

    def interval(self, value: float, drawn: Floats) -> ScoreInterval:
        """Interval of a figure from its draws; NaN ends where fewer than two blocks carry it."""
        there = drawn[np.isfinite(drawn)]
        if not there.size:
            return ScoreInterval(value, float("nan"), float("nan"), self.blocks)
        low, high = np.quantile(there, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return ScoreInterval(value, float(low), float(high), self.blocks)


def metric_from(names: tuple[str, str, str], interval: ScoreInterval, count: int) -> Metric:
    """Name an interval."""
    return Metric(*names, interval.value, interval.low, interval.high, interval.blocks, count)


def joined(parts: Sequence[Indices]) -> Indices:
    """Blocks of all units in their order."""
    return np.concatenate([np.zeros(0, np.int64), *parts])
