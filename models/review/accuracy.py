"""Answers of a sample to an accuracy statement: what is right of what is listed, what is missed, and the area corrected for both."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
    median_m2: float
    """Of listed features."""


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
    survey, totals = Survey(of_features, of_cells), _totals(population, features, cells)
    listed, area, real, true, shared, missed, missed_area = totals
    figures = {"users_accuracy_count": share_figure(real, listed, survey), "users_accuracy_area": share_figure(shared, area, survey)}
    if not cells:
        figures["true_area_of_listed_m2"] = total_figure(true, survey)
        return figures, (*said, "no cell was checked: nothing is known of what the inventory misses")
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
    # a sample without a fault knows its total too well: what the share leaves open, the count does
    least = min(figures["true_count"].low, figures["users_accuracy_count"].low * sum(population.features.values()))
    figures["true_count"] = replace(figures["true_count"], low=least)
    notes = (*said, *more)
    most = none_found(of_cells)
    if not any(one.missed for one in cells) and most > 0:
        figures = _with_unseen_misses(figures, most, population)
        allowed = (
            f"up to {most:.0f} features may be missed (97.5 %); intervals allow for that many, as large as the median of what is listed"
        )
        notes = (*notes, f"no miss in {len(cells)} cells, so that {allowed}")
    return figures, notes


def _totals(population: Population, features: Sequence[FeatureAnswer], cells: Sequence[CellAnswer]) -> tuple[Linear, ...]:
    """Listed features and area; features that are real; true area, and shared with the listed, of those; missed features and area."""
    none_f, none_c = np.zeros(len(features)), np.zeros(len(cells))

    def of_features(known: float, each: Sequence[float]) -> Linear:
        return Linear(known, np.array(each, np.float64), none_c)

    return (
        Linear(float(sum(population.features.values())), none_f, none_c),
        Linear(population.area_m2, none_f, none_c),
        of_features(0.0, [float(one.verdict in REAL) for one in features]),
        of_features(population.area_m2, [one.true_area_m2 - one.area_m2 for one in features]),
        of_features(population.area_m2, [one.shared_m2 - one.area_m2 for one in features]),
        Linear(0.0, none_f, np.array([float(one.missed) for one in cells])),
        Linear(0.0, none_f, np.array([one.missed_m2 for one in cells])),
    )


def _with_unseen_misses(figures: Mapping[str, Figure], most: float, population: Population) -> dict[str, Figure]:
    """Open the intervals of what rests on misses for those that the sample was too small to meet."""
    area, listed = most * population.median_m2, sum(population.features.values())
    count, ground = figures["true_count"], figures["true_area_m2"]
    users = figures["users_accuracy_count"].low * listed
    lows = {
        "producers_accuracy_count": count.value / (count.value + most),
        "producers_accuracy_area": figures["producers_accuracy_area"].low * ground.value / (ground.value + area),
        "f1_count": 2 * users / (listed + users + most),
        "f1_area": figures["f1_area"].low * (population.area_m2 + ground.value) / (population.area_m2 + ground.value + area),
    }
    highs = {"true_count": count.high + most, "true_area_m2": ground.high + area, "missed_count": most, "missed_area_m2": area}
    opened = {name: replace(figures[name], low=low) for name, low in lows.items()}
    return {**figures, **opened, **{name: replace(figures[name], high=high) for name, high in highs.items()}}


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
