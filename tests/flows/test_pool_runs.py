"""Runs of a deployment on a real server: one open run for the same thing, a new one once it ended, and patience."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest
from prefect import get_client
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.states import Cancelled, Completed, Crashed, Failed

from catalog.facts.errors import ServerUnreachable, WrongCall
from catalog.facts.records import RegionYears
from flows.fan_out import Ended
from flows.map_region import map_region
from flows.pool_runs import DeploymentRuns, patiently

PAMIR = RegionYears("pamir", "lakes", (2021,))
FORM = {"catalog": "stored", "store": "store", "model": None, "options": {}, "outlines": None}


@pytest.fixture(scope="module")
def client(prefect_server):
    with get_client(sync_client=True) as client:
        yield client


@pytest.fixture(scope="module")
def runs(client: SyncPrefectClient) -> DeploymentRuns:
    client.create_work_pool(WorkPoolCreate(name="nobody", type="process"))
    flow = client.create_flow(map_region)
    client.create_deployment(
        flow,
        name="region-year",
        work_pool_name="nobody",
        tags=["region-year"],
        parameter_openapi_schema=map_region.parameters.model_dump(exclude_unset=True),
        enforce_parameter_schema=True,
    )
    return DeploymentRuns("map-region/region-year", FORM)


def end(client: SyncPrefectClient, run: str, state) -> None:
    client.set_flow_run_state(run, state, force=True)


def test_what_is_open_is_not_submitted_twice_and_what_ended_is_asked_again(client, runs):
    first = runs.submit(PAMIR, 2019)
    assert runs.submit(PAMIR, 2019) == first
    assert runs.ended([first]) == {}
    end(client, first, Completed())
    second = runs.submit(PAMIR, 2019)
    assert second != first
    assert runs.submit(PAMIR, 2019) == second
    keys = [client.read_flow_run(run).idempotency_key for run in (first, second)]
    assert keys == [f"{runs.key(PAMIR, 2019)}:1", f"{runs.key(PAMIR, 2019)}:2"]
    assert keys[0].startswith("lakes:pamir:2019:")


def test_a_notebook_with_its_running_loop_submits_as_a_terminal_does(client, runs):
    async def cell() -> str:
        return runs.submit(PAMIR, 2017)

    # in a thread of its own: a browser of another test may have left a running loop in this one
    with ThreadPoolExecutor(1) as kernel:
        run = kernel.submit(asyncio.run, cell()).result()
    assert client.read_flow_run(run).deployment_id is not None


def test_another_reason_form_or_year_is_another_run(runs):
    keys = {
        runs.key(PAMIR, 2021),
        runs.key(PAMIR, 2022),
        replace(runs, reason="again").key(PAMIR, 2021),
        replace(runs, form=FORM | {"model": "indices"}).key(PAMIR, 2021),
    }
    assert len(keys) == 4


@pytest.mark.parametrize(
    ("state", "ended"),
    [
        (Completed(), Ended("completed", "Completed")),
        (Failed(message="Flow run encountered an exception: UnitsFailed: 1 unit."), Ended("failed", "1 unit.", "UnitsFailed")),
        (Crashed(message="Flow run process exited with -9"), Ended("crashed", "Flow run process exited with -9")),
        (Cancelled(message="by hand"), Ended("was cancelled", "by hand")),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_how_a_run_ended_is_told_in_our_words(client, runs, state, ended):
    run = runs.submit(PAMIR, 2020)
    end(client, run, state)
    assert runs.ended([run]) == {run: ended}


def test_a_run_that_was_deleted_counts_as_cancelled(client, runs):
    run = runs.submit(PAMIR, 2018)
    client.delete_flow_run(run)
    assert runs.ended([run])[run].state == "was cancelled"


def test_a_deployment_that_is_not_there_is_named_with_those_that_are(runs):
    with pytest.raises(WrongCall, match="There: map-region/region-year"):
        replace(runs, deployment="map-region/region-yaer").check()


def test_what_the_server_refuses_is_a_wrong_call(runs):
    with pytest.raises(WrongCall, match="The server refused a run"):
        replace(runs, form=FORM | {"options": {"surface": {"water_vote_share": 60}}}).submit(PAMIR, 2021)


def test_a_server_that_is_away_is_asked_again_and_not_for_ever():
    slept: list[float] = []
    answers = iter([httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), "there"])

    def ask() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert patiently(ask, sleep=slept.append) == "there"
    assert slept == [1.0, 2.0]

    def refuse() -> str:
        raise httpx.ConnectError("refused")

    with pytest.raises(ServerUnreachable, match="Runs that were submitted go on"):
        patiently(refuse, sleep=slept.append, patience_s=100.0)
