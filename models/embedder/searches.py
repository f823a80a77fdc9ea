"""One search as a value: what is looked for, what would be right, and what lies near and is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from models.embedder.boxes import Bounds, overlap
from models.embedder.instructions import Task
from models.embedder.stream import Item

Marks = frozenset[str]
"""What something is known by: its words, its scene, its class."""
SAME_REGION: Final = 0.5
"""IoU from which two boxes mean the same, as referring expressions are commonly scored."""


@dataclass(frozen=True, slots=True)
class Region:
    """A box with what is said of it."""

    words: str
    bounds_lbrt: Bounds

    def same(self, other: "Region") -> bool:
        """Say whether another one means it."""
        return self.words == other.words and overlap(self.bounds_lbrt, other.bounds_lbrt) >= SAME_REGION


@dataclass(frozen=True, slots=True)
class Target:
    """Something that can be found."""

    item: Item
    marks: Marks
    """Targets with the same marks are the same."""
    regions: tuple[Region, ...] = ()
    """What lies in it, or the box that it is."""


@dataclass(frozen=True, slots=True)
class Search:
    """A query with its target, both with their instructions."""

    scene_id: str
    task: Task
    query: Item
    target: Target
    wanted: Marks
    """A target with one of these marks is right, its own among others."""
    region: Region | None
    """So is one with this region."""
    negatives: tuple[Target, ...]
    """Wrong ones of the same image, or the rest of a closed list."""
    closed: bool
    """Own target and negatives are all that is to be chosen from; else those of other scenes are, too."""

    def right(self, target: Target) -> bool:
        """Say whether a target answers the search."""
        region = self.region
        return bool(self.wanted & target.marks) or (region is not None and any(region.same(each) for each in target.regions))

    def candidates(self, others: Sequence[Target] = ()) -> tuple[Target, ...]:
        """Own target first, negatives, then `others` unless the list is closed; what is the same is there once."""
        every = (self.target, *self.negatives, *(() if self.closed else others))
        return merged(every)

    def chance(self, others: Sequence[Target] = ()) -> float:
        """Share of the candidates that are right: what a guess would score."""
        candidates = self.candidates(others)
        return sum(self.right(each) for each in candidates) / len(candidates)


def merged(targets: Sequence[Target]) -> tuple[Target, ...]:
    """Targets, each once, in the order in which they first come."""
    first: dict[Marks, Target] = {}
    for target in targets:
        first.setdefault(target.marks, target)
    return tuple(first.values())


def words_target(words: str) -> Target:
    """Words to be found: the same words are the same target."""
    return Target(Item(text=words), frozenset({f"words {words}"}))
