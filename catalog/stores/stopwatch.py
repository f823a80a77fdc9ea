"""How long answers take, as they come."""

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

_Answer = TypeVar("_Answer")


class AnswerClock:
    """Seconds that answering took, without what is done with the answers in between."""

    def __init__(self) -> None:
        """Start at nothing."""
        self.cpu_s = self.wall_s = 0.0

    def timed(self, answers: Iterable[_Answer]) -> Iterator[_Answer]:
        """The same answers, while the clock runs."""
        left, nothing = iter(answers), object()
        while True:
            cpu, wall = time.process_time(), time.perf_counter()
            answer = next(left, nothing)
            self.cpu_s += time.process_time() - cpu
            self.wall_s += time.perf_counter() - wall
            if answer is nothing:
                return
            yield answer  # type: ignore[misc]
