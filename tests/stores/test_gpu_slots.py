"""Slots of a GPU are never exceeded, whoever asks: threads, processes, processes that die."""

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from catalog.facts.devices import DeviceTerms, Gpu, candidates
from catalog.facts.errors import WrongCall
from catalog.stores.gpu_slots import device_held

TWO = (Gpu(0, "GPU-a"), Gpu(1, "GPU-b"))
# each process writes a line when it enters and one when it leaves; a line of the system is whole
SCRIPT = """
import os, sys, time
from pathlib import Path
from catalog.facts.devices import DeviceTerms, Gpu
from catalog.stores.gpu_slots import device_held
folder, log, count = Path(sys.argv[1]), os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT), int(sys.argv[3])
gpus = tuple(Gpu(n, f"fake-{n}") for n in range(count))
for _ in range(3):
    with device_held(DeviceTerms("auto"), lambda: gpus, folder) as held:
        os.write(log, f"+ {held.name}\\n".encode())
        time.sleep(0.01)
        os.write(log, f"- {held.name}\\n".encode())
"""


def most_at_once(lines: list[str]) -> tuple[int, int]:
    """Most that were inside together, of any one device and of all."""
    inside: dict[str, int] = {}
    of_one = of_all = 0
    for line in lines:
        sign, name = line.split()
        inside[name] = inside.get(name, 0) + (1 if sign == "+" else -1)
        of_one, of_all = max(of_one, inside[name]), max(of_all, sum(inside.values()))
    return of_one, of_all


@pytest.mark.parametrize("gpus", [1, 2])
def test_many_processes_never_share_a_gpu(tmp_path, gpus):
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "slots"), str(tmp_path / "log"), str(gpus)]
    running = [subprocess.Popen(command) for _ in range(6)]
    assert [process.wait() for process in running] == [0] * 6
    lines = (tmp_path / "log").read_text().splitlines()
    assert len(lines) == 6 * 3 * 2
    of_one, of_all = most_at_once(lines)
    assert of_one == 1
    assert of_all <= gpus


@pytest.mark.parametrize(("gpus", "slots", "most"), [(TWO[:1], 1, 1), (TWO, 1, 2), (TWO[:1], 2, 2)])
def test_threads_of_one_process_exclude_each_other_too(tmp_path, gpus, slots, most):
    inside, seen, lock = 0, [], threading.Lock()

    def work(_: int) -> None:
        nonlocal inside
        with device_held(DeviceTerms("cuda", slots=slots), lambda: gpus, tmp_path):
            with lock:
                inside += 1
                seen.append(inside)
            time.sleep(0.01)
            with lock:
                inside -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(16)))
    assert max(seen) == most


def test_a_slot_ends_with_the_process_that_held_it(tmp_path):
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from catalog.facts.devices import DeviceTerms, Gpu\n"
        "from catalog.stores.gpu_slots import device_held\n"
        "with device_held(DeviceTerms('cuda'), lambda: (Gpu(0, 'GPU-a'),), Path(sys.argv[1])):\n"
        "    print('held', flush=True)\n"
        "    time.sleep(600)\n"
    )
    holder = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with device_held(DeviceTerms("auto"), lambda: TWO, tmp_path) as held:
        assert held.name == "cuda:1"
    holder.kill()
    holder.wait()
    holder.stdout.close()
    with device_held(DeviceTerms("cuda:0"), lambda: TWO, tmp_path) as held:
        assert held.name == "cuda:0"


def test_the_cpu_asks_for_no_gpu_and_makes_no_file(tmp_path):
    def never() -> tuple[Gpu, ...]:
        raise AssertionError("torch would be imported")

    with device_held(DeviceTerms("cpu"), never, tmp_path / "slots") as held:
        assert (held.name, held.held_s) == ("cpu", 0.0)
    with device_held(DeviceTerms("auto"), lambda: (), tmp_path / "slots") as held:
        assert held.name == "cpu"
    assert not Path(tmp_path / "slots").exists()


@pytest.mark.parametrize(("asked", "visible"), [("cuda", ()), ("cuda:2", TWO), ("cudo", TWO), ("cuda:0", ())])
def test_a_device_that_is_not_here_is_a_wrong_call(asked, visible):
    with pytest.raises(WrongCall, match="is not here") as caught:
        candidates(asked, visible)
    assert caught.value.exit_code == 2
