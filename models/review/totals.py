"""Differences counted and summed, so that they add up to the difference of the totals."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.facts.differences import CAUSES_OF_DIFFERENCE, KINDS, Difference
from models.review.pairs import Pair, Side

_LARGEST = 10


@dataclass(frozen=True, slots=True)
class Totals:
    """What a report of differences says in figures; areas in m2."""

    kinds: dict[str, dict[str, float]]
    causes: dict[str, dict[str, float]]
    details: dict[str, int]
    totals_m2: tuple[float, float]
    residual_m2: float
    """Difference of the totals less the sum of changes: zero but for rounding."""


def areas_of(pair: Pair, a: Side, b: Side) -> tuple[float, float]:
    """Return the area of a pair in both inventories, 0 where there is none."""
    before = float(a.area_m2[pair.left]) if pair.left >= 0 else 0.0
    return before, float(b.area_m2[pair.right]) if pair.right >= 0 else 0.0


def totals_of(pairs: Sequence[Pair], because: Sequence[Sequence[Difference]], a: Side, b: Side) -> Totals:
    """Count and sum pairs by kind and by cause; every cause is told, `unexplained` too when it has none."""
    kinds = {str(kind): {"features": 0.0, "area_a_m2": 0.0, "area_b_m2": 0.0, "change_m2": 0.0} for kind in KINDS}
    causes = {str(cause): {"features": 0.0, "change_m2": 0.0, "absolute_m2": 0.0} for cause in CAUSES_OF_DIFFERENCE}
    details: Counter[str] = Counter()
    for pair, reasons in zip(pairs, because, strict=True):
        before, after = areas_of(pair, a, b)
        _add(kinds[pair.kind], features=1, area_a_m2=before, area_b_m2=after, change_m2=after - before)
        if reasons:
            _add(causes[reasons[0].cause], features=1, change_m2=after - before, absolute_m2=abs(after - before))
            details.update({reason.detail for reason in reasons})
    totals = float(a.area_m2.sum()), float(b.area_m2.sum())
    residual = totals[1] - totals[0] - sum(row["change_m2"] for row in kinds.values())
    kept = {cause: row for cause, row in causes.items() if row["features"] or cause == "unexplained"}
    ordered = dict(sorted(details.items(), key=lambda item: (-item[1], item[0])))
    return Totals(kinds, kept, ordered, totals, residual)


def rows_of(
    pairs: Sequence[Pair], because: Sequence[Sequence[Difference]], a: Side, b: Side, tiles: Sequence[Sequence[str]]
) -> dict[str, list[Any]]:
    """Return the columns of `differences.DIFFERENCES`."""
    areas = [areas_of(pair, a, b) for pair in pairs]
    names = [(a.ids[pair.left] if pair.left >= 0 else None, b.ids[pair.right] if pair.right >= 0 else None) for pair in pairs]
    return {
        "kind": [pair.kind for pair in pairs],
        "feature_id": [after or before for before, after in names],
        "other_id": [before if before and after and before != after else None for before, after in names],
        "area_a_m2": [area[0] if pair.left >= 0 else None for area, pair in zip(areas, pairs, strict=True)],
        "area_b_m2": [area[1] if pair.right >= 0 else None for area, pair in zip(areas, pairs, strict=True)],
        "change_m2": [after - before for before, after in areas],
        "iou": [pair.likeness if pair.likeness == pair.likeness else None for pair in pairs],
        "cause": [reasons[0].cause if reasons else None for reasons in because],
        "stage": [reasons[0].stage if reasons else None for reasons in because],
        "because": [[reason.detail for reason in reasons] for reasons in because],
        "overlaps": [list(pair.overlaps) for pair in pairs],
        "tiles": [list(names) for names in tiles],
    }


def largest(columns: Mapping[str, Sequence[Any]]) -> tuple[dict[str, Any], ...]:
    """Return the rows with the largest change of area, at most ten; what is the same is left out."""
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    changed = [row for row in rows if row["kind"] != "same"]
    return tuple(sorted(changed, key=lambda row: (-abs(row["change_m2"]), row["feature_id"]))[:_LARGEST])


def _add(row: dict[str, float], **more: float) -> None:
    for name, value in more.items():
        row[name] += value
