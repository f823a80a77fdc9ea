"""Units that workers run in the tests of clusters; they must be importable there."""

import os
import signal
import time
from pathlib import Path

from distributed import get_client


def square(number: int) -> int:
    """A unit that works."""
    return number * number


def killer(marks: str, deaths: int, number: int) -> int:
    """A unit that takes its worker with it `deaths` times when the number is 3, as running out of memory does."""
    if number == 3:
        folder = Path(marks)
        folder.mkdir(exist_ok=True)
        (folder / str(os.getpid())).touch()
        if len(list(folder.iterdir())) <= deaths:
            os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def refuse(number: int) -> int:
    """A unit with an unforeseen error."""
    raise ZeroDivisionError(f"{number} / 0")


class Awkward(Exception):
    """An error that cannot travel: it wants more to be made than it keeps."""

    def __init__(self, number: int, why: str) -> None:
        super().__init__(f"{number} is {why}")


def stumble(number: int) -> int:
    """A unit with errors that are hard to bring home: 1 calls itself without end, 2 raises what cannot be pickled."""
    if number == 1:
        return stumble(number)
    if number == 2:
        raise Awkward(number, "odd")
    return number


def killer_or_bystander(marks: str, number: int) -> int:
    """Unit 3 takes its worker with it always; any other waits until it was taken along twice, then works."""
    folder = Path(marks)
    folder.mkdir(exist_ok=True)
    if number == 3:
        (folder / str(os.getpid())).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    for _ in range(600):
        if len(list(folder.iterdir())) >= 2:
            return number
        time.sleep(0.1)
    raise TimeoutError


def stop_scheduler_at_three(unit: tuple[int, str]) -> int:
    """The unit of number 3 ends the scheduler, as a lost machine would."""
    number, _ = unit
    if number == 3:
        get_client().run_on_scheduler(os._exit, 1)
    return number


def told_to_stop(marks: str, number: int) -> int:
    """Unit 3 has its worker stopped the first time, as a batch system does, and does not end by itself."""
    folder = Path(marks)
    folder.mkdir(exist_ok=True)
    if number == 3 and not list(folder.iterdir()):
        (folder / str(os.getpid())).touch()
        os.kill(os.getppid(), signal.SIGTERM)  # the process that watches over the worker
        time.sleep(600)
    return number
