"""What several labelers drew, brought together: which outlines mean one slump, where they agree, and how far apart they are.

Outlines of two labelers mean the same slump when they share 0.3 of their union or half of the smaller one. The best pair (IoU) goes
first, and a labeler has one voice per slump: of two pieces inside another's single outline the better one joins, and the other is a slump
of its own with the voices that it has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

Names = NDArray[np.object_]
Floats = NDArray[np.float64]
LEAST_IOU: Final = 0.3
LEAST_IOS: Final = 0.5
"""Share of the smaller outline."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """One slump as its labelers see it."""

    outline: shapely.Geometry
    """Ground that at least half of those who drew it share."""
    members: tuple[int, ...]
    """Places of its outlines among those that came in, ascending."""
    certainty: float
    """Share of all labelers who drew it."""
    area_sd_m2: float
    """Standard deviation of its areas; 0 of a single one."""
    pairwise_iou: float
    """Mean over pairs of labelers; 1 of a single one."""


def agreed(shapes: Names, labelers: Sequence[str], voices: int | None = None) -> tuple[Agreed, ...]:
    """Slumps of outlines (metres) of several labelers, in the order of their first outline; `voices`: how many looked, if more than drew."""
    total = voices if voices is not None else len(set(labelers))
    groups = _grouped(shapes, labelers)
    return tuple(_agreed(shapes, members, total) for members in groups)


def majority_outline(shapes: Names, labelers: Sequence[str], voices: int | None = None) -> shapely.Geometry:
    """Ground (a polygon or several) that at least half of the labelers drew, whatever slump they meant; empty when there is none."""
    names = sorted(set(labelers))
    who = np.array(labelers, object)
    unions = np.array([shapely.union_all(shapes[who == name]) for name in names], object)
    return shared_by(unions, (voices if voices is not None else len(names)) / 2)


def shared_by(shapes: Names, least: float) -> shapely.Geometry:
    """Ground that at least that many of the shapes cover; exact, by the faces between their edges."""
    if len(shapes) == 1 and least <= 1:
        return shapely.union_all(shapes)
    edges = shapely.node(shapely.union_all(shapely.boundary(shapes)))
    faces = shapely.get_parts(shapely.polygonize([edges]))
    if not len(faces):
        return shapely.Polygon()
    inside = shapely.contains_properly(shapes[:, None], shapely.point_on_surface(faces)[None]).sum(0)
    return shapely.union_all(faces[inside >= least])


def intersection_over_union(first: shapely.Geometry, second: shapely.Geometry) -> float:
    """Shared area over joint area of two geometries; 0 when both are empty."""
    joint = shapely.area(shapely.union(first, second))
    return float(shapely.area(shapely.intersection(first, second)) / joint) if joint else 0.0


def mutual_iou(shapes: Names, labelers: Sequence[str]) -> Floats:
    """IoU of all that one labeler drew with all that another drew, of every pair of labelers, in the order of their names."""
    who = np.array(labelers, object)
    unions = [shapely.union_all(shapes[who == name]) for name in sorted(set(labelers))]
    return np.array([intersection_over_union(a, b) for i, a in enumerate(unions) for b in unions[i + 1 :]], np.float64)


def _grouped(shapes: Names, labelers: Sequence[str]) -> list[list[int]]:
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    who = np.array(labelers, object)
    other = (first < second) & (who[first] != who[second])
    first, second = first[other], second[other]
    area = shapely.area(shapes)
    shared = shapely.area(shapely.intersection(shapes[first], shapes[second]))
    iou = shared / (area[first] + area[second] - shared)
    means = (iou >= LEAST_IOU) | (shared >= LEAST_IOS * np.minimum(area[first], area[second]))
    order = np.lexsort((second[means], first[means], -iou[means]))
    group = list(range(len(shapes)))
    members = {place: [place] for place in group}
    for a, b in zip(first[means][order].tolist(), second[means][order].tolist(), strict=True):
        left, right = sorted((group[a], group[b]))
        if left == right or {labelers[m] for m in members[left]} & {labelers[m] for m in members[right]}:
            continue
        members[left] += members.pop(right)
        for member in members[left]:
            group[member] = left
    return [sorted(members[place]) for place in sorted(members)]


def _agreed(shapes: Names, members: list[int], total: int) -> Agreed:
    own = shapes[members]
    pairs = [intersection_over_union(a, b) for i, a in enumerate(own) for b in own[i + 1 :]]
    return Agreed(
        shared_by(own, len(own) / 2),
        tuple(members),
        len(members) / total,
        float(np.std(shapely.area(own))),
        float(np.mean(pairs)) if pairs else 1.0,
    )
