"""Inventories of all years of a region to stored tracks, events and what changed."""

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.causes import State
from catalog.facts.edits import DRAWN
from catalog.facts.options import TrackOptions
from catalog.facts.records import StageReport, Target
from catalog.facts.schemas import EVENTS, ID_COLUMNS, TRACKS
from catalog.stores.change_tables import put_change_shapes, put_through_years
from catalog.stores.circumstances import circumstances_of
from catalog.stores.jobs import years_with
from catalog.stores.leases import SHARED_WAIT_S, held
from catalog.stores.ledger import fingerprint_of
from catalog.stores.observed import observed_share
from catalog.stores.store import Store, open_store
from catalog.stores.tables import read_features, read_provenance
from models.changes.tables import change_tables
from models.outlines.timeline import Circumstances, YearFeatures
from models.outlines.track import tracks_of

STAGE = "tracks"
_NUMBERS = ("area_m2", "area_low_m2", "area_high_m2", "observed_share", "looks")
Geometries = NDArray[np.object_]


@task(cache_policy=NO_CACHE, task_run_name="tracks-{region}-{target}")
def track_features(region: str, target: Target, store: str, options: TrackOptions) -> StageReport:
    """Follow every feature through the years of which the store holds an inventory; equal tables are not written again."""
    opened, started = open_store(store), time.monotonic()
    # inventories and tables of one moment: no year is named, and nobody else tracks, while this goes on
    with held(opened, region, wait_s=SHARED_WAIT_S):
        return _track(opened, region, target, options, started)


def _track(opened: Store, region: str, target: Target, options: TrackOptions, started: float) -> StageReport:
    years = years_with(opened, target, region)
    if not years:
        return StageReport(STAGE, {str(State.SKIPPED): 1}, (), 0.0, 0)
    features = [_year_features(opened, target, region, year) for year in years]

    def observed(year: int, outlines: Geometries) -> NDArray[np.float64]:
        return np.array([observed_share(opened, region, year, outline, options.absence_looks) for outline in outlines], np.float64)

    tracks = tracks_of(features, (min(years), max(years)), observed, options)
    changes = change_tables(tracks, features, region, options)
    provenance = _provenance(opened, target, region, years)
    tables = {"tracks": (tracks.rows, TRACKS), "events": (tracks.events, EVENTS), **changes.plain()}
    written = put_through_years(opened, target, region, tables, provenance=provenance)
    written += put_change_shapes(opened, target, region, (changes.shapes, changes.shape_geometry), provenance=provenance)
    return StageReport(STAGE, {str(State.DONE): 1}, (), round(time.monotonic() - started, 2), written)


def _year_features(store: Store, target: Target, region: str, year: int) -> YearFeatures:
    path = store.inventory(target, region, year)
    frame = read_features(path)
    area, low, high, observed, looks = (frame[name].to_numpy(np.float64) for name in _NUMBERS)
    circumstances = Circumstances(model=str(read_provenance(path).get("model", "")), **circumstances_of(store, region, year))
    listed = np.array(["below_minimum_area" not in flags for flags in frame["flags"]], bool)
    # inventories from before people could edit have no such column
    drawn = frame["edit"].isin(DRAWN).to_numpy(bool) if "edit" in frame else None
    ids, outlines = tuple(frame[ID_COLUMNS[target]]), frame.geometry.to_numpy()
    return YearFeatures(year, ids, outlines, area, low, high, observed, looks, circumstances, listed, drawn)


def _provenance(store: Store, target: Target, region: str, years: tuple[int, ...]) -> dict[str, Any]:
    of_years = [read_provenance(store.inventory(target, region, year)) for year in years]
    latest = of_years[-1]
    shared = {key: latest[key] for key in ("schema_version", "cryoatlas_version", "model", "model_sha256", "licence", "attribution")}
    fingerprint = fingerprint_of({"inventories": [entry["fingerprint"] for entry in of_years]})
    return {**shared, "region": region, "year": f"{years[0]}-{years[-1]}", "fingerprint": fingerprint, "run_id": fingerprint[:12]}
