"""What `plan` predicts beside what the runs of the demo took, region-year by region-year.

    cryoatlas demo && cryoatlas plan --calibrate && python -m benchmarks.plan_truth --store demo-store

The demo's ground is not that of the calibration. Hours are compared in the seconds that the ledger counts (wall seconds of units), so run
the calibration and the demo on a machine that is equally busy, or read the column of the fit to the store itself (`own`), which is told
from the others by nothing but its unit costs.
"""

import argparse
from pathlib import Path

from benchmarks.machine import machine_line
from catalog.facts.options import DEFAULT_MODELS, SearchOptions
from catalog.facts.plans import Means, YearPlan, plan_of
from catalog.facts.territory import territory_of
from catalog.facts.unit_costs import UnitCosts
from catalog.stores import ledger
from catalog.stores.calibrations import calibrated_from, measured_of, read_calibration
from catalog.stores.candidates import find_candidates
from catalog.stores.jobs import stored_region, stored_regions, years_begun
from catalog.stores.regions import family_of
from catalog.stores.store import Store, open_store
from infra.settings import calibration_file


def planned(store: Store, name: str, year: int, costs: UnitCosts, model: str) -> YearPlan:
    """The plan of a region-year of the demo, from the catalog that the demo simulated."""
    region = stored_region(store, name)
    catalog = str(store.root / "worlds" / name.replace("_", "-") / "catalog")
    territory = territory_of(region, family_of(region))
    return plan_of(region, territory, year, find_candidates(catalog, region, year, SearchOptions()), SearchOptions(), Means(model, costs))


def row(store: Store, name: str, year: int, costs: UnitCosts, own: UnitCosts, model: str | None) -> str:
    """Planned over measured."""
    model = model or DEFAULT_MODELS[stored_region(store, name).target]
    found, fitted = (planned(store, name, year, used, model) for used in (costs, own))
    units = ledger.find_all(store, name, year)
    measured = measured_of(units, ())
    seconds = sum(outcome.seconds for outcome in units)
    read = found.read_gb / (sum(outcome.read_bytes for outcome in units) / 1e9)
    kept = found.stored_gb / (measured.stored_bytes / 1e9)
    windows = found.windows / sum(work.amount for work in measured.windows)
    hours = (plan.cpu_hours * 3600 / seconds for plan in (found, fitted))
    return f"{name:<14} {year} {read:8.2f} {kept:8.2f} {windows:8.2f}" + "".join(f" {ratio:10.2f}" for ratio in hours)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, required=True, help="what `cryoatlas demo` wrote")
    parser.add_argument("--model", help="what mapped it, if not the default of each target")
    call = parser.parse_args()
    store, costs = open_store(str(call.store)), read_calibration(calibration_file())
    print(f"{machine_line()}\nunit costs: {costs.origin}")
    print(f"{'region':<14} year {'read':>8} {'stored':>8} {'windows':>8} {'seconds':>10} {'seconds own':>12}   planned / measured")
    own = calibrated_from(store)
    for name in stored_regions(store):
        for year in years_begun(store, name):
            print(row(store, name, year, costs, own, call.model), flush=True)


if __name__ == "__main__":
    main()
