"""Others at work on the same region-year, and workers that are taken away."""

import random
import signal

import psutil
import pytest

from tests.faults.mishaps import Mishap
from tests.faults.running import environment, finish, start, surfaces, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
PREEMPTED = 0.3
"""Share of the worker processes that is taken away."""


def test_two_runs_of_one_region_year(undisturbed, store, same):
    first, second = (start(undisturbed.arguments(store)) for _ in range(2))
    ends = [finish(first), finish(second)]
    assert [ended.code for ended in ends] == [0, 0], ends
    same(store)


def test_a_second_run_that_may_not_wait_is_told_who_is_at_work(undisturbed, store, here, same):
    first = start(undisturbed.arguments(store))
    wait_for(lambda: surfaces(store) >= 1, first)
    # it holds the lease until the other was turned away
    first.send_signal(signal.SIGSTOP)
    second = here([*undisturbed.arguments(store), "--wait", 0])
    first.send_signal(signal.SIGCONT)
    assert finish(first).code == 0
    assert second.code == 3, second
    assert f"process {first.pid} on" in second.out + second.err
    same(store)


def test_a_backfill_beside_a_run(undisturbed, store, same):
    first = start(undisturbed.arguments(store), Mishap("slow", "write", f"^{store}/"))
    wait_for(lambda: surfaces(store) >= 1, first)
    second = start(["backfill", "--store", store])
    wait_for(lambda: len(list((store / "runs").glob("*.json"))) == 2, first)
    assert finish(first).code == 0
    assert finish(second).code == 0
    same(store)


def test_a_third_of_the_workers_is_taken_away_at_random(undisturbed, store, same):
    draw = random.Random(1)
    running = start(undisturbed.arguments(store), env=environment(CRYOATLAS_CLUSTER="processes", CRYOATLAS_WORKERS="3"))
    for done in (1, 2):
        wait_for(lambda done=done: surfaces(store) >= done, running)
        workers = [child for child in psutil.Process(running.pid).children(recursive=True) if _is_worker(child)]
        assert len(workers) >= 2, workers
        for worker in draw.sample(workers, round(PREEMPTED * len(workers))):
            worker.kill()
    ended = finish(running)
    assert ended.code == 0, ended
    same(store)


def _is_worker(process: psutil.Process) -> bool:
    try:
        return "spawn_main" in " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return False
