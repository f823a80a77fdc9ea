"""Edits applied to the features of one year: what leaves, what is redrawn, what is drawn, and what became of every edit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from catalog.facts.edits import Edit, Verdict, VerdictState
from models.outlines.overlaps import overlaps_of
from models.review.contradictions import Overruled, drawn_again, overruled
from models.review.matching import ALIKE, Found, Geometries, Named, find_all, nearest_like

_LEAST_OVERLAP_M2: Final = 100.0
"""A pixel: shores that touch are no overlap."""


@dataclass(slots=True)
class Ruled:
    """Features of a year after the edits; arrays and lists have one entry per feature that was given."""

    keep: NDArray[np.bool_]
    outlines: Geometries
    drawn: NDArray[np.bool_]
    """True where a person drew the outline."""
    edit: list[str | None]
    notes: list[str | None]
    drawn_by: dict[int, int] = field(default_factory=dict)
    """Row -> number of the edit whose outline it has."""
    verdicts: dict[int, Verdict] = field(default_factory=dict)
    """By number of the edit."""


def additions(year: int, features: Named, edits: Sequence[Edit]) -> tuple[Edit, ...]:
    """Return the edits whose outline becomes a feature of its own: nothing mapped is like it, or what it redrew was lost.

    A redrawing for every year stands alone in no year: it says nothing about years without the feature.
    """
    again = drawn_again(year, edits)
    draws = [e for e in edits if e.action == "draw" and e.number not in again and nearest_like(_one(e), features) is None]
    redraws = [edit for edit in edits if edit.action == "redraw" and edit.year is not None]
    lost = [edit for edit, found in zip(redraws, find_all(redraws, features), strict=True) if found is None]
    # of two redrawings of one lost feature the later stands
    latest = {edit.feature_id: edit for edit in sorted(lost, key=lambda edit: edit.rank)}
    return (*draws, *(edit for edit in lost if latest[edit.feature_id] is edit))


def rule(year: int, features: Named, edits: Sequence[Edit], added: Mapping[int, int]) -> Ruled:
    """Apply the edits of a year to its features, of which `added` (edit -> row) stand for `additions`."""
    count = len(features.ids)
    ruled = Ruled(np.ones(count, bool), features.outlines.copy(), np.zeros(count, bool), [None] * count, [None] * count)
    mapped = np.setdiff1d(np.arange(count), list(added.values()))
    meant = _meant(edits, features, mapped, added)
    losing = {**overruled(year, edits, {number: found.row for number, found in meant.items()}), **drawn_again(year, edits)}
    for edit in sorted(edits, key=lambda edit: (edit.action == "note", edit.rank)):
        ruled.verdicts[edit.number] = _one_ruling(year, edit, features, meant.get(edit.number), ruled, losing, added)
    _report_overlaps(ruled, features)
    return ruled


def _meant(edits: Sequence[Edit], features: Named, mapped: NDArray[np.int64], added: Mapping[int, int]) -> dict[int, Found]:
    """Edit -> the feature it means; what was added is found by its own edit, and by name."""
    known = [edit for edit in edits if edit.action != "draw"]
    found = {e.number: one for e, one in zip(known, find_all(known, features), strict=True) if one is not None}
    alone = Named(tuple(features.ids[row] for row in mapped), features.outlines[mapped], features.area_m2[mapped])
    for edit in (e for e in edits if e.action == "draw" and e.number not in added):
        if (one := nearest_like(_one(edit), alone)) is not None:
            found[edit.number] = Found(int(mapped[one.row]), one.likeness, one.inside)
    return found | {number: Found(row, 1.0, 1.0) for number, row in added.items()}


def _one(edit: Edit) -> Geometries:
    return np.array([edit.geometry], dtype=object)


def _one_ruling(  # noqa: PLR0913 - what a ruling looks at
    year: int, edit: Edit, features: Named, found: Found | None, ruled: Ruled, losing: Overruled, added: Mapping[int, int]
) -> Verdict:
    if edit.number in losing:
        state, message = losing[edit.number]
    elif found is None:
        state, message = _absent(year, edit)
    elif edit.number in added:
        state, message = _added(edit, found.row, features, ruled)
    else:
        state, message = _RULINGS[edit.action](edit, found, ruled)
    name = features.ids[found.row] if found is not None else edit.feature_id
    if state != "not_applicable" and edit.feature_id and name != edit.feature_id:
        message += f"; the feature is named {name} now"
    area = float(features.area_m2[found.row]) if found is not None else np.nan
    return Verdict(edit.number, edit.action, name, state, message, edit.seen_area_m2, None if np.isnan(area) else area)


def _absent(year: int, edit: Edit) -> tuple[VerdictState, str]:
    if edit.year is None:
        return "not_applicable", f"not mapped in {year}"
    seen = f" ({edit.seen_area_m2:,.0f} m2 when it was edited)" if edit.seen_area_m2 is not None else ""
    if edit.action == "reject":
        return "not_applicable", f"no longer mapped: nothing to reject{seen}"
    kind = "accepted feature" if edit.action == "accept" else "feature"
    return "conflict", f"{kind} no longer found{seen}"


def _added(edit: Edit, row: int, features: Named, ruled: Ruled) -> tuple[VerdictState, str]:
    _draw_over(edit, row, ruled, "drawn" if edit.action == "draw" else "redrawn")
    if edit.action == "draw":
        return "applied", f"added as {features.ids[row]}"
    return "conflict", f"no longer mapped; the drawing stands alone as {features.ids[row]}"


def _accept(edit: Edit, found: Found, ruled: Ruled) -> tuple[VerdictState, str]:
    if found.likeness < ALIKE:
        return "conflict", f"another outline than the one accepted (IoU {found.likeness:.2f}): not marked as accepted, look again"
    if ruled.edit[found.row] is None:
        ruled.edit[found.row] = "accepted"
        ruled.notes[found.row] = edit.reason or None
    return "applied", "accepted"


def _reject(_: Edit, found: Found, ruled: Ruled) -> tuple[VerdictState, str]:
    if found.likeness >= ALIKE:
        ruled.keep[found.row] = False
        return "applied", "left out of the inventory; its name stays taken"
    if found.inside >= ALIKE:
        ruled.keep[found.row] = False
        return "conflict", f"still left out, but its outline changed (IoU {found.likeness:.2f}): look again"
    return "conflict", f"listed again: most of it is other ground than what was rejected (IoU {found.likeness:.2f}); look again"


def _redraw(edit: Edit, found: Found, ruled: Ruled) -> tuple[VerdictState, str]:
    _draw_over(edit, found.row, ruled, "redrawn")
    if found.likeness < ALIKE:
        return "conflict", f"the mapped outline changed since it was redrawn (IoU {found.likeness:.2f}); the drawing stands, look again"
    return "applied", "redrawn"


def _draw(edit: Edit, found: Found, ruled: Ruled) -> tuple[VerdictState, str]:
    _draw_over(edit, found.row, ruled, "drawn")
    return (
        "conflict",
        f"now it is mapped too (IoU {found.likeness:.2f}); the drawing stands in its place, remove the edit to take what is mapped",
    )


def _note(edit: Edit, found: Found, ruled: Ruled) -> tuple[VerdictState, str]:
    said = ruled.notes[found.row]
    ruled.notes[found.row] = f"{said}; {edit.reason}" if said else edit.reason
    if found.likeness < ALIKE:
        return "conflict", f"noted, but its outline changed since (IoU {found.likeness:.2f})"
    return "applied", "noted"


def _draw_over(edit: Edit, row: int, ruled: Ruled, kind: str) -> None:
    ruled.outlines[row] = edit.geometry
    ruled.drawn[row], ruled.drawn_by[row] = True, edit.number
    ruled.edit[row], ruled.notes[row] = kind, edit.reason or None


_RULINGS: Final[Mapping[str, Callable[[Edit, Found, Ruled], tuple[VerdictState, str]]]] = {
    "accept": _accept,
    "reject": _reject,
    "redraw": _redraw,
    "draw": _draw,
    "note": _note,
}


def _report_overlaps(ruled: Ruled, features: Named) -> None:
    """Turn the verdict of a drawing that lies on a neighbour into a conflict; areas would count that ground twice."""
    drawn, kept = np.flatnonzero(ruled.drawn & ruled.keep), np.flatnonzero(ruled.keep)
    pairs = overlaps_of(ruled.outlines[drawn], ruled.outlines[kept])
    for left, right, shared in zip(drawn[pairs.left].tolist(), kept[pairs.right].tolist(), pairs.area_m2.tolist(), strict=True):
        if left != right and shared >= _LEAST_OVERLAP_M2:
            verdict = ruled.verdicts[ruled.drawn_by[left]]
            said = f"{verdict.message}; it overlaps {features.ids[right]} by {shared:,.0f} m2"
            ruled.verdicts[verdict.edit] = replace(verdict, state="conflict", message=said)
