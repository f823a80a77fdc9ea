"""Programs whose clocks of the wall are hours apart, on one region-year."""

import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.faults.mishaps import Mishap
from tests.faults.running import command, environment, finish, start

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
HOURS = 5


@pytest.fixture(scope="module")
def clock(tmp_path_factory):
    """Environment of a program whose clock is some hours off."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler, which makes the clock that is wrong")
    library = tmp_path_factory.mktemp("clock") / "another_clock.so"
    source = Path(__file__).with_name("another_clock.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(source), "-ldl"], check=True)
    return lambda hours: environment(LD_PRELOAD=str(library), SHIFT_S=str(3600 * hours), CRYOATLAS_LEASE_S="20")


@pytest.mark.parametrize("hours", [HOURS, -HOURS])
def test_two_runs_whose_clocks_differ_by_hours(undisturbed, store, same, clock, hours):
    rivals = [start(undisturbed.arguments(store), env=clock(off)) for off in (0, hours)]
    ends = [finish(rival) for rival in rivals]
    assert [ended.code for ended in ends] == [0, 0], ends
    same(store)


def test_what_a_killed_run_with_another_clock_left_is_completed(undisturbed, store, mended, clock):
    ended = command(undisturbed.arguments(store), Mishap("kill", "move", r"/receipts/.*\.surface\.json$"), env=clock(HOURS))
    assert ended.code == -signal.SIGKILL, ended
    mended(store)
