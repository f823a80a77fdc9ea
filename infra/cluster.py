"""Opens the Dask cluster that a flow runs on; nothing starts at import."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import dask
from distributed import Client, LocalCluster

from catalog.facts.errors import ClusterLost, WrongCall
from infra.elastic import OPENERS, open_elastic
from infra.settings import Settings
from infra.tile_pool import DaskTilePool
from infra.versions import check_cluster, code_versions

__all__ = ["DaskTilePool", "open_cluster"]

_QUIET = {
    "distributed.logging.distributed": "error",
    # a tile holds the interpreter for seconds while it compiles and sorts; that is not a dead worker
    "distributed.admin.tick.limit": "60s",
    "distributed.worker.daemon": True,
    # a unit may lose its worker twice beside others and twice alone (tile_pool)
    "distributed.scheduler.allowed-failures": 1,
}
_ADDRESSES = ("tcp", "tls", "ucx", "ws", "wss")
_WIDEST = 64
"""At least so many units are with a scheduler that others started: workers may join it at any time."""
_FIRST_WORKER_S = 60


@contextmanager
def open_cluster(settings: Settings) -> Iterator[DaskTilePool]:
    """Open the cluster that the settings name, and close what was opened here.

    Raises WrongCall for a setting that names none, ClusterLost when nobody answers there.
    """
    logging.getLogger("distributed").setLevel(logging.ERROR)
    kind, _, rest = settings.cluster.partition(":")
    with dask.config.set(_QUIET):
        if settings.cluster in {"threads", "processes"}:
            with _local(settings) as pool:
                yield pool
        elif kind in OPENERS and rest:
            with open_elastic(kind, rest) as (cluster, recipe), Client(cluster) as client:
                yield DaskTilePool(client, 2 * recipe.most, code_versions())
        elif kind in _ADDRESSES and rest:
            with _joined(settings.cluster) as client:
                check_cluster(client, code_versions())
                yield DaskTilePool(client, max(_WIDEST, 2 * sum(client.nthreads().values())), code_versions())
        else:
            raise WrongCall(
                f"CRYOATLAS_CLUSTER is {settings.cluster!r}. It is `threads`, `processes`, the address of a Dask scheduler like "
                "`tcp://scheduler:8786`, `slurm:FILE.yaml` or `kubernetes:FILE.yaml`."
            )


@contextmanager
def _local(settings: Settings) -> Iterator[DaskTilePool]:
    shape = (
        {"n_workers": settings.workers, "threads_per_worker": 1}
        if settings.cluster == "processes"
        else {"n_workers": 1, "threads_per_worker": settings.workers}
    )
    processes = settings.cluster == "processes"
    with (
        LocalCluster(processes=processes, dashboard_address=":0", memory_limit=0, silence_logs=logging.CRITICAL, **shape) as cluster,
        Client(cluster) as client,
    ):
        yield DaskTilePool(client, settings.workers)


@contextmanager
def _joined(address: str) -> Iterator[Client]:
    try:
        client = Client(address)
    except OSError as error:
        raise ClusterLost(
            f"No Dask scheduler answers at {address}; start one with `dask scheduler`, or correct CRYOATLAS_CLUSTER."
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=_FIRST_WORKER_S)
        except TimeoutError as error:
            raise ClusterLost(
                f"The Dask scheduler at {address} has had no worker for {_FIRST_WORKER_S} s; start one with `dask worker {address}`."
            ) from error
        yield client
