"""Kendall's distribution: how often chance alone puts so many pairs of years in one order."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]

TAIL = 0.025
"""What lies beyond each end of a 95 % interval."""
LEAST_YEARS = 4
"""With three years the range of all slopes holds the truth in two cases of three; nothing at 95 % can be said."""
WIDENED = 0.15
"""With four years even the whole range of slopes holds the truth in 92 % only (1 - 2/4!): it is widened at both ends by this share of
itself, which gives 95 % for normal, heavy-tailed and unequal errors alike (`benchmarks/change_truth.py`)."""


@lru_cache(maxsize=256)
def inversions(count: int) -> Floats:
    """Return the probability of 0, 1, 2, ... inverted pairs among `count` values in random order (Kendall 1975)."""
    chances = np.ones(1)
    for size in range(2, count + 1):
        chances = np.convolve(chances, np.full(size, 1.0 / size))
    return chances


def interval_rank(count: int) -> float:
    """Return the rank, from 0 and not whole, of the ordered pairwise slopes at which a 95 % interval of `count` years starts.

    Sen (1968) takes a whole rank, so that few years give 92 or 98 %, never 95. Between two ranks the logarithm of the tail is
    interpolated (in the manner of Nyblom 1992). -inf where even the smallest slope has too heavy a tail.
    """
    tails = np.cumsum(inversions(count))
    inner = int(np.searchsorted(tails, TAIL, side="right"))
    if inner == 0:
        return -np.inf
    outer, next_one = np.log(tails[inner - 1]), np.log(tails[inner])
    return float(inner - 1 + (np.log(TAIL) - outer) / (next_one - outer))


def mann_kendall_p(score: Floats, years: NDArray[np.int64], tie_term: Floats) -> Floats:
    """Return two-sided p-values of Kendall's score S (Mann 1945); arrays of equal length, NaN under `LEAST_YEARS`.

    `tie_term`: sum of t (t - 1) (2 t + 5) over groups of t equal values. Without ties the distribution is exact; with ties S is normal
    with its variance reduced, and drawn to 0 by 1, as S moves in steps.
    """
    found = np.full(len(score), np.nan)
    for count in np.unique(years[years >= LEAST_YEARS]).tolist():
        rows = years == count
        pairs = count * (count - 1) // 2
        tails = np.cumsum(inversions(count))
        exact = np.minimum(2 * tails[np.rint((pairs - np.abs(score[rows])) / 2).astype(int)], 1.0)
        variance = (count * (count - 1) * (2 * count + 5) - tie_term[rows]) / 18
        z = np.maximum(np.abs(score[rows]) - 1, 0) / np.sqrt(np.maximum(variance, 1e-12))
        found[rows] = np.where(tie_term[rows] > 0, np.minimum(2 * stats.norm.sf(z), 1.0), exact)
    return found
