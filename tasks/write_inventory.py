"""Measured features to the inventory that users read: named, with coverage beside it."""

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.causes import State
from catalog.facts.options import TrackOptions
from catalog.facts.records import Job, Outcome, StageReport
from catalog.facts.schemas import COVERAGE, LAKES
from catalog.stores import ledger
from catalog.stores.identity import exclusive, read_names, write_names
from catalog.stores.jobs import REGION_UNIT, mapped_tiles, unit_of
from catalog.stores.rounds import report_of, told
from catalog.stores.store import Store, open_store
from catalog.stores.tables import put_features, put_table, read_features, read_provenance
from models.outlines.identity import Registry, name_features
from models.outlines.inventory import Origin, obs_ids

STAGE = "inventory"
VERSION = 1
_SHARES = ("observed_share", "cloud_share", "snow_ice_share", "shadow_share", "no_scene_share", "looks_median")


@task(cache_policy=NO_CACHE, task_run_name="inventory-{job.region}-{job.year}")
def write_inventory(job: Job, options: TrackOptions) -> StageReport:
    """Name the features of a region-year and write its inventory and coverage when they changed."""
    store, unit = open_store(job.store), unit_of(job, REGION_UNIT, STAGE)
    before, started = {unit: ledger.find(store, unit)}, time.monotonic()
    features = ledger.find(store, unit_of(job, REGION_UNIT, "features"))
    inputs = {"stage": f"{STAGE} {VERSION}", "features": dict(features.outputs) if features else {}, "min_overlap": options.min_overlap}
    done = told(STAGE, [ledger.once(store, unit, inputs, partial(_produce, job, store, options))], total=1)
    report = report_of(STAGE, tuple(done), before.get, seconds=time.monotonic() - started)
    _write_coverage(job, store)
    return report


def _produce(job: Job, store: Store, options: TrackOptions) -> Outcome:
    source = store.features(job.target, job.region, job.year)
    frame, provenance = read_features(source), read_provenance(source)
    points = frame[["longitude", "latitude"]].to_numpy(np.float64).reshape(-1, 2)
    identity = store.identity(job.target, job.region)
    with exclusive(identity):
        known = Registry(*read_names(identity))
        names, updated = name_features(job.year, frame.geometry.to_numpy(), points, known, min_overlap=options.min_overlap)
        write_names(identity, (updated.ids, updated.years, updated.outlines))
    origin = Origin(job.year, provenance["run_id"], "")
    columns = _columns(frame) | {"lake_id": names, "obs_id": obs_ids(names, origin)}
    path = store.inventory(job.target, job.region, job.year)
    put_features(path, frame.geometry.to_numpy(), columns, LAKES, provenance=provenance)
    features = ledger.find(store, unit_of(job, REGION_UNIT, "features"))
    state = features.state if features else State.EMPTY
    measures = {"features": float(len(frame)), "area_km2": float(frame.area_m2.sum() / 1e6)}
    return Outcome(unit_of(job, REGION_UNIT, STAGE), state, "", outputs=ledger.receipts_for(store, [path]), measures=measures)


def _columns(frame: Any) -> dict[str, Any]:
    # through Arrow, so that missing numbers stay null and dates stay dates
    table = pa.Table.from_pandas(frame.drop(columns=["geometry", "bbox"], errors="ignore"), preserve_index=False)
    return {name: table.column(name).to_pylist() for name in table.column_names}


def _write_coverage(job: Job, store: Store) -> None:
    """One row per tile from the ledger; a tile without a record is not hidden, it is missing from `audit` too."""
    outcomes = {(o.unit.tile, o.unit.stage): o for o in ledger.find_all(store, job.region, job.year)}
    rows = [_coverage_row(job, tile.id, outcomes) for tile in mapped_tiles(job)]
    table = pa.Table.from_pylist(rows, schema=COVERAGE)
    put_table(store.coverage(job.region, job.year), table, COVERAGE, provenance={"region": job.region, "year": job.year})


def _coverage_row(job: Job, tile: str, outcomes: Mapping[tuple[str, str], Outcome]) -> dict[str, Any]:
    scenes, surface = outcomes.get((tile, "scenes")), outcomes.get((tile, "surface"))
    last = surface or scenes
    measures = {**(scenes.measures if scenes else {}), **(surface.measures if surface else {"no_scene_share": 1.0, "observed_share": 0.0})}
    return {
        "tile": tile,
        "region": job.region,
        "year": job.year,
        "state": str(last.state) if last else str(State.FAILED),
        "cause": last.cause if last else "not_reached",
        "message": last.message if last else "no record of this tile",
        **{name: measures.get(name) for name in _SHARES},
        "scenes_used": int(measures.get("scenes_used", 0)),
        "scenes_refused": int(measures.get("scenes_refused", 0)),
        "seconds": sum(o.seconds for (t, _), o in outcomes.items() if t == tile),
        "bytes": surface.read_bytes if surface else 0,
    }
