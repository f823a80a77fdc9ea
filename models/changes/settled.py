"""What is known of every feature and year: areas with their errors, 0 where it was looked for and not there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.outlines.interval import Z_95
from models.outlines.timeline import Timeline, YearFeatures

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Areas:
    """Areas of features and years, shape (ids, years); NaN where too little was observed to say."""

    area_m2: Floats
    below_m2: Floats
    """Half-width of the 95 % interval below the area; 0 where absent."""
    above_m2: Floats

    @property
    def sigma_m2(self) -> Floats:
        """One standard deviation, both sides alike."""
        return (self.below_m2 + self.above_m2) / (2 * Z_95)


def settled_areas(timeline: Timeline) -> Areas:
    """Return the areas of a timeline where it is settled: an absent feature covers 0 m2, one that was not observed covers nobody knows what."""
    absent = timeline.settled & ~timeline.outlined

    def kept(values: Floats) -> Floats:
        return np.where(absent, 0.0, np.where(timeline.settled, values, np.nan))

    area = kept(timeline.area_m2)
    return Areas(area, kept(timeline.area_m2 - timeline.area_low_m2), kept(timeline.area_high_m2 - timeline.area_m2))


def listed_cells(timeline: Timeline, years: Sequence[YearFeatures]) -> Mask:
    """Return which features each year's inventory counts, shape (ids, years): outlined, and not below the minimum area."""
    return _cells(timeline, ((f, np.ones(len(f.ids), bool) if f.listed is None else f.listed) for f in years))


def drawn_cells(timeline: Timeline, years: Sequence[YearFeatures]) -> Mask:
    """Return which outlines a person drew, shape (ids, years)."""
    return _cells(timeline, [(features, features.drawn) for features in years if features.drawn is not None])


def _cells(timeline: Timeline, marked: Iterable[tuple[YearFeatures, Mask]]) -> Mask:
    row_of = {name: row for row, name in enumerate(timeline.ids)}
    cells = np.zeros(timeline.outlined.shape, bool)
    for features, chosen in marked:
        rows = np.array([row_of[name] for name in features.ids], np.int64)
        cells[rows[chosen], timeline.years.index(features.year)] = True
    return cells
