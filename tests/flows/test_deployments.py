"""The deployments name flows that exist, with parameters that a server can validate, and schedules after the season."""

import importlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from cronsim import CronSim
from jsonschema import Draft202012Validator
from prefect.exceptions import ParameterTypeError
from prefect.flows import Flow

from catalog.facts.options import MapOptions
from catalog.facts.seasons import last_closed_year
from catalog.stores.regions import all_regions, find_region
from flows.map_region import map_region
from infra.pools import read_pools

ROOT = Path(__file__).resolve().parents[2]
DEPLOYMENTS = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
SCHEDULES = [(deployment, schedule) for deployment in DEPLOYMENTS for schedule in deployment.get("schedules", ())]
PLACE = {"store": "store", "catalog": "stored"}

each_deployment = pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda deployment: deployment["name"])
each_schedule = pytest.mark.parametrize(("deployment", "schedule"), SCHEDULES, ids=[schedule["slug"] for _, schedule in SCHEDULES])


def flow_of(deployment: dict) -> Flow:
    path, name = deployment["entrypoint"].split(":")
    return getattr(importlib.import_module(path.removesuffix(".py").replace("/", ".")), name)


def given(deployment: dict, schedule: dict | None = None) -> dict:
    parameters = deployment.get("parameters", {}) | (schedule or {}).get("parameters", {})
    # what `cryoatlas deploy` fills in
    return {name: PLACE[name] if str(value).startswith("{{") else value for name, value in parameters.items()}


@each_deployment
def test_an_entrypoint_is_a_flow_whose_form_explains_itself(deployment):
    flow = flow_of(deployment)
    assert isinstance(flow, Flow)
    assert deployment["description"].endswith(".")
    assert deployment["version"]
    assert deployment["enforce_parameter_schema"]
    unexplained = [name for name, field in flow.parameters.properties.items() if not field.get("description")]
    assert not unexplained, f"{flow.name}: no text under {unexplained}"


@each_deployment
def test_parameters_of_a_deployment_are_valid_in_its_form(deployment):
    schema = flow_of(deployment).parameters.model_dump(exclude_unset=True)
    # the rest of a form is filled in by hand
    schema["required"] = [name for name in schema.get("required", ()) if name in given(deployment)]
    assert list(Draft202012Validator(schema).iter_errors(given(deployment))) == []
    assert set(given(deployment)) <= set(schema["properties"])


@each_schedule
def test_a_scheduled_run_needs_nothing_by_hand(deployment, schedule):
    flow_of(deployment).validate_parameters(given(deployment, schedule))
    assert schedule["active"] is False, "an operator switches it on"
    assert schedule["timezone"] == "UTC"


@pytest.mark.parametrize(
    ("deployment", "schedule"),
    [pair for pair in SCHEDULES if pair[0]["name"].startswith("annual")],
    ids=[schedule["slug"] for deployment, schedule in SCHEDULES if deployment["name"].startswith("annual")],
)
@pytest.mark.parametrize("year", [2025, 2028])
def test_an_annual_schedule_comes_after_the_season_of_all_its_regions(deployment, schedule, year):
    begins = next(CronSim(schedule["cron"], datetime(year, 1, 1, tzinfo=UTC)))
    assert begins.year == year
    for name in given(deployment, schedule)["regions"]:
        assert last_closed_year(find_region(name), begins.date()) == year, f"{name} is not over on {begins:%d %B}"


def test_the_annual_deployments_hold_every_bundled_region():
    for family in ("hma", "arctic"):
        (deployment,) = (deployment for deployment in DEPLOYMENTS if deployment["name"] == f"annual-{family}")
        assert set(deployment["parameters"]["regions"]) == {region.name for region in all_regions() if region.family == family}
        assert deployment["concurrency_limit"] == {"limit": 1, "collision_strategy": "ENQUEUE"}


def test_an_audit_comes_every_week():
    (cron,) = (schedule["cron"] for deployment, schedule in SCHEDULES if deployment["name"] == "audit")
    times = CronSim(cron, datetime(2026, 1, 1, tzinfo=UTC))
    assert -(next(times) - next(times)) == timedelta(days=7)


def test_names_and_slugs_are_unique_and_pools_and_queues_are_described():
    names = [deployment["name"] for deployment in DEPLOYMENTS]
    slugs = [schedule["slug"] for _, schedule in SCHEDULES]
    assert len(set(names)) == len(names)
    assert len(set(slugs)) == len(slugs)
    pools = read_pools()["pools"]
    for deployment in DEPLOYMENTS:
        place = deployment["work_pool"]
        assert place.get("work_queue_name", "default") in pools[place["name"]]["queues"], deployment["name"]


def test_what_waits_for_other_runs_cannot_fill_its_pool():
    cpu = read_pools()["pools"]["cpu"]
    assert cpu["queues"]["annual"]["concurrency_limit"] < cpu["concurrency_limit"]
    assert {d["work_pool"]["work_queue_name"] for d in DEPLOYMENTS if d["name"].startswith("annual")} == {"annual"}


def test_the_server_can_be_imported_with_the_pinned_versions():
    # Prefect 3.8.8 with fastapi 0.155 and later fails here, and only here
    assert importlib.import_module("prefect.server.api.server").create_app


@pytest.mark.parametrize(
    "wrong",
    [
        {"options": {"outlyne": {}}},
        {"options": {"surface": {"water_vote_share": 60}}},
        {"options": {"until": "tracks"}},
        {"year": 1999},
        {"year": "last"},
    ],
    ids=str,
)
def test_a_wrong_parameter_is_refused_by_the_form_and_before_anything_runs(wrong):
    asked = {"region": "pamir", "year": 2021, "catalog": "c", "store": "s"}
    assert map_region.validate_parameters(asked | {"options": {}})["options"] == MapOptions()
    with pytest.raises(ParameterTypeError):
        map_region.validate_parameters(asked | wrong)
    assert list(Draft202012Validator(map_region.parameters.model_dump(exclude_unset=True)).iter_errors(asked | wrong))
