"""How fast a series of areas goes up or down: Theil-Sen slope, its 95 % interval, and the Mann-Kendall test; many series at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.changes.ranks import LEAST_YEARS, WIDENED, interval_rank, mann_kendall_p

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
_ROWS_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class Trends:
    """One entry per series; slope, interval and p-value are NaN under `LEAST_YEARS`."""

    years: Indices
    """Values in the series."""
    first: Indices
    """Position of the first and the last value; -1 where there is none."""
    last: Indices
    slope: Floats
    low: Floats
    high: Floats
    p_value: Floats
    middle: Floats
    """Median of the values."""

    @property
    def direction(self) -> NDArray[np.object_]:
        """`growing` or `shrinking` where the interval excludes 0, else `no_trend`; `too_short` under `LEAST_YEARS`."""
        said = np.where(self.low > 0, "growing", np.where(self.high < 0, "shrinking", "no_trend")).astype(object)
        said[self.years < LEAST_YEARS] = "too_short"
        return said


def trends_of(times: Floats, values: Floats) -> Trends:
    """Return the trend of every row of `values` (series, times); NaN where there is no value. Times ascend, in years.

    Slope: median of the slopes of all pairs of values (Theil 1950, Sen 1968). Interval: the ranks of Kendall's exact distribution
    (`ranks.interval_rank`). It holds whatever the errors are, as long as they are as often up as down and the values of a series err
    independently of each other; an error that repeats every year changes no slope.
    """
    parts = [_trends_of(times, values[start : start + _ROWS_AT_ONCE]) for start in range(0, max(len(values), 1), _ROWS_AT_ONCE)]
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in Trends.__dataclass_fields__}
    return Trends(**joined)


def intercepts_of(times: Floats, values: Floats, slopes: Floats) -> Floats:
    """Return the value at time 0 of each series' line: the median of what its slope leaves; NaN without a slope."""
    found: Floats = np.full(len(values), np.nan)
    rows = ~np.isnan(slopes)
    found[rows] = np.nanmedian(values[rows] - slopes[rows, None] * times, axis=1)
    return found


def _trends_of(times: Floats, values: Floats) -> Trends:
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    earlier, later = np.triu_indices(len(times), 1)
    rise = values[:, later] - values[:, earlier]
    slopes = np.sort(rise / (times[later] - times[earlier]), axis=1)
    slope, low, high = _quantities(slopes, count)
    alike = ((values[:, :, None] == values[:, None, :]).sum(axis=2) * known).astype(np.float64)
    ties = np.where(known, (alike - 1) * (2 * alike + 5), 0.0).sum(axis=1)
    p_value = mann_kendall_p(np.nansum(np.sign(rise), axis=1), count, ties)
    first = np.where(count > 0, known.argmax(axis=1), -1)
    last = np.where(count > 0, known.shape[1] - 1 - known[:, ::-1].argmax(axis=1), -1)
    middle = np.full(len(values), np.nan)
    middle[count > 0] = np.nanmedian(values[count > 0], axis=1)
    return Trends(count, first, last, slope, low, high, p_value, middle)


def _quantities(slopes: Floats, count: Indices) -> tuple[Floats, Floats, Floats]:
    """Median and both ends of the interval from ordered slopes (series, pairs), NaN last."""
    slope, low, high = (np.full(len(count), np.nan) for _ in range(3))
    for years in np.unique(count[count >= LEAST_YEARS]).tolist():
        rows = np.flatnonzero(count == years)
        pairs = years * (years - 1) // 2
        ordered = slopes[rows, :pairs]
        slope[rows] = np.median(ordered, axis=1)
        rank = interval_rank(years)
        if np.isfinite(rank):
            low[rows], high[rows] = _at(ordered, rank), _at(ordered, pairs - 1 - rank)
        else:
            spread = WIDENED * (ordered[:, -1] - ordered[:, 0])
            low[rows], high[rows] = ordered[:, 0] - spread, ordered[:, -1] + spread
    return slope, low, high


def _at(ordered: Floats, rank: float) -> Floats:
    below = int(np.floor(rank))
    above = min(below + 1, ordered.shape[1] - 1)
    share = rank - below
    found: Floats = ordered[:, below] * (1 - share) + ordered[:, above] * share
    return found
