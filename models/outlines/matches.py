"""Our features beside those of another inventory: the same, split, merged, or only in one of the two."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.facts.change_schemas import MATCHES
from models.outlines.nearest import nearest_m
from models.outlines.overlaps import Overlaps, components, overlaps_of
from models.outlines.short_edges import areas_perimeters

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Geometries = NDArray[np.object_]
Named = tuple[Sequence[str], Geometries]
"""IDs and outlines (EPSG:4326), valid, in equal order."""


@dataclass(frozen=True, slots=True)
class _Side:
    """What is known of the features of one inventory, arrays of equal length."""

    ids: NDArray[np.object_]
    outlines: Geometries
    area_m2: Floats
    group: Indices
    """Number of the connected group of features of both inventories that share ground."""
    members: Indices
    """How many of this inventory the group has."""
    group_m2: Floats
    """Their area."""


def match_inventories(ours: Named, theirs: Named, min_overlap: float) -> pa.Table:
    """Return a table with the columns of `MATCHES`: a row per pair that shares ground, and one per feature without a partner.

    Pairs count from a shared area of `min_overlap` of the smaller outline. Relations are those of connected groups: one of each is `same`.
    Areas are geodesic and of the feature itself; `area_difference_percent` is ours against theirs of the whole group, so that a lake that
    one of us drew in pieces has lost nothing. `distance_m` is geodesic, to the nearest feature of the other inventory, and set only for
    features without a partner; null where the other inventory is empty. Rows are sorted by ID, what is only theirs last.
    """
    pairs = overlaps_of(ours[1], theirs[1])
    enough = np.flatnonzero(pairs.share >= min_overlap)
    group = components(len(ours[0]) + len(theirs[0]), pairs.left[enough], pairs.right[enough] + len(ours[0]))
    left, right = _side(ours, group[: len(ours[0])]), _side(theirs, group[len(ours[0]) :])
    rows = _joined([_paired(left, right, pairs, enough), _alone(left, right, "only_ours"), _alone(right, left, "only_theirs")])
    order = sorted(range(len(rows["relation"])), key=lambda row: tuple((rows[name][row] is None, rows[name][row] or "") for name in _IDS))
    table = pa.table([pa.array(rows[field.name], field.type, from_pandas=True) for field in MATCHES], schema=MATCHES)
    return table.take(pa.array(order, pa.int64()))


_IDS = ("feature_id", "other_id")


def _side(named: Named, group: Indices) -> _Side:
    area, _ = areas_perimeters(named[1])
    found, place = np.unique(group, return_inverse=True)
    members = np.bincount(place, minlength=len(found))
    group_m2 = np.asarray(np.bincount(place, weights=area, minlength=len(found)), np.float64)
    return _Side(np.array(named[0], dtype=object), named[1], area, group, members[place], group_m2[place])


def _paired(left: _Side, right: _Side, pairs: Overlaps, enough: Indices) -> dict[str, NDArray[np.generic]]:
    one, other = pairs.left[enough], pairs.right[enough]
    several = 2 * (left.members[one] > 1) + (right.members[other] > 1)
    area, other_area = left.area_m2[one], right.area_m2[other]
    shared = pairs.share[enough] * np.minimum(area, other_area)
    return {
        "feature_id": left.ids[one],
        "other_id": right.ids[other],
        "relation": np.array(["same", "merged", "split", "tangled"], dtype=object)[several],
        "shared_m2": shared,
        "iou": shared / (area + other_area - shared),
        "area_m2": area,
        "other_area_m2": other_area,
        "area_difference_percent": 100 * (left.group_m2[one] / right.group_m2[other] - 1),
        "distance_m": np.full(len(enough), np.nan),
    }


def _alone(side: _Side, others: _Side, relation: str) -> dict[str, NDArray[np.generic]]:
    rows = np.flatnonzero(~np.isin(side.group, others.group))
    nothing, nobody = np.full(rows.size, np.nan), np.full(rows.size, None, dtype=object)
    names = [("feature_id", "area_m2"), ("other_id", "other_area_m2")]
    (own_id, own_area), (other_id, other_area) = names if relation == "only_ours" else names[::-1]
    return {
        own_id: side.ids[rows],
        other_id: nobody,
        "relation": np.full(rows.size, relation, dtype=object),
        "shared_m2": nothing,
        "iou": nothing,
        own_area: side.area_m2[rows],
        other_area: nothing,
        "area_difference_percent": nothing,
        "distance_m": nearest_m(side.outlines[rows], others.outlines),
    }


def _joined(parts: Sequence[dict[str, NDArray[np.generic]]]) -> dict[str, NDArray[np.generic]]:
    return {name: np.concatenate([part[name] for part in parts]) for name in MATCHES.names}


def counts_of(table: pa.Table, relations: Sequence[str]) -> dict[str, tuple[int, int, float, float, float]]:
    """Return per relation how many of ours and of theirs it has, their areas and what they share, m2; a feature counts once."""
    frame = table.to_pandas()
    found = {}
    for relation in relations:
        rows = frame[frame.relation == relation]
        ours, theirs = rows.dropna(subset="feature_id"), rows.dropna(subset="other_id")
        # rows of one feature repeat its area, and IDs of others may stand for several outlines
        ours, theirs = ours.drop_duplicates("feature_id"), theirs.drop_duplicates(["other_id", "other_area_m2"])
        areas = (float(ours.area_m2.sum()), float(theirs.other_area_m2.sum()), float(rows.shared_m2.sum()))
        found[relation] = (len(ours), len(theirs), *areas)
    return found


def differences_of(table: pa.Table) -> tuple[float | None, tuple[float, float] | None, float | None]:
    """Return of the pairs that are the same the median and the quartiles of the area difference (%), and the median IoU."""
    frame = table.to_pandas()
    same = frame[frame.relation == "same"]
    if same.empty:
        return None, None, None
    low, middle, high = np.percentile(same.area_difference_percent, [25, 50, 75]).tolist()
    return middle, (low, high), float(same.iou.median())


def repeated_in(outlines: Geometries) -> int:
    """Return how many outlines lie on another one of the same inventory by more than half of the smaller of the two."""
    pairs = overlaps_of(outlines, outlines)
    return len(np.unique(pairs.left[(pairs.left != pairs.right) & (pairs.share > 0.5)]))
