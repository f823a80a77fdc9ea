"""One search as a value: what is looked for, what would be right, and what lies near and is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.embedder.instructions import Task
from models.embedder.losses import Marks
from models.embedder.stream import Item


@dataclass(frozen=True, slots=True)
class Target:
    """Something that can be found."""

    item: Item
    marks: Marks
    """What it is known by; targets with the same marks are the same."""


@dataclass(frozen=True, slots=True)
class Search:
    """A query with its target, both with their instructions."""

    scene_id: str
    task: Task
    query: Item
    target: Target
    wanted: Marks
    """A target with one of these marks is right, its own among others."""
    negatives: tuple[Target, ...]
    """Wrong ones of the same image, or the rest of a closed list."""
    closed: bool
    """Own target and negatives are all that is to be chosen from; else those of other scenes are, too."""

    def right(self, target: Target) -> bool:
        """Say whether a target answers the search."""
        return bool(self.wanted & target.marks)

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
