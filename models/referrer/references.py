"""What a phrase says: a class and what tells one of it from the others; and which features of a scene it means.

Only features of the same class, or the scene, are what a phrase relates to (GeoPixInstruct's rule).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from catalog.facts.feature_classes import FeatureClass
from models.referrer.arrangement import Arrangement, Axis, Group, arrange
from models.referrer.features import Feature, of_kind

Cell = Literal["upper left", "top", "upper right", "left", "middle", "right", "lower left", "bottom", "lower right"]
CELLS: Final[tuple[Cell, ...]] = ("upper left", "top", "upper right", "left", "middle", "right", "lower left", "bottom", "lower right")
"""Row by row."""
End = Literal["uppermost", "lowermost", "leftmost", "rightmost"]
ENDS: Final[tuple[End, ...]] = ("uppermost", "lowermost", "leftmost", "rightmost")
Relation = Literal["only", "largest", "smallest", "ordinal", "end", "closest", "farthest", "all"]
RELATIONS: Final[tuple[Relation, ...]] = ("only", "largest", "smallest", "ordinal", "end", "closest", "farthest", "all")
SAME_AREA: Final = 0.15
"""Areas that differ by less than this share are not told apart."""
SAME_PLACE: Final = 0.02
"""Nor are places that differ by less than this share of the width."""
SLACK: Final = 0.03
"""A phrase is kept only if it would still be unique were every cell wider by that share on each side."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One phrase as a value."""

    noun: FeatureClass
    relation: Relation = "only"
    cell: Cell | None = None
    """Of the feature, or of the group that it is told from."""
    place: int = 0
    """In a row, from 1."""
    axis: Axis | None = None
    """Where the row begins."""
    end: End | None = None
    group: Arrangement | None = None
    """`pair` or `clustered`, of an end."""


def cell_of(x: float, y: float) -> Cell:
    """Cell of the 3 x 3 of a scene in which a point lies, shares from the upper left corner."""
    return CELLS[3 * min(int(y * 3), 2) + min(int(x * 3), 2)]


def resolve(reference: Reference, features: Sequence[Feature], *, slack: float = 0.0) -> frozenset[int]:
    """Numbers of the features that a reference may mean; several where it does not tell them apart, none where it fits nothing."""
    pool = of_kind(features, reference.noun)
    match reference.relation:
        case "ordinal":
            found = [_in_row(group, reference.place) for group in _groups(pool, reference, ("linear",), slack)]
        case "end":
            kinds: tuple[Arrangement, ...] = (reference.group,) if reference.group else ()
            found = [_at_end(group.members, reference.end) for group in _groups(pool, reference, kinds, slack)]
        case "closest" | "farthest":
            found = [_from_largest(pool, reference.relation)]
        case _:
            here = [each for each in pool if within(each.x, each.y, reference.cell, slack)]
            found = [_by_size(here, reference.relation)]
    return frozenset(feature.number for some in found for feature in some)


def within(x: float, y: float, cell: Cell | None, slack: float = 0.0) -> bool:
    """Say whether a point is in a cell that is wider by `slack`; every point is in no cell."""
    if cell is None:
        return True
    row, column = divmod(CELLS.index(cell), 3)
    return column / 3 - slack <= x < (column + 1) / 3 + slack and row / 3 - slack <= y < (row + 1) / 3 + slack


def _groups(pool: Sequence[Feature], reference: Reference, kinds: tuple[Arrangement, ...], slack: float) -> list[Group]:
    wanted = [group for group in arrange(pool) if group.kind in kinds and within(*group.point, reference.cell, slack)]
    return [group for group in wanted if reference.axis in (None, group.axis)]


def _in_row(row: Group, place: int) -> Sequence[Feature]:
    return row.members[place - 1 : place]


def _at_end(members: Sequence[Feature], end: End | None) -> Sequence[Feature]:
    """Members that are farthest in a direction, those included that are hardly less far."""
    sign = -1 if end in ("uppermost", "leftmost") else 1
    far = [sign * (each.y if end in ("uppermost", "lowermost") else each.x) for each in members]
    return [each for each, value in zip(members, far, strict=True) if value > max(far) - SAME_PLACE]


def _by_size(here: Sequence[Feature], relation: Relation) -> Sequence[Feature]:
    if relation in ("only", "all") or not here:
        return here
    areas = [each.area_m2 for each in here]
    if relation == "largest":
        return [each for each in here if each.area_m2 > max(areas) * (1 - SAME_AREA)]
    return [each for each in here if each.area_m2 * (1 - SAME_AREA) < min(areas)]


def _from_largest(pool: Sequence[Feature], relation: Relation) -> Sequence[Feature]:
    """Features that are closest to the largest of their class, or farthest; none where two are the largest."""
    largest = _by_size(pool, "largest")
    others = [each for each in pool if each is not largest[0]] if len(largest) == 1 else []
    if len(others) < 2:
        return ()
    away = [float(np.hypot(each.x - largest[0].x, each.y - largest[0].y)) for each in others]
    if relation == "closest":
        return [each for each, value in zip(others, away, strict=True) if value < min(away) + SAME_PLACE]
    return [each for each, value in zip(others, away, strict=True) if value > max(away) - SAME_PLACE]
