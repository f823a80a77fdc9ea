"""The deployments name flows that exist, with parameters that a server can validate."""

import importlib
from pathlib import Path

import pytest
import yaml
from prefect.flows import Flow

ROOT = Path(__file__).resolve().parents[2]
DEPLOYMENTS = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda deployment: deployment["name"])
def test_an_entrypoint_is_a_flow_with_a_parameter_schema(deployment):
    path, name = deployment["entrypoint"].split(":")
    flow = getattr(importlib.import_module(path.removesuffix(".py").replace("/", ".")), name)
    assert isinstance(flow, Flow)
    assert {"store"} <= set(flow.parameters.properties)


def test_the_server_can_be_imported_with_the_pinned_versions():
    # Prefect 3.8.8 with fastapi 0.155 and later fails here, and only here
    assert importlib.import_module("prefect.server.api.server").create_app


def test_a_wrong_option_is_refused_before_anything_runs():
    from prefect.exceptions import ParameterTypeError  # noqa: PLC0415

    from catalog.facts.options import MapOptions  # noqa: PLC0415
    from flows.map_region import map_region  # noqa: PLC0415

    with pytest.raises(ParameterTypeError):
        map_region.validate_parameters({"region": "x", "year": 2021, "catalog": "c", "store": "s", "options": {"outlyne": {}}})
    assert (
        map_region.validate_parameters({"region": "x", "year": 2021, "catalog": "c", "store": "s", "options": {}})["options"]
        == MapOptions()
    )
