"""Inventories of all years of a region to stored tracks and events."""

import time
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import rasterio.features
import shapely
from affine import Affine
from numpy.typing import NDArray
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.causes import Cause, State
from catalog.facts.grids import PIXEL_M
from catalog.facts.options import TrackOptions
from catalog.facts.records import StageReport, Target
from catalog.facts.schemas import EVENTS, ID_COLUMNS, SURFACE, TRACKS
from catalog.stores import cubes
from catalog.stores.files import sweep_partials
from catalog.stores.jobs import years_with
from catalog.stores.ledger import fingerprint_of
from catalog.stores.store import Store, open_store
from catalog.stores.tables import put_table, read_features, read_provenance
from models.outlines.geodesy import to_metres
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
        return np.array([_observed_share(opened, region, year, outline, options.absence_looks) for outline in outlines], np.float64)

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


def _observed_share(store: Store, region: str, year: int, outline: shapely.Geometry, looks: int) -> float:
    """Share of an outline (EPSG:4326) that was seen often enough in a year, in the zone where most of it was mapped."""
    return max((_share_in(path, outline, looks) for path in _cubes_of(store, region, year)), default=0.0)


def _cubes_of(store: Store, region: str, year: int) -> list[Path]:
    return sorted(store.cube(region, year, 0).parent.glob("*.zarr"))


@lru_cache(maxsize=64)
def _open(path: Path) -> cubes.Cube:
    return cubes.read_cube(path, SURFACE)


def _share_in(path: Path, outline: shapely.Geometry, looks: int) -> float:
    polygon = to_metres(np.array([outline], object), int(path.stem))[0]
    left, bottom, right, top = shapely.bounds(polygon)
    y, x = int(np.floor(-top / PIXEL_M)), int(np.floor(left / PIXEL_M))
    shape = int(np.ceil(-bottom / PIXEL_M)) - y, int(np.ceil(right / PIXEL_M)) - x
    transform = Affine(PIXEL_M, 0, x * PIXEL_M, 0, -PIXEL_M, -y * PIXEL_M)
    inside = np.asarray(rasterio.features.rasterize([polygon], shape, transform=transform, all_touched=True, dtype="uint8"), bool)
    cause, seen = (cubes.read_window(_open(path), name, (y, x, *shape))[inside] for name in ("cause", "looks"))
    return float(((cause == Cause.USABLE) & (seen >= looks)).mean()) if inside.any() else 0.0
