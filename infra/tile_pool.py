"""Tiles as plain functions on a Dask cluster, one submission per unit of work."""

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from distributed import CancelledError, Client, KilledWorker, as_completed
from distributed.comm import CommClosedError

from catalog.facts.errors import ClusterLost, CodeDiffers, WorkerLost
from catalog.facts.pools import Crashed
from infra.versions import refuse_other_code

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class DaskTilePool:
    """A TilePool on a Dask cluster: tiles are plain functions submitted one by one."""

    client: Client
    width: int
    """Units submitted beyond this number wait here, so that a region of thousands does not flood the scheduler."""
    versions: Mapping[str, str] | None = None
    """What every worker must run, where workers are installed apart from this program; they may join at any time."""

    def each(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[tuple[Item, Result | Crashed]]:
        """Yield (item, result) as units end; an unforeseen error arrives as Crashed.

        A unit whose worker dies goes to another worker, as often as the scheduler allows (`allowed-failures`). Then it waits until
        all others have ended and is tried alone, because a unit that killed the worker may have taken others with it; if it dies
        again it arrives as Crashed with WorkerLost. Raises ClusterLost when the scheduler is gone, CodeDiffers when a worker runs
        other code.
        """
        work = _Caught(function if self.versions is None else partial(refuse_other_code, self.versions, function))
        waiting = list(reversed(items))
        suspects: list[Item] = []
        running: dict[str, tuple[Item, bool]] = {}
        completed = as_completed()

        def start_next() -> None:
            alone = not waiting and not running
            if waiting or (alone and suspects):
                item = suspects.pop() if alone else waiting.pop()
                # not pure: the same function and arguments must run again when a store changed
                future = self.client.submit(work, item, pure=False)
                running[future.key] = item, alone
                completed.add(future)

        for _ in range(self.width):
            start_next()
        for future in completed:
            item, alone = running.pop(future.key)
            if _died(future) and not alone:
                suspects.append(item)
            else:
                yield item, _ended(future)
            future.release()
            start_next()


@dataclass(frozen=True, slots=True)
class _Caught(Generic[Item, Result]):
    """A function whose errors come home as values; travels to other processes.

    An error that Dask brings home by itself can get lost on the way, and its unit is then waited for without end: Dask's client gives up
    on an error whose traceback it cannot unpack, for one of a recursion without end, and tells nobody (distributed 2026.8).
    """

    function: Callable[[Item], Result]

    def __call__(self, item: Item) -> Result | Crashed:
        """Call the function."""
        try:
            return self.function(item)
        except Exception as error:
            return Crashed(_portable(error))


def _portable(error: Exception) -> Exception:
    # frames hold the arrays of the unit, and too many of them cannot be pickled
    error.__traceback__ = error.__cause__ = error.__context__ = None
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def _died(future: Any) -> bool:
    return future.status == "error" and isinstance(future.exception(), KilledWorker)


def _ended(future: Any) -> Any:
    # nobody here cancels: Dask does it to every unit when it cannot reach its scheduler any more
    if future.cancelled():
        raise _lost(future)
    try:
        error = future.exception()
        result = Crashed(error) if isinstance(error, Exception) else future.result()
    except (CommClosedError, CancelledError) as closed:
        # it went away while a result was on its way home
        raise _lost(future) from closed
    if isinstance(error, KilledWorker):
        return Crashed(
            WorkerLost(
                f"The worker process dies in this unit, last {error.last_worker.address}, also when nothing else runs: out of memory, or "
                "taken away. Give each worker more memory, or run the same command again."
            )
        )
    if isinstance(result, Crashed) and isinstance(result.error, CodeDiffers):
        raise result.error
    return result


def _lost(future: Any) -> ClusterLost:
    return ClusterLost(
        f"The Dask scheduler at {future.client.scheduler.address} does not answer any more. What is recorded stays: "
        "start the cluster again and run the same command."
    )
