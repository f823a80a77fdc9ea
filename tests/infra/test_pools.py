"""Pools, queues and switches on a real server: made once, changed where they differ, and left on where they were on."""

import pytest
from prefect import get_client
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.schedules import CronSchedule

from catalog.facts.errors import WrongCall
from flows.track_region import track_region
from infra.deployments import switch_on, switched_on
from infra.pools import LOST, make_pools, read_pools, watch_lost_runs


@pytest.fixture(scope="module")
def client(prefect_server):
    with get_client(sync_client=True) as client:
        make_pools(client, read_pools(), "process")
        yield client


def test_pools_and_queues_are_as_described_and_made_once(client: SyncPrefectClient):
    described = read_pools()
    changed = described | {"pools": {name: pool | {"concurrency_limit": 3} for name, pool in described["pools"].items()}}
    assert make_pools(client, changed, "process") == ["cpu", "gpu"]
    assert client.read_work_pool("cpu").concurrency_limit == 3
    assert client.read_work_pool("cpu").type == "process"
    make_pools(client, described, "process")
    assert client.read_work_pool("cpu").concurrency_limit == described["pools"]["cpu"]["concurrency_limit"]
    for pool, wanted in described["pools"].items():
        for name, queue in wanted["queues"].items():
            found = client.read_work_queue_by_name(name, work_pool_name=pool)
            assert (found.priority, found.concurrency_limit) == (queue["priority"], queue.get("concurrency_limit"))


def test_a_kind_of_pool_without_a_worker_is_a_wrong_call(client: SyncPrefectClient):
    with pytest.raises(WrongCall, match=r"Pool type 'moon'.*process"):
        make_pools(client, read_pools(), "moon")


def test_a_silent_run_is_taken_for_lost_by_one_rule_and_never_by_force(client: SyncPrefectClient):
    for lost_after_s in (600, 300):
        watch_lost_runs(client, lost_after_s)
    (rule,) = client.read_automations_by_name(LOST)
    assert rule.trigger.within.total_seconds() == 300
    (action,) = rule.actions
    assert (str(action.state.value), action.force) == ("CRASHED", False)


def test_what_an_operator_switched_on_stays_on_when_it_is_deployed_again(client: SyncPrefectClient):
    def deploy() -> None:
        schedules = [
            DeploymentScheduleCreate(schedule=CronSchedule(cron=f"0 3 15 {month} *", timezone="UTC"), active=False, slug=slug)
            for slug, month in (("autumn", 10), ("winter", 12))
        ]
        flow = client.create_flow(track_region)
        client.create_deployment(flow, name="track-region", work_pool_name="cpu", schedules=schedules)

    deploy()
    assert switched_on(client) == frozenset()
    switch_on(client, frozenset({"winter"}))
    on = switched_on(client)
    assert on == {"winter"}
    deploy()
    switch_on(client, on)
    assert switched_on(client) == {"winter"}
