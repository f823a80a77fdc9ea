"""What `plan` predicts beside what runs took, region-year by region-year: planned over measured.

    python -m benchmarks.plan_truth --store demo-store     what a finished `cryoatlas demo` took, by the calibration in force and by its own
    python -m benchmarks.plan_truth --sample FOLDER        calibrate here, simulate other ground, plan it, run it, compare

The sample is ground on which nothing was calibrated: mountains with lakes, mapped with the default model and with `indices`, and tundra with
slumps, each in an ordinary year and in one of which two clouded dates are all that there is. FOLDER keeps what was made, so that a second
call only compares; its calibration is FOLDER/calibration.json. Seconds are CPU seconds of all stages, by the records of the runs, so they
hold on a busy machine; a run's start (a process, a server, compiling) is not among them.
"""

import argparse
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.machine import machine_line
from catalog.facts.options import DEFAULT_MODELS, MapOptions, SearchOptions
from catalog.facts.plans import plan_of
from catalog.facts.territory import territory_of
from catalog.facts.unit_costs import UnitCosts
from catalog.facts.year_plans import Known, Means, YearPlan
from catalog.stores import ledger
from catalog.stores.calibrations import calibrated_from, known_from, read_calibration, write_calibration
from catalog.stores.candidates import find_candidates
from catalog.stores.jobs import stored_region, stored_regions, years_begun
from catalog.stores.measured_work import Taken, runs_of, taken_by
from catalog.stores.regions import family_of, find_region
from catalog.stores.run_records import find_records
from catalog.stores.selections import read_choices
from catalog.stores.store import Store, open_store
from commands.calibration import GROUNDS, measure_here, small
from commands.running import run_annual
from infra.settings import calibration_file, prepare_environment
from simulator.make import make
from simulator.randomised import Kind, randomised
from simulator.worlds import World

HEAD = f"{'region':<26} {'model':<12} year {'tiles':>6} {'scenes':>6} {'read':>6} {'stored':>6} {'windows':>7}"
SEED = 4711
YEARS = (2022, 2020)
"""An ordinary one, and the year of which the simulator makes two clouded dates."""
SAMPLE: Mapping[Kind, tuple[str, ...]] = {"mountains": ("lakes-tiny", "indices"), "slumps": ("slumps-tiny",)}
"""Kind of ground and the models that map it."""


@dataclass(frozen=True)
class Case:
    """A region-year that was run, and what it was run with."""

    store: Store
    region: str
    year: int
    catalog: str
    model: str

    def planned(self, costs: UnitCosts, known: Known) -> YearPlan:
        """The plan, from the catalog alone, or with what is known."""
        region = find_region(str(self.store.root / "regions" / f"{self.region}.geojson"))
        candidates = find_candidates(self.catalog, region, self.year, SearchOptions())
        territory = territory_of(region, family_of(region))
        return plan_of(region, territory, self.year, candidates, SearchOptions(), Means(self.model, costs), known)

    def taken(self) -> Taken:
        """What the run took."""
        return taken_by(ledger.find_all(self.store, self.region, self.year), runs_of(find_records(self.store)))

    def scenes(self) -> float:
        """Optical and radar scenes used per tile."""
        choices = read_choices(self.store.scenes(self.region, self.year))
        used = [choice for choice in choices if choice.used and choice.scene.sensor != "dem"]
        return len(used) / len({choice.tile for choice in choices})


def row(case: Case, costs: Mapping[str, UnitCosts], known: Known) -> str:
    """Planned over measured."""
    plans = [case.planned(found, known) for found in costs.values()]
    plan, taken = plans[0], case.taken()
    scenes = (plan.optical_per_tile + plan.radar_per_tile) / case.scenes()
    bytes_ = (f"{ratio:6.2f}" for ratio in (plan.read_gb * 1e9 / taken.read_bytes, plan.stored_gb * 1e9 / taken.stored_bytes))
    seconds = " ".join(f"{plan.cpu_hours * 3600 / taken.cpu_s:12.2f}" for plan in plans)
    return (
        f"{case.region:<26} {case.model:<12} {case.year} {plan.tiles / taken.tiles:6.2f} {scenes:6.2f} {' '.join(bytes_)}"
        f" {plan.windows / taken.windows:7.2f} {seconds}   ({taken.cpu_s:.0f} CPU s, {taken.windows:.0f} windows)"
    )


def demo_cases(store: Store) -> Iterator[Case]:
    """What the demo mapped."""
    for name in stored_regions(store):
        catalog = str(store.root / "worlds" / name.replace("_", "-") / "catalog")
        for year in years_begun(store, name):
            yield Case(store, name, year, catalog, DEFAULT_MODELS[stored_region(store, name).target])


def mapped(world: Path, years: Sequence[int], store: Path, model: str | None) -> Store:
    """Map a world, unless it was."""
    if not store.is_dir():
        run_annual([str(world / "region.geojson")], list(years), str(world / "catalog"), str(store), model, MapOptions(), None)
    return open_store(str(store))


def made(world: World, years: Sequence[int], place: Path) -> Path:
    """Simulate a world, unless it was."""
    if not (place / "region.geojson").is_file():
        make(world, years, place, seed=SEED)
    return place


def sample_cases(folder: Path) -> Iterator[Case]:
    """Simulate and map what of the sample is missing; before the first, a chip of each kind of ground, so that all is compiled."""
    for kind, models in SAMPLE.items():
        world = replace(randomised(SEED, kind), name=f"sample-{kind}")
        place = made(world, YEARS, folder / world.name)
        for model in models:
            store = folder / f"{world.name}-{model}"
            if not store.is_dir():
                chip = small(next(ground for ground in GROUNDS if ground.target == world.target))
                shutil.rmtree(folder / "warm-store", ignore_errors=True)
                mapped(made(chip, YEARS[:1], folder / chip.name), YEARS[:1], folder / "warm-store", model)
            opened = mapped(place, YEARS, store, model)
            yield from (Case(opened, name, year, str(place / "catalog"), model) for name in stored_regions(opened) for year in YEARS)


def calibration_of(folder: Path) -> UnitCosts:
    """Measure this machine, once for a folder."""
    path = folder / "calibration.json"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        write_calibration(path, measure_here(folder / "calibration"))
    return read_calibration(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--store", type=Path, help="what `cryoatlas demo` wrote")
    what.add_argument("--sample", type=Path, metavar="FOLDER", help="calibrate, simulate, plan, run, compare")
    call = parser.parse_args()
    prepare_environment()
    if call.sample is not None:
        costs, cases = {"CPU s": calibration_of(call.sample)}, sample_cases(call.sample)
    else:
        store = open_store(str(call.store))
        costs = {"CPU s": read_calibration(calibration_file()), "CPU s, own": calibrated_from(store)}
        cases = demo_cases(store)
    print(f"{machine_line()}\nunit costs: {costs['CPU s'].origin}\nplanned / measured")
    print(HEAD + " " + " ".join(f"{name:>12}" for name in costs), flush=True)
    for case in cases:
        print(row(case, costs, Known()), flush=True)
        if call.store is not None:
            print(row(case, costs, known_from(case.store, case.region)) + "   --store", flush=True)


if __name__ == "__main__":
    main()
