"""Nothing half-written counts: killed anywhere and run again, the products are those of an undisturbed run."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL

from catalog.stores.store import open_store

KILLS = [
    (r"ledger/.*\.look\.json$", "after"),
    (r"scenes/.*\.parquet$", "before"),
    (r"cubes/.*/s2/c/", "before"),
    (r"cubes/.*/cause/c/", "after"),
    (r"probability/.*/probability/c/", "before"),
    (r"outlines/.*\.parquet$", "before"),
    (r"ledger/.*\.outline\.json$", "after"),
    (r"identity/.*\.parquet$", "after"),
    (r"inventory/.*\.parquet$", "before"),
    (r"tracks/.*\.parquet$", "after"),
]


def run(pattern: str, moment: str, world, store: Path) -> int:
    """Run in a process of its own against the test's server; return the exit code."""
    environment = os.environ | {"PREFECT_API_URL": str(PREFECT_API_URL.value()), "OMP_NUM_THREADS": "1"}
    script = Path(__file__).with_name("tripwire.py")
    command = [sys.executable, str(script), pattern, moment, world.region, world.catalog, str(store)]
    return subprocess.run(command, env=environment, capture_output=True, check=False, cwd=script.parents[2]).returncode


@pytest.fixture
def undisturbed(prefect_server, world, tmp_path):
    assert run("", "after", world, tmp_path / "undisturbed") == 0
    return open_store(str(tmp_path / "undisturbed"))


@pytest.mark.slow
def test_killed_at_ten_points_and_run_again_gives_the_same_bytes(undisturbed, world, tmp_path, products):
    for pattern, moment in KILLS:
        assert run(pattern, moment, world, tmp_path / "killed") == -signal.SIGKILL, f"{moment} {pattern} was not reached"
    assert run("", "after", world, tmp_path / "killed") == 0
    killed = products(open_store(str(tmp_path / "killed")))
    assert killed.keys() == products(undisturbed).keys()
    assert killed == products(undisturbed)
