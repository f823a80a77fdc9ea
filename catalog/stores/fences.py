"""Keeps a program that lost its lease from writing: everything that writes asks here first.

A lease is found by what calls: the flow that took it, a task of that flow, a unit of work that a pool runs for it (also in
another process), or else any lease of this process on the same region-year. Without a lease nothing is refused.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from re import split
from typing import Generic, Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Fence(Protocol):
    """What stands between a holder and the store."""

    @property
    def ground(self) -> "Ground":
        """What it is about."""
        ...

    def check(self) -> None:
        """Raise LeaseLost when the lease is not ours any more."""
        ...

    def ticket(self) -> "Fence":
        """Return the same fence for another process."""
        ...


@dataclass(frozen=True, slots=True)
class Ground:
    """A region-year in a store, or (year None) what the years of a region share."""

    root: str
    region: str
    year: int | None

    def covers(self, path: Path) -> bool:
        """Say whether a file of the store belongs to the region-year."""
        inside = str(path).removeprefix(self.root)
        return self.year is not None and inside != str(path) and {self.region, str(self.year)} <= set(split(r"[/=.]", inside))


_AROUND: ContextVar[tuple[Fence, ...]] = ContextVar("fences", default=())
_OF_PROCESS: list[Fence] = []


@contextmanager
def inside(*fences: Fence) -> Iterator[None]:
    """Let the body write inside these fences only."""
    token = _AROUND.set((*_AROUND.get(), *fences))
    try:
        yield
    finally:
        _AROUND.reset(token)


@contextmanager
def of_process(fence: Fence) -> Iterator[None]:
    """Let the whole process write inside a fence only: threads that the body starts know nothing of what surrounds it."""
    _OF_PROCESS.append(fence)
    try:
        with inside(fence):
            yield
    finally:
        _OF_PROCESS.remove(fence)


def check(root: Path, region: str, year: int) -> None:
    """Raise LeaseLost when the lease of a region-year was lost by whoever calls."""
    for fence in _known():
        if fence.ground == Ground(str(root), region, year):
            fence.check()
            return


def check_path(path: Path) -> None:
    """Raise LeaseLost when the lease of the region-year that a file belongs to was lost by whoever calls."""
    for fence in _known():
        if fence.ground.covers(path):
            fence.check()
            return


def carried(function: Callable[[Item], Result]) -> "Carried[Item, Result]":
    """Return a function that works inside the fences around the caller, in whatever thread or process it is called."""
    return Carried(function, tuple(fence.ticket() for fence in _AROUND.get()))


@dataclass(frozen=True, slots=True)
class Carried(Generic[Item, Result]):
    """A function with the fences that it works in; travels to other processes."""

    function: Callable[[Item], Result]
    fences: tuple[Fence, ...]

    def __call__(self, item: Item) -> Result:
        """Call the function inside the fences."""
        with inside(*self.fences):
            return self.function(item)


def _known() -> tuple[Fence, ...]:
    return (*reversed(_AROUND.get()), *reversed(_OF_PROCESS))
