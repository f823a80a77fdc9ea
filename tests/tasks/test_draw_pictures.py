import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import shapely
from matplotlib.image import imread

from catalog.facts.causes import Cause
from catalog.facts.records import Job
from catalog.facts.schemas import EVENTS, LAKES, SURFACE, TRACKS
from catalog.facts.slump_schemas import SLUMPS
from catalog.stores import cubes
from catalog.stores.jobs import create_job, mapped_tiles, territory
from catalog.stores.store import open_store
from catalog.stores.tables import put_features, put_table
from tasks.draw_pictures import draw_pictures
from tasks.draw_series import draw_series

WEST, SOUTH = 86.9, 27.9


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A mapped region of a few chips, tiles of one chip, with one lake."""
    root = tmp_path / "store"
    root.mkdir()
    (root / "store.json").write_text(json.dumps({"schema_version": 1, "chips_per_tile": 1}))
    made = create_job(f"{WEST},{SOUTH},{WEST + 0.04},{SOUTH + 0.03}", 2021, str(root), None)
    store = open_store(str(root))
    for zone in territory(made).zones:
        cube = cubes.open_cube(store.cube(made.region, 2021, zone.epsg), mapped_tiles(made, zone.epsg), SURFACE)
        for tile in zone.tiles:
            cubes.write_tile(cube, tile, surface(tile.size_px))
    put_lakes(store.inventory("lakes", made.region, 2021), [shapely.box(WEST + 0.01, SOUTH + 0.01, WEST + 0.02, SOUTH + 0.015)])
    return made


def surface(size):
    arrays = {spec.name: np.full(((len(spec.bands),) if spec.bands else ()) + (size, size), spec.fill, spec.dtype) for spec in SURFACE}
    arrays["s2"][:] = 1200
    arrays["cause"][:] = Cause.USABLE
    arrays["cause"][:50] = Cause.CLOUD
    return arrays


def put_lakes(path, shapes):
    filler = {pa.string(): "x", pa.float64(): 1e5, pa.float32(): 0.5, pa.int16(): 3, pa.int32(): 32645, pa.date32(): None}
    columns = {field.name: [filler.get(field.type, [])] * len(shapes) for field in LAKES}
    columns["flags"] = [["region_edge"]] * len(shapes)
    put_features(path, np.array(shapes, dtype=object), columns, LAKES, provenance={"model": "none 1"})


def test_a_region_year_gets_a_picture_and_a_second_run_draws_nothing(job):
    first = draw_pictures.fn(job)
    path = open_store(job.store).pictures(job.region) / "2021.png"
    drawn = path.read_bytes()
    assert first.states == {"done": 1}
    assert first.written == 1
    assert imread(io.BytesIO(drawn), format="png").ndim == 3
    again = draw_pictures.fn(job)
    assert again.written == 0
    assert path.read_bytes() == drawn


def test_a_changed_inventory_is_drawn_anew(job):
    draw_pictures.fn(job)
    path = open_store(job.store).pictures(job.region) / "2021.png"
    before = path.read_bytes()
    put_lakes(open_store(job.store).inventory("lakes", job.region, 2021), [])
    assert draw_pictures.fn(job).written == 1
    assert path.read_bytes() != before


def test_slumps_are_drawn_by_status_and_score(job):
    slumps, store = replace(job, target="slumps"), open_store(job.store)
    path, pictures = store.inventory("slumps", job.region, 2021), set()
    for status, score in (("growing", 0.9), (None, 0.9), (None, 0.4)):
        put_slump(path, shapely.box(WEST + 0.01, SOUTH + 0.01, WEST + 0.02, SOUTH + 0.015), status, score)
        assert draw_pictures.fn(slumps).states == {"done": 1}
        pictures.add((store.pictures(job.region) / "2021.png").read_bytes())
    assert len(pictures) == 3


def put_slump(path, shape, status, score):
    filler = {
        pa.string(): "x",
        pa.float64(): 1e5,
        pa.float32(): 0.5,
        pa.int16(): 3,
        pa.int32(): 32645,
        pa.date32(): None,
        pa.bool_(): False,
    }
    columns = {field.name: [filler.get(field.type, [])] for field in SLUMPS} | {"status": [status], "score": [score]}
    put_features(path, np.array([shape], dtype=object), columns, SLUMPS, provenance={"model": "none 1"})


def test_without_an_inventory_nothing_is_drawn_and_the_ledger_says_so(job):
    open_store(job.store).inventory("lakes", job.region, 2021).unlink()
    assert draw_pictures.fn(job).states == {"skipped": 1}
    assert not (open_store(job.store).pictures(job.region) / "2021.png").exists()


def test_tracks_get_a_plot_and_the_same_tracks_leave_it_alone(job):
    store = open_store(job.store)
    rows = [
        {"feature_id": "a", "year": year, "state": "present", "area_m2": 1e5, "area_low_m2": 9e4, "area_high_m2": 1.1e5, "comparable": True}
        for year in (2020, 2021)
    ]
    table = pa.Table.from_pylist([{**row, "observed_share": 1.0, "not_comparable_because": None} for row in rows], schema=TRACKS)
    put_table(store.tracks("lakes", job.region, "tracks"), table, TRACKS, provenance={})
    put_table(store.tracks("lakes", job.region, "events"), EVENTS.empty_table(), EVENTS, provenance={})
    assert draw_series.fn(job.region, "lakes", job.store).written == 1
    assert (store.pictures(job.region) / "series.png").read_bytes().startswith(b"\x89PNG")
    assert draw_series.fn(job.region, "lakes", job.store).written == 0


def test_without_tracks_there_is_no_plot(job):
    assert draw_series.fn(job.region, "lakes", job.store).states == {"skipped": 1}
