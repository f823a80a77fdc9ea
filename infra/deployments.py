"""The deployments of `prefect.yaml` on a server, with their pools; what an operator switched on stays on."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
from prefect import get_client
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import WorkPoolStatus
from prefect.client.schemas.responses import DeploymentResponse

from catalog.facts.errors import CryoatlasError, ServerUnreachable
from infra.pools import make_pools, read_pools, watch_lost_runs

_CHECKOUT: Final = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Deployed:
    """One deployment as the server has it."""

    name: str
    """`<flow>/<deployment>`, as runs are started."""
    pool: str
    queue: str
    schedules: str
    """Cron and time zone of each, and whether it is switched on."""
    waits_for_worker: bool
    """No worker is online in its pool."""


def deploy_all(store: str, catalog: str, kind: str) -> tuple[Deployed, ...]:
    """Make or change pools, queues and deployments; `store` and `catalog` fill their forms, `kind` is that of new pools.

    Raises ServerUnreachable when PREFECT_API_URL does not answer, CryoatlasError with what Prefect printed when it refuses.
    """
    described = read_pools()
    try:
        with get_client(sync_client=True) as client:
            client.hello()
            make_pools(client, described, kind)
            watch_lost_runs(client, described["lost_after_s"])
            on = switched_on(client)
            _prefect_deploy({"CRYOATLAS_STORE": store, "CRYOATLAS_CATALOG": catalog})
            switch_on(client, on)
            return _deployed(client)
    except httpx.TransportError as error:
        url = os.environ.get("PREFECT_API_URL", "")
        raise ServerUnreachable(
            f"No Prefect server answers at {url} ({error!r}): start one with `prefect server start`, or correct PREFECT_API_URL."
        ) from error


def _prefect_deploy(forms: dict[str, str]) -> None:
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    done = subprocess.run(command, cwd=_CHECKOUT, env=os.environ | forms, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CryoatlasError(f"`prefect deploy --all` ended with code {done.returncode}: {(done.stdout + done.stderr).strip()[-2000:]}")


def switched_on(client: SyncPrefectClient) -> frozenset[str]:
    """Slugs of the schedules of our pools that are switched on."""
    # deploying again writes `active: false` over what the operator switched on
    return frozenset(
        schedule.slug for deployment in _ours(client) for schedule in deployment.schedules if schedule.active and schedule.slug is not None
    )


def switch_on(client: SyncPrefectClient, slugs: frozenset[str]) -> None:
    """Switch on the schedules of these slugs; the others stay as they are."""
    for deployment in _ours(client):
        for schedule in deployment.schedules:
            if schedule.slug in slugs:
                client.update_deployment_schedule(deployment.id, schedule.id, active=True)


def _ours(client: SyncPrefectClient) -> list[DeploymentResponse]:
    pools = read_pools()["pools"]
    return [deployment for deployment in client.read_deployments() if deployment.work_pool_name in pools]


def _deployed(client: SyncPrefectClient) -> tuple[Deployed, ...]:
    waiting = {pool.name for pool in client.read_work_pools() if pool.status != WorkPoolStatus.READY}
    flows = {flow.id: flow.name for flow in client.read_flows()}
    rows = [
        Deployed(
            f"{flows[deployment.flow_id]}/{deployment.name}",
            str(deployment.work_pool_name),
            str(deployment.work_queue_name),
            "; ".join(_in_words(schedule.schedule, active=schedule.active) for schedule in deployment.schedules),
            deployment.work_pool_name in waiting,
        )
        for deployment in _ours(client)
    ]
    return tuple(sorted(rows, key=lambda row: row.name))


def _in_words(schedule: object, *, active: bool) -> str:
    return f"{getattr(schedule, 'cron', schedule)} {getattr(schedule, 'timezone', '')} {'on' if active else 'off'}"
