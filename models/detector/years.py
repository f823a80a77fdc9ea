"""The slumps of a year beside those of the years before: the inventory's columns that one year alone cannot fill."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.detector.growth import BOUNDARY_SIGMA_M, Growth, growth_of
from models.detector.headwall import headwall_retreat_m
from models.detector.status import LEAST_OBSERVED, MEMORY_YEARS, History, YearOutlines, statuses
from models.outlines.geodesy import to_metres
from models.outlines.timeline import Observed

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MeasuredYear:
    """Named and measured slumps of one year; arrays of equal length."""

    named: YearOutlines
    area_m2: Floats
    perimeter_m: Floats
    observed_share: Floats
    """Years in which less than 0.8 of a slump was observed say nothing of its growth."""
    aspect_deg: Floats
    """NaN where unknown."""
    utm_epsg: Sequence[int]


def over_the_years(
    now: MeasuredYear, earlier: Sequence[MeasuredYear], observed: Observed, *, sigma_m: float = BOUNDARY_SIGMA_M
) -> dict[str, list[Any]]:
    """Return status, related_ids, growth_m2_per_year, growth_se_m2_per_year, growth_significant and headwall_retreat_m of a year's slumps.

    None where the years do not tell. `observed` is asked about years of `earlier`; years after `now` are left out, so that an inventory
    does not change when later ones are made.
    """
    before = sorted((year for year in earlier if year.named.year < now.named.year), key=lambda year: year.named.year)
    histories = {name: _history(name, [*before, now]) for name in now.named.ids}
    verdicts = statuses(
        now.named,
        [year.named for year in before],
        observed,
        {name: history for name, history in histories.items() if len(history.years) > 1},
        sigma_m=sigma_m,
    )
    found = [
        growth_of(history.years, history.area_m2, history.perimeter_m, boundary_sigma_m=sigma_m)
        for history in (histories[name] for name in now.named.ids)
    ]
    return {
        "status": [verdict.status for verdict in verdicts],
        "related_ids": [list(verdict.related_ids) for verdict in verdicts],
        **_growth_columns(found),
        "headwall_retreat_m": [_retreat(place, now, before) for place in range(len(now.named.ids))],
    }


def _growth_columns(found: Sequence[Growth]) -> dict[str, list[Any]]:
    told = [growth.years > 1 for growth in found]
    return {
        "growth_m2_per_year": [growth.m2_per_year if known else None for growth, known in zip(found, told, strict=True)],
        "growth_se_m2_per_year": [growth.se_m2_per_year if known else None for growth, known in zip(found, told, strict=True)],
        "growth_significant": [growth.significant if known else None for growth, known in zip(found, told, strict=True)],
    }


def _history(name: str, years: Sequence[MeasuredYear]) -> History:
    rows = [
        (year.named.year, year.area_m2[place], year.perimeter_m[place]) for year in years if (place := _observed_place(name, year)) >= 0
    ]
    numbers = np.array([row[1:] for row in rows], np.float64).reshape(-1, 2)
    return History(tuple(row[0] for row in rows), numbers[:, 0], numbers[:, 1])


def _observed_place(name: str, year: MeasuredYear) -> int:
    """Place of a slump in a year in which enough of it was observed; -1 where there is none."""
    place = year.named.ids.index(name) if name in year.named.ids else -1
    return place if place >= 0 and year.observed_share[place] >= LEAST_OBSERVED else -1


def _retreat(place: int, now: MeasuredYear, before: Sequence[MeasuredYear]) -> float | None:
    """Retreat since the latest remembered year in which the slump was observed; None where there is none."""
    if _observed_place(now.named.ids[place], now) < 0:
        return None
    for year in reversed(before):
        earlier = _observed_place(now.named.ids[place], year)
        if earlier >= 0 and now.named.year - year.named.year <= MEMORY_YEARS:
            shapes = np.array([now.named.outlines[place], year.named.outlines[earlier]], dtype=object)
            polygon, previous = to_metres(shapes, int(now.utm_epsg[place]))
            moved = headwall_retreat_m(polygon, previous, float(now.aspect_deg[place]))
            return None if np.isnan(moved) else moved
    return None
