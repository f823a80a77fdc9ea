"""Unit costs: kept in a file of the user's, and fitted from what the units of a store took."""

import os
import platform
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from catalog.facts.errors import WrongCall
from catalog.facts.grids import CHIP_PX
from catalog.facts.options import SearchOptions
from catalog.facts.plans import NOTHING_KNOWN, Known
from catalog.facts.records import Job, Outcome
from catalog.facts.run_records import StageRun
from catalog.facts.unit_costs import SHIPPED, Measured, ModelCost, UnitCosts, Work, costs_of
from catalog.stores import ledger
from catalog.stores.files import size_in, write_atomic
from catalog.stores.jobs import outlines_of, stored_region, stored_regions, years_begun
from catalog.stores.run_records import find_records
from catalog.stores.selections import read_choices
from catalog.stores.store import Store

_MODEL_STAGES: Final = ("segment", "detect")
_REGION_STAGES: Final = ("features", "merge", "inventory", "counts")
_CLOUDED: Final = ("cloud", "snow")
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

    Seconds of units are wall seconds; where the records of runs tell a stage's CPU seconds too, they are scaled to those.
    """
    units = [o for region in stored_regions(store) for year in years_begun(store, region) for o in ledger.find_all(store, region, year)]
    if not any(o.unit.stage == "surface" and o.read_bytes for o in units):
        raise WrongCall(f"{store.root}: no surface was built in it, so nothing can be learnt. Name a store that `cryoatlas run` filled.")
    stages = [stage for record in find_records(store) for year in record.region_years for stage in year.stages if stage.worked]
    measured = measured_of(units, stages)
    about = {
        "machine": platform.processor() or platform.machine(),
        "cores": str(os.cpu_count()),
        "load": " ".join(f"{load:.1f}" for load in os.getloadavg()),
        "cryoatlas": version("cryoatlas"),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": "CPU, by the records of runs" if stages else "wall: no record of a run tells CPU seconds",
    }
    return costs_of(measured, SHIPPED, origin=f"fitted to {store.root}", about=about)


def measured_of(units: Sequence[Outcome], stages: Sequence[StageRun]) -> Measured:
    """Return what finished units took, in CPU seconds where `stages` of run records tell them."""
    by_stage: dict[str, list[Outcome]] = {}
    for unit in units:
        by_stage.setdefault(unit.unit.stage, []).append(unit)
    share = {stage: _cpu_share(stage, stages) for stage in by_stage}
    surfaces = [o for o in by_stage.get("surface", []) if o.read_bytes]
    looked = [Work(o.seconds * share["look"], _scenes(o)) for o in by_stage.get("look", [])]
    model_stage = next((stage for stage in _MODEL_STAGES if stage in by_stage), "")
    windows = [Work(o.seconds * share[model_stage], _windows(o)) for o in by_stage.get(model_stage, [])]
    name, model = _model(by_stage.get(model_stage, []))
    devices = [device for stage in stages if stage.stage == model_stage for device in stage.devices if device.device.startswith("cuda")]
    choosing = [run for run in stages if run.stage == "scenes" and run.total]
    chosen_s = sum(run.cpu_s / run.total for run in choosing) / len(choosing) * len(surfaces) if choosing else 0.0
    kept = [o for stage in ("surface", *_MODEL_STAGES, "outline") for o in by_stage.get(stage, [])]
    return Measured(
        looks=looked,
        surfaces=[Work(o.seconds * share["surface"], o.read_bytes / 1e9) for o in surfaces],
        windows=windows,
        outlines_s=sum(o.seconds * share["outline"] for o in by_stage.get("outline", [])),
        regions_s=chosen_s + sum(o.seconds * share[stage] for stage in _REGION_STAGES for o in by_stage.get(stage, [])),
        tiles=len(surfaces),
        stored_bytes=sum(size_in(promise) for o in kept for promise in o.outputs.values()),
        ground_px=sum(bin(int(str(o.inputs["chips"]), 16)).count("1") * CHIP_PX**2 for o in surfaces),
        model=model,
        model_name=name,
        wall_share=1 / share["surface"],
        gpu_s=sum(device.busy_s for device in devices) if devices else None,
    )


def _cpu_share(stage: str, runs: Sequence[StageRun]) -> float:
    """CPU seconds per second of its units; 1 where no record tells."""
    own = [run for run in runs if run.stage == stage and run.work_s > 0 and run.cpu_s > 0]
    return sum(run.cpu_s for run in own) / sum(run.work_s for run in own) if own else 1.0


def _scenes(look: Outcome) -> float:
    return float(sum(name.startswith("clear:") for name in look.measures))


def _windows(outcome: Outcome) -> float:
    return float(outcome.measures.get("windows_predicted", outcome.measures.get("windows", 0.0)))


def _model(units: Sequence[Outcome]) -> tuple[str, ModelCost | None]:
    """Name and windows of the model that looked at units; None for weights whose windows are not known here."""
    inputs: Mapping[str, object] = units[0].inputs if units else {}
    name = str(inputs.get("model", "")).partition(" ")[0]
    known = SHIPPED.models.get(name)
    if known is None:
        return name, None
    return name, ModelCost(known.window_px, known.stride_px, known.cpu_s, sha256=str(inputs.get("model_sha256", "")))


def known_from(store: Store | None, region: str) -> Known:
    """Return what earlier years of a region tell: heights of its tiles, glaciers, and how many scenes their clouds left."""
    if store is None:
        return NOTHING_KNOWN
    found, years = stored_region(store, region), years_begun(store, region)
    heights: dict[str, float] = {}
    for year in years:
        looks = (o for o in ledger.find_all(store, region, year) if o.unit.stage == "look")
        heights |= {o.unit.tile: o.measures["elevation_max_m"] for o in looks if "elevation_max_m" in o.measures}
    outlines = outlines_of(Job(region, years[-1], found.target, str(store.root))) if years else None
    return Known(heights, outlines, _kept_share(store, region, years))


def _kept_share(store: Store, region: str, years: Sequence[int]) -> float:
    most, used, counted = SearchOptions().max_scenes, 0, 0
    for path in (path for year in years if (path := store.scenes(region, year)).is_file()):
        tiles: dict[str, list[int]] = {}
        for choice in (choice for choice in read_choices(path) if choice.scene.sensor == "s2"):
            seen = tiles.setdefault(choice.tile, [0, 0])
            seen[0] += choice.used
            seen[1] += choice.used or choice.refused_because in (*_CLOUDED, "surplus")
        used, counted = used + sum(seen[0] for seen in tiles.values()), counted + sum(min(seen[1], most) for seen in tiles.values())
    return used / counted if counted else 1.0
