"""Answers of a sample to an accuracy statement: what is right of what is listed, what is missed, and the area corrected for both."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from catalog.facts.errors import WrongCall
from catalog.facts.samples import REAL, Figure
from models.review.estimates import (
    Answers,
    Linear,
    Survey,
    none_found,
    rare_figure,
    share_figure,
    total_figure,
)
from models.review.sampling import stratum_order

Floats = NDArray[np.float64]
_LEAST: Final = 2
"""Answered cases that a stratum needs for a variance, unless they are all of it."""


@dataclass(frozen=True, slots=True)
class FeatureAnswer:
    """What a person said of a listed feature; areas in m2."""

    stratum: str
    verdict: str
    area_m2: float
    true_area_m2: float
    """0 where it is wrong; the listed area where the outline was found right."""
    shared_m2: float
    """Listed area that is true."""


@dataclass(frozen=True, slots=True)
class CellAnswer:
    """What a person found in a cell."""

    stratum: str
    missed: int
    missed_m2: float


@dataclass(frozen=True, slots=True)
class Population:
    """What the samples stand for."""

    features: Mapping[str, int]
    """Stratum -> listed features."""
    cells: Mapping[str, int]
    """Stratum -> cells."""
    area_m2: float
    """Listed."""


def figures_of(
    population: Population, features: Sequence[FeatureAnswer], cells: Sequence[CellAnswer]
) -> tuple[dict[str, Figure], tuple[str, ...]]:
    """Return every figure of the statement, and what a reader must know about the strata.

    Stratified estimators after Olofsson et al. 2014, areas by difference from the listed areas, which are known for all. Without a checked
    cell nothing can be said of what is missed, and those figures are left out. Raises WrongCall without a single answered feature.
    """
    if not features:
        raise WrongCall("No case of the sample is answered. Fill in the column `verdict` of the layer `features` first.")
    of_features, said = _answers([one.stratum for one in features], population.features)
    of_cells, more = _answers([one.stratum for one in cells], population.cells) if cells else (_nothing(), ())
    survey = Survey(of_features, of_cells)
    none_f, none_c = np.zeros(len(features)), np.zeros(len(cells))
    listed, area = (Linear(float(known), none_f, none_c) for known in (sum(population.features.values()), population.area_m2))
    real = Linear(0.0, np.array([float(one.verdict in REAL) for one in features]), none_c)
    true = Linear(population.area_m2, np.array([one.true_area_m2 - one.area_m2 for one in features]), none_c)
    shared = Linear(population.area_m2, np.array([one.shared_m2 - one.area_m2 for one in features]), none_c)
    figures = {
        "users_accuracy_count": share_figure(real, listed, survey),
        "users_accuracy_area": share_figure(shared, area, survey),
    }
    if not cells:
        figures["true_area_of_listed_m2"] = total_figure(true, survey)
        return figures, (*said, "no cell was checked: nothing is known of what the inventory misses")
    missed = Linear(0.0, none_f, np.array([float(one.missed) for one in cells]))
    missed_area = Linear(0.0, none_f, np.array([one.missed_m2 for one in cells]))
    figures |= {
        "producers_accuracy_count": share_figure(real, real + missed, survey),
        "producers_accuracy_area": share_figure(shared, true + missed_area, survey),
        "f1_count": share_figure(real.times(2), listed + real + missed, survey),
        "f1_area": share_figure(shared.times(2), area + true + missed_area, survey),
        "true_count": total_figure(real + missed, survey),
        "true_area_m2": total_figure(true + missed_area, survey),
        "missed_count": rare_figure(missed, survey),
        "missed_area_m2": rare_figure(missed_area, survey),
    }
    notes = (*said, *more)
    if not any(one.missed for one in cells):
        most = none_found(of_cells)
        figures["missed_count"] = Figure(0.0, 0.0, most, float("nan"))
        notes = (
            *notes,
            f"no miss in {len(cells)} cells: at most {most:.0f} features are missed (97.5 %); intervals of the figures that rest on misses are too narrow",
        )
    return figures, notes


def _nothing() -> Answers:
    return Answers(np.empty(0, np.int64), np.empty(0, np.float64))


def _answers(strata: Sequence[str], population: Mapping[str, int]) -> tuple[Answers, tuple[str, ...]]:
    """Number the strata; one with too few answers for a variance joins its neighbour in size, and the reader is told."""
    groups = [[name] for name in sorted(population, key=stratum_order)]
    answered, notes = Counter(strata), []
    while (thin := next((p for p, group in enumerate(groups) if len(groups) > 1 and _thin(group, answered, population)), None)) is not None:
        into = thin + 1 if thin + 1 < len(groups) and (thin == 0 or _kin(groups[thin], groups[thin + 1])) else thin - 1
        notes.append(f"stratum {' + '.join(groups[thin])} has too few answers and was joined to {' + '.join(groups[into])}")
        first, second = sorted((thin, into))
        groups[first : second + 1] = [groups[first] + groups[second]]
    place = {name: number for number, group in enumerate(groups) for name in group}
    sizes = np.array([sum(population[name] for name in group) for group in groups], np.float64)
    return Answers(np.array([place[name] for name in strata], np.int64), sizes), tuple(notes)


def _thin(group: Sequence[str], answered: Mapping[str, int], population: Mapping[str, int]) -> bool:
    have = sum(answered[name] for name in group)
    return have < _LEAST and have < sum(population[name] for name in group)


def _kin(group: Sequence[str], other: Sequence[str]) -> bool:
    return stratum_order(group[0])[0] == stratum_order(other[0])[0]
