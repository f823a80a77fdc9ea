"""What is known of every feature and year: areas with their errors, 0 where it was looked for and not there."""

from collections.abc import Sequence
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
    row_of = {name: row for row, name in enumerate(timeline.ids)}
    listed = np.zeros(timeline.outlined.shape, bool)
    for features in years:
        rows = np.array([row_of[name] for name in features.ids], np.int64)
        counted = np.ones(len(rows), bool) if features.listed is None else features.listed
        listed[rows[counted], timeline.years.index(features.year)] = True
    return listed
