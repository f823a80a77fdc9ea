"""What differed in how two years were seen and mapped, and whether that alone forbids comparing them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.outlines.timeline import Circumstances, Timeline, YearFeatures

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

SEASON_DAYS = 45.0
"""Middle days of two years further apart than this lie in other parts of the melt season."""
STEP_SHARE = 0.03
"""Step of the typical feature, as share of its area and beyond the usual one, from which a region moved as one."""
STEP_TRACKS = 10
"""Features from which the typical one is known."""
STEP_AGREEMENT = 0.75
"""Share of the features that must have moved to the same side."""
STOPPING: Final = frozenset({"fewer_looks", "area_dip", "other_model", "other_season"})
"""Reasons that forbid a comparison by themselves."""
TOLD: Final = {"baseline": "other_baseline", "sensors": "other_sensors", "provider": "other_provider"}
"""Circumstances that are harmonised before anything is mapped: they are told, and stop a comparison only when the region moved as one."""


def differences(one: Circumstances, other: Circumstances) -> tuple[str, ...]:
    """Name what differs between two years; what is unknown in one of them does not."""
    named = [
        reason for name, reason in {**TOLD, "model": "other_model"}.items() if _differs(str(getattr(one, name)), str(getattr(other, name)))
    ]
    apart = abs(one.middle_day - other.middle_day) > SEASON_DAYS or _differs(one.season, other.season)
    return tuple(sorted([*named, *(["other_season"] if apart else [])]))


def others_of(timeline: Timeline, years: Sequence[YearFeatures]) -> Mapping[str, Mask]:
    """Return per reason which years of the timeline were not made as most years were (of equally many, as the latest).

    Another model or season counts by itself. Another baseline, other sensors or another provider count when the typical feature
    stepped with them, beyond its usual step: then ground and circumstance cannot be told apart (`steps_of`).
    """
    years = sorted(years, key=lambda features: features.year)
    known = {features.year: features.circumstances for features in years}
    found = {"other_model": _unlike(known, "model"), "other_season": _out_of_season(known)}
    for name, reason in TOLD.items():
        unlike = _unlike(known, name)
        if unlike:
            stepped = steps_of(timeline, known, name)
            values = {getattr(known[year], name) for pair in stepped for year in pair}
            found[reason] = {year for year in unlike if getattr(known[year], name) in values}
    return {reason: np.array([year in those for year in timeline.years], dtype=bool) for reason, those in found.items()}


def steps_of(timeline: Timeline, known: Mapping[int, Circumstances], name: str) -> list[tuple[int, int]]:
    """Return the pairs of neighbouring years between which a circumstance changed and the region moved as one."""
    shifts = {pair: _shift(timeline, *pair) for pair in pairwise(sorted(known))}
    usual = [float(np.median(shift)) for pair, shift in shifts.items() if shift.size and not _any_differs(known, pair)]
    expected = float(np.median(usual)) if usual else 0.0
    stepped = []
    for pair, shift in shifts.items():
        if _differs(*(str(getattr(known[year], name)) for year in pair)) and shift.size >= STEP_TRACKS:
            excess = shift - expected
            step = float(np.median(excess))
            if abs(step) > STEP_SHARE and float((np.sign(excess) == np.sign(step)).mean()) >= STEP_AGREEMENT:
                stepped.append(pair)
    return stepped


def _shift(timeline: Timeline, before: int, after: int) -> Floats:
    """Logarithm of the ratio of areas, one per feature that both years settle and outline."""
    one, other = timeline.years.index(before), timeline.years.index(after)
    both = (timeline.outlined & timeline.settled)[:, [one, other]].all(axis=1)
    logs: Floats = np.log(timeline.area_m2[both, other] / timeline.area_m2[both, one])
    return logs


def _any_differs(known: Mapping[int, Circumstances], pair: tuple[int, int]) -> bool:
    return bool(differences(known[pair[0]], known[pair[1]]))


def _differs(one: str, other: str) -> bool:
    return bool(one and other) and one != other


def _unlike(known: Mapping[int, Circumstances], name: str) -> set[int]:
    values = [str(getattr(each, name)) for each in known.values()]
    counts = Counter(value for value in values if value)
    usual = max((value for value in values[::-1] if value), key=lambda value: counts[value], default="")
    return {year for year, each in known.items() if _differs(str(getattr(each, name)), usual)}


def _out_of_season(known: Mapping[int, Circumstances]) -> set[int]:
    days = np.array([each.middle_day for each in known.values()], np.float64)
    usual = float(np.nanmedian(days)) if np.isfinite(days).any() else np.nan
    late = {year for year, each in known.items() if abs(each.middle_day - usual) > SEASON_DAYS}
    return late | _unlike(known, "season")
