"""The surface stage of one region-year on one and on two Dask worker processes: how much faster, and whether the products are the same bytes.

    python -m benchmarks.bench_workers [--chips 2] [--world DIR]

Makes a simulated world around a corner of four tiles, starts a `dask scheduler` with one worker process of one thread and maps up to the
surface, once to warm up and once by the clock; the same again with two workers. Seconds are what the run record says of the stage: wall,
and CPU of all processes. Both runs have one thread per worker and OMP_NUM_THREADS=1. On two cores that others use too, the second worker
gets what they leave: look at the load.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.machine import machine_line
from catalog.facts.run_records import StageRun
from catalog.stores.run_records import find_records
from catalog.stores.store import open_store
from simulator.make import make
from simulator.worlds import HMA
from tests.infra.started import dask_cluster

YEAR = 2023
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


def surface_stage(world: Path, store: Path, cluster: str) -> StageRun:
    """Map up to the surface on a cluster; what the record says of the stage."""
    call = [
        "run",
        "--store",
        str(store),
        "--years",
        str(YEAR),
        "--catalog",
        str(world / "catalog"),
        "--region",
        str(world / "region.geojson"),
    ]
    command = [sys.executable, "-c", "from commands.main import run; run()", *call, "--until", "surface"]
    subprocess.run(command, env=os.environ | ONE_THREAD | {"CRYOATLAS_CLUSTER": cluster}, check=True, capture_output=True)
    years = find_records(open_store(str(store)))[0].region_years
    return next(stage for stage in years[0].stages if stage.stage == "surface")


def products(store: Path) -> dict[str, str]:
    """Every file of the cubes and its hash."""
    files = sorted(path for path in (store / "cubes").rglob("*") if path.is_file())
    return {str(path.relative_to(store)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chips", type=int, default=2, help="chips along each side of the world's part of a tile")
    parser.add_argument("--world", type=Path, help="folder that keeps the world; made when absent")
    call = parser.parse_args()
    print(machine_line(), flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        world = call.world or folder / "world"
        if not (world / "catalog").is_dir():
            make(replace(HMA, chips=(call.chips,) * 4), (YEAR,), world)
        stages: dict[int, StageRun] = {}
        for workers in (1, 2):
            with dask_cluster(folder / f"dask-{workers}", workers=workers, environment=ONE_THREAD) as cluster:
                surface_stage(world, folder / f"warm-{workers}", cluster)
                stages[workers] = surface_stage(world, folder / f"store-{workers}", cluster)
            stage = stages[workers]
            print(
                f"{workers} worker(s): {stage.total} tiles, {stage.wall_s:.1f} s wall, {stage.cpu_s:.1f} s CPU, {stage.work_s:.1f} s of units"
            )
        one, two = products(folder / "store-1"), products(folder / "store-2")
    print(f"speed-up {stages[1].wall_s / stages[2].wall_s:.2f}; {len(one)} files of cubes, identical: {one == two and bool(one)}")
    print(machine_line())


if __name__ == "__main__":
    main()
