"""Which years of a track may be compared with the others, and why not."""

from collections import Counter
from collections.abc import Callable, Sequence

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

    The running level on a side is the ground of the nearest settled year that does not dip itself. One year, or two in a row,
    may dip; the deepest dip is set aside first. A year also dips as a whole, for all its tracks, when the summed ground of the
    tracks settled in both years does so: a bad mosaic may miss whole lakes. The first and the last year cannot dip.
    """
    ground = np.where(timeline.settled, timeline.ground_m2, np.nan)
    known = ~np.isnan(ground)

    def of_all(here: int, other: int) -> float:
        both = known[:, here] & known[:, other]
        return _ratio(ground[both, here].sum(), ground[both, other].sum()) if both.sum() >= LEAST_TRACKS else np.inf

    whole = _set_aside(np.flatnonzero(known.any(axis=0)).tolist(), of_all, 1 - dip_share)
    dips = np.zeros(ground.shape, bool)
    dips[:, whole] = known[:, whole]
    known = known & ~dips
    varied = known.any(axis=1) & (_extreme(ground, known, np.inf) < (1 - dip_share) * -_extreme(-ground, known, np.inf))
    for row in np.flatnonzero(varied):
        levels = ground[row].tolist()

        def of_one(here: int, other: int, levels: list[float] = levels) -> float:
            return _ratio(levels[here], levels[other])

        dips[row, _set_aside(np.flatnonzero(known[row]).tolist(), of_one, 1 - dip_share)] = True
    return dips


def _extreme(values: Floats, known: Mask, otherwise: float) -> Floats:
    lowest: Floats = np.min(values, axis=1, where=known, initial=otherwise)
    return lowest


def _ratio(here: float, other: float) -> float:
    return here / other if other > 0 else np.inf


def _set_aside(columns: Sequence[int], ratio: Callable[[int, int], float], limit: float) -> list[int]:
    """Take out single columns and pairs whose ratio to both remaining neighbours is below `limit`, the lowest first."""
    left = list(columns)
    taken: list[int] = []
    while True:
        blocks = [(start, length) for length in (1, 2) for start in range(1, len(left) - length)]
        depths = [
            max(ratio(here, other) for here in left[start : start + length] for other in (left[start - 1], left[start + length]))
            for start, length in blocks
        ]
        if not depths or min(depths) >= limit:
            return taken
        start, length = blocks[depths.index(min(depths))]
        taken += left[start : start + length]
        del left[start : start + length]


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
