"""What else than the ground may have made a change: labels of a pair of years, and whether they forbid the comparison."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.changes.pairs import Pairs
from models.changes.settled import drawn_cells
from models.outlines.circumstances import STOPPING, differences
from models.outlines.timeline import Circumstances, Timeline, YearFeatures

Mask = NDArray[np.bool_]
Label = tuple[tuple[str, ...], bool]
"""Labels of a pair, and whether it may be compared."""
REDRAWN = "redrawn"
_OF_ONE_YEAR = frozenset({"fewer_looks", "area_dip"})
"""Reasons that hold for a year by itself; the others hold only against a year that differs."""


@dataclass(frozen=True, slots=True)
class Labels:
    """One entry per pair."""

    because: list[tuple[str, ...]]
    """Sorted names of what differs; empty when nothing does."""
    comparable: Mask


def labels_of(pairs: Pairs, timeline: Timeline, reasons: NDArray[np.object_], years: Sequence[YearFeatures]) -> Labels:
    """Label pairs of years of features; `reasons` as `comparable.reasons_of` gives them per feature and year.

    `redrawn` where a person drew one of the two outlines and a model the other: told, and no reason against comparing, for the drawing
    may well have mended what stood against it.
    """
    known = {features.year: features.circumstances for features in years}
    first, second = reasons[pairs.row, pairs.before], reasons[pairs.row, pairs.after]
    known_labels: dict[tuple[str, str, int, int], Label] = {}
    labels = []
    for key in zip(first, second, pairs.before.tolist(), pairs.after.tolist(), strict=True):
        if key not in known_labels:
            known_labels[key] = label_of(known, (timeline.years[key[2]], timeline.years[key[3]]), (key[0], key[1]))
        labels.append(known_labels[key])
    drawn = drawn_cells(timeline, years)
    by_pen = drawn[pairs.row, pairs.before] != drawn[pairs.row, pairs.after]
    because = [tuple(sorted({*told, REDRAWN})) if pen else told for (told, _), pen in zip(labels, by_pen.tolist(), strict=True)]
    return Labels(because, np.array([comparable for _, comparable in labels], bool))


def label_of(known: Mapping[int, Circumstances], pair: tuple[int, int], reasons: tuple[str, str]) -> Label:
    """Label one pair of years from the reasons of both (joined by commas) and what differs between them.

    A reason of a year by itself counts on either side. Another model, season, baseline, sensor or provider counts where it differs
    between these two years: two years of the same other model may be compared. Of the harmonised ones it is told, and forbids only
    where it is a reason, that is where the region moved as one with it (`circumstances.others_of`).
    """
    held = {reason for joined in reasons for reason in joined.split(",") if reason}
    differing = set(differences(known.get(pair[0], Circumstances()), known.get(pair[1], Circumstances())))
    because = (held & _OF_ONE_YEAR) | differing
    return tuple(sorted(because)), not because & (STOPPING | held)
