"""The SLURM recipes: what dask-jobqueue makes of ours, and the array script with the programs of SLURM replaced."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from distributed import Client

from catalog.facts.errors import WrongCall
from catalog.stores.store import open_store
from infra.elastic import open_elastic, read_recipe, slurm_cluster
from infra.tile_pool import DaskTilePool
from simulator.make import make
from tests.infra.started import ROOT, SCRIPTS, started, wait_for
from tests.small_world import SMALLEST, World

SLURM = ROOT / "infra" / "slurm"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to run in: dask-jobqueue makes the folder of its logs where it is."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_job_is_what_the_recipe_says(here):
    with slurm_cluster(read_recipe(str(SLURM / "cluster.yaml"))) as cluster:
        script = cluster.job_script().splitlines()
    assert script[0] == "#!/usr/bin/env bash"
    asked = [line.removeprefix("#SBATCH ") for line in script if line.startswith("#SBATCH")]
    assert {"-J cryoatlas-tiles", "-p compute", "-n 1", "--cpus-per-task=8", "--mem=20G", "-t 04:00:00", "--open-mode=append"} <= set(asked)
    assert "export OMP_NUM_THREADS=1 GDAL_NUM_THREADS=1 GDAL_CACHEMAX=256" in script
    worker = script[-1]
    assert worker.startswith(f"{sys.executable} -m distributed.cli.dask_worker tcp://")
    assert "--nthreads 2 --memory-limit 5.00GiB --nworkers 4" in worker, "2 GiB for each of two tiles, and room to read"
    assert worker.endswith("--death-timeout 300 --local-directory /tmp --lifetime 3h40m --lifetime-stagger 10m")


@pytest.mark.slow
def test_jobs_are_submitted_while_there_is_work_and_never_more_than_the_bound(here, monkeypatch):
    # a job starts its worker at once on this machine
    _program(here / "bin" / "sbatch", 'echo x >>"$JOBS/submitted"; bash "$1" >/dev/null 2>&1 & echo "Submitted batch job $!"')
    _program(here / "bin" / "scancel", 'pkill -P "$1"; kill "$1"')
    monkeypatch.setenv("JOBS", str(here))
    monkeypatch.setenv("PATH", f"{here / 'bin'}:{os.environ['PATH']}")
    (here / "two.yaml").write_text(
        "workers: {minimum: 0, maximum: 2}\n"
        "cluster: {cores: 1, processes: 1, memory: 2 GiB, worker_extra_args: [--no-dashboard], scheduler_options: {host: 127.0.0.1, dashboard_address: ':0'}}\n"
    )
    with open_elastic("slurm", str(here / "two.yaml")) as (cluster, _), Client(cluster) as client:
        assert not client.nthreads(), "nothing is held while nothing runs"
        ended = dict(DaskTilePool(client, 4).each(abs, range(-20, 0)))
        assert ended == {number: -number for number in range(-20, 0)}
    assert 1 <= len((here / "submitted").read_text().split()) <= 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cluster: {cores: 1}", "`workers` must say `minimum` and `maximum`"),
        ("cluster: {cores: 1}\nworkers: {minimum: 3, maximum: 2}", "found 3 and 2"),
        ("cluster: {cores: 1}\nworkers: {minimum: 0, maximum: 0}", "maximum >= 1"),
        ("clusters: {cores: 1}\nworkers: {minimum: 0, maximum: 2}", "has the keys `cluster` and `workers`"),
        ("- 1", "has the keys"),
        ("cluster: {", "cannot be read as YAML"),
        ("cluster: {cores: 1, memory: 1 GB, quue: long}\nworkers: {minimum: 0, maximum: 2}", "'quue'"),
        ("cluster: {cores: 1}\nworkers: {minimum: 0, maximum: 2}", "does not take this `cluster`: .*memory"),
    ],
)
def test_a_wrong_recipe_is_one_sentence(here, text, said):
    (here / "wrong.yaml").write_text(text)
    with pytest.raises(WrongCall, match=said) as told, open_elastic("slurm", str(here / "wrong.yaml")):
        pass
    assert "wrong.yaml" in str(told.value)


def _program(path: Path, body: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/bash\n{body}\n")
    path.chmod(0o755)


@pytest.fixture
def array(tmp_path):
    """Runs one index of the array script, with `cryoatlas` and `scontrol` that write down how they were called."""
    _program(tmp_path / "bin" / "cryoatlas", f'echo "$@" >>{tmp_path}/called; [[ "$*" != *broken* ]] || exit 3')
    _program(tmp_path / "bin" / "scontrol", f'echo "$@" >>{tmp_path}/requeued')
    (tmp_path / "units.txt").write_text("# region years\nkhumbu 2021\nkhumbu 2022\n\nbroken 2021\npamir 2021-2022")

    def run(index: int, count: int, first: int = 0) -> tuple[int, list[str]]:
        (tmp_path / "called").unlink(missing_ok=True)
        environment = {
            "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
            "SLURM_ARRAY_TASK_ID": str(index),
            "SLURM_ARRAY_TASK_MIN": str(first),
            "SLURM_ARRAY_TASK_COUNT": str(count),
            "SLURM_CPUS_PER_TASK": "4",
        }
        command = ["bash", str(SLURM / "array.sbatch"), str(tmp_path / "units.txt"), "--catalog", "c", "--store", "a store"]
        code = subprocess.run(command, env=environment, check=False, capture_output=True).returncode
        called = tmp_path / "called"
        return code, called.read_text().splitlines() if called.exists() else []

    return run


def _called(*units: str) -> list[str]:
    return [f"run --region {region} --years {years} --catalog c --store a store" for region, years in (unit.split() for unit in units)]


def test_the_indices_of_an_array_share_the_lines_of_the_file(array):
    assert array(0, 1) == (3, _called("khumbu 2021", "khumbu 2022", "broken 2021", "pamir 2021-2022")), "the others go on, the code stays"
    assert array(0, 2) == (3, _called("khumbu 2021", "broken 2021"))
    assert array(2, 2, first=1) == (0, _called("khumbu 2022", "pamir 2021-2022"))
    assert array(4, 5) == (0, [])


def test_without_units_the_array_says_how_it_is_called():
    ended = subprocess.run(["bash", str(SLURM / "array.sbatch")], check=False, capture_output=True, text=True)
    assert ended.returncode != 0
    assert "usage: sbatch --array=0-N array.sbatch UNITS.txt" in ended.stderr


@pytest.mark.parametrize("script", ["array.sbatch", "flow.sbatch"])
@pytest.mark.parametrize("stubborn", [False, True])
def test_sigterm_stops_the_run_and_puts_the_job_back(tmp_path, script, stubborn):
    refuses = "trap '' TERM;" if stubborn else ""
    _program(tmp_path / "bin" / "cryoatlas", f"{refuses} echo $$ >{tmp_path}/pid; while :; do sleep 0.1; done")
    _program(tmp_path / "bin" / "scontrol", f'echo "$@" >>{tmp_path}/requeued')
    (tmp_path / "units.txt").write_text("khumbu 2021\nkhumbu 2022\n")
    environment = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "SLURM_JOB_ID": "77", "CRYOATLAS_GRACE_S": "1"}
    arguments = [str(tmp_path / "units.txt")] if script.startswith("array") else ["run"]
    log = tmp_path / "log"
    with started(["bash", str(SLURM / script), *arguments], log, environment) as process:
        wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), process, log)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 143
    assert (tmp_path / "requeued").read_text() == "requeue 77\n"
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists(), "nothing is left behind"


@pytest.mark.slow
def test_an_index_of_the_array_builds_a_surface_with_the_real_command(tmp_path):
    make(SMALLEST, (2021, 2022), tmp_path / "world")
    world = World(tmp_path / "world")
    (tmp_path / "units.txt").write_text(f"{world.region} 2021\n{world.region} 2022\n")
    environment = os.environ | {"PATH": f"{SCRIPTS}:{os.environ['PATH']}", "SLURM_ARRAY_TASK_ID": "0", "SLURM_ARRAY_TASK_COUNT": "2"}
    options = ["--catalog", world.catalog, "--store", str(tmp_path / "store"), "--until", "surface"]
    command = ["bash", str(SLURM / "array.sbatch"), str(tmp_path / "units.txt"), *options]
    ended = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    cubes = open_store(str(tmp_path / "store")).root / "cubes"
    assert [year.name for region in cubes.iterdir() for year in region.iterdir()] == ["2021"]
