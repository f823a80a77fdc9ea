"""`cryoatlas ask` as a user runs it."""

import json

import geopandas as gpd
import pytest

from tests.made_store import REGION, TILE, made_store


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return made_store(tmp_path_factory.mktemp("asked") / "store")


def test_attributes_are_answered_with_names_and_how_they_were_found(cryoatlas, store):
    said = cryoatlas("ask", "lakes larger than 0.02 km2 that grew since 2020", "--store", store.root, "--region", REGION)
    assert said.code == 0
    first, *table = said.out.splitlines()
    assert first.startswith("2 lakes fit 'lakes in 2022 with area more than 0.02 km2 that grew between 2020 and 2022', by the tables of")
    assert [name for name in ("GL077002E43000N", "GL077003E43000N") if any(name in line for line in table)] == [
        "GL077002E43000N",
        "GL077003E43000N",
    ]
    assert "GL077001E43000N" not in said.out


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("the largest lake on the right", "by rule, among the features of the inventory of toy in 2022: 1 lake."),
        ("how many lakes", "3 lakes fit 'lakes in 2022'"),
        ("the total area of lakes in 2020", "0.059603 km2 in all: 3 lakes fit"),
        ("lakes larger than 5 km2", "No lakes fit"),
        ("the lake in the upper right", "There is no lake in the upper right, by rule"),
        ("the lake", "3 lakes fit 'the lake': which one, or all of them?"),
        ("big lakes", "How large is 'big'?"),
        ("lakes on the right", "Found all lakes on the right by rule"),
        ("the two largest lakes on the left", "One lake fits 'the 2 largest lakes in 2022 on the left', by the tables"),
        ("lakes larger than 0.01 km2 on the right", "and the place of their outlines."),
        ("lakes that grew since 2020 in the middle", "One lake fits 'lakes in 2022 that grew between 2020 and 2022 in the middle'"),
        ("lakes on the left larger than 1 ha", "A place comes last"),
        ("colourless green ideas", "I do not understand 'colourless'"),
        ("thaw slumps larger than 1 ha", "toy is an inventory of lakes, and knows nothing of thaw slumps."),
        ("the largest glacier", "does not know glaciers; the store holds no surface of toy 2022"),
    ],
)
def test_every_question_is_answered_or_asked_back_in_one_sentence(cryoatlas, store, words, text):
    said = cryoatlas("ask", words, "--store", store.root, "--region", REGION)
    assert said.code == 0
    assert text in said.out.splitlines()[0]


def test_a_tile_is_its_own_scene(cryoatlas, store):
    """The region is the lower left corner of its tile, so that what lies in its middle is in the lower left of the tile."""
    asked = ("ask", "all lakes in the lower left", "--store", store.root, "--year", "2021", "--json")
    whole = json.loads(cryoatlas(*asked, "--region", REGION).out)
    tile = json.loads(cryoatlas(*asked, "--tile", TILE.id).out)
    assert {item["feature_id"] for item in whole["items"]} < {item["feature_id"] for item in tile["items"]}
    assert len(tile["items"]) == 3
    assert (tile["tile"], tile["region"], tile["year"]) == (TILE.id, REGION, 2021)


def test_json_holds_outlines_and_the_sql_that_finds_them_again(cryoatlas, store):
    said = cryoatlas("ask", "the two largest lakes", "--store", store.root, "--region", REGION, "--json")
    told = json.loads(said.out)
    assert (told["outcome"], told["way"]) == ("found", "attributes")
    assert [item["feature_id"] for item in told["items"]] == ["GL077003E43000N", "GL077002E43000N"]
    assert all(item["geometry"]["type"] == "Polygon" for item in told["items"])
    assert told["sql"].startswith("WITH features AS")
    assert told["parameters"]["last_place"] == 2
    assert told["read_as"] == "the 2 largest lakes in 2022"


@pytest.mark.parametrize("name", ["found.geojson", "found.parquet"])
def test_outlines_are_written_with_the_phrase(cryoatlas, store, tmp_path, name):
    said = cryoatlas("ask", "the largest lake", "--store", store.root, "--region", REGION, "--out", tmp_path / name)
    assert f"Wrote 1 outlines to {tmp_path / name}" in said.err.replace("\n", "")
    frame = gpd.read_file(tmp_path / name) if name.endswith("json") else gpd.read_parquet(tmp_path / name)
    assert frame.crs == "EPSG:4326"
    assert frame.iloc[0][["feature_id", "phrase", "found_by"]].tolist() == ["GL077003E43000N", "the largest lake", "attributes"]


def test_nothing_found_writes_no_file(cryoatlas, store, tmp_path):
    said = cryoatlas("ask", "lakes larger than 9 km2", "--store", store.root, "--region", REGION, "--out", tmp_path / "none.geojson")
    assert said.code == 0
    assert "was not written" in said.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((), "give --region or --tile"),
        (("--region", "khumbo"), "is not in"),
        (("--region", REGION, "--year", "1999"), "there are 2020, 2021, 2022"),
        (("--tile", "32643-0001-0001"), "lists its tiles"),
        (("--region", REGION, "--out", "lakes.shp"), ".geojson or .parquet"),
    ],
)
def test_a_wrong_call_is_one_sentence(cryoatlas, store, given, words):
    said = cryoatlas("ask", "lakes", "--store", store.root, *given)
    assert said.code == 2
    assert words in said.err
