"""What a region-year in a bucket takes beside one in a folder: requests by kind, and CPU seconds of the same command.

Makes a simulated world, maps it with `cryoatlas run` into a folder and into an S3 server on loopback (another process, whose CPU
is not counted), and each a second time, when nothing is to be done; then audits both. Prints one line per command.

    python -m benchmarks.bench_object_store [--chips 2] [--latency-ms 0]

`--latency-ms` lets the server wait before each answer, as a cloud does (10 to 30 ms), which the wall seconds then show.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from simulator.make import make
from simulator.worlds import HMA

YEAR, REGION = 2023, "demo_hma"
BUCKET = "bench-stores"


class Server:
    """The S3 server of the tests in a process of its own."""

    def __init__(self, latency_ms: float) -> None:
        command = [sys.executable, "-m", "tests.s3_server", BUCKET, str(latency_ms)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.environment: dict[str, str] = self._line()

    def take_requests(self) -> dict[str, int]:
        """Requests since the last call."""
        assert self._process.stdin is not None
        self._process.stdin.write("take\n")
        self._process.stdin.flush()
        return self._line()

    def stop(self) -> None:
        self._process.communicate()

    def _line(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


def timed(arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[float, float]:
    """CPU and wall seconds of a command of ours with all its processes."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-c", "from commands.main import run; run()", *arguments]
    done = subprocess.run(command, env=os.environ | dict(environment), capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr[-2000:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chips", type=int, default=2, help="chips along each side of the world, around a corner of four tiles")
    parser.add_argument("--latency-ms", type=float, default=0.0)
    options = parser.parse_args()
    half = max(options.chips // 2, 1)
    with tempfile.TemporaryDirectory() as folder:
        world = Path(folder) / "world"
        make(replace(HMA, chips=(half, half, half, half)), (YEAR,), world)
        server = Server(options.latency_ms)
        for place in (str(Path(folder) / "store"), f"s3://{BUCKET}/store"):
            run = ["run", "--store", place, "--years", str(YEAR), "--model", "indices", "--catalog", str(world / "catalog")]
            for what, arguments in (
                ("run", [*run, "--region", str(world / "region.geojson")]),
                ("again", [*run, "--region", REGION]),
                ("audit", ["audit", "--store", place, "--region", REGION]),
            ):
                cpu_s, wall_s = timed(arguments, server.environment)
                asked = server.take_requests()
                said = ", ".join(f"{count} {kind}" for kind, count in sorted(asked.items())) or "none"
                print(
                    f"{place.partition('://')[0] if '://' in place else 'path':5} {what:6} {cpu_s:7.1f} CPU s {wall_s:7.1f} s  {said}",
                    flush=True,
                )
        server.stop()


if __name__ == "__main__":
    main()
