"""How features of one class lie to each other: alone, in pairs, in rows or in clusters.

Source: GeoPixInstruct tells isolated, linear and clustered instances apart; the thresholds are ours, as the paper gives none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy.spatial import cKDTree

from models.referrer.features import Feature

Arrangement = Literal["isolated", "pair", "linear", "clustered"]
Axis = Literal["left", "top"]
REACH_DIAMETERS: Final = 1.5
"""Features nearer to each other than that many median diameters belong together ..."""
REACH_SHARE: Final = 0.08
"""... or than that share of the width of the scene, whichever is more."""
ROW_WIDTH: Final = 0.15
"""Points that scatter across their main axis by less than this share of their scatter along it are a row."""


@dataclass(frozen=True, slots=True)
class Group:
    """Features that belong together; a group of one stands alone."""

    kind: Arrangement
    members: tuple[Feature, ...]
    """Along the axis for a row."""
    axis: Axis | None = None
    """Where a row begins."""

    @property
    def point(self) -> tuple[float, float]:
        """x and y of its middle, shares."""
        return float(np.mean([each.x for each in self.members])), float(np.mean([each.y for each in self.members]))


def arrange(features: Sequence[Feature]) -> tuple[Group, ...]:
    """Tell how features of one class lie to each other; every one is in one group."""
    if not features:
        return ()
    reach = max(REACH_DIAMETERS * float(np.median([each.diameter for each in features])), REACH_SHARE)
    return tuple(_group(members) for members in _components(features, reach))


def edge_distance(first: Feature, second: Feature) -> float:
    """Least distance of their shores, share of the width; 0 where they touch."""
    distances, _ = cKDTree(first.shore).query(second.shore)
    return float(np.min(distances))


def _components(features: Sequence[Feature], reach: float) -> list[tuple[Feature, ...]]:
    left, found = list(features), []
    while left:
        members, waiting = [left.pop(0)], 0
        while waiting < len(members):
            near = [other for other in left if edge_distance(members[waiting], other) <= reach]
            left = [other for other in left if all(other is not each for each in near)]
            members, waiting = members + near, waiting + 1
        found.append(tuple(members))
    return found


def _group(members: tuple[Feature, ...]) -> Group:
    if len(members) < 3:
        return Group("isolated" if len(members) == 1 else "pair", members)
    points = np.array([(each.x, each.y) for each in members])
    spread = np.cov(points.T, bias=True)
    values, vectors = np.linalg.eigh(spread)
    if np.sqrt(max(float(values[0]), 0.0) / max(float(values[1]), 1e-12)) > ROW_WIDTH:
        return Group("clustered", members)
    dx, dy = np.abs(vectors[:, 1])
    axis: Axis = "left" if dx >= dy else "top"
    ordered = sorted(members, key=lambda each: each.x if axis == "left" else each.y)
    return Group("linear", tuple(ordered), axis)
