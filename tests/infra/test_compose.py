"""The compose file: valid, pinned, complete in its secrets, and of commands and variables that exist."""

import re
import shutil
import subprocess

import pytest
import yaml

from tests.infra.environments import is_read
from tests.infra.known_commands import PROGRAMS, assert_known
from tests.infra.started import ROOT, SCRIPTS

FILE = ROOT / "infra" / "compose.yaml"
EXAMPLE = ROOT / "infra" / ".env.example"
COMPOSE = yaml.safe_load(FILE.read_text())
SERVICES: dict[str, dict] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("cryoatlas")}
ASKED = dict(re.findall(r"\$\{(\w+)(:[?-])", FILE.read_text()))


def test_it_is_valid_by_the_schema_of_compose():
    command = [SCRIPTS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(FILE)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout


def test_docker_itself_takes_it():
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], check=False, capture_output=True).returncode:
        pytest.skip("`docker compose` is not here")
    secrets = {name: "password" for name, kind in ASKED.items() if kind == ":?"}
    command = [docker, "compose", "-f", str(FILE), "--profile", "gpu", "--profile", "dask", "config", "--quiet"]
    ended = subprocess.run(command, env=secrets | {"PATH": "/usr/bin:/bin"}, check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def test_every_variable_is_in_the_example_and_secrets_have_no_default():
    example = dict(line.split("=", 1) for line in EXAMPLE.read_text().splitlines() if line and not line.startswith("#"))
    assert set(example) == set(ASKED)
    assert {name for name, kind in ASKED.items() if kind == ":?"} == {"POSTGRES_PASSWORD", "STORE_USER", "STORE_PASSWORD"}
    assert all(not value for name, value in example.items() if "PASSWORD" in name)
    assert ".env" in (ROOT / ".gitignore").read_text().split()


def test_images_are_pinned_and_ours_are_targets_of_the_dockerfile():
    targets = re.findall(r"^FROM \S+ AS (\w+)$", (ROOT / "infra" / "Dockerfile").read_text(), re.MULTILINE)
    for name, service in SERVICES.items():
        image, tag = service["image"].rsplit(":", 1)
        if image == "cryoatlas":
            assert service["build"]["target"] == tag
            assert tag in targets
            assert (FILE.parent / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
        else:
            assert re.search(r"\d", tag), f"{name} is not pinned"


def test_what_others_wait_for_tells_when_it_is_ready():
    for service in SERVICES.values():
        for name, on in service.get("depends_on", {}).items():
            waits_for_end = on["condition"] == "service_completed_successfully"
            assert waits_for_end == (SERVICES[name]["restart"] == "on-failure")
            assert waits_for_end or "test" in SERVICES[name]["healthcheck"]


def test_every_volume_is_declared_and_data_outlives_containers():
    used = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert used == set(COMPOSE["volumes"])
    assert SERVICES["database"]["volumes"]
    assert SERVICES["store"]["volumes"]


def test_variables_are_read_by_something():
    unread = {name for service in OURS.values() for name in service.get("environment", {}) if not is_read(name)}
    assert not unread


def test_the_server_keeps_its_records_in_postgres_and_is_not_open_to_the_world():
    url = SERVICES["server"]["environment"]["PREFECT_API_DATABASE_CONNECTION_URL"]
    database = SERVICES["database"]["environment"]
    assert url.startswith(f"postgresql+asyncpg://{database['POSTGRES_USER']}:")
    assert url.endswith(f"@database:5432/{database['POSTGRES_DB']}")
    assert all(port.startswith("127.0.0.1:") for service in SERVICES.values() for port in service.get("ports", []))


def test_one_run_at_a_time_on_a_gpu_and_two_gib_for_each_tile():
    gpu, tiles = SERVICES["worker-gpu"], SERVICES["tiles"]
    assert gpu["deploy"]["resources"]["reservations"]["devices"] == [{"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}]
    assert _option(gpu["command"], "--limit") == "1"
    threads, memory = int(_option(tiles["command"], "--nthreads")), _option(tiles["command"], "--memory-limit")
    assert float(memory.removesuffix(" GiB")) / threads >= 2


def _option(command: list[str], name: str) -> str:
    return command[command.index(name) + 1]


@pytest.mark.slow
def test_commands_and_their_options_exist():
    for service in OURS.values():
        assert service["command"][0] in PROGRAMS
        assert_known(service["command"])
