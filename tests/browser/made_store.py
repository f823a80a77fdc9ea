"""A store with the tables that a page is made of, written directly: no pipeline, any number of lakes and years."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from catalog.facts.causes import State
from catalog.facts.change_schemas import CHANGE_SHAPES, CHANGES, REGION_TRENDS, TOTAL_CHANGES, TOTALS, TRENDS
from catalog.facts.grids import to_lonlat
from catalog.facts.records import Job, Outcome
from catalog.facts.regions import Region
from catalog.facts.schemas import COVERAGE, EVENTS, LAKES, TRACKS, size_class
from catalog.stores import ledger
from catalog.stores.files import write_atomic
from catalog.stores.jobs import mapped_tiles, unit_of
from catalog.stores.regions import to_geojson
from catalog.stores.store import Store
from catalog.stores.tables import put_features, put_table

REGION = "made"
EPSG = 32644
_FLAGS = ((), ("few_looks",), ("cloud_share", "few_looks"), ("below_minimum_area",))
_VERDICTS = ("grown", "shrunk", "within_error", "not_comparable")
_SCENES = pa.schema(
    [
        ("id", pa.string()),
        ("collection", pa.string()),
        ("provider", pa.string()),
        ("datetime", pa.timestamp("us", "UTC")),
        ("tile", pa.string()),
        ("used", pa.bool_()),
        ("refused_because", pa.string()),
    ]
)


@dataclass(frozen=True)
class Made:
    """What was put into a store."""

    root: Path
    years: tuple[int, ...]
    ids: Sequence[str]
    areas: Mapping[int, Mapping[str, float]]
    """Year -> ID -> area of the listed lakes."""


def make_store(
    root: Path, *, lakes: int = 40, years: Sequence[int] = (2019, 2020, 2021), note: str = "", failed: bool = False, through: bool = True
) -> Made:
    """Write a store of one region; every lake is hidden in one year in turn, and the middle year is not comparable for some."""
    store = Store(root)
    write_atomic(store.card(), json.dumps({"schema_version": 1}).encode())
    side = 2_000.0 * int(np.ceil(np.sqrt(lakes)))
    box = shapely.box(500_000, 3_400_000, 500_000 + side, 3_400_000 + side)
    region = Region(REGION, "Made: <b>lakes</b> & more", "lakes", "user", shapely.to_wkt(_degrees(box)))
    write_atomic(store.region(REGION), to_geojson(region))
    lists = {year: _lakes(lakes, year, note) for year in years}
    for year, (outlines, columns) in lists.items():
        put_features(store.inventory("lakes", REGION, year), outlines, columns, LAKES, provenance=_provenance(year, complete=not failed))
        _put_ground(store, year, failed=failed)
    ids = [f"GL{number:06d}E31000N" for number in range(lakes)]
    areas = {year: dict(zip(columns["lake_id"], columns["area_m2"], strict=True)) for year, (_, columns) in lists.items()}
    if through:
        _put_through(store, ids, areas)
    return Made(root, tuple(years), ids, areas)


def _lakes(count: int, year: int, note: str) -> tuple[Any, dict[str, list[Any]]]:
    numbers = np.array([number for number in range(count) if number % 10 != year % 10])
    across = int(np.ceil(np.sqrt(count)))
    x, y = 501_000 + 2_000.0 * (numbers % across), 3_401_000 + 2_000.0 * (numbers // across)
    rng = np.random.default_rng(7)
    size = 35 * np.exp(0.7 * rng.standard_normal(count))[numbers] * (1 + 0.02 * (year - 2020) * (numbers % 3 - 1))
    outlines = np.array([_stairs(*lake) for lake in zip(x, y, size, strict=True)], object)
    area = shapely.area(outlines)
    degrees = shapely.transform(outlines, lambda corners: np.column_stack(to_lonlat(EPSG).transform(corners[:, 0], corners[:, 1])))
    points = shapely.get_coordinates(shapely.centroid(degrees))
    columns: dict[str, list[Any]] = {field.name: [None] * len(numbers) for field in LAKES}
    columns |= {
        "lake_id": [f"GL{number:06d}E31000N" for number in numbers],
        "obs_id": [f"{number}-{year}" for number in numbers],
        "longitude": points[:, 0].tolist(),
        "latitude": points[:, 1].tolist(),
        "area_m2": area.tolist(),
        "area_low_m2": (0.9 * area).tolist(),
        "area_high_m2": (1.12 * area).tolist(),
        "area_sigma_m2": (0.05 * area).tolist(),
        "perimeter_m": shapely.length(outlines).tolist(),
        "size_class": [size_class(value) for value in area],
        "elevation_m": (4000 + 10.0 * (numbers % 97)).tolist(),
        "probability": (0.9 + 0.001 * (numbers % 90)).tolist(),
        "observed_share": (0.8 + 0.002 * (numbers % 100)).tolist(),
        "looks": (numbers % 7 + 1).tolist(),
        "date_median": [date(year, 8, 1 + int(number) % 28) for number in numbers],
        "sensors": ["S1+S2"] * len(numbers),
        "provider": ["made"] * len(numbers),
        "flags": [list(_FLAGS[number % len(_FLAGS)]) for number in numbers],
        "edit_note": [note or None] * len(numbers),
        "tile": ["32644-0022-0151"] * len(numbers),
        "utm_epsg": [EPSG] * len(numbers),
    }
    return degrees, columns


def _stairs(x: float, y: float, radius: float) -> shapely.Polygon:
    """An ellipse on the lattice of pixels, corners and all."""
    columns = np.arange(-np.ceil(radius / 10), np.ceil(radius / 10)) * 10.0
    half = np.maximum(10.0, np.round(1.4 * np.sqrt(np.maximum(0.0, radius**2 - (columns + 5.0) ** 2)) / 10) * 10)
    edges = np.column_stack([np.repeat(columns, 2) + np.tile([0.0, 10.0], len(columns)), np.repeat(half, 2)])
    corners = np.vstack([edges, edges[::-1] * [1, -1]])
    return shapely.Polygon(corners + np.round(np.array([x, y]) / 10) * 10)


def _degrees(shape: shapely.Geometry) -> shapely.Geometry:
    return shapely.transform(shape, lambda corners: np.column_stack(to_lonlat(EPSG).transform(corners[:, 0], corners[:, 1])))


def _provenance(year: int, *, complete: bool) -> dict[str, Any]:
    said = {"schema_version": 1, "cryoatlas_version": "0.1.0", "run_id": f"run{year}", "region": REGION, "year": year, "model": "indices 5"}
    rest = {"model_sha256": "ab" * 32, "fingerprint": f"print{year}", "complete": complete, "licence": "CC-BY-4.0"}
    return said | rest | {"attribution": f"Contains modified Copernicus Sentinel data {year}; Copernicus DEM"}


def _put_ground(store: Store, year: int, *, failed: bool) -> None:
    job = Job(REGION, year, "lakes", str(store.root))
    tiles = [tile.id for tile in mapped_tiles(job)]
    broken = tiles[0] if failed else ""
    rows = [
        {
            **dict.fromkeys(COVERAGE.names),
            **{
                "tile": tile,
                "region": REGION,
                "year": year,
                "state": "failed" if tile == broken else "done",
                "cause": "read_failed" if tile == broken else "",
            },
            **{
                "observed_share": 0.0 if tile == broken else 0.8,
                "cloud_share": 0.15,
                "snow_ice_share": 0.03,
                "shadow_share": 0.02,
                "no_scene_share": 0.0,
            },
            **{"scenes_used": 6, "scenes_refused": 2, "seconds": 12.0, "bytes": 1_000_000},
        }
        for tile in tiles
    ]
    put_table(store.coverage(REGION, year), pa.Table.from_pylist(rows, schema=COVERAGE), COVERAGE, provenance={})
    scenes = [
        {
            "id": f"{tile}-{day}",
            "collection": "sentinel-2-l2a",
            "provider": "made",
            "datetime": datetime(year, 8, day, tzinfo=UTC),
            "tile": tile,
        }
        | {"used": day < 20, "refused_because": None if day < 20 else "cloud over the tile"}
        for tile in tiles
        for day in (3, 13, 23)
    ]
    put_table(store.scenes(REGION, year), pa.Table.from_pylist(scenes, schema=_SCENES), _SCENES, provenance={})
    for tile in tiles:
        state = State.FAILED if tile == broken else State.DONE
        said = {"cause": "read_failed", "message": "the scene <script>window.ran=1</script> could not be read"} if tile == broken else {}
        ledger.put(store, Outcome(unit_of(job, tile, "surface"), state, "f", seconds=9.0, read_bytes=1_000_000, **said))


def _put_through(store: Store, ids: Sequence[str], areas: Mapping[int, Mapping[str, float]]) -> None:
    years = sorted(areas)
    tables = {
        "tracks": ([_track(name, year, areas[year].get(name), number) for number, name in enumerate(ids) for year in years], TRACKS),
        "changes": (_changes(ids, areas), CHANGES),
        "trends": ([_trend(name, years, number) for number, name in enumerate(ids)], TRENDS),
        "totals": ([_total(year, areas[year]) for year in years], TOTALS),
        "total_changes": ([_total_change(a, b) for a, b in pairwise(years)], TOTAL_CHANGES),
        "region_trends": ([{**_trend("", years, 0), "region": REGION, "basis": "same_mask", "features": len(ids)}], REGION_TRENDS),
        "events": (_events(ids, years), EVENTS),
    }
    for name, (rows, schema) in tables.items():
        table = pa.Table.from_pylist([{field: row.get(field) for field in schema.names} for row in rows], schema=schema)
        put_table(store.tracks("lakes", REGION, name), table, schema, provenance={})
    shapes = np.array([_degrees(_stairs(501_000, 3_401_000, 30))], object)
    columns = {"feature_id": [ids[0]], "year_from": years[:1], "year_to": years[-1:], "kind": ["loss"], "area_m2": [900.0]}
    put_features(store.tracks("lakes", REGION, "change_shapes"), shapes, columns, CHANGE_SHAPES, provenance={})


def _track(name: str, year: int, area: float | None, number: int) -> dict[str, Any]:
    if area is None:
        return {"feature_id": name, "year": year, "state": "unobserved", "observed_share": 0.1, "comparable": False}
    odd = number % 5 == 0 and year % 2 == 0
    rest = {"observed_share": 0.95, "comparable": not odd, "not_comparable_because": "fewer_looks" if odd else None}
    return {
        "feature_id": name,
        "year": year,
        "state": "present",
        "area_m2": area,
        "area_low_m2": 0.9 * area,
        "area_high_m2": 1.12 * area,
        **rest,
    }


def _changes(ids: Sequence[str], areas: Mapping[int, Mapping[str, float]]) -> list[dict[str, Any]]:
    rows, years = [], sorted(areas)
    for before, after in pairwise(years):
        for number, name in enumerate(ids):
            if name in areas[before] and name in areas[after]:
                change, verdict = areas[after][name] - areas[before][name], _VERDICTS[(number + after) % 4]
                sides = {"area_from_m2": areas[before][name], "area_to_m2": areas[after][name], "change_m2": change, "p_value": 0.03}
                sides |= {
                    "change_low_m2": change - 300,
                    "change_high_m2": change + 300,
                    "gain_m2": max(change, 0),
                    "loss_m2": max(-change, 0),
                }
                rows.append(
                    {
                        "feature_id": name,
                        "year_from": before,
                        "year_to": after,
                        **sides,
                        "verdict": verdict,
                        "significant": number % 4 < 2,
                        "because": [],
                    }
                )
    return rows


def _trend(name: str, years: Sequence[int], number: int) -> dict[str, Any]:
    slope = {
        "slope_m2_per_year": 10.0 * (number % 7 - 3),
        "slope_low": -60.0,
        "slope_high": 60.0,
        "p_value": 0.2,
        "relative_slope_percent": 0.4,
    }
    span = {"years_observed": len(years), "first_year": years[0], "last_year": years[-1], "direction": "no_trend"}
    return {"feature_id": name, **slope, **span, "area_first_m2": 1e4, "area_last_m2": 1e4}


def _total(year: int, areas: Mapping[str, float]) -> dict[str, Any]:
    total = sum(areas.values())
    bounds = {"area_m2": total, "area_sigma_m2": 0.02 * total, "area_low_m2": 0.96 * total, "area_high_m2": 1.04 * total}
    return {"region": REGION, "year": year, "features": len(areas), **bounds, "observed_share": 0.8, "comparable": True, "because": []}


def _total_change(before: int, after: int) -> dict[str, Any]:
    change = {
        "change_m2": 5e3,
        "change_low_m2": -1e3,
        "change_high_m2": 11e3,
        "listed_change_m2": 7e3,
        "significant": False,
        "comparable": True,
    }
    return {
        "region": REGION,
        "year_from": before,
        "year_to": after,
        "features": 3,
        "area_from_m2": 1e5,
        "area_to_m2": 1.05e5,
        **change,
        "because": [],
    }


def _events(ids: Sequence[str], years: Sequence[int]) -> list[dict[str, Any]]:
    span = {"year_from": years[0], "year_to": years[-1], "area_before_m2": 2e4, "area_after_m2": 1e3, "change_m2": -1.9e4}
    bounds = {"change_low_m2": -2.1e4, "change_high_m2": -1.7e4, "significant": True}
    drained = [
        {"event": "drain", **span, **bounds, "parents": [name], "children": [name], "alarm": not place}
        for place, name in enumerate(ids[1:3])
    ]
    many = [{"event": "appear", **span, **bounds, "parents": [], "children": [name], "alarm": False} for name in ids[10 : len(ids) // 10]]
    return drained + many
