"""Which years of a track may be compared with the others, and why not."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.outlines.timeline import Circumstances, Timeline, YearFeatures

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

LOOKS_SHARE = 0.5
"""Looks below this share of the track's median are fewer."""
LEAST_TRACKS = 3
"""Tracks from which the total of a region says something about the year itself."""
_REASONS = {"baseline": "other_baseline", "model": "other_model", "season": "other_season"}


def reasons_of(timeline: Timeline, years: Sequence[YearFeatures], *, dip_share: float) -> NDArray[np.object_]:
    """Return per ID and year the reasons against comparing it, joined by commas; empty where there is none.

    `fewer_looks`: under half of the track's median looks. `other_baseline`, `other_model`, `other_season`: not what most years
    of the span have (of equally many, what the latest has). `area_dip`: see `dips_of`.
    """
    held: list[list[list[str]]] = [[[] for _ in timeline.years] for _ in timeline.ids]
    tables = [("fewer_looks", _fewer_looks(timeline)), *_other_circumstances(timeline, years), ("area_dip", dips_of(timeline, dip_share))]
    for reason, table in tables:
        for row, column in np.argwhere(table).tolist():
            held[row][column].append(reason)
    joined = np.empty((len(timeline.ids), len(timeline.years)), dtype=object)
    for row, cells in enumerate(held):
        joined[row] = [",".join(reasons) for reasons in cells]
    return joined


def dips_of(timeline: Timeline, dip_share: float) -> Mask:
    """Return where a year falls visibly below the running level on both sides: an outline gone wrong, or a short drainage.

    The running level on a side is the ground of the nearest settled year that does not dip itself; the deepest dip is set
    aside first, so that of two bad years in a row neither hides the other. A year also dips as a whole, for all its tracks,
    when the summed ground of the tracks settled in both years does so: a bad mosaic may miss whole lakes. The first and the
    last year cannot dip.
    """
    ground = np.where(timeline.settled, timeline.ground_m2, np.nan)
    whole = _whole_years(ground, dip_share)
    level = ground.copy()
    level[:, whole] = np.nan
    while True:
        lower = np.minimum(_nearest_left(level), _nearest_left(level[:, ::-1])[:, ::-1])
        ratio = np.where(lower > 0, level / np.where(lower > 0, lower, 1.0), np.inf)
        ratio[np.isnan(ratio)] = np.inf
        deepest = (ratio < 1 - dip_share) & (ratio == ratio.min(axis=1, keepdims=True, initial=np.inf))
        if not deepest.any():
            break
        level[deepest] = np.nan
    dips: Mask = np.isnan(level) & ~np.isnan(ground)
    return dips


def _nearest_left(level: Floats) -> Floats:
    """Return the nearest known value to the left of each cell."""
    nearest = np.full(level.shape, np.nan)
    for column in range(1, level.shape[1]):
        known = ~np.isnan(level[:, column - 1])
        nearest[:, column] = np.where(known, level[:, column - 1], nearest[:, column - 1])
    return nearest


def _whole_years(ground: Floats, dip_share: float) -> Mask:
    dips = np.zeros(ground.shape[1], bool)
    columns = np.flatnonzero((~np.isnan(ground)).any(axis=0)).tolist()
    while len(columns) > 2:
        ratios = [_ratio(ground, *neighbours) for neighbours in zip(columns, columns[1:], columns[2:], strict=False)]
        deepest = int(np.argmin(ratios))
        if ratios[deepest] >= 1 - dip_share:
            break
        dips[columns.pop(deepest + 1)] = True
    return dips


def _ratio(ground: Floats, before: int, here: int, after: int) -> float:
    """Return the summed ground of a year over that of the lower neighbour; infinite where too few tracks compare."""
    ratios = []
    for other in (before, after):
        both = ~np.isnan(ground[:, here]) & ~np.isnan(ground[:, other])
        reference = ground[both, other].sum()
        ratios.append(ground[both, here].sum() / reference if both.sum() >= LEAST_TRACKS and reference > 0 else np.inf)
    return float(max(ratios))


def _fewer_looks(timeline: Timeline) -> Mask:
    known = ~np.isnan(timeline.looks)
    median = np.full((len(timeline.ids), 1), np.nan)
    rows = known.any(axis=1)
    median[rows, 0] = np.nanmedian(timeline.looks[rows], axis=1)
    fewer: Mask = timeline.looks < LOOKS_SHARE * median
    return fewer


def _other_circumstances(timeline: Timeline, years: Sequence[YearFeatures]) -> list[tuple[str, Mask]]:
    tables = []
    for name, reason in _REASONS.items():
        usual = _usual([features.circumstances for features in sorted(years, key=lambda features: features.year)], name)
        other = {features.year for features in years if getattr(features.circumstances, name) != usual}
        in_other = np.array([year in other for year in timeline.years], dtype=bool)
        tables.append((reason, np.broadcast_to(in_other, (len(timeline.ids), len(timeline.years)))))
    return tables


def _usual(circumstances: Sequence[Circumstances], name: str) -> str:
    values = [getattr(each, name) for each in circumstances]
    counts = Counter(values)
    return max(values[::-1], key=lambda value: counts[value], default="")
