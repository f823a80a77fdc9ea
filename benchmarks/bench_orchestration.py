"""What a tile-stage costs beside its own work: Prefect, Dask, pickling, ledger, lease, run record and its log, choice of scenes.

    python -m benchmarks.bench_orchestration [--degrees 0.1 0.9] [--demo demo-store]

The real flow runs over two squares of ground under much the same scenes, **the computing of each tile replaced by nothing** (`benchmarks/slept_tiles.py`), and beside
it the same stand-ins are called in a plain loop. The difference is overhead; from two sizes follows what a tile-stage costs and what a
region-year costs once. CPU seconds are those of this process and of the Prefect server that it starts. With `--demo` the run records of a
store that `cryoatlas demo` left tell what share of its CPU seconds that is.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.machine import machine_line
from benchmarks.ten_thousand_tiles import world_of
from benchmarks.wide_ground import YEAR, Wide
from infra.settings import prepare_environment


@dataclass(frozen=True)
class Taken:
    """Seconds, and over how many tile-stages."""

    units: int
    wall_s: float
    cpu_s: float
    server_cpu_s: float


def clocked(action: Callable[[], int]) -> Taken:
    """Do it; it returns how many tile-stages that were."""
    wall, cpu, server = time.perf_counter(), time.process_time(), server_cpu_s()
    units = action()
    return Taken(units, time.perf_counter() - wall, time.process_time() - cpu, server_cpu_s() - server)


def server_cpu_s() -> float:
    """CPU seconds of the processes that this one started and that still run: the Prefect server."""
    import psutil  # noqa: PLC0415 - comes with Dask

    return sum(sum(child.cpu_times()[:2]) for child in psutil.Process().children(recursive=True))


def square(world: Wide, side_deg: float) -> str:
    """A square in the middle of a world, as a call names it."""
    from catalog.stores.regions import find_region  # noqa: PLC0415

    middle = find_region(world.region).geometry.representative_point()
    return ",".join(f"{value:.3f}" for value in middle.buffer(side_deg / 2).bounds)


def mapped(region: str, catalog: str, store: Path) -> int:
    """The flow; returns the units of all its stages."""
    from benchmarks.slept_tiles import MODEL  # noqa: PLC0415
    from flows.map_region import map_region  # noqa: PLC0415

    report = map_region(region, YEAR, catalog, str(store), MODEL)
    assert not report.failures, report.failures
    return sum(sum(stage.states.values()) for stage in report.stages)


def looped(region: str, catalog: str, units: int) -> int:
    """The same stand-ins in a loop, for as many units, after the one search that either needs."""
    from catalog.facts.options import SearchOptions  # noqa: PLC0415
    from catalog.stores.candidates import find_candidates  # noqa: PLC0415
    from catalog.stores.regions import find_region  # noqa: PLC0415
    from tasks import build_surfaces  # noqa: PLC0415

    find_candidates(catalog, find_region(region), YEAR, SearchOptions())
    for _ in range(units):
        build_surfaces._compose(None, None, None)  # type: ignore[arg-type]
    return units


def measured(regions: list[str], catalog: str, folder: Path) -> list[tuple[Taken, Taken]]:
    """Per region: with the flow, and without."""
    from prefect.testing.utilities import prefect_test_harness  # noqa: PLC0415

    from benchmarks.slept_tiles import computing_replaced  # noqa: PLC0415

    with prefect_test_harness(server_startup_timeout=180), computing_replaced(0.0):
        mapped(regions[0], catalog, folder / "first")  # compiles, and imports what is imported late
        flows = [clocked(partial(mapped, region, catalog, folder / str(n))) for n, region in enumerate(regions)]
        loops = [clocked(partial(looped, region, catalog, flow.units)) for region, flow in zip(regions, flows, strict=True)]
    return list(zip(flows, loops, strict=True))


def overhead(pairs: list[tuple[Taken, Taken]]) -> tuple[float, float]:
    """CPU seconds per tile-stage, and once per region-year."""
    (small, small_loop), (large, large_loop) = pairs[0], pairs[-1]
    cpu = [flow.cpu_s + flow.server_cpu_s - loop.cpu_s for flow, loop in ((small, small_loop), (large, large_loop))]
    each = (cpu[1] - cpu[0]) / (large.units - small.units)
    return each, cpu[0] - each * small.units


def demo_share(store: Path, each_s: float, once_s: float) -> str:
    """What of a demo's CPU seconds that is."""
    from catalog.stores.run_records import find_records  # noqa: PLC0415
    from catalog.stores.store import open_store  # noqa: PLC0415

    records = [record for record in find_records(open_store(str(store))) if record.end == "complete"]
    years: list[Any] = [year for record in records for year in record.region_years]
    units, cpu_s = sum(stage.total for year in years for stage in year.stages), sum(record.usage.cpu_s for record in records)
    spent = each_s * units + once_s * len(years)
    said = f"{units} units x {1e3 * each_s:.1f} ms + {len(years)} region-years x {once_s:.2f} s = {spent:.1f} s"
    return f"{store.name}: {said} of {cpu_s:.0f} s CPU, {100 * spent / cpu_s:.2f} % (demanded: below 2 %)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--degrees", type=float, nargs=2, default=[0.1, 0.9], help="sides of the two squares")
    parser.add_argument("--demo", type=Path, help="store that `cryoatlas demo` left")
    parser.add_argument("--worlds", type=Path, help="folder that keeps regions and catalogs; made when absent")
    call = parser.parse_args()
    print(machine_line(), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PREFECT_HOME"] = f"{folder}/prefect"
        prepare_environment()
        world = world_of(call.worlds or Path(folder) / "worlds", 150)
        pairs = measured([square(world, side) for side in call.degrees], world.catalog, Path(folder))
    for flow, loop in pairs:
        print(
            f"{flow.units} units: flow {flow.wall_s:.1f} s wall, {flow.cpu_s:.1f} s CPU and {flow.server_cpu_s:.1f} s of the server; ",
            end="",
        )
        print(f"loop {loop.wall_s:.1f} s wall, {loop.cpu_s:.1f} s CPU")
    each, once = overhead(pairs)
    walls = [flow.wall_s - loop.wall_s for flow, loop in pairs]
    wall = (walls[-1] - walls[0]) / (pairs[-1][0].units - pairs[0][0].units)
    print(
        f"per tile-stage {1e3 * each:.1f} ms CPU and {1e3 * wall:.1f} ms wall (demanded: below 50 ms); once per region-year {once:.2f} s CPU"
    )
    if call.demo:
        print(demo_share(call.demo, each, once))


if __name__ == "__main__":
    main()
