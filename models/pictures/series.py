"""A region's tracks as numbers to plot: what was seen stays apart from what was not looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

LARGEST: Final = 5
"""Features that get a line of their own."""
NEARLY_ALL: Final = 0.05
"""Share of the total that may be unseen or not comparable before a year counts as incomplete."""
_SEEN: Final = frozenset({"present", "partly_observed"})


@dataclass(frozen=True, slots=True)
class TrackYear:
    """One row of `tracks`: a feature in a year; areas in m2, None where there is none."""

    feature_id: str
    year: int
    state: str
    area_m2: float | None
    area_low_m2: float | None
    area_high_m2: float | None
    observed_share: float
    comparable: bool = True


@dataclass(frozen=True, slots=True)
class EventMark:
    """One row of `events`, as far as a plot shows it."""

    event: str
    year_from: int
    year_to: int
    features: tuple[str, ...]
    """Parents and children."""


@dataclass(frozen=True, slots=True)
class Line:
    """Values along consecutive years; NaN is a gap, never a zero."""

    name: str
    years: NDArray[np.int64]
    middle: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    comparable: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class RegionSeries:
    """A whole region through the years; every array has one entry per consecutive year."""

    years: NDArray[np.int64]
    total: Line
    """Area of the features seen, km2; NaN in a year in which none of them was looked at. Comparable where nearly all was seen."""
    unseen_km2: NDArray[np.float64]
    """What the total may lack: the last known area of features not looked at, and what others lost that were seen in part."""
    counts: NDArray[np.float64]
    """Features present; NaN in an unobserved year."""
    unseen_counts: NDArray[np.int64]
    """Features known before that were not looked at."""
    observed_share: NDArray[np.float64]
    """Mean observed share of all footprints, weighted by area, 0 to 1."""
    largest: tuple[Line, ...]
    """The largest features by their largest area ever, km2, largest first."""
    events: tuple[EventMark, ...]


def prepare(rows: Sequence[TrackYear], events: Sequence[EventMark]) -> RegionSeries:
    """Sum the tracks of a region over consecutive years; a year without rows is an unobserved year."""
    seen_years = sorted({row.year for row in rows})
    years = np.arange(seen_years[0], seen_years[-1] + 1) if seen_years else np.arange(0)
    tables = _by_feature(rows, years)
    order = sorted(tables, key=lambda name: (-np.nan_to_num(tables[name].middle).max(initial=0.0), name))
    grid = [tables[name] for name in order]
    return RegionSeries(
        years,
        _total(grid, years),
        _sum([table.shortfall() for table in grid], years),
        np.where(_looked_at(grid, years), _sum([table.present.astype(float) for table in grid], years), np.nan),
        _sum([table.unseen().astype(float) for table in grid], years).astype(np.int64),
        _observed(grid, years),
        tuple(Line(name, years, *table.areas(), table.comparable) for name, table in zip(order, grid, strict=True))[:LARGEST],
        tuple(sorted(events, key=lambda mark: (mark.year_from, mark.year_to, mark.event, mark.features))),
    )


def pieces(line: Line, usable: NDArray[np.bool_] | None = None) -> list[slice]:
    """Runs of consecutive (usable) years with a value: what may be joined by a line."""
    finite = np.isfinite(line.middle)
    known = np.flatnonzero(finite if usable is None else finite & usable)
    if len(known) == 0:
        return []
    breaks = [0, *(n + 1 for n, (a, b) in enumerate(pairwise(known)) if b != a + 1), len(known)]
    return [slice(int(known[a]), int(known[b - 1]) + 1) for a, b in pairwise(breaks)]


@dataclass(frozen=True, slots=True)
class _Feature:
    """One feature on the consecutive years; areas in m2."""

    middle: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    share: NDArray[np.float64]
    present: NDArray[np.bool_]
    absent: NDArray[np.bool_]
    comparable: NDArray[np.bool_]

    def areas(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Area, lower and upper bound in km2."""
        return self.middle / 1e6, self.low / 1e6, self.high / 1e6

    def unseen(self) -> NDArray[np.bool_]:
        """Years in which it could still be there, but nobody looked: not present, and not known to be absent."""
        state = np.zeros(len(self.present), bool)
        gone = False
        for n, (present, absent) in enumerate(zip(self.present, self.absent, strict=True)):
            gone = absent or (gone and not present)
            state[n] = not (present or gone)
        return state & np.logical_or.accumulate(self.present)

    def doubtful(self) -> NDArray[np.bool_]:
        """Years in which it was seen, but not as well as in others."""
        return self.present & ~self.comparable

    def shortfall(self) -> NDArray[np.float64]:
        """Area in km2 that may be there beside what was measured, by the last year in which the feature was well seen."""
        well_seen = self.present & self.comparable
        years = np.where(well_seen, np.arange(len(self.middle)), -1)
        last = np.maximum.accumulate(years) if len(years) else years
        known = np.where(last >= 0, self.middle[np.maximum(last, 0)], np.fmax.accumulate(self.middle)) / 1e6
        missing = np.where(self.doubtful(), known - self.middle / 1e6, known)
        return np.where(self.unseen() | self.doubtful(), np.nan_to_num(np.maximum(missing, 0.0)), 0.0)


def _by_feature(rows: Sequence[TrackYear], years: NDArray[np.int64]) -> dict[str, _Feature]:
    groups: dict[str, list[TrackYear]] = {}
    for row in rows:
        groups.setdefault(row.feature_id, []).append(row)
    return {name: _feature(group, years) for name, group in groups.items()}


def _feature(rows: Sequence[TrackYear], years: NDArray[np.int64]) -> _Feature:
    at = {row.year: row for row in rows}
    found = [at.get(int(year)) for year in years]

    def areas(name: str) -> NDArray[np.float64]:
        # an area only counts where the feature was seen: an absent or unobserved year has none, not zero
        values = [getattr(row, name) if row is not None and row.state in _SEEN else None for row in found]
        return np.array([np.nan if value is None else value for value in values], np.float64)

    middle = areas("area_m2")
    return _Feature(
        middle,
        areas("area_low_m2"),
        areas("area_high_m2"),
        np.array([row.observed_share if row is not None else 0.0 for row in found]),
        np.isfinite(middle),
        np.array([row is not None and row.state == "absent" for row in found], bool),
        np.array([row is None or row.comparable for row in found], bool),
    )


def _sum(parts: Sequence[NDArray[np.float64]], years: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.sum(parts, axis=0) if parts else np.zeros(len(years))


def _looked_at(grid: Sequence[_Feature], years: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Years in which at least one feature was seen present or absent."""
    return _sum([(table.present | table.absent).astype(float) for table in grid], years) > 0


def _total(grid: Sequence[_Feature], years: NDArray[np.int64]) -> Line:
    """Sum of areas; the half-widths of the features add in quadrature, as independent errors do."""
    looked_at = _looked_at(grid, years)
    zero = [np.zeros(len(years))]
    middle = np.where(looked_at, np.sum([np.nan_to_num(t.middle) for t in grid] or zero, axis=0), np.nan) / 1e6
    below = np.sqrt(np.sum([np.nan_to_num(t.middle - t.low) ** 2 for t in grid] or zero, axis=0)) / 1e6
    above = np.sqrt(np.sum([np.nan_to_num(t.high - t.middle) ** 2 for t in grid] or zero, axis=0)) / 1e6
    lacking = _sum([table.shortfall() + np.where(table.doubtful(), table.middle / 1e6, 0.0) for table in grid], years)
    return Line("total", years, middle, middle - below, middle + above, lacking <= NEARLY_ALL * np.nan_to_num(middle))


def _observed(grid: Sequence[_Feature], years: NDArray[np.int64]) -> NDArray[np.float64]:
    weights = np.array([np.nan_to_num(table.middle).max(initial=0.0) for table in grid])
    if weights.sum() == 0:
        return np.zeros(len(years))
    shares = (weights[:, None] * np.array([table.share for table in grid])).sum(0) / weights.sum()
    # rounding of two sums can lift what was seen wholly above one
    return np.asarray(np.minimum(shares, 1.0))
