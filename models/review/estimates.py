"""Totals and shares of a population from stratified samples, with intervals (Cochran 1977; Olofsson et al. 2014)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from catalog.facts.samples import Figure

Floats = NDArray[np.float64]
_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Answers:
    """Answered cases of one sample; arrays of equal length."""

    stratum: NDArray[np.int64]
    """Number of the stratum, from 0."""
    population: Floats
    """Of each stratum."""

    @property
    def counts(self) -> Floats:
        """Answered cases per stratum."""
        return np.bincount(self.stratum, minlength=len(self.population)).astype(np.float64)

    @property
    def weights(self) -> Floats:
        """Members of the population that each case stands for."""
        weights: Floats = self.population[self.stratum] / self.counts[self.stratum]
        return weights


@dataclass(frozen=True, slots=True)
class Survey:
    """Two samples drawn apart: listed features, and cells of ground."""

    features: Answers
    cells: Answers


@dataclass(frozen=True, slots=True)
class Linear:
    """A total: what is known, plus what each case adds for all that it stands for."""

    constant: float
    features: Floats
    cells: Floats

    def __add__(self, other: "Linear") -> "Linear":
        """Sum of two totals."""
        return Linear(self.constant + other.constant, self.features + other.features, self.cells + other.cells)

    def times(self, factor: float) -> "Linear":
        """Multiple of a total."""
        return Linear(self.constant * factor, self.features * factor, self.cells * factor)


def value_of(total: Linear, survey: Survey) -> float:
    """Return the estimate of a total."""
    return float(total.constant + survey.features.weights @ total.features + survey.cells.weights @ total.cells)


def variance_of(total: Linear, survey: Survey) -> tuple[float, float]:
    """Return variance and degrees of freedom (Satterthwaite 1946) of a total under stratified sampling without replacement."""
    parts = [_parts(values, answers) for values, answers in ((total.features, survey.features), (total.cells, survey.cells))]
    variance, freedom = (np.concatenate([part[side] for part in parts]) for side in (0, 1))
    whole = float(variance.sum())
    counted = (variance > 0) & (freedom > 0)
    pooled = float((variance[counted] ** 2 / freedom[counted]).sum())
    return whole, whole**2 / pooled if pooled > 0 else np.inf


def _parts(values: Floats, answers: Answers) -> tuple[Floats, Floats]:
    counts, strata = answers.counts, len(answers.population)
    mean = np.bincount(answers.stratum, values, strata) / np.maximum(counts, 1)
    away = values - mean[answers.stratum]
    spread = np.bincount(answers.stratum, away**2, strata) / np.maximum(counts - 1, 1)
    left = 1 - counts / np.maximum(answers.population, 1)
    variance: Floats = answers.population**2 * left * spread / np.maximum(counts, 1)
    return variance, _freedom(counts, spread, np.asarray(np.bincount(answers.stratum, away**4, strata), np.float64))


def _freedom(counts: Floats, spread: Floats, fourth: Floats) -> Floats:
    """Degrees of freedom of a variance whose own error comes from the fourth moment: a stratum with one large error among many
    cases knows its variance badly, whatever their number."""
    n = np.maximum(counts, 2)
    error = fourth / n - spread**2 * (n - 3) / (n - 1)
    heavy = np.divide(2 * n * spread**2, error, out=np.full(len(n), np.inf), where=error > 0)
    freedom: Floats = np.minimum(counts - 1, np.maximum(heavy, 1.0))
    return freedom


def total_figure(total: Linear, survey: Survey) -> Figure:
    """Return a total with a symmetric interval, never below 0."""
    value = value_of(total, survey)
    variance, freedom = variance_of(total, survey)
    error = float(np.sqrt(variance))
    reach = _quantile(freedom) * error
    return Figure(value, max(value - reach, 0.0), value + reach, error)


def rare_figure(total: Linear, survey: Survey) -> Figure:
    """Return the total of something that most cases have none of: interval on the log scale, for it is never negative.

    Where no case has any, the low end is 0 and the high end NaN: see `none_found`.
    """
    value = value_of(total, survey)
    variance, freedom = variance_of(total, survey)
    error = float(np.sqrt(variance))
    if value <= 0:
        return Figure(0.0, 0.0, float("nan"), float("nan"))
    factor = float(np.exp(_quantile(freedom) * error / value))
    return Figure(value, value / factor, value * factor, error)


def none_found(answers: Answers) -> float:
    """Return the most members that may have what no case had: the 97.5 % end of a Poisson count of 0 in the thinnest stratum.

    Hanley & Lippman-Hand 1983: 3.7 over the number of cases, as a share of the population.
    """
    counts = answers.counts
    open_strata = counts < answers.population
    if not open_strata.any():
        return 0.0
    return float(-np.log(0.025) * (answers.population / counts)[open_strata].max())


def share_figure(part: Linear, whole: Linear, survey: Survey) -> Figure:
    """Return a share of two totals, 0 to 1, with an interval on the logit scale (linearised variance, Cochran 1977 chapter 6).

    A share of which the sample shows no exception gets Wilson's interval for as many cases as the weights are worth (Kish 1965).
    """
    y = value_of(whole, survey)
    if y <= 0:
        return Figure(*(float("nan"),) * 4)
    # sums of weights round in their last digits: a share without exception is 1 to the bit
    value = round(min(max(value_of(part, survey) / y, 0.0), 1.0), 12)
    variance, freedom = variance_of((part + whole.times(-value)).times(1 / y), survey)
    error = float(np.sqrt(variance))
    if error == 0 or value in {0.0, 1.0}:
        return Figure(value, *_wilson(value, survey), error)
    reach = _quantile(freedom) * error / (value * (1 - value))
    logit = np.log(value / (1 - value))
    low, high = (float(1 / (1 + np.exp(-(logit + side * reach)))) for side in (-1, 1))
    return Figure(value, low, high, error)


def _quantile(freedom: float) -> float:
    return float(stats.t.ppf((1 + _LEVEL) / 2, freedom)) if np.isfinite(freedom) else float(stats.norm.ppf((1 + _LEVEL) / 2))


def _wilson(value: float, survey: Survey) -> tuple[float, float]:
    open_strata = survey.features.counts < survey.features.population
    if not open_strata.any():
        return value, value
    weights, z = survey.features.weights, float(stats.norm.ppf((1 + _LEVEL) / 2))
    worth = float(weights.sum() ** 2 / (weights**2).sum())
    middle, half = value + z**2 / (2 * worth), z * np.sqrt(value * (1 - value) / worth + z**2 / (4 * worth**2))
    return float((middle - half) / (1 + z**2 / worth)), float((middle + half) / (1 + z**2 / worth))
