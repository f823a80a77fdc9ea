"""What one step learns from: sub-batches of one task each, whose targets are one another's negatives."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from catalog.facts.errors import ChipsUnusable
from models.embedder.instructions import Task
from models.embedder.losses import exclusions
from models.embedder.scenes import PlacedScene
from models.embedder.searches import Search, Target, merged
from models.embedder.stream import Item
from models.embedder.tasks import SearchOptions, search_of


@dataclass(frozen=True, slots=True)
class SubBatch:
    """B searches of one task and C targets, each there once."""

    task: Task
    queries: tuple[Item, ...]
    targets: tuple[Item, ...]
    own: Tensor
    """(B,), the target of each query."""
    excluded: Tensor
    """(B, C), targets that do not count for a query, since they are right, too."""


def sub_batch_of(searches: Sequence[Search], hard: int, rng: np.random.Generator) -> SubBatch:
    """Put searches of one task together, with up to `hard` negatives of its own for each."""
    near = [negative for search in searches for negative in _some(search.negatives, hard, rng)]
    targets = merged([*(search.target for search in searches), *near])
    marks = [target.marks for target in targets]
    own = [marks.index(search.target.marks) for search in searches]
    return SubBatch(
        task=searches[0].task,
        queries=tuple(search.query for search in searches),
        targets=tuple(target.item for target in targets),
        own=torch.tensor(own, dtype=torch.long),
        excluded=exclusions([[search.right(target) for target in targets] for search in searches], own, marks),
    )


def draw_searches(
    scenes: Sequence[PlacedScene], task: Task, options: SearchOptions, size: int, rng: np.random.Generator
) -> tuple[Search, ...]:
    """Draw `size` searches of a task, no scene twice; fewer where fewer scenes have one. Raises ChipsUnusable under two of them."""
    found: list[Search] = []
    for place in rng.permutation(len(scenes)):
        if len(found) == size:
            break
        scene = scenes[int(place)]
        search = search_of(scene.turned(int(rng.integers(8))) if options.turns else scene, task, options, rng)
        found += [] if search is None else [search]
    if len(found) < 2:
        raise ChipsUnusable(
            f"{len(found)} of {len(scenes)} scenes can be searched for by {task}, and one has nothing to be told from: give more scenes."
        )
    return tuple(found)


def parts(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Items in runs of `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _some(targets: Sequence[Target], count: int, rng: np.random.Generator) -> list[Target]:
    return [targets[int(place)] for place in rng.permutation(len(targets))[:count]]
