"""Opens the Dask cluster that a flow runs on; nothing starts at import."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import dask
from distributed import Client, LocalCluster, as_completed

from catalog.facts.pools import Crashed
from infra.settings import Settings

Item = TypeVar("Item")
Result = TypeVar("Result")

_QUIET = {
    "distributed.logging.distributed": "error",
    # a tile holds the interpreter for seconds while it compiles and sorts; that is not a dead worker
    "distributed.admin.tick.limit": "60s",
    "distributed.worker.daemon": True,
}


@dataclass(frozen=True, slots=True)
class DaskTilePool:
    """A TilePool on a Dask cluster: tiles are plain functions submitted one by one."""

    client: Client
    width: int
    """Units submitted beyond this number wait here, so that a region of thousands does not flood the scheduler."""

    def each(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[tuple[Item, Result | Crashed]]:
        """Yield (item, result) as units end; an unforeseen error arrives as Crashed."""
        waiting = list(reversed(items))
        running = {}
        completed = as_completed()

        def start_next() -> None:
            if waiting:
                item = waiting.pop()
                # not pure: the same function and arguments must run again when a store changed
                future = self.client.submit(function, item, pure=False)
                running[future.key] = item
                completed.add(future)

        for _ in range(self.width):
            start_next()
        for future in completed:
            item = running.pop(future.key)
            error = future.exception()
            yield item, (Crashed(error) if isinstance(error, Exception) else future.result())
            future.release()
            start_next()


@contextmanager
def open_cluster(settings: Settings) -> Iterator[DaskTilePool]:
    """Open the cluster that the settings name, and close what was opened here."""
    logging.getLogger("distributed").setLevel(logging.ERROR)
    with dask.config.set(_QUIET):
        if settings.cluster in {"threads", "processes"}:
            processes = settings.cluster == "processes"
            shape = (
                {"n_workers": settings.workers, "threads_per_worker": 1}
                if processes
                else {"n_workers": 1, "threads_per_worker": settings.workers}
            )
            with (
                LocalCluster(
                    processes=processes, dashboard_address=":0", memory_limit=0, silence_logs=logging.CRITICAL, **shape
                ) as cluster,
                Client(cluster) as client,
            ):
                yield DaskTilePool(client, settings.workers)
        else:
            with Client(settings.cluster) as client:
                yield DaskTilePool(client, 2 * max(1, sum(client.nthreads().values())))
