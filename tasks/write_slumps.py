"""Measured slumps to the inventory that users read: the sure ones, named, with their status among the years before."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.causes import State
from catalog.facts.edits import Edit
from catalog.facts.errors import WrongCall
from catalog.facts.forecasts import Forecast
from catalog.facts.options import SlumpOptions, TrackOptions
from catalog.facts.records import Job, Outcome, StageReport
from catalog.facts.slump_schemas import DARTS_MINIMUM_M2, SLUMPS
from catalog.facts.staleness import open_in
from catalog.stores import ledger
from catalog.stores.coverage import write_coverage
from catalog.stores.edits import edits_fingerprint, read_edits, read_status, warnings_of, write_status
from catalog.stores.files import checksum
from catalog.stores.identity import read_names, write_names
from catalog.stores.jobs import REGION_UNIT, chips_of, region_of, sweep_shared, unit_of, years_with
from catalog.stores.leases import SHARED_WAIT_S, held
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
from models.review.drawings import Lattice
from models.review.edited import EditedFeatures, Features, with_edits

STAGE = "inventory"
VERSION = 1
PREFIX = "RTS"
"""Of the names of slumps."""


@task(cache_policy=NO_CACHE, task_run_name="inventory-{job.region}-{job.year}")
def write_slumps(job: Job, model_name: str | None, options: SlumpOptions, tracking: TrackOptions) -> StageReport:
    """Name the slumps of a region-year, apply what people decided, and write inventory and coverage when something changed.

    Inventories of earlier years count: status and growth come from them. Without a `model_name` the threshold stays as it was.
    """
    store, unit = open_store(job.store), unit_of(job, REGION_UNIT, STAGE)
    before, started = {unit: ledger.find(store, unit)}, time.monotonic()
    merged, edits = ledger.find(store, unit_of(job, REGION_UNIT, "merge")), read_edits(store, job.target, job.region)
    threshold = _threshold(before[unit], model_name, options)
    # names, status and growth rest on other years: they are read, named and written before another year is
    with held(store, job.region, wait_s=SHARED_WAIT_S):
        sweep_shared(store, job.target, job.region)
        earlier = {str(year): checksum(store.inventory(job.target, job.region, year)) for year in _earlier(store, job)}
        inputs = _inputs(merged, threshold, tracking, earlier) | _edited(edits, job.year)
        done = told(
            STAGE,
            map(ledger.once, [store], [unit], [inputs], [partial(_produce, job, store, threshold, tracking, edits)]),
            before.get,
            of=job,
            total=1,
        )
        report = report_of(STAGE, done, before.get, since=started)
    write_coverage(job, store)
    return replace(report, warnings=warnings_of(read_status(store, job.target, job.region, job.year)))


def expect_slumps(
    job: Job, model_name: str, asked: tuple[SlumpOptions, TrackOptions], forecast: Forecast, before: Sequence[Forecast]
) -> None:
    """Tell a forecast what the inventory of the region-year would be made from; `before`: forecasts of earlier years of the region."""
    options, tracking = asked
    store, merged = open_store(job.store), forecast.outcome(unit_of(job, REGION_UNIT, "merge"))
    earlier = {str(year): checksum(store.inventory(job.target, job.region, year)) for year in _earlier(store, job)}
    for one in (inventory for other in before for inventory in other.outcomes(STAGE)):
        if any(open_in(one.outputs)):
            earlier[str(one.unit.year)] = next(iter(one.outputs))
    edits = read_edits(store, job.target, job.region)
    inputs = _inputs(merged, _threshold(None, model_name, options), tracking, earlier) | _edited(edits, job.year)
    forecast.expect(unit_of(job, REGION_UNIT, STAGE), inputs)
    coverage = store.coverage(job.region, job.year)
    if not coverage.is_file():
        forecast.gone(unit_of(job, REGION_UNIT, "coverage"), store.relative(coverage))


def _inputs(merged: Outcome | None, threshold: float, tracking: TrackOptions, earlier: Mapping[str, str]) -> dict[str, object]:
    return {
        "stage": f"{STAGE} {VERSION}",
        "features": dict(merged.outputs) if merged else {},
        "threshold": threshold,
        "min_overlap": tracking.min_overlap,
        "earlier": dict(earlier),
    }


def _edited(edits: Sequence[Edit], year: int) -> dict[str, object]:
    edited = edits_fingerprint(edits, year)
    return {} if edited is None else {"edits": edited}


def _threshold(before: Outcome | None, model_name: str | None, options: SlumpOptions) -> float:
    if options.threshold is not None:
        return options.threshold
    if model_name is None and before is not None:
        return float(before.inputs["threshold"])
    if model_name is None:
        raise WrongCall("The inventory was never written, so that its threshold is unknown. Write it with `cryoatlas run`.")
    return card_named(model_name, find_detector_card).threshold


def _earlier(store: Store, job: Job) -> tuple[int, ...]:
    return tuple(year for year in years_with(store, job.target, job.region) if year < job.year)


def _produce(job: Job, store: Store, threshold: float, tracking: TrackOptions, edits: Sequence[Edit]) -> Outcome:
    source = store.features(job.target, job.region, job.year)
    found, provenance = read_features(source), read_provenance(source)
    edited = _named(store, job, found[found.score >= threshold].reset_index(drop=True), tracking, edits)
    frame = gpd.GeoDataFrame(edited.columns | {"slump_id": edited.ids}, geometry=edited.outlines, crs=4326)
    earlier = {year: read_features(store.inventory(job.target, job.region, year)) for year in _earlier(store, job)}

    def observed(year: int, outlines: NDArray[np.object_]) -> NDArray[np.float64]:
        shares = [observed_share(store, job.region, year, outline, tracking.absence_looks) for outline in outlines]
        return np.array(shares, np.float64)

    years = [_year(year, slumps) for year, slumps in earlier.items()]
    columns = edited.columns | {"slump_id": edited.ids} | over_the_years(_year(job.year, frame), years, observed)
    columns["obs_id"] = obs_ids(columns["slump_id"], Origin(job.year, provenance["run_id"], ""))
    path = store.inventory(job.target, job.region, job.year)
    about = {"threshold": threshold} | ({"edits": len(edited.verdicts)} if edited.verdicts else {})
    put_features(path, edited.outlines, columns, SLUMPS, provenance=provenance | about)
    status = write_status(store, job.target, job.region, job.year, edited.verdicts)
    merged = ledger.find(store, unit_of(job, REGION_UNIT, "merge"))
    state = State.FAILED if merged is None else State.EMPTY if merged.state == State.DONE and not len(frame) else merged.state
    measures = {"features": float(len(frame)), "area_km2": float(frame.area_m2.sum() / 1e6)}
    return Outcome(unit_of(job, REGION_UNIT, STAGE), state, "", outputs=ledger.receipts_for(store, [path, *status]), measures=measures)


def _year(year: int, frame: gpd.GeoDataFrame) -> MeasuredYear:
    area, perimeter, seen, aspect = (frame[n].to_numpy(np.float64) for n in ("area_m2", "perimeter_m", "observed_share", "aspect_deg"))
    named = YearOutlines(year, tuple(frame.slump_id), frame.geometry.to_numpy())
    return MeasuredYear(named, area, perimeter, seen, aspect, frame.utm_epsg.tolist())


def _named(store: Store, job: Job, frame: gpd.GeoDataFrame, tracking: TrackOptions, edits: Sequence[Edit]) -> EditedFeatures:
    # slumps measured before a column existed are listed without it
    columns = {name: [None] * len(frame) for name in SLUMPS.names} | columns_of(frame)
    identity = store.identity(job.target, job.region)
    lattice = Lattice(chips_of(store), region_of(job).crs_epsg, DARTS_MINIMUM_M2, "below_darts_minimum")
    known = Registry(*read_names(identity))
    naming = partial(name_features, job.year, registry=known, min_overlap=tracking.min_overlap, prefix=PREFIX)
    found = with_edits(job.year, Features(frame.geometry.to_numpy(), columns), edits, naming, lattice)
    write_names(identity, (found.registry.ids, found.registry.years, found.registry.outlines))
    seen = found.columns["observed_share"]
    for row in (row for row, share in enumerate(seen) if share is None):
        seen[row] = observed_share(store, job.region, job.year, found.outlines[row], tracking.absence_looks)
    return found
