"""Change of each feature between two settled years, against the errors of both."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from models.changes.settled import Areas
from models.outlines.interval import Z_95

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Consecutive settled years of features, ordered by feature and year; arrays of equal length."""

    row: Indices
    """Row of the feature in the timeline."""
    before: Indices
    """Column of the earlier year."""
    after: Indices
    area_from_m2: Floats
    area_to_m2: Floats
    low_m2: Floats
    """Ends of the 95 % interval of the change."""
    high_m2: Floats
    p_value: Floats

    @property
    def change_m2(self) -> Floats:
        """Later area less earlier area."""
        return self.area_to_m2 - self.area_from_m2

    @property
    def significant(self) -> Mask:
        """True where the interval excludes 0."""
        return (self.low_m2 > 0) | (self.high_m2 < 0)


def pairs_of(areas: Areas, varying: Floats) -> Pairs:
    """Pair each settled year of a feature with its next one; years between them say nothing. Absent twice in a row is no pair.

    The errors of both years are joined in quadrature, each on the side that matters: a gain is doubted by what the first outline may
    lack and the second have too much. Of both, the share that varies from year to year counts, `varying`, one per feature
    (`correlation.YearErrors`); the rest repeats and cancels. `p_value`: two-sided, of the change over that error, as for a normal
    error; under 0.05 exactly where the interval excludes 0.
    """
    row, before, after = _consecutive(~np.isnan(areas.area_m2))
    there = (areas.area_m2[row, before] > 0) | (areas.area_m2[row, after] > 0)
    row, before, after = row[there], before[there], after[there]
    one, other = areas.area_m2[row, before], areas.area_m2[row, after]
    # against nothing there is nothing to repeat: a birth or an end carries the whole error
    share = np.where((one > 0) & (other > 0), varying[row], 1.0)
    below = share * np.hypot(areas.above_m2[row, before], areas.below_m2[row, after])
    above = share * np.hypot(areas.below_m2[row, before], areas.above_m2[row, after])
    change = other - one
    # an interval that ends at 0 excludes nothing
    doubt = np.maximum(np.where(change > 0, below, above), 1e-9) / Z_95
    return Pairs(row, before, after, one, other, change - below, change + above, 2 * stats.norm.sf(np.abs(change) / doubt))


def _consecutive(known: Mask) -> tuple[Indices, Indices, Indices]:
    rows, columns = np.nonzero(known)
    same = rows[1:] == rows[:-1]
    return rows[1:][same], columns[:-1][same], columns[1:][same]
