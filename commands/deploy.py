"""`cryoatlas deploy`: pools, queues and deployments on the Prefect server that PREFECT_API_URL names."""

import os
from typing import Annotated

import typer

from catalog.facts.errors import WrongCall
from commands.console import say, show_table


def deploy(
    store: Annotated[str, typer.Option(envvar="CRYOATLAS_STORE", help="Folder or address that all workers reach; fills the forms.")],
    *,
    catalog: Annotated[
        str, typer.Option(envvar="CRYOATLAS_CATALOG", help="Fills the forms: a provider, an API or a path.")
    ] = "planetary-computer",
    pool_type: Annotated[str, typer.Option(help="Kind of new pools: process, docker, kubernetes, as far as installed.")] = "process",
) -> None:
    """Make or change work pools, queues and deployments. Doing it again changes only what differs; schedules stay as they were switched.

    It needs a server: PREFECT_API_URL names it, for example http://127.0.0.1:4200/api.

    Example: cryoatlas deploy --store /data/store
    """
    if not os.environ.get("PREFECT_API_URL"):
        raise WrongCall("PREFECT_API_URL names no server to deploy to: set it, for example to http://127.0.0.1:4200/api.")
    from infra.deployments import deploy_all  # noqa: PLC0415 - Prefect takes seconds to import

    rows = deploy_all(store, catalog, pool_type)
    show_table("Deployments", ("name", "pool", "queue", "schedules"), [(row.name, row.pool, row.queue, row.schedules) for row in rows])
    for pool in sorted({row.pool for row in rows if row.waits_for_worker}):
        say(f"No worker is online in pool {pool}: start one with `prefect worker start --pool {pool} --limit 2`.")
