"""Work pools, queues and the rule for lost runs on a Prefect server, as `pools.yaml` says; doing it again changes only what differs."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import yaml
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.exceptions import ObjectNotFound
from prefect.workers.base import BaseWorker

from catalog.facts.errors import WrongCall

POOLS: Final = Path(__file__).with_name("pools.yaml")
LOST: Final = "cryoatlas: a silent run is a crashed run"
_SIGN_OF_LIFE: Final = "prefect.flow-run.heartbeat"
_OVER: Final = frozenset(
    f"prefect.flow-run.{state}" for state in ("Completed", "Failed", "Cancelled", "Crashed", "Paused", "AwaitingRetry")
)


def read_pools(path: Path = POOLS) -> dict[str, Any]:
    """Read the description of pools."""
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


def make_pools(client: SyncPrefectClient, described: Mapping[str, Any], kind: str) -> list[str]:
    """Make pools and queues, or change their limits and priorities; returns the names of the pools.

    Raises WrongCall when no worker of this kind is installed.
    """
    worker = BaseWorker.get_worker_class_from_type(kind)
    if worker is None:
        known = ", ".join(sorted(BaseWorker.get_all_available_worker_types()))
        raise WrongCall(f"Pool type {kind!r}: no worker of that type is installed here. There are: {known}.")
    template = worker.get_default_base_job_template()
    for name, pool in described["pools"].items():
        limit = pool.get("concurrency_limit")
        try:
            client.read_work_pool(name)
            client.update_work_pool(name, WorkPoolUpdate(description=pool["description"], concurrency_limit=limit))
        except ObjectNotFound:
            client.create_work_pool(
                WorkPoolCreate(name=name, type=kind, description=pool["description"], concurrency_limit=limit, base_job_template=template)
            )
        for queue, wanted in pool["queues"].items():
            _make_queue(client, name, queue, wanted)
    return list(described["pools"])


def _make_queue(client: SyncPrefectClient, pool: str, queue: str, wanted: Mapping[str, int]) -> None:
    limit, priority = wanted.get("concurrency_limit"), wanted["priority"]
    try:
        found = client.read_work_queue_by_name(queue, work_pool_name=pool)
    except ObjectNotFound:
        client.create_work_queue(queue, concurrency_limit=limit, priority=priority, work_pool_name=pool)
    else:
        client.update_work_queue(found.id, concurrency_limit=limit, priority=priority)


def watch_lost_runs(client: SyncPrefectClient, lost_after_s: float) -> None:
    """Have the server show runs as crashed whose process died without a word: machine lost, killed with its worker."""
    wanted = AutomationCore(
        name=LOST,
        description="Its process ended without a word. Run it again: what is complete is kept.",
        trigger=EventTrigger(
            after={_SIGN_OF_LIFE},
            expect={_SIGN_OF_LIFE, *_OVER},
            match={"prefect.resource.id": "prefect.flow-run.*"},
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=timedelta(seconds=lost_after_s),
        ),
        # never by force: of a short run the last sign of life may arrive after its end, and what ended stays as it ended
        actions=[
            ChangeFlowRunState(
                name="Lost", state=StateType.CRASHED, message=f"No sign of life for {lost_after_s / 60:.0f} min.", force=False
            )
        ],
    )
    known = client.read_automations_by_name(LOST)
    if known:
        client.update_automation(known[0].id, wanted)
    else:
        client.create_automation(wanted)
