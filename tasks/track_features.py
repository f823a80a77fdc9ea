"""Inventories of all years of a region to stored tracks and events."""

import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.causes import State
from catalog.facts.options import TrackOptions
from catalog.facts.records import StageReport, Target
from catalog.facts.schemas import EVENTS, ID_COLUMNS, TRACKS
from catalog.stores.files import sweep_partials
from catalog.stores.jobs import years_with
from catalog.stores.ledger import fingerprint_of
from catalog.stores.observed import observed_share
from catalog.stores.store import Store, open_store
from catalog.stores.tables import put_table, read_features, read_provenance
from models.outlines.timeline import Circumstances, YearFeatures
from models.outlines.track import tracks_of

STAGE = "tracks"
_NUMBERS = ("area_m2", "area_low_m2", "area_high_m2", "observed_share", "looks")
Geometries = NDArray[np.object_]


@task(cache_policy=NO_CACHE, task_run_name="tracks-{region}-{target}")
def track_features(region: str, target: Target, store: str, options: TrackOptions) -> StageReport:
    """Follow every feature through the years of which the store holds an inventory; equal tracks are not written again."""
    opened, started = open_store(store), time.monotonic()
    years = years_with(opened, target, region)
    if not years:
        return StageReport(STAGE, {str(State.SKIPPED): 1}, (), 0.0, 0)
    features = [_year_features(opened, target, region, year) for year in years]

    def observed(year: int, outlines: Geometries) -> NDArray[np.float64]:
        return np.array([observed_share(opened, region, year, outline, options.absence_looks) for outline in outlines], np.float64)

    tracks = tracks_of(features, (min(years), max(years)), observed, options)
    paths = [opened.tracks(target, region, name) for name in ("tracks", "events")]
    for path in paths:
        sweep_partials(path.parent)
    before = [_stamp(path) for path in paths]
    provenance = _provenance(opened, target, region, years)
    put_table(paths[0], tracks.rows, TRACKS, provenance=provenance)
    put_table(paths[1], tracks.events, EVENTS, provenance=provenance)
    written = sum(_stamp(path) != stamp for path, stamp in zip(paths, before, strict=True))
    return StageReport(STAGE, {str(State.DONE): 1}, (), round(time.monotonic() - started, 2), written)


def _stamp(path: Path) -> int | None:
    return path.stat().st_mtime_ns if path.is_file() else None


def _year_features(store: Store, target: Target, region: str, year: int) -> YearFeatures:
    path = store.inventory(target, region, year)
    frame = read_features(path)
    area, low, high, observed, looks = (frame[name].to_numpy(np.float64) for name in _NUMBERS)
    # baselines are harmonised pixel by pixel when the surface is built, so that they are no reason against comparing
    circumstances = Circumstances(model=str(read_provenance(path).get("model", "")))
    return YearFeatures(year, tuple(frame[ID_COLUMNS[target]]), frame.geometry.to_numpy(), area, low, high, observed, looks, circumstances)


def _provenance(store: Store, target: Target, region: str, years: tuple[int, ...]) -> dict[str, Any]:
    of_years = [read_provenance(store.inventory(target, region, year)) for year in years]
    latest = of_years[-1]
    shared = {key: latest[key] for key in ("schema_version", "cryoatlas_version", "model", "model_sha256", "licence", "attribution")}
    fingerprint = fingerprint_of({"inventories": [entry["fingerprint"] for entry in of_years]})
    return {**shared, "region": region, "year": f"{years[0]}-{years[-1]}", "fingerprint": fingerprint, "run_id": fingerprint[:12]}
