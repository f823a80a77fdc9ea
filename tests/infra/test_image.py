"""The image: linted, and what its steps leave in it is put together here, because no daemon builds it in a test."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from infra.settings import _PREFECT_DEFAULTS
from tests.infra.known_commands import assert_known
from tests.infra.started import ROOT, SCRIPTS

FILE = ROOT / "infra" / "Dockerfile"


@dataclass(frozen=True)
class Stage:
    """One stage of the Dockerfile: its base and its instructions."""

    base: str
    instructions: tuple[tuple[str, str], ...]

    def of(self, word: str) -> list[str]:
        return [value for name, value in self.instructions if name == word]

    @property
    def env(self) -> dict[str, str]:
        return dict(pair.split("=", 1) for value in self.of("ENV") for pair in shlex.split(value))


def _stages() -> dict[str, Stage]:
    text = re.sub(r"^\s*#.*\n", "", FILE.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    stages: dict[str, Stage] = {}
    for line in filter(str.strip, text.splitlines()):
        word, value = line.split(maxsplit=1)
        if word == "FROM":
            base, _, name = value.split()
            stages[name] = Stage(base, ())
        elif stages:
            last = list(stages)[-1]
            stages[last] = Stage(stages[last].base, (*stages[last].instructions, (word, value.strip())))
    return stages


STAGES = _stages()
COPIED = [shlex.split(value) for stage in STAGES.values() for value in stage.of("COPY") if not value.startswith("--from")]


def test_the_linter_has_nothing_to_say():
    ended = subprocess.run([SCRIPTS / "hadolint", str(FILE)], check=False, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (0, "")


def test_both_images_are_pinned_small_and_not_root():
    assert list(STAGES) == ["build", "runtime", "cpu", "cuda"]
    assert re.search(r"^ARG PYTHON=3\.11\.\d+-slim-bookworm$", FILE.read_text(), re.MULTILINE)
    assert {STAGES["build"].base, STAGES["runtime"].base} == {"python:${PYTHON}"}
    assert {STAGES["cpu"].base, STAGES["cuda"].base} == {"runtime"}
    assert STAGES["runtime"].of("USER") == ["10001:10001"]
    assert not STAGES["cpu"].of("USER") + STAGES["cuda"].of("USER")
    assert [value for value in STAGES["runtime"].of("COPY") if value.startswith("--from")] == ["--from=build /opt/venv /opt/venv"]
    assert "pip install" not in str(STAGES["runtime"].instructions)


def test_every_install_is_pinned_by_the_constraints_and_names_no_index():
    installs = re.findall(r"pip install [^;&]*", " ".join(STAGES["build"].of("RUN")))
    assert len(installs) == 2
    assert all("--constraint constraints.txt" in install for install in installs)
    assert "://" not in FILE.read_text().replace("http://127.0.0.1:8080", "")


def test_extras_of_the_image_are_those_of_the_project():
    (extras,) = re.findall(r'ARG EXTRAS="(.*)"', FILE.read_text())
    project = (ROOT / "pyproject.toml").read_text()
    assert all(f"\n{extra} = [" in project for extra in extras.split(","))


def test_everything_copied_is_there_and_nothing_but_that_is_in_the_context():
    sources = {source for *sources, _ in COPIED for source in sources}
    assert all((ROOT / source).exists() for source in sources)
    ignore = (FILE.parent / "Dockerfile.dockerignore").read_text().splitlines()
    assert ignore[1] == "*"
    assert {line[1:] for line in ignore if line.startswith("!")} == sources
    assert "**/.env" in ignore, "no secret gets into an image"


def test_telemetry_is_off_as_on_one_machine_and_deployments_find_the_flows():
    env = STAGES["runtime"].env
    off = {name: value for name, value in _PREFECT_DEFAULTS.items() if "TELEMETRY" in name or "ANALYTICS" in name or "TRACK" in name}
    assert len(off) == 4
    assert off.items() <= env.items()
    assert env["CRYOATLAS_HOME"] == env["PYTHONPATH"] == STAGES["runtime"].of("WORKDIR")[0]
    assert STAGES["cuda"].env["CRYOATLAS_DEVICE"] == "cuda"


def test_the_health_that_is_asked_is_that_of_the_worker():
    (health,) = STAGES["runtime"].of("HEALTHCHECK")
    assert f":{STAGES['runtime'].env['PREFECT_WORKER_WEBSERVER_PORT']}/health" in health
    assert all("--with-healthcheck" in json.loads(STAGES[stage].of("CMD")[0]) for stage in ("runtime", "cuda"))


@pytest.mark.slow
def test_the_image_starts_what_there_is():
    for stage in ("runtime", "cuda"):
        assert_known(json.loads(STAGES[stage].of("CMD")[0]))


@pytest.mark.slow
def test_what_the_image_holds_runs(tmp_path):
    """Its two steps by hand: dependencies and commands installed without the sources, the sources beside them."""
    built, home, installed = tmp_path / "build", tmp_path / "home", tmp_path / "installed"
    built.mkdir()
    for source in shlex.split(STAGES["build"].of("COPY")[0])[:-1]:
        shutil.copy(ROOT / source, built)
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--target", str(installed)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, "."], cwd=built, check=True)
    assert not (installed / "catalog").exists(), "the layer of dependencies does not change with the sources"
    for *sources, _ in (shlex.split(value) for value in STAGES["runtime"].of("COPY") if not value.startswith("--from")):
        for source in sources:
            path = ROOT / source
            home.mkdir(exist_ok=True)
            leave = shutil.ignore_patterns("__pycache__")
            shutil.copytree(path, home / source, ignore=leave) if path.is_dir() else shutil.copy(path, home / source)
    environment = os.environ | {"PYTHONPATH": f"{home}:{installed}"}
    where = "import commands.main, flows, infra.cluster; print(commands.main.__file__)"
    told = subprocess.run([sys.executable, "-c", where], env=environment, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert told.stdout.strip() == str(home / "commands" / "main.py")
    said = [installed / "bin" / "cryoatlas", "regions", "list"]
    listed = subprocess.run(said, env=environment, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert "karakoram" in listed.stdout
    entries = [deployment["entrypoint"].split(":")[0] for deployment in yaml.safe_load((home / "prefect.yaml").read_text())["deployments"]]
    assert all((home / Path(entry)).is_file() for entry in entries)
