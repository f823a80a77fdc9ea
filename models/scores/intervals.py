"""How sure a score is: bootstrap intervals that resample whole blocks, because neighbours are alike."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Statistic = Callable[[Floats], float]


@dataclass(frozen=True, slots=True)
class ScoreInterval:
    """A score with its interval; NaN ends where fewer than two blocks carry it."""

    value: float
    low: float
    high: float
    blocks: int


def ratio_of_sums(values: Floats) -> float:
    """Return sum of the first column over sum of the second; NaN for an empty second: recall, precision, area ratios."""
    whole = float(values[:, 1].sum())
    return float(values[:, 0].sum()) / whole if whole else float("nan")


def bootstrap(
    values: Floats,
    blocks: NDArray[np.int64],
    rng: np.random.Generator,
    *,
    statistic: Statistic = ratio_of_sums,
    level: float = 0.95,
    draws: int = 1000,
) -> ScoreInterval:
    """Return a statistic of `values` (rows, columns) and its percentile interval from resampling blocks with replacement.

    `blocks` names the spatial block of each row. Rows of one block are drawn together (cluster bootstrap, Davison & Hinkley
    1997, section 3.8): rows drawn one by one would make neighbours look like independent evidence.
    """
    value = statistic(values)
    names, block_of = np.unique(blocks, return_inverse=True)
    if len(names) < 2:
        return ScoreInterval(value, float("nan"), float("nan"), len(names))
    order = np.argsort(block_of, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(block_of))[:-1])
    drawn = [statistic(values[np.concatenate([members[block] for block in rng.integers(0, len(names), len(names))])]) for _ in range(draws)]
    low, high = np.nanquantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return ScoreInterval(value, float(low), float(high), len(names))


SumStatistic = Callable[[Floats], Floats]
"""Sums (draws, columns) to one figure per draw, (draws,); NaN where it is not defined."""


def ratio(sums: Floats) -> Floats:
    """First column over second: the vector form of `ratio_of_sums`."""
    whole = sums[..., 1]
    shares: Floats = np.divide(sums[..., 0], whole, out=np.full(whole.shape, np.nan), where=whole != 0)
    return shares


def bootstrap_of_sums(
    values: Floats,
    blocks: NDArray[np.int64],
    rng: np.random.Generator,
    *,
    statistic: SumStatistic = ratio,
    level: float = 0.95,
    draws: int = 1000,
) -> ScoreInterval:
    """Like `bootstrap`, for figures that depend on column sums alone: blocks are summed once, and all draws are one product.

    `values` (rows, columns) must be finite; NaN ends where fewer than two blocks carry the figure.
    """
    sums = np.asarray(values, np.float64)
    value = float(statistic(sums.sum(axis=0, keepdims=True))[0])
    names, block_of = np.unique(blocks, return_inverse=True)
    carrying = np.zeros((len(names), sums.shape[1]))
    np.add.at(carrying, block_of, sums)
    if len(names) < 2:
        return ScoreInterval(value, float("nan"), float("nan"), len(names))
    times = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), draws)
    drawn = statistic(times @ carrying)
    drawn = drawn[np.isfinite(drawn)]
    if not drawn.size:
        return ScoreInterval(value, float("nan"), float("nan"), len(names))
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return ScoreInterval(value, float(low), float(high), len(names))
