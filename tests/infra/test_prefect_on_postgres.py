"""What locks SQLite, many tasks of several flows at once, is no trouble to a server on Postgres."""

import os
import subprocess
import sys
import time

import httpx
import pytest

from tests.infra.postgres import postgres, prefect_server
from tests.infra.started import ROOT

FLOWS, TASKS = 3, 200


@pytest.mark.slow
def test_three_flows_of_two_hundred_tasks_at_once_all_come_through(tmp_path, capsys):
    with postgres() as database, prefect_server(database, tmp_path) as (api, log):
        environment = os.environ | {"PREFECT_API_URL": api, "PREFECT_HOME": str(tmp_path / "client"), "DO_NOT_TRACK": "1"}
        command = [sys.executable, str(ROOT / "tests" / "infra" / "many_tasks.py"), str(TASKS)]
        started = time.monotonic()
        flows = [
            subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for _ in range(FLOWS)
        ]
        ended = [(*flow.communicate(timeout=500), flow.returncode) for flow in flows]
        seconds = time.monotonic() - started
        counted = _task_runs(api)
        told = log.read_text()
    assert [(output.strip(), code) for output, _, code in ended] == [(str(sum(range(TASKS))), 0)] * FLOWS, ended
    assert counted == {"COMPLETED": FLOWS * TASKS}
    assert "database is locked" not in told
    assert "503" not in told
    with capsys.disabled():
        print(f"\n{FLOWS} flows of {TASKS} tasks at once on Postgres: {seconds:.1f} s")  # noqa: T201 - a figure of docs/scale_out.md


def _task_runs(api: str) -> dict[str, int]:
    """Task runs by state; their events reach the database some seconds after the flow has ended."""
    for _ in range(120):
        counts = {}
        for state in ("COMPLETED", "PENDING", "RUNNING", "FAILED", "CRASHED"):
            body = {"task_runs": {"state": {"type": {"any_": [state]}}}}
            counts[state] = httpx.post(f"{api}/task_runs/count", json=body, timeout=30).json()
        if not counts["PENDING"] + counts["RUNNING"] and counts["COMPLETED"] >= FLOWS * TASKS:
            break
        time.sleep(0.5)
    return {state: count for state, count in counts.items() if count}
