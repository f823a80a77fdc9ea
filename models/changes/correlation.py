"""What the scatter of a region's features about their own trends says of their errors: how much varies, and how much goes together."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from catalog.facts.schemas import SIZE_CLASSES
from models.changes.ranks import LEAST_YEARS, TAIL
from models.changes.settled import Areas
from models.changes.trends import intercepts_of, trends_of
from models.outlines.interval import Z_95

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]

LASTING = 0.25
"""Correlation of the errors of two features that stay the same every year: no series shows it. On simulated worlds with known truth it
is 0.0 to 0.3 (`benchmarks/change_truth.py`)."""
UNKNOWN = 0.25
"""Correlation of the errors that come and go, where a region has too few features to tell."""
LEAST_FEATURES = 20
"""Features with a trend of their own from which a region, or a size class of it, can tell."""
LEAST_SHARE = 0.1
"""The share that varies is taken to be no less: below, the 10 m lattice itself makes areas repeat."""


@dataclass(frozen=True, slots=True)
class YearErrors:
    """What is known of a region's errors."""

    varying: Floats
    """Per feature: the part of its interval that comes and goes from year to year, 0 to 1; 1 where the region cannot tell."""
    correlation: float
    """Of that part, between two features of one year, 0 to 1."""
    of_totals: float
    """Correlation of whole errors between two features of one year: of what varies and what stays."""


def year_errors(times: Floats, areas: Areas, comparable: Mask) -> YearErrors:
    """Measure a region's errors on the residuals of its own features, those with a trend; features by years, `comparable` the cells used.

    An outline errs at the same shore every year: mixed pixels of a shore that did not move, a threshold, a hard shadow. That part cancels
    in a difference. What varies is measured: the 95th percentile of |residual| / sigma, over 1.96, per size class; a feature that truly
    leaps only makes it larger, and it is never taken above 1.
    """
    rows = np.flatnonzero(comparable.sum(axis=1) >= LEAST_YEARS)
    everywhere = np.ones(len(areas.area_m2))
    if len(rows) < LEAST_FEATURES:
        return YearErrors(everywhere, UNKNOWN, max(UNKNOWN, LASTING))
    residual = _residuals(times, np.where(comparable[rows], areas.area_m2[rows], np.nan), areas.sigma_m2[rows])
    size = _size_classes(areas.area_m2)
    pooled = _share(residual)
    varying = everywhere * pooled
    for number in np.unique(size[rows]).tolist():
        own = residual[size[rows] == number]
        varying[size == number] = _share(own) if len(own) >= LEAST_FEATURES else max(pooled, _share(own))
    correlation = _year_effect(residual)
    return YearErrors(varying, correlation, pooled**2 * correlation + (1 - pooled**2) * LASTING)


def joined(errors: Floats, correlation: float) -> float:
    """Return the error of a sum: sqrt((1 - r) sum s^2 + r (sum s)^2)."""
    return float(np.sqrt((1 - correlation) * np.square(errors).sum() + correlation * errors.sum() ** 2))


def _residuals(times: Floats, values: Floats, sigma: Floats) -> Floats:
    """Residuals against each row's own line in units of sigma, widened by what two fitted numbers take away."""
    slopes = trends_of(times, values).slope
    line = intercepts_of(times, values, slopes)[:, None] + slopes[:, None] * times
    count = (~np.isnan(values)).sum(axis=1, keepdims=True)
    widened: Floats = (values - line) / np.maximum(sigma, 1.0) * np.sqrt(count / (count - 2))
    return widened


def _share(residual: Floats) -> float:
    known = np.abs(residual[~np.isnan(residual)])
    return float(np.clip(np.quantile(known, 0.95) / Z_95, LEAST_SHARE, 1.0))


def _size_classes(area: Floats) -> Indices:
    middle = np.full(len(area), np.nan)
    some = (area > 0).any(axis=1)
    middle[some] = np.nanmedian(np.where(area > 0, area, np.nan)[some], axis=1)
    classes: Indices = np.searchsorted([upper for _, upper in SIZE_CLASSES], np.nan_to_num(middle), side="right")
    return classes


def _year_effect(residual: Floats) -> float:
    """One-way analysis of variance with the year as group: r = (between - within) / (between + (n - 1) within), 0 at least.

    The two numbers that each feature's line takes are taken from the years' degrees of freedom, too. A handful of years tells the
    effect of a year poorly: as in Student's t, it is widened by (t / 1.96)^2 of those degrees, so that intervals of sums hold 95 %.
    """
    counts = (~np.isnan(residual)).sum(axis=0)
    residual, counts = residual[:, counts >= LEAST_FEATURES], counts[counts >= LEAST_FEATURES]
    if len(counts) < LEAST_YEARS:
        return UNKNOWN
    # one wild outline must not speak for its year
    scale = 1.4826 * float(np.nanmedian(np.abs(residual - np.nanmedian(residual))))
    bounded = np.clip(residual, -4 * scale, 4 * scale)
    mean, number, free = np.nanmean(bounded, axis=0), float(counts.mean()), len(counts) - 2
    between = float((counts * mean**2).sum()) / free
    within = float(np.nansum((bounded - mean) ** 2)) / ((number - 1) * free)
    if between + within <= 0:
        return UNKNOWN
    estimate = (between - within) / (between + (number - 1) * within)
    return float(np.clip(estimate * (stats.t.ppf(1 - TAIL, free) / Z_95) ** 2, 0.0, 1.0))
