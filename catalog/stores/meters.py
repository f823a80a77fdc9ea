"""What this process and the workers that took its units have used: processor, memory, reads that were tried again."""

import os
import resource
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
_KIB: Final = 1024


@dataclass(frozen=True, slots=True)
class Reading:
    """What one process had used at one moment since it began."""

    worker: str
    cpu_s: float
    retries: int
    peak_bytes: int


@dataclass(slots=True)
class _Count:
    value: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


_RETRIES: Final = _Count()


def count_retry() -> None:
    """Count one read or request that is tried again; called where that is decided."""
    with _RETRIES.lock:
        _RETRIES.value += 1


def reading() -> Reading:
    """Read what this process has used since it began."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB
    return Reading(f"{socket.gethostname()}:{os.getpid()}", time.process_time(), _RETRIES.value, peak)


@dataclass(frozen=True, slots=True)
class Metered(Generic[Item, Result]):
    """A function that brings home what its process has used beside its result; travels to other processes."""

    function: Callable[[Item], Result]

    def __call__(self, item: Item) -> tuple[Result, Reading, Reading]:
        """Call the function; returns its result, and readings from before and after."""
        before = reading()
        return self.function(item), before, reading()


class Workers:
    """First and last reading of every process that took units of this one."""

    def __init__(self) -> None:
        """Nothing was read yet."""
        self._known: dict[str, tuple[Reading, Reading]] = {}
        self._lock = threading.Lock()

    def note(self, before: Reading, after: Reading) -> None:
        """Note two readings of a worker; those of this very process are known anyhow."""
        with self._lock:
            first, last = self._known.get(before.worker, (before, after))
            # units of one worker come home in any order
            self._known[before.worker] = min(first, before, key=lambda r: r.cpu_s), max(last, after, key=lambda r: r.cpu_s)

    def used(self, since: Reading) -> Reading:
        """Sum what this process used since a reading and what workers used while they worked for it; memory is the largest of all."""
        here = reading()
        with self._lock:
            others = [pair for worker, pair in self._known.items() if worker != here.worker]
        cpu_s = here.cpu_s - since.cpu_s + sum(last.cpu_s - first.cpu_s for first, last in others)
        retries = here.retries - since.retries + sum(last.retries - first.retries for first, last in others)
        return Reading(here.worker, cpu_s, retries, max([here.peak_bytes, *(last.peak_bytes for _, last in others)]))


WORKERS: Final = Workers()
"""Of this process: what every round notes, and every record of a run reads."""
