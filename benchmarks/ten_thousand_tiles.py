"""A simulated year over ten thousand tiles: the real flow and the real bookkeeping, **a sleep in place of each tile's computing**.

    python -m benchmarks.ten_thousand_tiles [--tiles 1000 3000 10000] [--worlds DIR] [--sleep-ms 2] [--store DIR]

What is real and what is not stands in `benchmarks/slept_tiles.py`. Of each number of tiles it prints wall and CPU seconds of the run, the
peak of its resident memory, CPU per tile-stage, and what the run record says of each stage; then the seconds of the same command again,
which finds everything done, of reading the ledger, of `audit` and of `status`. Each size runs in a process of its own.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.machine import machine_line
from benchmarks.wide_ground import EAST_DEG, YEAR, Wide, make_wide, wide_region
from infra.settings import prepare_environment


def world_of(root: Path, tiles: int) -> Wide:
    """The westernmost tiles of the wide region, about so many, and a catalog of their scenes."""
    from catalog.facts.grids import tile_centre_lonlat  # noqa: PLC0415 - nothing heavy before the environment is prepared
    from catalog.facts.territory import territory_of  # noqa: PLC0415

    region = wide_region()
    owned = sorted(tile_centre_lonlat(tile)[0] for tile in territory_of(region, (region,)).owned)
    return make_wide(root / str(tiles), owned[tiles] if tiles < len(owned) else EAST_DEG)


def timed(action: Callable[[], Any]) -> dict[str, float]:
    """Wall and CPU seconds of this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    return {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}


def run(world: Wide, store: str, sleep_s: float) -> dict[str, Any]:
    """Map the world, then ask everything that reads its bookkeeping."""
    from prefect.testing.utilities import prefect_test_harness  # noqa: PLC0415

    from benchmarks.slept_tiles import MODEL, TILE_STAGES, computing_replaced  # noqa: PLC0415
    from catalog.facts.overview import overview_of  # noqa: PLC0415
    from catalog.stores import ledger  # noqa: PLC0415
    from catalog.stores.findings import find_findings  # noqa: PLC0415
    from catalog.stores.run_records import find_records  # noqa: PLC0415
    from catalog.stores.store import open_store  # noqa: PLC0415
    from flows.map_region import map_region  # noqa: PLC0415

    def mapped() -> None:
        reports.append(map_region(world.region, YEAR, world.catalog, store, MODEL))

    reports: list[Any] = []
    found: dict[str, Any] = {}
    with prefect_test_harness(server_startup_timeout=180), computing_replaced(sleep_s):
        found["run"] = timed(mapped)
        found["peak_gib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        found["run again"] = timed(mapped)
    opened, now = open_store(store), datetime.now(UTC)
    found["ledger.find_all"] = timed(lambda: ledger.find_all(opened, "wide", YEAR))
    found["audit"] = timed(lambda: find_findings(opened, None, None, now, checksums=False))
    found["status"] = timed(
        lambda: overview_of(find_findings(opened, None, None, now, checksums=False), [(r, "complete") for r in find_records(opened)], now)
    )
    first = min(find_records(opened), key=lambda record: record.began)
    stages = {
        s.stage: {"units": s.total, "wall_s": s.wall_s, "cpu_s": s.cpu_s, "failed": len(s.failures)} for s in first.region_years[0].stages
    }
    again = {stage.stage: stage.written for stage in reports[1].stages}
    found |= {
        "stages": stages,
        "done again": sum(again.values()),
        "peak_all_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }
    found["tiles"], found["tile_stages"] = stages["look"]["units"], sum(stages[name]["units"] for name in TILE_STAGES)
    found["log_lines"] = sum(len(path.read_bytes().splitlines()) for path in (Path(store) / "runs").glob("*.jsonl"))
    found["open_files"] = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").is_dir() else -1
    return found


def show(found: dict[str, Any]) -> None:
    """Print what one size took."""
    wall, cpu, units = found["run"]["wall_s"], found["run"]["cpu_s"], found["tile_stages"]
    print(f"{found['tiles']} tiles, {units} tile-stages: {wall:.0f} s wall, {cpu:.0f} s CPU, peak {found['peak_gib']:.2f} GiB, ", end="")
    print(f"{1e3 * cpu / units:.1f} ms CPU per tile-stage; {found['log_lines']} lines of log in two runs, {found['open_files']} open files")
    for name, stage in found["stages"].items():
        each = 1e3 * stage["cpu_s"] / max(stage["units"], 1)
        print(
            f"  {name:10} {stage['units']:6} units {stage['wall_s']:8.1f} s wall {stage['cpu_s']:8.1f} s CPU {each:8.2f} ms CPU each, {stage['failed']} failed"
        )
    for name in ("run again", "ledger.find_all", "audit", "status"):
        print(f"  {name:16} {found[name]['wall_s']:8.1f} s wall {found[name]['cpu_s']:8.1f} s CPU")
    print(f"  units done by the second run: {found['done again']}; peak of everything {found['peak_all_gib']:.2f} GiB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiles", type=int, nargs="+", default=[1000, 3000, 10_000])
    parser.add_argument("--worlds", type=Path, help="folder that keeps regions and catalogs; made when absent")
    parser.add_argument("--store", type=Path, help="folder for the stores, one per size; removed at the end when not given")
    parser.add_argument("--sleep-ms", type=float, default=2.0, help="in place of computing, in each of look, surface, segment and outline")
    parser.add_argument("--inside", type=int, help=argparse.SUPPRESS)
    call = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        worlds, stores = call.worlds or Path(folder) / "worlds", call.store or Path(folder) / "stores"
        if call.inside is not None:
            os.environ["PREFECT_HOME"] = f"{folder}/prefect"
            prepare_environment()
            found = run(Wide(worlds / str(call.inside)), str(stores / str(call.inside)), call.sleep_ms / 1e3)
            print(json.dumps(found))
            return
        print(machine_line(), flush=True)
        for tiles in call.tiles:
            world_of(worlds, tiles)
            command = [sys.executable, "-m", "benchmarks.ten_thousand_tiles", "--inside", str(tiles), "--worlds", str(worlds)]
            done = subprocess.run([*command, "--store", str(stores), "--sleep-ms", str(call.sleep_ms)], check=True, stdout=subprocess.PIPE)
            show(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    main()
