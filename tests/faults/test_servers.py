"""The Prefect server goes away while a run is at work."""

import os
from pathlib import Path

import psutil
import pytest

from tests.faults.running import environment, finish, start, surfaces, wait_for
from tests.flows.prefect_site import open_site

IMPATIENT = {"PREFECT_CLIENT_MAX_RETRIES": "1"}
"""Prefect asks a server that is gone five times, for a minute, before it gives up each time."""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def kill_tree(process: psutil.Process) -> None:
    for one in [*process.children(recursive=True), process]:
        one.kill()


def test_a_server_that_dies_in_the_middle(undisturbed, store, tmp_path, mended):
    with open_site(tmp_path / "site") as site:
        env = dict(site.environment) | IMPATIENT | {"COLUMNS": "400"}
        running = start(undisturbed.arguments(store), env=env)
        wait_for(lambda: surfaces(store) >= 1, running)
        server = next(p for p in psutil.process_iter() if _is_server(p, site.home))
        kill_tree(server)
        ended = finish(running)
    assert ended.code == 3, ended
    assert "does not answer any more" in ended.error
    mended(store)


def test_a_worker_that_is_killed_with_its_flow_run(undisturbed, store, tmp_path, mended):
    with open_site(tmp_path / "site") as site:
        deployed = site.run("cryoatlas", "deploy", "--store", str(store), "--catalog", undisturbed.catalog)
        assert deployed.returncode == 0, deployed.stderr
        with site.running("worker", "prefect", "worker", "start", "--pool", "cpu", "--name", "one") as worker:
            asked = {
                "regions": [undisturbed.region],
                "years": [2021],
                "catalog": undisturbed.catalog,
                "store": str(store),
                "model": "indices",
            }
            site.submit("annual/annual-hma", asked)
            wait_for(lambda: surfaces(store) >= 1, worker)
            kill_tree(psutil.Process(worker.pid))
            assert surfaces(store) < 5, "it was done already"
    assert site.left_behind() == []
    mended(store)


def test_the_private_server_of_a_command_dies(undisturbed, store, tmp_path, mended):
    home = tmp_path / "home"
    apart = {name: value for name, value in environment().items() if not name.startswith("PREFECT_")}
    running = start(undisturbed.arguments(store), env=apart | IMPATIENT | {"PREFECT_HOME": str(home)})
    wait_for(lambda: surfaces(store) >= 1, running)
    (server,) = [child for child in psutil.Process(running.pid).children(recursive=True) if "uvicorn" in child.cmdline()]
    server.kill()
    ended = finish(running)
    assert ended.code == 3, ended
    assert "does not answer any more" in ended.error
    mended(store)


def _is_server(process: psutil.Process, home: Path) -> bool:
    try:
        ours = process.pid != os.getpid() and process.environ().get("PREFECT_HOME") == str(home)
        return ours and "server" in process.cmdline() and "start" in process.cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
