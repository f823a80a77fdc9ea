"""What units took: which of them tell it, and which runs know their CPU seconds."""

from dataclasses import replace

import pytest

from catalog.facts.causes import State
from catalog.facts.cost_fits import costs_of
from catalog.facts.grids import CHIP_PX
from catalog.facts.records import Outcome, Unit
from catalog.facts.run_records import Asked, DeviceRun, RegionYearRun, RunRecord, StageRun
from catalog.facts.unit_costs import SHIPPED
from catalog.stores.leases import this_process
from catalog.stores.measured_work import features_per_mpx, finished, measured_of, runs_of, taken_by, warmed_up

BEGAN = "2026-07-01T10:00:00.000+00:00"
LATER = "2026-07-01T11:00:00.000+00:00"


def surface(tile: str, seconds: float, gigabytes: float = 0.1, **more: object) -> Outcome:
    files = {
        "cubes/khumbu/2021/32645.zarr/s2/c/0": "sha256:00:6000000",
        "cubes/khumbu/2021/32645.zarr/s1/c/0": "sha256:00:1000000",
        "cubes/khumbu/2021/32645.zarr/dem/c/0": "sha256:00:500000",
    }
    known = {"outputs": files, "inputs": {"chips": "f"}, "measures": {"observed_share": 0.5}, "seconds": seconds}
    place = Unit("khumbu", int(more.pop("year", 2021)), tile, "surface")  # type: ignore[call-overload]
    return replace(Outcome(place, State.DONE, "print", read_bytes=int(gigabytes * 1e9), **known), **more)  # type: ignore[arg-type]


def segment(tile: str, seconds: float, windows: int, model: str = "lakes-tiny 1") -> Outcome:
    unit = Unit("khumbu", 2021, tile, "segment")
    return Outcome(unit, State.DONE, "print", inputs={"model": model}, measures={"windows_predicted": windows}, seconds=seconds)


def run_of(*stages: StageRun, year: int = 2021, began: str = BEGAN, wall_s: float = 100.0) -> RegionYearRun:
    return RegionYearRun("khumbu", year, "complete", began, wall_s, stages=stages)


def record(*years: RegionYearRun) -> RunRecord:
    return RunRecord("id", Asked("run", {}, "1"), this_process(), BEGAN, BEGAN, region_years=years)


def stage(name: str = "surface", **more: object) -> StageRun:
    return replace(StageRun(name, "ended", BEGAN, 4, worked=4, cpu_s=50.0, work_s=100.0), **more)  # type: ignore[arg-type]


def test_failed_units_and_units_to_be_done_again_tell_no_costs() -> None:
    failed, reopened = surface("b", 900.0, state=State.FAILED), surface("c", 900.0, fingerprint="")
    assert finished([surface("a", 4.0), failed, reopened]) == [surface("a", 4.0)]
    sound = [surface("a", 4.0, 0.1), surface("d", 8.0, 0.2), surface("e", 12.0, 0.3)]
    nothing = runs_of([])
    assert measured_of([*sound, failed, reopened], nothing) == measured_of(sound, nothing)


def test_seconds_are_scaled_to_the_cpu_seconds_of_the_run() -> None:
    runs = runs_of([record(run_of(stage()))])
    assert runs.cpu_share(surface("a", 8.0)) == 0.5
    assert runs.cpu_share(surface("a", 8.0, year=2022)) == 0.5, "another year is scaled as the years that are known"
    assert runs.cpu_share(segment("a", 8.0, 4)) == 1.0
    assert [work.seconds for work in measured_of([surface("a", 8.0)], runs).surfaces] == [4.0]


@pytest.mark.parametrize("phase", ["stopped", "running"])
def test_the_cpu_seconds_of_an_interrupted_stage_belong_to_no_finished_unit(phase: str) -> None:
    whole, broken = run_of(stage()), run_of(stage(phase=phase, cpu_s=5000.0), year=2022)
    runs = runs_of([record(whole), record(broken)])
    assert runs.cpu_share(surface("a", 8.0, year=2022)) == 0.5


def test_regions_side_by_side_in_one_process_tell_no_cpu_seconds() -> None:
    assert not runs_of([record(run_of(stage()), run_of(stage(), year=2022))]).stages
    assert len(runs_of([record(run_of(stage()), run_of(stage(), year=2022, began=LATER))]).stages) == 2


def test_what_compiled_is_left_out_where_there_is_more() -> None:
    targets = {"khumbu": "lakes"}
    runs = runs_of([record(run_of(stage()), run_of(stage(), year=2022, began=LATER))])
    first, second = surface("a", 40.0), surface("a", 4.0, year=2022)
    assert warmed_up([first, second], runs, targets) == [second]
    assert warmed_up([first], runs, targets) == [first]


def test_every_model_of_a_store_is_measured_by_itself() -> None:
    units = [segment("a", 6.0, 3), segment("b", 4.0, 8, "indices 1"), segment("c", 1.0, 1, "somebody-elses 1")]
    costs = costs_of(measured_of(units, runs_of([])), SHIPPED, origin="a test", about={})
    assert (costs.models["lakes-tiny"].cpu_s, costs.models["indices"].cpu_s) == (2.0, 0.5)
    assert costs.models["slumps-tiny"] == SHIPPED.models["slumps-tiny"]


def test_windows_on_a_gpu_tell_nothing_of_a_cpu() -> None:
    held = DeviceRun("cuda:0", held_s=9.0, busy_s=3.0, total_s=8.0)
    runs = runs_of([record(run_of(stage("segment", devices=(held,))))])
    cost = costs_of(measured_of([segment("a", 6.0, 30)], runs), SHIPPED, origin="a test", about={}).models["lakes-tiny"]
    assert (cost.gpu_s, cost.cpu_s) == (pytest.approx(0.1), SHIPPED.models["lakes-tiny"].cpu_s)


def test_stored_bytes_are_told_apart_by_what_was_observed() -> None:
    costs = costs_of(measured_of([surface("a", 4.0)], runs_of([])), SHIPPED, origin="a test", about={})
    pixels = 4 * CHIP_PX**2
    assert costs.optical_bytes_per_px == pytest.approx(6e6 / (pixels * 0.5))
    assert costs.ground_bytes_per_px == pytest.approx(1.5e6 / pixels)


def test_what_a_region_year_took_is_summed_over_its_stages() -> None:
    features = Outcome(Unit("khumbu", 2021, "region", "features"), State.DONE, "print", measures={"features": 12.0}, seconds=2.0)
    look = Outcome(Unit("khumbu", 2021, "a", "look"), State.DONE, "print", seconds=1.0)
    picture = Outcome(Unit("khumbu", 2021, "region", "picture"), State.DONE, "print", seconds=99.0)
    units = [look, surface("a", 8.0), segment("a", 6.0, 3), features, picture]
    taken = taken_by(units, runs_of([record(run_of(stage(), StageRun("scenes", "ended", BEGAN, 1, worked=1, cpu_s=0.25)))]))
    assert (taken.tiles, taken.windows, taken.stored_bytes, taken.read_bytes) == (1, 3, 7.5e6, 100_000_000)
    assert taken.cpu_s == pytest.approx(1.0 + 0.5 * 8.0 + 6.0 + 2.0)
    assert features_per_mpx(units, 5.0) == pytest.approx(12 / (4 * CHIP_PX**2 / 1e6))
    assert features_per_mpx([look], 5.0) == 5.0
