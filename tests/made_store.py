"""A store of a few square lakes over three years, made without scenes or models: everything a release or a reader needs."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from catalog.facts.causes import State
from catalog.facts.grids import CHIP_PX, PIXEL_M, Tile, from_lonlat, to_lonlat
from catalog.facts.options import TRACKING
from catalog.facts.records import Choice, Job, Outcome
from catalog.facts.repeats import identity
from catalog.facts.scenes import Rejected, to_scene
from catalog.facts.schemas import LAKES, size_class
from catalog.stores import ledger
from catalog.stores.coverage import write_coverage
from catalog.stores.jobs import REGION_UNIT, create_job, mapped_tiles, unit_of
from catalog.stores.ledger import fingerprint_of
from catalog.stores.provenance import provenance_of
from catalog.stores.selections import write_choices
from catalog.stores.store import Store, open_store
from catalog.stores.tables import put_features
from models.outlines.geodesy import area_perimeter, to_degrees
from tasks.track_features import track_features

REGION = "toy"
YEARS = (2020, 2021, 2022)
EPSG = 32643
_SIDE = Tile(EPSG, 0, 0).size_m
TILE = Tile(EPSG, 30, 213)
"""Two chips of it are the region."""
LAKES_MADE = 4
_SHARES = {"observed_share": 0.9, "cloud_share": 0.05, "snow_ice_share": 0.03, "shadow_share": 0.02, "no_scene_share": 0.0}


def made_store(root: Path, *, years: tuple[int, ...] = YEARS, grown_m: float = 10.0) -> Store:
    """Make the store; lake n is a square of 100 + 20 n metres, and every year `grown_m` wider; the first, under the minimum, stays."""
    region = root.parent / "toy.geojson"
    left, bottom, _, _ = TILE.bounds_lbrt
    ground = shapely.box(left + 20, bottom + 20, left + 2 * CHIP_PX * PIXEL_M - 20, bottom + CHIP_PX * PIXEL_M - 20)
    outline = to_degrees(np.array([ground], object), EPSG)[0]
    properties = {"name": REGION, "title": "Toy valley", "target": "lakes"}
    feature = {"type": "Feature", "properties": properties, "geometry": json.loads(shapely.to_geojson(outline))}
    region.write_text(json.dumps(feature))
    for year in years:
        job = create_job(str(region), year, str(root), None)
        map_year(job, grown_m=grown_m)
    track(open_store(str(root)))
    return open_store(str(root))


def map_year(job: Job, *, grown_m: float = 10.0, run: str = "1", change: Callable[[dict[str, list[Any]]], None] | None = None) -> None:
    """Write one year as a run would: scenes, records, inventory, coverage; `change` spoils the columns of the inventory first."""
    store = open_store(job.store)
    _scenes(store, job)
    for tile in mapped_tiles(job):
        for stage in ("scenes", "surface", "segment", "outline"):
            outcome = Outcome(unit_of(job, tile.id, stage), State.DONE, run, measures=dict(_SHARES, looks_median=3.0, scenes_used=2))
            ledger.put(store, replace(outcome, inputs={"model": "indices 1", "model_sha256": ""} if stage == "segment" else {}))
    ledger.put(store, Outcome(unit_of(job, REGION_UNIT, "features"), State.DONE, run))
    geometry, columns = _lakes(job.year, grown_m, run)
    if change:
        change(columns)
    path = store.inventory("lakes", job.region, job.year)
    shapes = columns.pop("geometry", list(geometry))
    put_features(
        path, np.array(shapes, object), columns, LAKES, provenance=provenance_of(store, job, fingerprint_of({"run": run, "year": job.year}))
    )
    ledger.put(store, Outcome(unit_of(job, REGION_UNIT, "inventory"), State.DONE, run, outputs=ledger.receipts_for(store, [path])))
    write_coverage(job, store)


def job_of(store: Store, year: int) -> Job:
    """The job of a year that is there."""
    return Job(REGION, year, "lakes", str(store.root))


def track(store: Store) -> None:
    """Write the tables through the years."""
    track_features.fn(REGION, "lakes", str(store.root), TRACKING["lakes"])


def _scenes(store: Store, job: Job) -> None:
    west, south, east, north = (round(float(value), 4) for value in (*_corner(0, 0), *_corner(2, 1)))
    items = [_item(f"S2-{job.year}-{day:02d}", job.year, day, (west, south, east, north)) for day in (1, 11, 21)]
    found = [to_scene(item, "earth-search") for item in items]
    scenes = [entry.scene if isinstance(entry, Rejected) else entry for entry in found]
    choices = [
        Choice(scene, tile.id, index < 2, None if index < 2 else "cloud over the tile", 0.9 if index < 2 else 0.1)
        for tile in mapped_tiles(job)
        for index, scene in enumerate(scenes)
    ]
    known: Mapping[Any, Any] = {identity(scene): item for scene, item in zip(scenes, items, strict=True)}
    write_choices(store.scenes(job.region, job.year), choices, known)


def _corner(chips_east: int, chips_north: int) -> tuple[float, float]:
    left, bottom, _, _ = TILE.bounds_lbrt
    longitude, latitude = to_lonlat(EPSG).transform(left + chips_east * CHIP_PX * PIXEL_M, bottom + chips_north * CHIP_PX * PIXEL_M)
    return float(longitude), float(latitude)


def _item(name: str, year: int, day: int, box: tuple[float, float, float, float]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": name,
        "collection": "sentinel-2-l2a",
        "bbox": list(box),
        "geometry": json.loads(shapely.to_geojson(shapely.box(*box))),
        "properties": {"datetime": f"{year}-08-{day:02d}T05:30:00Z", "s2:processing_baseline": "05.00"},
        "assets": {"green": {"href": f"https://scenes.example/{name}/B03.tif"}},
        "links": [{"rel": "self", "href": f"https://catalog.example/collections/sentinel-2-l2a/items/{name}"}],
    }


def _lakes(year: int, grown_m: float, run: str) -> tuple[list[shapely.Geometry], dict[str, list[Any]]]:
    left, bottom, _, _ = TILE.bounds_lbrt
    squares = []
    for number in range(LAKES_MADE):
        side = 60.0 if number == 0 else 100.0 + 20 * number + grown_m * (year - YEARS[0])
        x, y = left + 300 + 900 * number, bottom + 1000
        squares.append(shapely.box(x, y, x + side, y + side))
    geometry = to_degrees(np.array(squares, object), EPSG)
    area, perimeter = area_perimeter(geometry)
    points = shapely.get_coordinates(shapely.point_on_surface(geometry))
    count = len(squares)
    columns: dict[str, list[Any]] = {field.name: [None] * count for field in LAKES}
    numbers = {
        "longitude": points[:, 0],
        "latitude": points[:, 1],
        "area_m2": area,
        "area_low_m2": 0.93 * area,
        "area_high_m2": 1.07 * area,
    }
    numbers |= {"area_sigma_m2": 0.035 * area, "area_probability_m2": area, "perimeter_m": perimeter}
    columns |= {name: values.tolist() for name, values in numbers.items()}
    columns |= {
        "lake_id": [f"GL077{number:03d}E43000N" for number in range(count)],
        "date_median": [date(2021, 8, 1 + number % 28) for number in range(count)],
        "obs_id": [f"{year}-{number}-{run}" for number in range(count)],
        "size_class": [size_class(float(value)) for value in area],
        "elevation_m": [3600.0 + 50 * number for number in range(count)],
        "looks": [3] * count,
        "observed_share": [1.0] * count,
        "sensors": ["S2"] * count,
        "provider": ["earth-search"] * count,
        "flags": [["below_minimum_area"] if value < 5000 else [] for value in area],
        "tile": [TILE.id] * count,
        "utm_epsg": [EPSG] * count,
    }
    return list(geometry), columns


def metres(longitude: float, latitude: float) -> tuple[float, float]:
    """A point in metres of the zone."""
    x, y = from_lonlat(EPSG).transform(longitude, latitude)
    return float(x), float(y)
