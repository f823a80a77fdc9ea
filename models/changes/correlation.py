"""How much the errors of one year's features go together: what a threshold, the light or a shift does to all of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.changes.settled import Areas
from models.changes.trends import intercepts_of, trends_of

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

DEFAULT = 0.1
"""Correlation of the errors of two features of one year where a region cannot tell."""
LEAST_FEATURES = 10
"""Features with a trend of their own from which a region can tell."""
LEAST_YEARS = 4


@dataclass(frozen=True, slots=True)
class YearErrors:
    """What the residuals of a region's features against their own trends say."""

    correlation: float
    """Of two features of the same year, 0 to 1."""
    estimated: bool
    """False where the stated default stands."""


def year_errors(times: Floats, areas: Areas, comparable: Mask) -> YearErrors:
    """Estimate the correlation from standardised residuals, features by years, as the random effect of the year.

    One-way analysis of variance with the year as group: r = (between - within) / (between + (n - 1) within), 0 at least. A trend fitted
    to each feature takes two of the years' degrees of freedom from both.
    """
    rows = np.flatnonzero(comparable.sum(axis=1) >= LEAST_YEARS)
    values = np.where(comparable[rows], areas.area_m2[rows], np.nan)
    if len(rows) < LEAST_FEATURES:
        return YearErrors(DEFAULT, estimated=False)
    slopes = trends_of(times, values).slope
    line = intercepts_of(times, values, slopes)[:, None] + slopes[:, None] * times
    residual = (values - line) / np.maximum(areas.sigma_m2[rows], 1.0)
    return _of_residuals(residual)


def _of_residuals(residual: Floats) -> YearErrors:
    counts = (~np.isnan(residual)).sum(axis=0)
    residual = residual[:, counts >= LEAST_FEATURES]
    counts = counts[counts >= LEAST_FEATURES]
    if len(counts) < LEAST_YEARS:
        return YearErrors(DEFAULT, estimated=False)
    # one wild outline must not speak for its year
    bounded = np.clip(residual, *(np.nanmedian(residual) + side * 4 * _scale(residual) for side in (-1, 1)))
    mean = np.nanmean(bounded, axis=0)
    free = len(counts) - 2
    between = float((counts * mean**2).sum()) / free
    within = float(np.nansum((bounded - mean) ** 2)) / ((counts.mean() - 1) * free)
    if between + within <= 0:
        return YearErrors(DEFAULT, estimated=False)
    n = float(counts.mean())
    return YearErrors(max((between - within) / (between + (n - 1) * within), 0.0), estimated=True)


def _scale(values: Floats) -> float:
    return float(1.4826 * np.nanmedian(np.abs(values - np.nanmedian(values))))


def joined(errors: Floats, correlation: float) -> float:
    """Return the error of a sum: sqrt((1 - r) sum s^2 + r (sum s)^2)."""
    return float(np.sqrt((1 - correlation) * np.square(errors).sum() + correlation * errors.sum() ** 2))
