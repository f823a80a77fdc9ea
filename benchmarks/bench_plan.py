"""How long `cryoatlas plan` takes over ten thousand tiles, and how much memory: a real territory, a catalog of realistic items.

    python -m benchmarks.bench_plan [--world DIR] [--east 93]

Makes the catalog first (minutes, tens of thousands of items; `--world` keeps it), then plans one year in a process of its own and prints
its wall and CPU seconds, step by step, and the peak of its resident memory.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from benchmarks.machine import machine_line
from benchmarks.wide_ground import EAST_DEG, YEAR, Wide, make_wide
from catalog.facts.options import SearchOptions
from catalog.facts.plans import plan_of
from catalog.facts.territory import territory_of
from catalog.stores.candidates import find_candidates
from catalog.stores.garbage import nothing_thrown_away
from catalog.stores.regions import family_of, find_region

Result = TypeVar("Result")


def timed(what: str, action: Callable[[], Result]) -> Result:
    """Do it and print what it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = action()
    print(f"{what:<12} {time.perf_counter() - wall:8.1f} s wall {time.process_time() - cpu:8.1f} s CPU", flush=True)
    return result


def plan(world: Wide) -> None:
    """What the command does, step by step, and the memory that it took."""
    region = find_region(world.region)
    territory = timed("territory", lambda: territory_of(region, family_of(region)))
    candidates = timed("search", lambda: find_candidates(world.catalog, region, YEAR, SearchOptions()))
    with nothing_thrown_away():
        found = timed("choice", lambda: plan_of(region, territory, YEAR, candidates, SearchOptions()))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{found.tiles} tiles, {len(candidates)} scenes below the cloud limit; per tile {found.optical_per_tile:.1f} optical and ", end=""
    )
    print(f"{found.radar_per_tile:.1f} radar looks; {found.read_gb / 1e3:.1f} TB decoded; peak {peak:.2f} GiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--world", type=Path, help="folder that keeps the catalog; made when absent")
    parser.add_argument("--east", type=float, default=EAST_DEG, help="a border farther west makes a smaller region")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    call = parser.parse_args()
    if call.inside:
        plan(Wide(call.world))
        return
    print(machine_line())
    with tempfile.TemporaryDirectory() as folder:
        world = timed("catalog", lambda: make_wide(call.world or Path(folder), call.east))
        command = [sys.executable, "-m", "benchmarks.bench_plan", "--inside", "--world", str(world.root)]
        wall = time.perf_counter()
        subprocess.run(command, check=True)
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = children.ru_utime + children.ru_stime
        print(f"{'whole':<12} {time.perf_counter() - wall:8.1f} s wall {cpu:8.1f} s CPU, imports included; demanded: 60 s, 2 GiB")


if __name__ == "__main__":
    main()
