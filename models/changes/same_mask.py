"""The trend of a region: the total of features that were settled and comparable in every year that counts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.changes.ranks import LEAST_YEARS
from models.changes.totals import History, year_reasons
from models.changes.trends import Trends, trends_of

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class RegionTrend:
    """Trend of one total."""

    trend: Trends
    """Of one series."""
    totals_m2: Floats
    """Per year of the timeline; NaN where the year does not count."""
    features: int


def region_trend(history: History) -> RegionTrend:
    """Return the trend of the same-mask total; absent features count 0 there, for the region lost or gained them.

    A year counts when nothing stands against it as a whole. Of those the ones that hide most are left out while that makes more
    feature-years comparable: one cloudy year must not shrink the mask to a few lakes.
    """
    ever_listed = np.asarray(history.listed.any(axis=1), dtype=bool)
    usable = history.timeline.settled & (history.reasons == "") & ever_listed[:, None]
    counted = np.array([_counts(history, year) for year in history.timeline.years], bool)
    counted = _worthwhile(usable, counted)
    mask = usable[:, counted].all(axis=1) if counted.any() else np.zeros(len(usable), bool)
    totals = np.full(len(counted), np.nan)
    if mask.any():
        totals[counted] = history.areas.area_m2[mask][:, counted].sum(axis=0)
    return RegionTrend(trends_of(np.array(history.timeline.years, np.float64), totals[None, :]), totals, int(mask.sum()))


def _counts(history: History, year: int) -> bool:
    return any(features.year == year for features in history.years) and not year_reasons(history, year)


def _worthwhile(usable: Mask, counted: Mask) -> Mask:
    best, kept = counted, counted.copy()
    while kept.sum() > LEAST_YEARS:
        shares = np.where(kept, usable.sum(axis=0), usable.shape[0] + 1)
        kept = kept.copy()
        kept[shares.argmin()] = False
        if _worth(usable, kept) > _worth(usable, best):
            best = kept
    return best


def _worth(usable: Mask, counted: Mask) -> int:
    return int(usable[:, counted].all(axis=1).sum() * counted.sum()) if counted.any() else 0
