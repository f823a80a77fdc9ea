"""From a store to a bulletin: what is said is what the inventory says, and a describer may only add what is true."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import torch

from catalog.facts.bulletins import BulletinRequest
from catalog.facts.describer_cards import TINY, DescriberCard
from catalog.facts.errors import WrongCall
from catalog.facts.schemas import SURFACE
from catalog.stores.checkpoints import write_describer
from catalog.stores.cubes import open_cube, write_tile
from catalog.stores.jobs import mapped_tiles
from catalog.stores.report_tables import read_report_tables
from catalog.stores.scenes_of_regions import grid_around, grid_of_region, grid_of_tile
from models.describer.network import build
from models.describer.region_facts import facts_of_year
from models.language.tokenizer import tokenizer_json
from tasks.write_bulletin import write_bulletin
from tests.described_scenes import dialogue
from tests.made_store import EPSG, REGION, TILE, YEARS, job_of, made_store

LAKE = "GL077003E43000N"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return made_store(tmp_path_factory.mktemp("described") / "store")


@pytest.fixture(scope="module")
def tables(store):
    return read_report_tables(store, REGION)


def ask(store, scope, name, **more):
    return write_bulletin(BulletinRequest(scope, name, **{"model": "rule", **more}), str(store.root))


def test_a_region_is_told_by_its_last_year(store):
    told = ask(store, "region", REGION)
    assert told.year == YEARS[-1]
    assert told.text.startswith("This is the inventory of 2022. 90 percent of the ground was observed.\nThere are three glacial lakes.")
    assert (told.written_by, told.note, told.facts["count"]) == ("rule", "", 3)
    assert {lake["lake_id"] for lake in told.facts["lakes"]} == {f"GL077{n:03d}E43000N" for n in (1, 2, 3)}
    assert told.inventory["region"] == REGION


def test_a_lake_is_told_with_interval_and_change(store, tables):
    told = ask(store, "lake", LAKE, year=2021)
    inventory = next(year for year in tables.years if year.year == 2021).inventory.to_pylist()
    area = next(row["area_m2"] for row in inventory if row["lake_id"] == LAKE) / 1e6
    assert f"{LAKE} covers {area:.3f} km2 (95 percent interval {0.93 * area:.3f} to {1.07 * area:.3f}) in the center." in told.text
    assert f"{LAKE} went from 0.026 to {area:.3f} km2 since 2020" in told.text


def test_a_lake_below_the_minimum_is_told_when_it_is_asked_for(store):
    small = "GL077000E43000N"
    assert small not in ask(store, "region", REGION).text
    told = ask(store, "lake", small)
    assert f"{small} covers 0.004 km2" in told.text
    assert "more than in" not in told.text


def test_the_scene_of_a_lake_lies_on_the_pixels_of_the_zone(tables):
    grid = grid_around(tables, LAKE, 2021)
    assert (grid.epsg, grid.shape, grid.resolution_m) == (EPSG, (224, 224), 10.0)
    assert grid.left % 10 == grid.top % 10 == 0
    facts = facts_of_year(tables, 2021, grid, name=LAKE)
    lake = next(each for each in facts.lakes if each.lake_id == LAKE)
    assert (lake.x, lake.y) == pytest.approx((0.5, 0.5), abs=1 / 224)


def test_a_year_without_a_clear_look_is_not_compared(store, tables):
    """One lake hidden in one of the two years: nothing vanishes, nothing is new, and the bulletin says so."""
    rows = tables.through["tracks"].to_pylist()
    for row in rows:
        if (row["feature_id"], row["year"]) == (LAKE, 2021):
            row.update(state="partly_observed", comparable=False)
    spoiled = replace(tables, through={**tables.through, "tracks": pa.Table.from_pylist(rows)})
    grid = grid_of_tile(store, REGION, 2022, TILE.id)
    assert facts_of_year(tables, 2022, grid, name="t").earlier is not None
    facts = facts_of_year(spoiled, 2022, grid, name="t")
    assert (facts.earlier, facts.incomparable_with) == (None, 2021)


def test_a_lake_that_nobody_saw_is_hidden_and_not_gone(store, tables):
    year = tables.years[-1]
    kept = [name != LAKE for name in year.inventory.column("lake_id").to_pylist()]
    without = replace(year, inventory=year.inventory.filter(pa.array(kept)), outlines=year.outlines[np.array(kept)])
    rows = tables.through["tracks"].to_pylist()
    for row in rows:
        if (row["feature_id"], row["year"]) == (LAKE, year.year):
            row.update(state="unobserved", comparable=False)
    spoiled = replace(tables, years=(*tables.years[:-1], without), through={**tables.through, "tracks": pa.Table.from_pylist(rows)})
    facts = facts_of_year(spoiled, year.year, grid_of_tile(store, REGION, year.year, TILE.id), name="t")
    assert (facts.unseen, [lake.lake_id for lake in facts.missed], facts.earlier) == (1, [LAKE], None)


@pytest.mark.parametrize(
    ("scope", "name", "more", "words"),
    [
        ("lake", "GL077003E43000S", {}, f"Nearest names: {LAKE}"),
        ("tile", "32643-0001-0001", {}, "is not in toy"),
        ("tile", "here", {}, "is not a tile ID"),
        ("region", "nowhere", {}, "is not in"),
        ("region", REGION, {"year": 1999}, "there are 2020, 2021, 2022"),
        ("lake", LAKE, {"region": "elsewhere"}, "Region 'elsewhere' is not in"),
    ],
)
def test_what_is_not_there_is_refused_with_the_way_out(store, scope, name, more, words):
    with pytest.raises(WrongCall, match=words):
        ask(store, scope, name, **more)


@pytest.fixture(scope="module")
def untrained(tmp_path_factory):
    """Weights that have learned nothing: whatever they say, nothing false may be printed."""
    torch.manual_seed(0)
    words = dialogue()
    network = build(TINY, words.ids, len(words.tokenizer))
    card = DescriberCard("untrained", "1", "Untrained", "Apache-2.0", "nothing", "none", "", TINY)
    folder = tmp_path_factory.mktemp("untrained")
    write_describer(folder, network.state_dict(), card, tokenizer_json(words.tokenizer))
    return str(folder)


def test_without_a_surface_the_rule_speaks_and_says_why(store, untrained):
    told = ask(store, "tile", TILE.id, model=untrained)
    assert (told.written_by, told.surroundings) == ("rule", ())
    assert "holds no surface of toy 2022" in told.note


def test_a_describer_that_knows_nothing_adds_nothing(tmp_path, untrained):
    store = made_store(tmp_path / "store", years=(2022,))
    _put_surface(store, 2022)
    told = ask(store, "tile", TILE.id, model=untrained, surroundings=1, device="cpu")
    assert len(told.surroundings) == 1
    assert told.text == ask(store, "tile", TILE.id).text
    for scene in told.surroundings:
        assert scene.replies[0].said != ""
        assert scene.refused_because or scene.kept + scene.corrected + scene.dropped == 0 or scene.added == ()


def test_a_scene_that_was_hidden_is_not_shown_to_a_describer(tmp_path, untrained):
    store = made_store(tmp_path / "store", years=(2022,))
    _put_surface(store, 2022, cause=2)
    assert ask(store, "lake", LAKE, model=untrained, device="cpu").surroundings == ()


def _put_surface(store, year, cause=0):
    tiles = mapped_tiles(job_of(store, year))
    cube = open_cube(store.cube(REGION, year, EPSG), tiles, SURFACE)
    for tile in tiles:
        size = (tile.size_px, tile.size_px)
        arrays = {spec.name: np.full((*((len(spec.bands),) if spec.bands else ()), *size), spec.fill, spec.dtype) for spec in SURFACE}
        arrays["s2"] = np.full_like(arrays["s2"], 1500)
        arrays["dem"] = np.full(size, 3600, np.float32)
        arrays["cause"] = np.full(size, cause, np.uint8)
        write_tile(cube, tile, arrays)


def test_the_rectangle_of_a_region_holds_lakes_beyond_its_outline(store, tables):
    beyond = tables.years[0].inventory.set_column(2, "longitude", pa.array([76.9, 77.1, 77.1, 77.1]))
    assert tables.years[0].inventory.column_names[2] == "longitude"
    spoiled = replace(tables, years=(replace(tables.years[0], inventory=beyond), *tables.years[1:]))
    plain, wider = (grid_of_region(store, each, 2022).bounds_lbrt for each in (tables, spoiled))
    assert wider[0] < plain[0] - 5_000
    assert wider[2:] == plain[2:]


def test_a_lake_below_the_minimum_is_shown_to_a_describer_too(tmp_path, untrained):
    store = made_store(tmp_path / "store", years=(2022,))
    _put_surface(store, 2022)
    small = "GL077000E43000N"
    told = ask(store, "lake", small, model=untrained, device="cpu")
    assert [scene.name for scene in told.surroundings] == [small]
