"""The features stage fills every column that cubes and glacier outlines can fill, and tiles leave no trace in it."""

import io
import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely

from catalog.facts.causes import Cause, State
from catalog.facts.grids import CHIP_PX, from_lonlat
from catalog.facts.options import OutlineOptions
from catalog.facts.records import Job, Outcome
from catalog.facts.schemas import PROBABILITY, SURFACE
from catalog.stores import cubes, ledger
from catalog.stores.files import write_atomic
from catalog.stores.jobs import create_job, territory, unit_of
from catalog.stores.store import open_store
from catalog.stores.tables import read_provenance, read_table
from models.outlines.runs import runs_of, to_table
from tasks.measure_features import measure_features

YEAR, EPSG = 2021, 32643
REGION = "76.50,43.12,76.58,43.17"
"""Four by four chips; an edge between tiles of four chips lies 672 pixels from the left."""
TOP, LEFT, SIDE = -2135 * CHIP_PX, 277 * CHIP_PX, 4 * CHIP_PX
LAKES = {"contact": (215, 672, 13), "supraglacial": (100, 650, 9), "fed": (600, 672, 20), "aside": (500, 200, 10)}
"""Row, column and radius, pixels from the corner; the valley runs down along column 672."""
WATER = np.array([900, 900, 800, 500, 300, 200, 180, 150, 140, 130, 90, 80], np.uint16)
Y, X = np.mgrid[:SIDE, :SIDE]
INSIDE = np.any([(Y - row) ** 2 + (X - column) ** 2 < radius**2 for row, column, radius in LAKES.values()], axis=0)


def whole() -> dict[str, np.ndarray]:
    """All arrays of both cubes over the region."""
    arrays = {spec.name: np.full(((len(spec.bands),) if spec.bands else ()) + (SIDE, SIDE), spec.fill, spec.dtype) for spec in SURFACE}
    arrays["s2"][:] = np.where(INSIDE, WATER[:, None, None], 2500)
    arrays["s1"][:] = np.where(INSIDE, np.array([-21, -27])[:, None, None], np.array([-10, -16])[:, None, None])
    arrays["dem"][:] = 4000 + 2.0 * abs(X - 672) - 0.5 * Y
    arrays["looks"][:], arrays["day"][:], arrays["cause"][:] = 4, 220, Cause.USABLE
    return arrays | {"probability": np.where(INSIDE, 240, 5).astype(np.uint8), "spread": np.full((SIDE, SIDE), 10, np.uint8)}


def mapped(root: Path, chips: int, outlines: Path | None, arrays: dict[str, np.ndarray]) -> Job:
    """A store in tiles of so many chips, as it stands before the stage."""
    write_atomic(root / "store.json", json.dumps({"schema_version": 1, "chips_per_tile": chips}).encode())
    job = create_job(REGION, YEAR, str(root), None if outlines is None else str(outlines))
    store = open_store(str(root))
    (zone,) = territory(job).zones
    paths = store.cube(job.region, YEAR, EPSG), store.probability(job.target, job.region, YEAR, EPSG)
    opened = [cubes.open_cube(path, zone.tiles, specs) for path, specs in zip(paths, (SURFACE, PROBABILITY), strict=True)]
    for tile in zone.tiles:
        files = []
        for cube in opened:
            files += cubes.write_tile(cube, tile, {spec.name: part_of(arrays[spec.name], tile, spec.fill) for spec in cube.specs})
        buffer = io.BytesIO()
        pq.write_table(to_table(runs_of(part_of(arrays["probability"], tile, 255) == 240, tile.origin_yx_px)), buffer)
        path = store.outlines(job.target, job.region, YEAR, tile.id)
        write_atomic(path, buffer.getvalue())
        outputs = ledger.receipts_for(store, [path, *(file for file in files if file.is_file())])
        ledger.put(store, Outcome(unit_of(job, tile.id, "outline"), State.DONE, f"outlines of {tile.id}", outputs=outputs))
    return job


def part_of(array: np.ndarray, tile, fill: float) -> np.ndarray:
    """The pixels of a tile; what the region does not map is fill."""
    result = np.full((*array.shape[:-2], tile.size_px, tile.size_px), fill, array.dtype)
    y, x = tile.origin_yx_px[0] - TOP, tile.origin_yx_px[1] - LEFT
    rows, columns = ((max(start, 0), min(start + tile.size_px, SIDE)) for start in (y, x))
    result[..., rows[0] - y : rows[1] - y, columns[0] - x : columns[1] - x] = array[..., rows[0] : rows[1], columns[0] : columns[1]]
    return result


@pytest.fixture(scope="module")
def outlines(tmp_path_factory) -> Path:
    """A glacier at the head of the valley, drawn in two years, and one that drains elsewhere."""
    path = tmp_path_factory.mktemp("ice") / "glaciers.gpkg"
    boxes = {"RGI-head": (600, 0, 744, 200), "RGI-head ": (600, 0, 744, 300), "RGI-other": (20, 700, 80, 800)}
    shapes = [shapely.box((LEFT + x0) * 10, -(TOP + y1) * 10, (LEFT + x1) * 10, -(TOP + y0) * 10) for x0, y0, x1, y1 in boxes.values()]
    columns = {"rgi_id": [name.strip() for name in boxes], "src_date": ["2020-08-01T00:00:00", "1985-08-01T00:00:00", None]}
    gpd.GeoDataFrame(columns, geometry=shapes, crs=EPSG).to_file(path)
    return path


def rows_of(job: Job) -> dict[str, dict]:
    """Rows by the lake of LAKES they are."""
    rows = read_table(open_store(job.store).features(job.target, job.region, YEAR)).drop_columns(["bbox"]).to_pylist()
    found = {}
    for row in rows:
        x, y = from_lonlat(EPSG).transform(row["longitude"], row["latitude"])
        away = {name: np.hypot(place[0] + TOP + y / 10, place[1] + LEFT - x / 10) for name, place in LAKES.items()}
        found[min(away, key=lambda name: away[name])] = row
    return found


@pytest.fixture(scope="module")
def job(tmp_path_factory, outlines) -> Job:
    """The region in tiles of four chips, measured."""
    job = mapped(tmp_path_factory.mktemp("store"), 4, outlines, whole())
    assert not measure_features.fn(job, OutlineOptions()).failures
    return job


def test_types_glaciers_and_agreement_are_told_of_every_lake(job):
    rows = rows_of(job)
    assert {name: row["lake_type"] for name, row in rows.items()} == {
        "contact": "ice_contact",
        "supraglacial": "supraglacial",
        "fed": "glacier_fed",
        "aside": "unconnected",
    }
    assert {name: row["glacier_id"] for name, row in rows.items()} == dict.fromkeys(LAKES, "RGI-head") | {"aside": "RGI-other"}
    assert rows["fed"]["glacier_distance_m"] == pytest.approx(3810, abs=5)
    assert rows["contact"]["glacier_distance_m"] == pytest.approx(30, abs=5), "the outline of 2020, not that of 1985"
    assert {name: row["glacier_overlap_share"] for name, row in rows.items()} == dict.fromkeys(LAKES, 0.0) | {"supraglacial": 1.0}
    assert all(row["agreement"] > 0.8 for row in rows.values())
    assert all(row["circularity"] > 0.96 and row["shore_development"] < 1.02 and row["elongation"] < 1.1 for row in rows.values())
    assert all(row["edit"] is None and row["edit_note"] is None for row in rows.values())


def test_the_metadata_tells_the_rule_and_the_file_of_the_outlines(job):
    told = read_provenance(open_store(job.store).features(job.target, job.region, YEAR))
    assert told["glacier_outlines"] == "glaciers.gpkg"
    assert "60 m" in told["lake_type_rule"]


def test_the_size_of_tiles_changes_no_column(job, outlines, tmp_path):
    small = mapped(tmp_path, 1, outlines, whole())
    measure_features.fn(small, OutlineOptions())
    other = ("obs_id", "tile")
    assert {n: {k: v for k, v in row.items() if k not in other} for n, row in rows_of(small).items()} == {
        n: {k: v for k, v in row.items() if k not in other} for n, row in rows_of(job).items()
    }


def test_only_other_outlines_make_the_stage_run_again(outlines, tmp_path):
    job = mapped(tmp_path / "store", 4, None, whole())
    assert measure_features.fn(job, OutlineOptions()).written == 1
    rows = rows_of(job)
    assert {row["lake_type"] for row in rows.values()} == {None}
    assert {row["glacier_id"] for row in rows.values()} == {None}
    assert all(row["glacier_distance_m"] is None and row["glacier_overlap_share"] is None for row in rows.values())
    assert measure_features.fn(job, OutlineOptions()).written == 0
    for expected in (1, 0):
        create_job(job.region, YEAR, job.store, str(outlines))
        assert measure_features.fn(job, OutlineOptions()).written == expected
    assert rows_of(job)["contact"]["lake_type"] == "ice_contact"


def test_a_radar_that_sees_no_lake_disagrees_and_one_sensor_alone_has_no_agreement(outlines, tmp_path):
    arrays = whole()
    arrays["s1"][:, :300] = np.array([-10, -16])[:, None, None]
    arrays["s1"][:, 450:550] = np.nan
    job = mapped(tmp_path, 4, outlines, arrays)
    measure_features.fn(job, OutlineOptions())
    rows = rows_of(job)
    assert rows["contact"]["agreement"] == 0
    assert rows["aside"]["agreement"] is None
    assert rows["fed"]["agreement"] > 0.8


def test_a_lake_near_ice_whose_elevation_is_unknown_has_no_type(outlines, tmp_path):
    arrays = whole()
    arrays["dem"][560:640, 640:704] = np.nan
    job = mapped(tmp_path, 4, outlines, arrays)
    measure_features.fn(job, OutlineOptions())
    assert {name: row["lake_type"] for name, row in rows_of(job).items() if name in ("fed", "contact")} == {
        "fed": None,
        "contact": "ice_contact",
    }
