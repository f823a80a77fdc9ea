"""Area of all features of a region: per year, and between years on the ground that both observed."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.changes.correlation import YearErrors, joined
from models.changes.labels import label_of
from models.changes.settled import Areas, listed_cells
from models.outlines.interval import Z_95
from models.outlines.timeline import Timeline, YearFeatures

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

WHOLE_YEAR_SHARE = 0.5
"""Share of a year's features that a reason must hold for to be one against the year."""
LEAST_OBSERVED = 0.8
"""Below this share of the known ground a list is too short to be compared as it is."""


@dataclass(frozen=True, slots=True)
class Total:
    """What a year's inventory lists; columns of `change_schemas.TOTALS`."""

    year: int
    features: int
    features_partly_observed: int
    features_unobserved: int
    area_m2: float
    area_sigma_m2: float
    area_low_m2: float
    area_high_m2: float
    error_correlation: float
    observed_share: float
    comparable: bool
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TotalChange:
    """The recount of two years on what both settled; columns of `change_schemas.TOTAL_CHANGES`."""

    year_from: int
    year_to: int
    features: int
    area_from_m2: float
    area_to_m2: float
    change_m2: float
    change_low_m2: float
    change_high_m2: float
    listed_change_m2: float
    only_from_m2: float
    only_to_m2: float
    significant: bool
    comparable: bool
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class History:
    """Everything the sums of a region are taken from."""

    timeline: Timeline
    years: tuple[YearFeatures, ...]
    """Ascending."""
    areas: Areas
    listed: Mask
    reasons: NDArray[np.object_]
    """As `comparable.reasons_of` gives them."""
    errors: YearErrors


def history_of(
    timeline: Timeline, years: Sequence[YearFeatures], areas: Areas, reasons: NDArray[np.object_], errors: YearErrors
) -> History:
    """Gather what the sums of a region are taken from."""
    ordered = tuple(sorted(years, key=lambda features: features.year))
    return History(timeline, ordered, areas, listed_cells(timeline, ordered), reasons, errors)


def totals_of(history: History) -> tuple[Total, ...]:
    """Return one total per year with an inventory; what was not observed is counted and never taken as 0."""
    known = np.asarray(history.listed.any(axis=1), dtype=bool)
    return tuple(_total(history, features, known) for features in history.years)


def total_changes_of(history: History) -> tuple[TotalChange, ...]:
    """Recount neighbouring years, and the first against the last, over features that both settled; areas as the lists count them.

    The error of each year's sum is what varies from year to year, with the correlation of its features; what repeats cancels.
    """
    given = [features.year for features in history.years]
    ends = [(given[0], given[-1])] if len(given) > 2 else []
    return tuple(_change(history, *pair) for pair in [*pairwise(given), *ends])


def year_reasons(history: History, year: int) -> tuple[str, ...]:
    """Return the reasons that hold against most of what a year settled or outlined."""
    column = history.timeline.years.index(year)
    seen = history.timeline.settled[:, column] | history.timeline.outlined[:, column]
    held = [reason for joined in history.reasons[seen, column] for reason in joined.split(",") if reason]
    return tuple(sorted(reason for reason in set(held) if held.count(reason) >= WHOLE_YEAR_SHARE * seen.sum()))


def _total(history: History, features: YearFeatures, known: Mask) -> Total:
    timeline, column = history.timeline, history.timeline.years.index(features.year)
    listed = history.listed[:, column]
    area, low, high = (getattr(timeline, name)[listed, column] for name in ("area_m2", "area_low_m2", "area_high_m2"))
    correlation = history.errors.of_totals
    below, above = joined(area - low, correlation), joined(high - area, correlation)
    total = float(area.sum())
    share, outlined = timeline.observed_share[known, column], timeline.outlined[known, column]
    settled = timeline.settled[known, column]
    unobserved = ~settled & ~outlined & (share <= 0)
    observed = _observed_share(timeline, known, column)
    because = tuple(sorted([*year_reasons(history, features.year), *(["partly_observed"] if observed < LEAST_OBSERVED else [])]))
    return Total(
        year=features.year,
        features=int(listed.sum()),
        features_partly_observed=int((~settled & ~unobserved).sum()),
        features_unobserved=int(unobserved.sum()),
        area_m2=total,
        area_sigma_m2=joined((high - low) / (2 * Z_95), correlation),
        area_low_m2=max(total - below, 0.0),
        area_high_m2=total + above,
        error_correlation=correlation,
        observed_share=observed,
        comparable=not because,
        because=because,
    )


def _observed_share(timeline: Timeline, known: Mask, column: int) -> float:
    """Share of the ground of known features that the year observed, each weighed by its middle area."""
    if not known.any():
        return float("nan")
    weight = np.nanmedian(timeline.area_m2[known], axis=1)
    return float((timeline.observed_share[known, column] * weight).sum() / weight.sum())


def _change(history: History, year_from: int, year_to: int) -> TotalChange:
    timeline = history.timeline
    columns = [timeline.years.index(year) for year in (year_from, year_to)]
    both = timeline.settled[:, columns].all(axis=1)
    listed = [history.listed[:, column] for column in columns]
    sums = [float(timeline.area_m2[rows & both, column].sum()) for rows, column in zip(listed, columns, strict=True)]
    only = [float(timeline.area_m2[rows & ~both, column].sum()) for rows, column in zip(listed, columns, strict=True)]
    varying, correlation = history.errors.varying, history.errors.correlation
    below, above = (
        [joined((side[:, column] * varying)[rows & both], correlation) for rows, column in zip(listed, columns, strict=True)]
        for side in (history.areas.below_m2, history.areas.above_m2)
    )
    change = sums[1] - sums[0]
    low, high = change - float(np.hypot(above[0], below[1])), change + float(np.hypot(below[0], above[1]))
    known = {features.year: features.circumstances for features in history.years}
    reasons = tuple(",".join(year_reasons(history, year)) for year in (year_from, year_to))
    because, comparable = label_of(known, (year_from, year_to), (reasons[0], reasons[1]))
    return TotalChange(
        year_from=year_from,
        year_to=year_to,
        features=int((both & (listed[0] | listed[1])).sum()),
        area_from_m2=sums[0],
        area_to_m2=sums[1],
        change_m2=change,
        change_low_m2=low,
        change_high_m2=high,
        listed_change_m2=change + only[1] - only[0],
        only_from_m2=only[0],
        only_to_m2=only[1],
        significant=low > 0 or high < 0,
        comparable=comparable,
        because=because,
    )
