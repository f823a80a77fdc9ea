"""What a slump of this year is to those of the years before: new, growing, stable, stabilized, merged, split, or not known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from models.detector.growth import BOUNDARY_SIGMA_M, SIGNIFICANT, growth_of
from models.outlines.overlaps import Overlaps, overlaps_of
from models.outlines.timeline import Observed

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]
Status = Literal["new", "growing", "stable", "stabilized", "merged", "split", "unknown"]

LEAST_SHARED: Final = 0.3
"""Shared ground, as share of the smaller outline, from which two outlines are of one slump.

Of 1554 outlines drawn twice or more, this links most pairs one to one; a buffer about them makes splits that are none.
"""
MEMORY_YEARS: Final = 3
"""Years that are looked back: a slump that was missed or hidden for two years is the same slump."""
LEAST_OBSERVED: Final = 0.8
"""Share of its ground that must have been observed before a slump can be called new."""
RECENT_YEARS: Final = 3
"""Observed years that tell whether a slump still grows."""


@dataclass(frozen=True, slots=True)
class YearOutlines:
    """Named slumps of one observed year; arrays of equal length."""

    year: int
    ids: tuple[str, ...]
    outlines: Geometries
    """EPSG:4326."""


@dataclass(frozen=True, slots=True)
class History:
    """One slump in the years in which it was outlined and observed, this year last; arrays of equal length."""

    years: tuple[int, ...]
    area_m2: Floats
    perimeter_m: Floats


@dataclass(frozen=True, slots=True)
class Verdict:
    """Status of a slump, and the slumps that it merged with or split from."""

    status: Status
    related_ids: tuple[str, ...] = ()


def statuses(
    now: YearOutlines,
    earlier: Sequence[YearOutlines],
    observed: Observed,
    histories: Mapping[str, History],
    *,
    sigma_m: float = BOUNDARY_SIGMA_M,
) -> tuple[Verdict, ...]:
    """Return the verdict on every slump of `now`, in its order; the order of slumps and of years does not matter.

    `earlier` are years with an inventory, `observed` tells which share of an outline was observed in one of them. What was not looked
    at before is not new. `histories` by ID say whether a slump grows (`phase_of`); one without a history is judged by ground alone.
    """
    before = sorted((year for year in earlier if year.year < now.year), key=lambda year: -year.year)
    links = {year.year: _links(now, year) for year in before}
    seen = _seen_before(now, before, observed)
    ground = [_ground_verdict(place, now, before, links) for place in range(len(now.ids))]
    verdicts = []
    for place, name in enumerate(now.ids):
        verdict = ground[place]
        if verdict is None and not any(place in linked for linked in links.values()):
            verdict = Verdict("new" if seen[place] else "unknown")
        elif verdict is None:
            verdict = Verdict("unknown")
        elif verdict.status == "stable" and name in histories:
            verdict = Verdict(phase_of(histories[name], sigma_m=sigma_m))
        verdicts.append(verdict)
    return tuple(verdicts)


def phase_of(history: History, *, sigma_m: float = BOUNDARY_SIGMA_M) -> Literal["growing", "stable", "stabilized"]:
    """Return what the areas of a slump tell: `stable` means that no growth can be told from noise.

    `stabilized`: it grew significantly before, and in the last three observed years significantly less and no longer significantly; or
    it shrinks significantly, as scars do when plants return. A candidate for the eye, as all that areas alone can say.
    """
    whole = growth_of(history.years, history.area_m2, history.perimeter_m, boundary_sigma_m=sigma_m)
    if len(history.years) > RECENT_YEARS:
        cut = len(history.years) - RECENT_YEARS
        past, recent = (
            growth_of(history.years[part], history.area_m2[part], history.perimeter_m[part], boundary_sigma_m=sigma_m)
            for part in (slice(0, cut + 1), slice(cut, None))
        )
        slowed = past.m2_per_year - recent.m2_per_year > SIGNIFICANT * np.hypot(past.se_m2_per_year, recent.se_m2_per_year)
        if past.significantly_growing and slowed and not recent.significantly_growing:
            return "stabilized"
        if recent.significantly_growing:
            return "growing"
    if whole.significant:
        return "growing" if whole.m2_per_year > 0 else "stabilized"
    return "stable"


def _links(now: YearOutlines, before: YearOutlines) -> dict[int, list[int]]:
    """Place in `now` -> places in `before` that are of the same slump."""
    pairs: Overlaps = overlaps_of(now.outlines, before.outlines)
    linked: dict[int, list[int]] = {}
    for place, other in zip(pairs.left[pairs.share >= LEAST_SHARED], pairs.right[pairs.share >= LEAST_SHARED], strict=True):
        linked.setdefault(int(place), []).append(int(other))
    return linked


def _seen_before(now: YearOutlines, before: Sequence[YearOutlines], observed: Observed) -> NDArray[np.bool_]:
    seen = np.zeros(len(now.ids), bool)
    for year in before:
        if now.year - year.year <= MEMORY_YEARS and len(now.ids):
            seen |= observed(year.year, now.outlines) >= LEAST_OBSERVED
    return seen


def _ground_verdict(
    place: int, now: YearOutlines, before: Sequence[YearOutlines], links: Mapping[int, Mapping[int, Sequence[int]]]
) -> Verdict | None:
    """Judge by the nearest remembered year that has a slump on this ground; None where there is none."""
    for year in before:
        parents = links[year.year].get(place, ())
        if now.year - year.year > MEMORY_YEARS or not parents:
            continue
        siblings = [other for other, theirs in links[year.year].items() if other != place and set(theirs) & set(parents)]
        names = {year.ids[parent] for parent in parents} | {now.ids[other] for other in siblings}
        related = tuple(sorted(names - {now.ids[place]}))
        if len(parents) > 1:
            return Verdict("unknown" if siblings else "merged", related)
        return Verdict("split", related) if siblings else Verdict("stable")
    return None
