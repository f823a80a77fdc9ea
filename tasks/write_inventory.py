"""Measured features to the inventory that users read: named, with coverage beside it."""

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.causes import State
from catalog.facts.edits import Edit
from catalog.facts.forecasts import Forecast
from catalog.facts.options import OutlineOptions, TrackOptions
from catalog.facts.records import Job, Outcome, StageReport
from catalog.facts.schemas import LAKES
from catalog.stores import ledger
from catalog.stores.coverage import write_coverage
from catalog.stores.edits import edits_fingerprint, read_edits, read_status, warnings_of, write_status
from catalog.stores.identity import read_names, write_names
from catalog.stores.jobs import REGION_UNIT, chips_of, region_of, sweep_shared, unit_of
from catalog.stores.leases import SHARED_WAIT_S, held
from catalog.stores.observed import observed_share
from catalog.stores.rounds import report_of, told
from catalog.stores.store import Store, open_store
from catalog.stores.tables import columns_of, put_features, read_features, read_provenance
from models.outlines.identity import Registry, name_features
from models.outlines.inventory import Origin, obs_ids
from models.review.drawings import Lattice
from models.review.edited import EditedFeatures, Features, with_edits

STAGE = "inventory"
VERSION = 1


@task(cache_policy=NO_CACHE, task_run_name="inventory-{job.region}-{job.year}")
def write_inventory(job: Job, options: TrackOptions) -> StageReport:
    """Name the features of a region-year, apply what people decided, and write inventory and coverage when something changed."""
    store, unit = open_store(job.store), unit_of(job, REGION_UNIT, STAGE)
    before, started = {unit: ledger.find(store, unit)}, time.monotonic()
    features, edits = ledger.find(store, unit_of(job, REGION_UNIT, "features")), read_edits(store, job.target, job.region)
    inputs = _inputs(features, options, edits, job.year)
    # names are shared by the years of a region: what is named here must be read, named and written before another year is named
    with held(store, job.region, wait_s=SHARED_WAIT_S):
        sweep_shared(store, job.target, job.region)
        done = told(
            STAGE, map(ledger.once, [store], [unit], [inputs], [partial(_produce, job, store, options, edits)]), before.get, of=job, total=1
        )
        report = report_of(STAGE, done, before.get, since=started)
    write_coverage(job, store)
    return replace(report, warnings=warnings_of(read_status(store, job.target, job.region, job.year)))


def expect_inventory(job: Job, options: TrackOptions, forecast: Forecast) -> None:
    """Tell a forecast what the inventory of the region-year would be made from."""
    store, features = open_store(job.store), forecast.outcome(unit_of(job, REGION_UNIT, "features"))
    edits = read_edits(store, job.target, job.region)
    forecast.expect(unit_of(job, REGION_UNIT, STAGE), _inputs(features, options, edits, job.year))
    coverage = store.coverage(job.region, job.year)
    if not coverage.is_file():
        forecast.gone(unit_of(job, REGION_UNIT, "coverage"), store.relative(coverage))


def _inputs(features: Outcome | None, options: TrackOptions, edits: Sequence[Edit], year: int) -> dict[str, object]:
    known = {"stage": f"{STAGE} {VERSION}", "features": dict(features.outputs) if features else {}, "min_overlap": options.min_overlap}
    edited = edits_fingerprint(edits, year)
    return known if edited is None else known | {"edits": edited}


def _produce(job: Job, store: Store, options: TrackOptions, edits: Sequence[Edit]) -> Outcome:
    source = store.features(job.target, job.region, job.year)
    provenance = read_provenance(source)
    found = _named(job, store, options, edits)
    origin = Origin(job.year, provenance["run_id"], "")
    columns = found.columns | {"lake_id": found.ids, "obs_id": obs_ids(found.ids, origin)}
    path = store.inventory(job.target, job.region, job.year)
    about = {"edits": len(found.verdicts)} if found.verdicts else {}
    put_features(path, found.outlines, columns, LAKES, provenance=provenance | about)
    status = write_status(store, job.target, job.region, job.year, found.verdicts)
    features = ledger.find(store, unit_of(job, REGION_UNIT, "features"))
    state = features.state if features else State.EMPTY
    measures = {"features": float(len(found.ids)), "area_km2": sum(found.columns["area_m2"]) / 1e6}
    return Outcome(unit_of(job, REGION_UNIT, STAGE), state, "", outputs=ledger.receipts_for(store, [path, *status]), measures=measures)


def _named(job: Job, store: Store, options: TrackOptions, edits: Sequence[Edit]) -> EditedFeatures:
    frame = read_features(store.features(job.target, job.region, job.year))
    # features measured before a column existed are listed without it
    columns = {name: [None] * len(frame) for name in LAKES.names} | columns_of(frame)
    identity, lattice = store.identity(job.target, job.region), _lattice(job, store)
    known = Registry(*read_names(identity))
    naming = partial(name_features, job.year, registry=known, min_overlap=options.min_overlap)
    found = with_edits(job.year, Features(frame.geometry.to_numpy(), columns), edits, naming, lattice)
    write_names(identity, (found.registry.ids, found.registry.years, found.registry.outlines))
    seen = found.columns["observed_share"]
    for row in (row for row, share in enumerate(seen) if share is None):
        # nobody measured what a person drew, but the cubes tell whether the ground was seen
        seen[row] = observed_share(store, job.region, job.year, found.outlines[row], options.absence_looks)
    return found


def _lattice(job: Job, store: Store) -> Lattice:
    features = ledger.find(store, unit_of(job, REGION_UNIT, "features"))
    options = features.inputs.get("options", {}) if features else {}
    return Lattice(chips_of(store), region_of(job).crs_epsg, float(options.get("min_area_m2", OutlineOptions().min_area_m2)))
