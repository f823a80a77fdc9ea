"""Edits that cannot both be true: the later stands, the earlier is reported; one year's edit goes before every year's."""

from collections.abc import Mapping, Sequence

import numpy as np
import shapely

from catalog.facts.edits import Edit, VerdictState
from models.outlines.overlaps import overlaps_of
from models.review.matching import ALIKE

_DECISIONS = frozenset({"accept", "reject", "redraw"})
Overruled = Mapping[int, tuple[VerdictState, str]]
"""Number of an edit that does not stand -> its state and why."""


def overruled(year: int, edits: Sequence[Edit], rows: Mapping[int, int]) -> Overruled:
    """Return the edits of a year that another contradicts; `rows` maps the number of an edit to the feature it means."""
    losing: dict[int, tuple[VerdictState, str]] = {}
    standing: dict[int, list[Edit]] = {}
    for edit in sorted(edits, key=_weight, reverse=True):
        if edit.action not in _DECISIONS or edit.number not in rows:
            continue
        others = standing.setdefault(rows[edit.number], [])
        against = next((other for other in others if _contradict(other, edit)), None)
        if against is None:
            others.append(edit)
        else:
            losing[edit.number] = _why(year, edit, against)
    return losing


def drawn_again(year: int, edits: Sequence[Edit]) -> Overruled:
    """Return the drawn outlines that a later one draws anew."""
    losing: dict[int, tuple[VerdictState, str]] = {}
    standing: list[Edit] = []
    for edit in sorted((e for e in edits if e.action == "draw"), key=_weight, reverse=True):
        pairs = overlaps_of(_one(edit), np.array([other.geometry for other in standing], dtype=object))
        alike = np.flatnonzero(pairs.likeness >= ALIKE)
        if alike.size:
            losing[edit.number] = _why(year, edit, standing[int(pairs.right[alike[0]])])
        else:
            standing.append(edit)
    return losing


def _one(edit: Edit) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    return np.array([edit.geometry], dtype=object)


def _weight(edit: Edit) -> tuple[bool, tuple[str, int]]:
    return edit.year is not None, edit.rank


def _contradict(later: Edit, edit: Edit) -> bool:
    if "reject" in {later.action, edit.action}:
        return later.action != edit.action
    both_drawn = later.action == edit.action == "redraw"
    return both_drawn and not bool(shapely.equals(later.geometry, edit.geometry))


def _why(year: int, edit: Edit, against: Edit) -> tuple[VerdictState, str]:
    if edit.year is None and against.year is not None:
        return "not_applicable", f"edit {against.number} speaks for {year} alone"
    return "conflict", f"contradicted by edit {against.number} ({against.action}), which is later; that one stands"
