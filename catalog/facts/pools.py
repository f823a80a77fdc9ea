"""What a task needs of a cluster: run one function over many units, and hear of each as it ends."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Crashed:
    """An error that no unit of work foresaw, kept as a value so that the others go on."""

    error: Exception


class TilePool(Protocol):
    """Runs tiles side by side; results come in the order they finish, each with its item."""

    def each(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[tuple[Item, "Result | Crashed"]]:
        """Yield (item, result) as units end; an unforeseen error arrives as Crashed."""
        ...
