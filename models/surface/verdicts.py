"""From the reasons of all looks at a pixel to which looks make its value, and why it is unusable."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numba
import numpy as np
import numpy.typing as npt

from catalog.facts.causes import Cause
from catalog.facts.records import Scene
from catalog.facts.repeats import datatake_of

Codes = npt.NDArray[np.uint8]

CLEAR, FROZEN, SHADED = np.uint8(3), np.uint8(2), np.uint8(1)
"""Ranks of looks; the value of a pixel is the median of those of its best rank, so a snow look never mixes with a clear one."""
_RANK_OF_REASON: Final = np.zeros(256, dtype=np.uint8)
_RANK_OF_REASON[Cause.USABLE] = CLEAR
_RANK_OF_REASON[Cause.SNOW_OR_ICE] = FROZEN
_RANK_OF_REASON[Cause.TERRAIN_SHADOW] = SHADED
_TIE_ORDER: Final = (Cause.READ_FAILED, Cause.CLOUD, Cause.CLOUD_SHADOW, Cause.TERRAIN_SHADOW)
"""Which reason names a pixel when two are equally frequent: the one that a rerun may mend comes first."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the looks of a window amount to, at 20 m."""

    use: Codes
    """(date, y, x): 1 where the look belongs to the pixel's best rank, even if that is only snow or terrain shadow."""
    looks: Codes
    """(y, x): clear looks."""
    cause: Codes
    """(y, x): `Cause`."""
    day: npt.NDArray[np.uint16]
    """(y, x): median day of year of the clear looks; 0 where there is none."""


def once_per_datatake(reasons: Codes, scenes: Sequence[Scene]) -> None:
    """Blank, in place, what an earlier scene of the same datatake shows too: overlapping MGRS tiles are one look, not two."""
    for later, scene in enumerate(scenes):
        for earlier in range(later):
            if datatake_of(scenes[earlier]) == datatake_of(scene):
                reasons[later][reasons[earlier] != Cause.NO_SCENE] = Cause.NO_SCENE


def weigh(reasons: Codes, acquired: Sequence[datetime], failed: Codes) -> Verdict:
    """Turn reasons (date, y, x) into a verdict; `failed` (y, x) counts the scenes over a pixel that could not be read.

    Cause: usable with one clear look or more; else snow or ice when any look showed it; else the most frequent reason, ties
    in the order read failed, cloud, cloud shadow, terrain shadow; no scene only where nothing at all was looked at.
    """
    use = np.empty_like(reasons)
    shape = reasons.shape[1:]
    looks, cause = np.empty(shape, dtype=np.uint8), np.empty(shape, dtype=np.uint8)
    order = np.array(_TIE_ORDER, dtype=np.uint8)
    _weigh(reasons, failed, (_RANK_OF_REASON, order), use, looks, cause)
    return Verdict(use, looks, cause, _median_day(reasons, acquired, looks))


def coarsen(reasons: Codes, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]) -> Codes:
    """Return which looks (date, y, x) make the value of 60 m pixels, given the 20 m row and column of each one's first of 3 x 3.

    The best looks are those of which five of the nine parts or more are clear; where there are none, those with a clear part.
    """
    out = np.empty((reasons.shape[0], len(rows), len(columns)), dtype=np.uint8)
    _coarsen(reasons, _RANK_OF_REASON, rows, columns, out)
    return out


def _median_day(reasons: Codes, acquired: Sequence[datetime], looks: Codes) -> npt.NDArray[np.uint16]:
    if not acquired:
        return np.zeros(looks.shape, dtype=np.uint16)
    start = min(acquired).date()
    since = np.array([(instant.date() - start).days for instant in acquired], dtype=np.int64)
    if (np.diff(since) < 0).any():
        raise ValueError("Looks must be in the order of their dates.")
    of_year = [(start + timedelta(days=int(day))).timetuple().tm_yday for day in range(int(since.max()) + 1)]
    day = np.empty(looks.shape, dtype=np.uint16)
    _days(reasons, since, np.array(of_year, dtype=np.uint16), looks, day)
    return day


@numba.njit(nogil=True, cache=True)
def _weigh(reasons, failed, tables, use, looks, cause):  # type: ignore[no-untyped-def]
    ranks, order = tables
    dates, height, width = reasons.shape
    count = np.zeros(8, np.int64)
    for y in range(height):
        for x in range(width):
            count[:] = 0
            best = np.uint8(0)
            for date in range(dates):
                reason = reasons[date, y, x]
                count[reason] += 1
                best = max(best, ranks[reason])
            for date in range(dates):
                use[date, y, x] = np.uint8((best > 0) & (ranks[reasons[date, y, x]] == best))
            count[Cause_READ_FAILED] += failed[y, x]
            looks[y, x] = min(count[0], 255)
            cause[y, x] = _name(count, order)


Cause_READ_FAILED: Final = int(Cause.READ_FAILED)  # numba knows integers, not enumerations
Cause_SNOW: Final = int(Cause.SNOW_OR_ICE)
Cause_NO_SCENE: Final = int(Cause.NO_SCENE)


@numba.njit(nogil=True, cache=True)
def _name(count, order):  # type: ignore[no-untyped-def]
    if count[0] > 0:
        return np.uint8(0)
    if count[Cause_SNOW] > 0:
        return np.uint8(Cause_SNOW)
    most, name = 0, np.uint8(Cause_NO_SCENE)
    for reason in order:
        if count[reason] > most:
            most, name = count[reason], reason
    return name


@numba.njit(nogil=True, cache=True)
def _coarsen(reasons, ranks, rows, columns, out):  # type: ignore[no-untyped-def]
    dates = reasons.shape[0]
    score = np.zeros(dates, np.uint8)
    tally = np.zeros(4, np.int64)
    for i in range(rows.shape[0]):
        for j in range(columns.shape[0]):
            best = np.uint8(0)
            for date in range(dates):
                tally[:] = 0
                for y in range(rows[i], rows[i] + 3):
                    for x in range(columns[j], columns[j] + 3):
                        tally[ranks[reasons[date, y, x]]] += 1
                score[date] = _score(tally)
                best = max(best, score[date])
            for date in range(dates):
                out[date, i, j] = np.uint8((best > 0) & (score[date] == best))


@numba.njit(nogil=True, cache=True)
def _score(tally):  # type: ignore[no-untyped-def]
    """Rank of the middle one of nine parts first, then the best part's rank."""
    middle, top, above = 0, 0, 0
    for rank in (3, 2, 1):
        if tally[rank] > 0:
            top = max(top, rank)
        above += tally[rank]
        if above >= 5:
            middle = max(middle, rank)
    return np.uint8(4 * middle + top)


@numba.njit(nogil=True, cache=True)
def _days(reasons, since, of_year, looks, day):  # type: ignore[no-untyped-def]
    """Median of days counted from the first date, then as day of year, so that a season across New Year has one."""
    dates, height, width = reasons.shape
    for y in range(height):
        for x in range(width):
            clear = np.int64(looks[y, x])
            if clear == 0:
                day[y, x] = 0
                continue
            seen, low, high = 0, np.int64(0), np.int64(0)
            for date in range(dates):
                if reasons[date, y, x] == 0:
                    if seen == (clear - 1) // 2:
                        low = since[date]
                    if seen == clear // 2:
                        high = since[date]
                    seen += 1
            day[y, x] = of_year[(low + high) // 2]
