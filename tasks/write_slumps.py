"""Measured slumps to the inventory that users read: the sure ones, named, with their status among the years before."""

import time
from functools import partial

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.causes import State
from catalog.facts.options import SlumpOptions, TrackOptions
from catalog.facts.records import Job, Outcome, StageReport
from catalog.facts.slump_schemas import SLUMPS
from catalog.stores import ledger
from catalog.stores.coverage import write_coverage
from catalog.stores.files import checksum
from catalog.stores.identity import exclusive, read_names, write_names
from catalog.stores.jobs import REGION_UNIT, unit_of, years_with
from catalog.stores.observed import observed_share
from catalog.stores.rounds import report_of, told
from catalog.stores.store import Store, open_store
from catalog.stores.tables import columns_of, put_features, read_features, read_provenance
from catalog.stores.weights import find_detector_card
from models.detector.registry import card_named
from models.detector.status import YearOutlines
from models.detector.years import MeasuredYear, over_the_years
from models.outlines.identity import Registry, name_features
from models.outlines.inventory import Origin, obs_ids

STAGE = "inventory"
VERSION = 1
PREFIX = "RTS"
"""Of the names of slumps."""


@task(cache_policy=NO_CACHE, task_run_name="inventory-{job.region}-{job.year}")
def write_slumps(job: Job, model_name: str, options: SlumpOptions, tracking: TrackOptions) -> StageReport:
    """Name the slumps of a region-year and write inventory and coverage when they, or the inventories of earlier years, changed."""
    store, unit = open_store(job.store), unit_of(job, REGION_UNIT, STAGE)
    before, started = {unit: ledger.find(store, unit)}, time.monotonic()
    merged = ledger.find(store, unit_of(job, REGION_UNIT, "merge"))
    threshold = options.threshold if options.threshold is not None else card_named(model_name, find_detector_card).threshold
    inputs = {
        "stage": f"{STAGE} {VERSION}",
        "features": dict(merged.outputs) if merged else {},
        "threshold": threshold,
        "min_overlap": tracking.min_overlap,
        "earlier": {str(year): checksum(store.inventory(job.target, job.region, year)) for year in _earlier(store, job)},
    }
    done = told(STAGE, [ledger.once(store, unit, inputs, partial(_produce, job, store, threshold, tracking))], total=1)
    report = report_of(STAGE, tuple(done), before.get, seconds=time.monotonic() - started)
    write_coverage(job, store)
    return report


def _earlier(store: Store, job: Job) -> tuple[int, ...]:
    return tuple(year for year in years_with(store, job.target, job.region) if year < job.year)


def _produce(job: Job, store: Store, threshold: float, tracking: TrackOptions) -> Outcome:
    source = store.features(job.target, job.region, job.year)
    found, provenance = read_features(source), read_provenance(source)
    frame = found[found.score >= threshold].reset_index(drop=True)
    frame["slump_id"] = _named(store, job, frame, tracking.min_overlap)
    earlier = {year: read_features(store.inventory(job.target, job.region, year)) for year in _earlier(store, job)}

    def observed(year: int, outlines: NDArray[np.object_]) -> NDArray[np.float64]:
        shares = [observed_share(store, job.region, year, outline, tracking.absence_looks) for outline in outlines]
        return np.array(shares, np.float64)

    years = [_year(year, slumps) for year, slumps in earlier.items()]
    columns = columns_of(frame) | over_the_years(_year(job.year, frame), years, observed)
    columns["obs_id"] = obs_ids(columns["slump_id"], Origin(job.year, provenance["run_id"], ""))
    path = store.inventory(job.target, job.region, job.year)
    put_features(path, frame.geometry.to_numpy(), columns, SLUMPS, provenance=provenance | {"threshold": threshold})
    merged = ledger.find(store, unit_of(job, REGION_UNIT, "merge"))
    state = State.FAILED if merged is None else State.EMPTY if merged.state == State.DONE and not len(frame) else merged.state
    measures = {"features": float(len(frame)), "area_km2": float(frame.area_m2.sum() / 1e6)}
    return Outcome(unit_of(job, REGION_UNIT, STAGE), state, "", outputs=ledger.receipts_for(store, [path]), measures=measures)


def _year(year: int, frame: gpd.GeoDataFrame) -> MeasuredYear:
    area, perimeter, seen, aspect = (frame[n].to_numpy(np.float64) for n in ("area_m2", "perimeter_m", "observed_share", "aspect_deg"))
    named = YearOutlines(year, tuple(frame.slump_id), frame.geometry.to_numpy())
    return MeasuredYear(named, area, perimeter, seen, aspect, frame.utm_epsg.tolist())


def _named(store: Store, job: Job, frame: gpd.GeoDataFrame, min_overlap: float) -> tuple[str, ...]:
    points = frame[["longitude", "latitude"]].to_numpy(np.float64).reshape(-1, 2)
    identity = store.identity(job.target, job.region)
    with exclusive(identity):
        known = Registry(*read_names(identity))
        names, updated = name_features(job.year, frame.geometry.to_numpy(), points, known, min_overlap=min_overlap, prefix=PREFIX)
        write_names(identity, (updated.ids, updated.years, updated.outlines))
    return names
