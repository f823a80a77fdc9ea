"""Whole stores compared: every feature has a row, rows add up, and what cannot be told is said."""

import shutil

import geopandas as gpd
import pyogrio
import pytest

from catalog.facts.edits import Edit
from catalog.facts.errors import WrongCall
from catalog.stores.edits import write_edits
from catalog.stores.store import Store
from catalog.stores.tables import read_features
from tasks.diff_stores import compared
from tests.review_store import REGION, YEAR, lake, list_lakes, new_store, put_measured

LAKES = [lake(0, 0), lake(10, 0), lake(20, 0)]


@pytest.fixture
def before(tmp_path):
    store = new_store(tmp_path / "a")
    put_measured(store, LAKES)
    list_lakes(store)
    return store


@pytest.fixture
def after(before, tmp_path):
    shutil.copytree(before.root, tmp_path / "b")
    return Store(tmp_path / "b")


def diff(a, b, out=None, years=(YEAR, YEAR)):
    return compared((str(a.root), str(b.root)), REGION, years, None if out is None else str(out))


def test_a_store_and_its_copy_are_the_same(before, after):
    report = diff(before, after)
    assert report.kinds["same"]["features"] == 3
    assert list(report.causes) == ["unexplained"]
    assert report.details == {}


def test_another_model_is_told_and_the_rows_add_up(before, after, tmp_path):
    put_measured(after, [lake(0, 0, 5.0), lake(10, 0), lake(30, 0)], model="lakes-tiny 1")
    list_lakes(after)
    report = diff(before, after, tmp_path / "d.parquet")
    rows = read_features(tmp_path / "d.parquet")
    assert sorted(rows.kind) == ["added", "changed", "lost", "same"]
    assert rows.change_m2.sum() == pytest.approx(report.totals_m2[1] - report.totals_m2[0])
    assert abs(report.unexplained_residual_m2) < 1e-3
    assert set(rows.cause[rows.kind != "same"]) == {"options"}
    assert rows.set_index("kind").because["lost"][0] == "features: model indices 1 -> lakes-tiny 1"


def test_what_a_person_rejected_is_an_edit(before, after):
    name = read_features(after.inventory("lakes", REGION, YEAR)).lake_id[0]
    write_edits(after, "lakes", REGION, [Edit(1, "reject", YEAR, name, "river", "A", "2026-01-01")])
    list_lakes(after)
    report = diff(before, after)
    assert report.kinds["lost"]["features"] == 1
    assert report.causes["edits"]["features"] == 1
    assert diff(after, before).kinds["added"]["features"] == 1


def test_names_given_in_another_history_are_renamings(before, tmp_path):
    other = new_store(tmp_path / "b")
    put_measured(other, [lake(0.9, 0), lake(10, 0), lake(20, 0)], YEAR - 1)
    put_measured(other, LAKES)
    list_lakes(other, YEAR - 1)
    list_lakes(other)
    report = diff(before, other)
    assert report.kinds["renamed"]["features"] == 1
    assert report.causes["history"]["features"] == 1


def test_two_years_of_one_store_are_compared(before):
    put_measured(before, [lake(0, 0, 5.0), *LAKES[1:]], YEAR + 1)
    list_lakes(before, YEAR + 1)
    report = diff(before, before, years=(YEAR, YEAR + 1))
    assert report.kinds["changed"]["features"] == 1
    assert report.kinds["same"]["features"] == 2


def test_receipts_tell_where_the_ledger_is_lost_and_neither_is_said(before, after):
    put_measured(after, [lake(0, 0, 5.0), *LAKES[1:]], model="m 2")
    list_lakes(after)
    shutil.rmtree(after.root / "ledger")
    assert diff(before, after).causes["options"]["features"] == 1
    shutil.rmtree(after.root / "receipts")
    report = diff(before, after)
    assert report.causes["model"]["features"] == 1
    assert next(iter(report.details)) == "model indices 1 -> m 2, as the files say"


def test_a_geopackage_opens_elsewhere(before, after, tmp_path):
    put_measured(after, LAKES[1:])
    list_lakes(after)
    diff(before, after, tmp_path / "d.gpkg")
    frame = pyogrio.read_dataframe(tmp_path / "d.gpkg")
    assert isinstance(frame, gpd.GeoDataFrame)
    assert len(frame) == 3
    with pytest.raises(WrongCall, match="gpkg"):
        diff(before, after, tmp_path / "d.csv")


def test_a_year_that_is_not_there_is_told_with_those_that_are(before, after):
    with pytest.raises(WrongCall, match=rf"Store B .*{YEAR + 5}.*There are: {YEAR}"):
        diff(before, after, years=(YEAR, YEAR + 5))
