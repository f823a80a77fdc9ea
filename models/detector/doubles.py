"""Merged slumps that share ground: one slump, found twice."""

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from models.detector.links import Links
from models.detector.votes import Part

Int64 = NDArray[np.int64]


def doubles(parts: Sequence[Part], share: float) -> Int64:
    """Pairs (k, 2) of slumps that share at least this much of the smaller's ground."""
    shapes = np.array([part.polygon for part in parts], dtype=object)
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pairs = np.column_stack([one, other])[one < other].astype(np.int64)
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    one, other = pairs.T
    smaller = np.minimum(shapely.area(shapes[one]), shapely.area(shapes[other]))
    double = shapely.area(shapely.intersection(shapes[one], shapes[other])) >= share * smaller
    return np.asarray(pairs[double], np.int64)


def with_doubles(links: Links, parts: Sequence[Part], pairs: Int64) -> Links:
    """Links between the detections of slumps that share ground, weaker than all others."""
    ones, others = (np.array([parts[place].members[0] for place in column], np.int64) for column in pairs.T)
    weak = np.full(len(pairs), -1.0)
    return Links(*(np.concatenate(both) for both in ((links.one, ones), (links.other, others), (links.strength, weak))))


def without_doubles(parts: Sequence[Part], share: float) -> list[Part]:
    """Leave out the less sure of slumps that share ground and could not be pooled."""
    dropped: set[int] = set()
    order = sorted(doubles(parts, share).tolist(), key=lambda pair: (-max(parts[at].score for at in pair), pair))
    for pair in order:
        if not dropped.intersection(pair):
            dropped.add(min(pair, key=lambda at: (parts[at].score, shapely.area(parts[at].polygon), -at)))
    return [part for at, part in enumerate(parts) if at not in dropped]
