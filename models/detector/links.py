"""Which detections are one slump: a graph across views, in which two slumps of one view are never one."""

from collections import defaultdict
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Links:
    """Pairs of detections of different views that show the same ground, arrays of equal length."""

    one: Indices
    other: Indices
    strength: Floats
    """Where not all links can hold, the stronger do."""


@dataclass(frozen=True, slots=True)
class Views:
    """Which view (a window, or an image) each of n detections comes from."""

    view: Indices
    strong: NDArray[np.bool_]
    """Detections that are believed to be slumps of their own."""
    touching: AbstractSet[tuple[int, int]]
    """Pairs (smaller, larger position) of one view that share ground and so may be parts of one slump."""


@dataclass(frozen=True, slots=True)
class Groups:
    """To which slump each detection belongs."""

    label: Indices
    """Numbered in the order of first members."""
    conflict: NDArray[np.bool_]
    """A link of the detection's group was refused: one detection covers what another view tells apart."""


def grouped(links: Links, views: Views) -> Groups:
    """Unite linked detections, strongest links first; refuse a link that would unite two strong detections of one view that share no ground.

    A detection over two slumps so goes with the one it fits best. Equal links are taken in the order of their positions, so that
    the result does not depend on the order of the links.
    """
    forest = _Forest(views)
    for link in np.lexsort((links.other, links.one, -links.strength)).tolist():
        forest.join(int(links.one[link]), int(links.other[link]))
    roots = np.array([forest.root(node) for node in range(len(views.view))], np.int64)
    refused = np.array(sorted({forest.root(node) for node in forest.refused}), np.int64)
    _, label = np.unique(roots, return_inverse=True)
    return Groups(label.astype(np.int64), np.isin(roots, refused))


class _Forest:
    """Union-find whose roots are the first members, with the strong members of each group by view."""

    def __init__(self, views: Views) -> None:
        self._views = views
        self._parent = list(range(len(views.view)))
        self._strong: dict[int, dict[int, list[int]]] = {
            int(node): {int(views.view[node]): [int(node)]} for node in np.flatnonzero(views.strong)
        }
        self.refused: set[int] = set()

    def root(self, node: int) -> int:
        while self._parent[node] != node:
            self._parent[node] = self._parent[self._parent[node]]
            node = self._parent[node]
        return node

    def join(self, one: int, other: int) -> None:
        first, second = sorted((self.root(one), self.root(other)))
        if first == second:
            return
        if self._rivals(first, second):
            self.refused.update((first, second))
            return
        self._parent[second] = first
        theirs = self._strong.pop(second, None)
        if theirs is not None:
            mine = self._strong.setdefault(first, defaultdict(list))
            for view, nodes in theirs.items():
                mine[view] = [*mine.get(view, ()), *nodes]

    def _rivals(self, first: int, second: int) -> bool:
        mine, theirs = self._strong.get(first, {}), self._strong.get(second, {})
        return any(self._apart(mine[view], theirs[view]) for view in mine.keys() & theirs.keys())

    def _apart(self, ones: Sequence[int], others: Sequence[int]) -> bool:
        return any((min(a, b), max(a, b)) not in self._views.touching for a in ones for b in others)
