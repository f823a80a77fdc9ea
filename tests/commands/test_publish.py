"""`cryoatlas publish` and `cryoatlas columns` as a person sees them: words, tables, exit codes."""

import json

import pytest

from catalog.facts.causes import State
from catalog.facts.records import Outcome
from catalog.facts.schemas import LAKES
from catalog.stores import ledger
from catalog.stores.jobs import unit_of
from tests.made_store import REGION, TILE, YEARS, job_of, made_store
from tests.publishing import COLLECTION
from tests.stac_documents import faults_of

SPAN = f"{YEARS[0]}-{YEARS[-1]}"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return made_store(tmp_path_factory.mktemp("made") / "store")


def one_line(text):
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--to", "ftp://bucket/public", "--year", "2021"], "no object store is called ftp://"),
        (["--to", "public"], "--year 2021, or --years 2018-2023"),
        (["--to", "public", "--year", "2021", "--years", "2020-2021"], "--year 2021, or --years 2018-2023"),
        (["--to", "public", "--year", "2021", "--date", "tomorrow"], "2026-03-31"),
        (["--to", "public", "--year", "2021", "--release", "../2026"], "letters, digits, dots"),
        (["--to", "public", "--year", "2021", "--doi", "https://doi.org/10.5281/1"], "10.5281/zenodo.1234567"),
        (["--to", "public", "--years", "2022-2020"], "Write 2020-2022"),
    ],
)
def test_a_wrong_call_exits_2_and_says_what_to_write(cryoatlas, store, tmp_path, monkeypatch, options, words):
    monkeypatch.chdir(tmp_path)
    said = cryoatlas("publish", "--store", store.root, "--region", REGION, *options)
    assert said.code == 2
    assert words in one_line(said.err)
    assert not (tmp_path / "public").exists()


def test_a_folder_of_others_an_unknown_region_and_the_store_itself_are_refused(cryoatlas, store, tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    here = ("--store", store.root, "--year", 2021)
    assert "thesis.tex" in cryoatlas("publish", *here, "--region", REGION, "--to", tmp_path).err
    assert f"There: {REGION}" in one_line(cryoatlas("publish", *here, "--region", "nowhere", "--to", tmp_path / "p").err)
    assert "inside each other" in one_line(cryoatlas("publish", *here, "--region", REGION, "--to", store.root / "public").err)


def test_a_release_is_told_and_a_second_call_says_that_nothing_is_new(cryoatlas, store, tmp_path, prefect_server):
    call = ("publish", "--store", store.root, "--region", REGION, "--years", SPAN, "--to", tmp_path / "p", "--date", "2026-03-01")
    said = cryoatlas(*call)
    assert said.code == 0, said.err
    assert f"Released 2026.1 of {REGION}" in said.out
    assert all(f"{REGION}-{year}-2026.1" in said.out for year in YEARS)
    assert faults_of(tmp_path / "p") == []
    again = cryoatlas(*call)
    assert again.code == 0
    assert again.out.startswith("Nothing new:")
    told = json.loads(cryoatlas(*call, "--json").out)
    assert told["release"] == ""
    assert told["unchanged"] == [f"{REGION}-{year}-2026.1" for year in YEARS]


def test_the_day_of_a_release_comes_from_source_date_epoch(cryoatlas, store, tmp_path, prefect_server, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1900000000")
    said = cryoatlas("publish", "--store", store.root, "--region", REGION, "--year", 2021, "--to", tmp_path / "p", "--author", "A. Person")
    assert said.code == 0, said.err
    citation = (tmp_path / "p" / COLLECTION / "releases" / "2030.1" / "CITATION.cff").read_text()
    assert "2030-03-17" in citation
    assert "name: A. Person" in citation


def test_a_hole_exits_3_with_what_is_missing_and_what_mends_it(cryoatlas, tmp_path, prefect_server):
    store = made_store(tmp_path / "store", years=(2021,))
    ledger.put(store, Outcome(unit_of(job_of(store, 2021), TILE.id, "surface"), State.FAILED, "1", "read_failed", "B08 cannot be decoded"))
    call = ("publish", "--store", store.root, "--region", REGION, "--year", 2021, "--to", tmp_path / "p")
    said = cryoatlas(*call)
    assert said.code == 3
    assert f"surface {TILE.id} failed: B08 cannot be decoded" in one_line(said.err)
    assert f"mend: cryoatlas backfill --store {store.root}" in one_line(said.err)
    assert not (tmp_path / "p").exists()
    partly = cryoatlas(*call, "--allow-partial")
    assert partly.code == 0, partly.err
    assert "Holes: 1, stated in" in partly.out
    assert "10.0 km2: B08 cannot be decoded" in partly.out


def test_columns_are_explained_to_people_and_to_programs(cryoatlas):
    said = cryoatlas("columns", "lakes", "totals")
    assert said.code == 0
    assert "geodesic area on WGS 84" in one_line(said.out)
    told = json.loads(cryoatlas("columns", "lakes", "--json").out)
    assert [column["name"] for column in told["tables"][0]["columns"]] == [*LAKES.names, "geometry", "bbox"]
    assert cryoatlas("columns", "--markdown").out.startswith("# Columns")


def test_a_table_that_does_not_exist_exits_2_with_those_that_do(cryoatlas):
    said = cryoatlas("columns", "lake")
    assert said.code == 2
    assert "lakes, slumps, tracks" in one_line(said.err)
