"""Region-years as runs on a pool: regions side by side, the years of each in order, never more at once than a server carries."""

import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from catalog.facts.records import RegionYears

MOST_OPEN: Final = 200
"""Runs that wait or work at once; a server with SQLite slows down with thousands."""
CRASHES_FORGIVEN: Final = 2
"""How often a region-year is submitted again after its process died: out of memory, preempted, machine lost."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 2.0, 60.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run on a pool ended."""

    state: Literal["completed", "failed", "crashed", "was cancelled"]
    message: str = ""
    """The sentence that the run ended with."""
    error: str = ""
    """Name of the error that ended it."""


class Pool(Protocol):
    """Where runs are submitted, and asked for."""

    def submit(self, region: RegionYears, year: int) -> str:
        """Have a region-year mapped; returns the ID of its run, which may have been open already."""
        ...

    def ended(self, runs: Collection[str]) -> Mapping[str, Ended]:
        """Those of the runs that ended."""
        ...


@dataclass(slots=True)
class Pauses:
    """Pauses that grow while nothing happens, so that a run of days asks its server once a minute."""

    sleep: Callable[[float], None] = time.sleep
    length_s: float = _FIRST_PAUSE_S

    def take(self, *, news: bool) -> None:
        """Pause; after news for a short while again."""
        self.length_s = _FIRST_PAUSE_S if news else min(1.5 * self.length_s, _LONGEST_PAUSE_S)
        self.sleep(self.length_s)


@dataclass(slots=True)
class _Line:
    """The years of one region that are still to come, and how the others ended."""

    region: RegionYears
    left: deque[int]
    endings: dict[int, Ended] = field(default_factory=dict)
    crashes: int = 0

    def take(self, ended: Ended) -> None:
        """Note how the first of the years left ended; one that crashed is tried again as often as is forgiven."""
        if ended.state == "crashed" and self.crashes < CRASHES_FORGIVEN:
            self.crashes += 1
            return
        self.endings[self.left.popleft()] = ended
        self.crashes = 0


def spread(
    regions: Sequence[RegionYears], pool: Pool, pauses: Pauses, most_open: int = MOST_OPEN
) -> Iterator[tuple[RegionYears, Mapping[int, Ended]]]:
    """Yield each region when its last year has ended, with how every year did; a year that fails does not keep the next from starting.

    Names are given at first sight, so the years of one region never run beside each other.
    """
    waiting = deque(_Line(region, deque(region.years)) for region in regions)
    running: dict[str, _Line] = {}
    news = True
    while waiting or running:
        while waiting and len(running) < most_open:
            line = waiting.popleft()
            running[pool.submit(line.region, line.left[0])] = line
        pauses.take(news=news)
        endings = pool.ended(tuple(running))
        news = bool(endings)
        for run, ended in endings.items():
            line = running.pop(run)
            line.take(ended)
            if line.left:
                waiting.appendleft(line)
            else:
                yield line.region, line.endings
