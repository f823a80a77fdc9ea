"""Features of two inventories beside each other: the same, changed, renamed, added, lost."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.facts.differences import Kind
from models.outlines.overlaps import Overlaps, overlaps_of

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]
_EQUAL_IOU = 1 - 1e-6
_EQUAL_SHARE = 1e-6
"""Areas that differ by less, as share, are equal: geodesic sums round in their last digits."""


@dataclass(frozen=True, slots=True)
class Side:
    """One inventory; arrays of equal length."""

    ids: tuple[str, ...]
    outlines: Geometries
    """EPSG:4326."""
    area_m2: Floats


@dataclass(frozen=True, slots=True)
class Pair:
    """One feature of either inventory, or one of both; positions are -1 where there is none."""

    kind: Kind
    left: int
    right: int
    likeness: float
    """Intersection over union; NaN for what only one inventory has."""
    overlaps: tuple[str, ...]
    """Other features of the other inventory that share ground with it."""


def pairs_of(a: Side, b: Side, *, min_overlap: float) -> tuple[Pair, ...]:
    """Pair features one to one: equal names that share ground first, then by shared area (ties by likeness, then by name).

    Overlaps below `min_overlap` of the smaller outline are other ground.
    """
    met = overlaps_of(a.outlines, b.outlines)
    chosen = _one_to_one(a, b, met, min_overlap)
    left, right = {one: other for one, other, _ in chosen}, {other: one for one, other, _ in chosen}
    of_left, of_right = _neighbours(met, min_overlap)
    pairs = [
        Pair(_kind(a, b, one, other, like), one, other, like, _others(b, of_left, one, other) + _others(a, of_right, other, one))
        for one, other, like in chosen
    ]
    pairs += [Pair("lost", one, -1, np.nan, _others(b, of_left, one, -1)) for one in range(len(a.ids)) if one not in left]
    pairs += [Pair("added", -1, other, np.nan, _others(a, of_right, other, -1)) for other in range(len(b.ids)) if other not in right]
    return tuple(sorted(pairs, key=lambda pair: (b.ids[pair.right] if pair.right >= 0 else a.ids[pair.left], pair.kind)))


def _one_to_one(a: Side, b: Side, met: Overlaps, min_overlap: float) -> list[tuple[int, int, float]]:
    candidates = []
    for one, other, area, share, like in zip(met.left.tolist(), met.right.tolist(), met.area_m2, met.share, met.likeness, strict=True):
        named = a.ids[one] == b.ids[other]
        if named or share >= min_overlap:
            candidates.append((not named, -float(area), -float(like), a.ids[one], b.ids[other], one, other))
    taken_left, taken_right = set[int](), set[int]()
    chosen = []
    for _, _, minus_like, _, _, one, other in sorted(candidates):
        if one not in taken_left and other not in taken_right:
            taken_left.add(one)
            taken_right.add(other)
            chosen.append((one, other, -minus_like))
    return chosen


def _kind(a: Side, b: Side, one: int, other: int, likeness: float) -> Kind:
    if a.ids[one] != b.ids[other]:
        return "renamed"
    before, after = a.area_m2[one], b.area_m2[other]
    same = likeness >= _EQUAL_IOU and abs(after - before) <= _EQUAL_SHARE * max(before, after)
    return "same" if same else "changed"


def moved(pair: Pair) -> bool:
    """Say whether the outline of a pair moved."""
    return pair.likeness < _EQUAL_IOU


def _neighbours(met: Overlaps, min_overlap: float) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    of_left: dict[int, list[int]] = {}
    of_right: dict[int, list[int]] = {}
    enough = met.share >= min_overlap
    for one, other in zip(met.left[enough].tolist(), met.right[enough].tolist(), strict=True):
        of_left.setdefault(one, []).append(other)
        of_right.setdefault(other, []).append(one)
    return of_left, of_right


def _others(side: Side, near: dict[int, list[int]], place: int, partner: int) -> tuple[str, ...]:
    return tuple(sorted(side.ids[other] for other in near.get(place, []) if other != partner))
