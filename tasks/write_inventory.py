"""Measured features to the inventory that users read: named, with coverage beside it."""

import time
from functools import partial

import numpy as np
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.causes import State
from catalog.facts.options import TrackOptions
from catalog.facts.records import Job, Outcome, StageReport
from catalog.facts.schemas import LAKES
from catalog.stores import ledger
from catalog.stores.coverage import write_coverage
from catalog.stores.identity import exclusive, read_names, write_names
from catalog.stores.jobs import REGION_UNIT, unit_of
from catalog.stores.rounds import report_of, told
from catalog.stores.store import Store, open_store
from catalog.stores.tables import columns_of, put_features, read_features, read_provenance
from models.outlines.identity import Registry, name_features
from models.outlines.inventory import Origin, obs_ids

STAGE = "inventory"
VERSION = 1


@task(cache_policy=NO_CACHE, task_run_name="inventory-{job.region}-{job.year}")
def write_inventory(job: Job, options: TrackOptions) -> StageReport:
    """Name the features of a region-year and write its inventory and coverage when they changed."""
    store, unit = open_store(job.store), unit_of(job, REGION_UNIT, STAGE)
    before, started = {unit: ledger.find(store, unit)}, time.monotonic()
    features = ledger.find(store, unit_of(job, REGION_UNIT, "features"))
    inputs = {"stage": f"{STAGE} {VERSION}", "features": dict(features.outputs) if features else {}, "min_overlap": options.min_overlap}
    done = told(STAGE, [ledger.once(store, unit, inputs, partial(_produce, job, store, options))], total=1)
    report = report_of(STAGE, tuple(done), before.get, seconds=time.monotonic() - started)
    write_coverage(job, store)
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
    columns = columns_of(frame) | {"lake_id": names, "obs_id": obs_ids(names, origin)}
    path = store.inventory(job.target, job.region, job.year)
    put_features(path, frame.geometry.to_numpy(), columns, LAKES, provenance=provenance)
    features = ledger.find(store, unit_of(job, REGION_UNIT, "features"))
    state = features.state if features else State.EMPTY
    measures = {"features": float(len(frame)), "area_km2": float(frame.area_m2.sum() / 1e6)}
    return Outcome(unit_of(job, REGION_UNIT, STAGE), state, "", outputs=ledger.receipts_for(store, [path]), measures=measures)
