"""`cryoatlas describe` as a user runs it."""

import json

import pytest

from tests.made_store import REGION, made_store


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return made_store(tmp_path_factory.mktemp("told") / "store")


def test_the_bulletin_goes_to_the_output_and_its_origin_beside_it(cryoatlas, store):
    said = cryoatlas("describe", "--store", store.root, "--region", REGION, "--year", "2021", "--model", "rule")
    assert said.code == 0
    assert said.out.startswith("This is the inventory of 2021.")
    assert "written by rule" in said.err


def test_json_holds_text_facts_and_provenance(cryoatlas, store):
    said = cryoatlas("describe", "--store", store.root, "--lake", "GL077002E43000N", "--model", "rule", "--json")
    told = json.loads(said.out)
    assert {"text", "facts", "inventory", "surroundings", "written_by"} <= told.keys()
    assert told["facts"]["lakes"][0].keys() >= {"lake_id", "area_m2", "low_m2", "high_m2", "quadrant", "size", "verdict"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((), "give --lake, --tile or --region"),
        (("--lake", "GL1E1N", "--tile", "32643-0001-0001"), "give one of them"),
        (("--region", "khumbo"), "is not in"),
    ],
)
def test_a_wrong_call_is_one_sentence(cryoatlas, store, given, words):
    said = cryoatlas("describe", "--store", store.root, *given, "--model", "rule")
    assert said.code == 2
    assert words in said.err
