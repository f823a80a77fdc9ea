"""`cryoatlas match` as a user calls it, on outlines of others that were tracked before."""

import json

import geopandas as gpd
import numpy as np
import pytest
import shapely

from catalog.stores.identity import write_names
from catalog.stores.store import open_store
from catalog.stores.tables import read_table
from tasks.match_inventory import match_inventory


def box(x, width=0.01):
    return shapely.box(86.9 + x, 27.9, 86.9 + x + width, 27.91)


@pytest.fixture
def store(tmp_path):
    opened = open_store(str(tmp_path / "store"), create=True)
    write_names(opened.identity("lakes", "khumbu"), (("A", "B", "C"), (2020, 2020, 2020), np.array([box(0), box(0.02), box(0.05)])))
    theirs = gpd.GeoDataFrame({"GLIMS_ID": ["G1", "G2", "G3"]}, geometry=[box(0), box(0.03), box(9)], crs=4326)
    theirs.to_file(tmp_path / "lakes of 2000.gpkg")
    return opened


@pytest.fixture
def without_prefect(monkeypatch):
    # the flow only passes its arguments on, and Prefect would start a server for it
    monkeypatch.setattr("commands.match.run_match", match_inventory.fn)


def test_it_tells_who_is_whom_and_writes_it(cryoatlas, store, tmp_path, without_prefect):
    call = ("match", "--store", store.root, "--region", "khumbu", "--year", 2020, "--inventory", tmp_path / "lakes of 2000.gpkg")
    said = cryoatlas(*call)
    assert said.code == 0
    assert "only theirs" in said.out
    assert "Found 1 of 2 of theirs (50%)" in said.err
    assert "1 of theirs lie elsewhere. Their names: GLIMS_ID." in said.err
    report = json.loads(cryoatlas(*call, "--json").out)
    assert report["relations"]["same"]["ours"] == 1
    path = store.root / report["written"]
    assert path == store.matches("lakes", "khumbu", 2020, "lakes_of_2000")
    before = path.stat().st_mtime_ns
    assert [(row["feature_id"], row["other_id"], row["relation"]) for row in read_table(path).to_pylist()] == [
        ("A", "G1", "same"),
        ("B", None, "only_ours"),
        ("C", None, "only_ours"),
        (None, "G2", "only_theirs"),
    ]
    cryoatlas(*call, "--json")
    assert path.stat().st_mtime_ns == before, "equal content is not written again"


@pytest.mark.parametrize(
    ("changes", "way_out"),
    [
        ({"--region": "kumbu"}, "There: khumbu"),
        ({"--year": "2021"}, "There are: 2020"),
        ({"--inventory": "nowhere.gpkg"}, "no such file"),
        ({"--id-column": "RGIId"}, "Its columns are GLIMS_ID"),
        ({"--name": "../x"}, "cannot be a file name"),
    ],
)
def test_a_wrong_call_names_the_way_out(cryoatlas, store, tmp_path, without_prefect, changes, way_out):
    call = {"--store": store.root, "--region": "khumbu", "--year": 2020, "--inventory": tmp_path / "lakes of 2000.gpkg"} | changes
    said = cryoatlas("match", *(word for pair in call.items() for word in pair))
    assert said.code == 2
    assert way_out in said.err


def test_help_shows_an_example(cryoatlas):
    assert "Example: cryoatlas match" in cryoatlas("match", "--help").out
