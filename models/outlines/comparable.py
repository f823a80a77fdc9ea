"""Which years of a track may be compared with the others, and why not."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from models.outlines.circumstances import others_of
from models.outlines.timeline import Timeline, YearFeatures

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

LOOKS_SHARE = 0.5
"""Looks below this share of the track's median are fewer."""
LEAST_TRACKS = 3
"""Tracks from which the total of a region says something about the year itself."""
_ORDER = ("fewer_looks", "other_baseline", "other_model", "other_season", "other_sensors", "other_provider", "area_dip")


def reasons_of(timeline: Timeline, years: Sequence[YearFeatures], *, dip_share: float) -> NDArray[np.object_]:
    """Return per ID and year the reasons against comparing it, joined by commas; empty where there is none.

    `fewer_looks`: under half of the track's median looks. `area_dip`: see `dips_of`. `other_model`, `other_season` and, where the
    region moved as one with them, `other_baseline`, `other_sensors`, `other_provider`: see `circumstances.others_of`.
    """
    tables = {"fewer_looks": _fewer_looks(timeline), "area_dip": dips_of(timeline, dip_share)}
    tables |= {reason: np.broadcast_to(other, timeline.settled.shape) for reason, other in others_of(timeline, years).items()}
    names = sorted(tables, key=_ORDER.index)
    code = np.zeros(timeline.settled.shape, np.int64)
    for place, reason in enumerate(names):
        code |= tables[reason].astype(np.int64) << place
    # few combinations occur: each is spelled once, however many tracks there are
    found, inverse = np.unique(code, return_inverse=True)
    spelled = np.array([",".join(name for place, name in enumerate(names) if each >> place & 1) for each in found.tolist()], dtype=object)
    joined: NDArray[np.object_] = spelled[inverse].reshape(code.shape) if code.size else np.empty(code.shape, dtype=object)
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
