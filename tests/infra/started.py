"""Programs that tests start by their command line, as an operator would, and stop again."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(sys.executable).parent


@contextlib.contextmanager
def started(command: Sequence[str], log: Path, environment: dict[str, str] | None = None, **options) -> Iterator[subprocess.Popen]:
    """Run a command beside the test, its output in `log`; end it, and only it, at the end."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | (environment or {}), stdout=output, stderr=subprocess.STDOUT, **options
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for(condition, process: subprocess.Popen, log: Path, *, seconds: float = 120) -> None:
    """Return as soon as the condition holds; fail with the log when the process ends or takes too long."""
    end = time.monotonic() + seconds
    while not condition():
        ended = process.poll() is not None
        assert not ended and time.monotonic() < end, f"{process.args[:3]} is not ready:\n{log.read_text()[-3000:]}"
        time.sleep(0.1)


@contextlib.contextmanager
def dask_cluster(folder: Path, *, workers: int = 2, environment: dict[str, str] | None = None) -> Iterator[str]:
    """A `dask scheduler` and worker processes of one thread each on loopback; yields the scheduler's address.

    The workers join within seconds after the address is known; `open_cluster` waits for the first of them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    dask, found, log = str(SCRIPTS / "dask"), folder / "scheduler.json", folder / "scheduler.log"
    loopback = ("--host", "127.0.0.1", "--no-dashboard")
    environment = {"PYTHONPATH": str(ROOT)} | (environment or {})  # the functions of tests are no part of what is installed
    with contextlib.ExitStack() as stack:
        scheduler = stack.enter_context(
            started([dask, "scheduler", *loopback, "--port", "0", "--scheduler-file", str(found)], log, environment)
        )
        # the file appears before it is written
        wait_for(lambda: found.is_file() and "address" in found.read_text(), scheduler, log)
        for number in range(workers):
            command = [dask, "worker", *loopback, "--scheduler-file", str(found), "--nthreads", "1", "--memory-limit", "0"]
            stack.enter_context(started([*command, "--local-directory", str(folder)], folder / f"worker-{number}.log", environment))
        yield _address(found)


def _address(scheduler_file: Path) -> str:
    return json.loads(scheduler_file.read_text())["address"]
