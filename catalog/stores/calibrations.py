"""Unit costs: kept in a file of the user's, and fitted from what the units of a store took."""

import os
import platform
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from catalog.facts.causes import Refusal
from catalog.facts.cost_fits import costs_of
from catalog.facts.errors import WrongCall
from catalog.facts.expected_looks import likely
from catalog.facts.options import SearchOptions
from catalog.facts.records import Job
from catalog.facts.unit_costs import SHIPPED, UnitCosts
from catalog.facts.year_plans import FEATURES_PER_MPX, NOTHING_KNOWN, Known
from catalog.stores import ledger
from catalog.stores.files import write_atomic
from catalog.stores.jobs import outlines_of, stored_region, stored_regions, years_begun
from catalog.stores.measured_work import features_per_mpx, finished, measured_of, runs_of, warmed_up
from catalog.stores.run_records import find_records
from catalog.stores.selections import read_choices
from catalog.stores.store import Store

_CLOUDED: Final = (Refusal.CLOUD, Refusal.SNOW, Refusal.SURPLUS)
_PROBE_BYTES: Final = 64 << 20


def read_calibration(path: Path) -> UnitCosts:
    """Return the user's unit costs, or the shipped ones where there are none; raises WrongCall for a file that holds none."""
    return UnitCosts.from_json(path.read_bytes(), str(path)) if path.is_file() else SHIPPED


def write_calibration(path: Path, costs: UnitCosts) -> None:
    """Keep unit costs for later plans."""
    write_atomic(path, costs.to_json())


def disk_mb_s(folder: Path) -> float:
    """Write a file through to the disk; return megabytes per second."""
    probe, started = folder / "probe.bin", time.monotonic()
    write_atomic(probe, os.urandom(_PROBE_BYTES))
    seconds = time.monotonic() - started
    probe.unlink()
    return _PROBE_BYTES / 1e6 / max(seconds, 1e-6)


def calibrated_from(store: Store) -> UnitCosts:
    """Fit unit costs to all finished units of a store; raises WrongCall when it holds no surface that was built.

    Seconds of units are wall seconds; where the records of runs tell a stage's CPU seconds too, they are scaled to those. What failed, what
    was interrupted and what ran beside another region tells no costs, nor does a process's first region-year where there are others.
    """
    units = [o for region in stored_regions(store) for year in years_begun(store, region) for o in ledger.find_all(store, region, year)]
    if not any(o.unit.stage == "surface" and o.read_bytes for o in finished(units)):
        raise WrongCall(f"{store.root}: no surface was built in it, so nothing can be learnt. Name a store that `cryoatlas run` filled.")
    runs = runs_of(find_records(store))
    targets = {region: stored_region(store, region).target for region in stored_regions(store)}
    about = {
        "machine": platform.processor() or platform.machine(),
        "cores": str(os.cpu_count()),
        "load": " ".join(f"{load:.1f}" for load in os.getloadavg()),
        "cryoatlas": version("cryoatlas"),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": "CPU, by the records of runs" if runs.stages else "wall: no record of a run tells CPU seconds",
    }
    return costs_of(measured_of(warmed_up(units, runs, targets), runs), SHIPPED, origin=f"fitted to {store.root}", about=about)


def known_from(store: Store | None, region: str) -> Known:
    """Return what earlier years of a region tell: heights, glaciers, how many scenes their clouds left, and how dense its features lie."""
    if store is None:
        return NOTHING_KNOWN
    found, years = stored_region(store, region), years_begun(store, region)
    units = [outcome for year in years for outcome in ledger.find_all(store, region, year)]
    heights = {o.unit.tile: o.measures["elevation_max_m"] for o in units if "elevation_max_m" in o.measures}
    outlines = outlines_of(Job(region, years[-1], found.target, str(store.root))) if years else None
    return Known(heights, outlines, _kept_share(store, region, years), features_per_mpx(units, FEATURES_PER_MPX))


def _kept_share(store: Store, region: str, years: Sequence[int]) -> float:
    """Scenes used per scene that a plan of the same years would have counted."""
    options, used, counted = likely(SearchOptions()), 0, 0
    for path in (path for year in years if (path := store.scenes(region, year)).is_file()):
        hopeful = Counter[str]()
        for choice in (choice for choice in read_choices(path) if choice.scene.sensor == "s2"):
            used += choice.used
            clear = (choice.scene.cloud_percent or 0.0) <= options.max_scene_cloud_percent
            hopeful[choice.tile] += clear and (choice.used or choice.refused_because in _CLOUDED)
        counted += sum(min(count, options.max_scenes) for count in hopeful.values())
    return used / counted if counted else 1.0
