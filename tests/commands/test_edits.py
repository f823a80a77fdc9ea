"""Edits as a user makes them: added, listed, applied by the next inventory, carried through QGIS, taken back."""

import json

import geopandas as gpd
import pyogrio
import pytest
import shapely

from catalog.stores.tables import read_features
from tests.review_store import REGION, YEAR, lake, list_lakes, new_store, put_measured

WHERE = ("--region", REGION)
BY = ("--reason", "river", "--author", "A", "--date", "2026-01-01")
LAKES = [lake(0, 0), lake(10, 0), lake(20, 0)]


@pytest.fixture
def store(tmp_path):
    made = new_store(tmp_path / "store")
    put_measured(made, LAKES)
    list_lakes(made)
    return made


def listed(store, year=YEAR):
    return read_features(store.inventory("lakes", REGION, year)).sort_values("longitude").reset_index(drop=True)


def add(cryoatlas, store, *more):
    return cryoatlas("edits", "add", "--store", store.root, *WHERE, *more)


def told(cryoatlas, store):
    return json.loads(cryoatlas("edits", "list", "--store", store.root, *WHERE, "--json").out)


def test_a_rejected_lake_is_gone_after_the_next_inventory_and_stays_gone_in_a_rerun(cryoatlas, store):
    name = listed(store).lake_id[0]
    said = add(cryoatlas, store, "--year", YEAR, "--action", "reject", "--id", name, *BY)
    assert said.code == 0
    assert told(cryoatlas, store)[0]["state"] == "pending"
    assert len(listed(store)) == 3
    list_lakes(store)
    assert name not in set(listed(store).lake_id)
    assert told(cryoatlas, store)[0]["state"] == "applied"
    put_measured(store, [lake(0.4, -0.3), *LAKES[1:], lake(30, 0)], model="lakes-tiny 1")
    list_lakes(store)
    after = listed(store)
    assert len(after) == 3
    assert name not in set(after.lake_id)
    assert told(cryoatlas, store)[0]["state"] == "applied"


def test_an_edit_makes_only_the_inventory_of_its_year_stale(cryoatlas, store):
    put_measured(store, LAKES, YEAR + 1)
    list_lakes(store, YEAR + 1)
    files = {year: store.inventory("lakes", REGION, year) for year in (YEAR, YEAR + 1)}
    before = {year: path.read_bytes() for year, path in files.items()}
    add(cryoatlas, store, "--year", YEAR, "--action", "reject", "--id", listed(store).lake_id[0], *BY)
    stamp = files[YEAR + 1].stat().st_mtime_ns
    for year in files:
        list_lakes(store, year)
    assert files[YEAR].read_bytes() != before[YEAR]
    assert files[YEAR + 1].stat().st_mtime_ns == stamp
    cryoatlas("edits", "remove", 1, "--store", store.root, *WHERE)
    list_lakes(store)
    assert files[YEAR].read_bytes() == before[YEAR]


def test_the_second_run_writes_nothing(cryoatlas, store):
    add(cryoatlas, store, "--every-year", "--action", "accept", "--at", "77.102,44.302", *BY)
    list_lakes(store)
    before = {path: path.stat().st_mtime_ns for path in store.root.rglob("*.parquet")}
    list_lakes(store)
    assert {path: path.stat().st_mtime_ns for path in store.root.rglob("*.parquet")} == before
    assert listed(store).edit.tolist() == ["accepted", None, None]


def test_what_a_rerun_lost_is_a_warning_and_not_a_failure(cryoatlas, store):
    name = listed(store).lake_id[0]
    add(cryoatlas, store, "--year", YEAR, "--action", "accept", "--id", name, *BY)
    put_measured(store, LAKES[1:])
    warnings = list_lakes(store)
    assert len(warnings) == 1
    assert f"accept {name}" in warnings[0]
    assert "no longer found" in warnings[0]


def test_a_round_trip_through_qgis_rejects_redraws_and_draws(cryoatlas, store, tmp_path):
    sheet = tmp_path / "edit.gpkg"
    assert cryoatlas("edits", "template", "--store", store.root, *WHERE, "--year", YEAR, "--out", sheet).code == 0
    frame = pyogrio.read_dataframe(sheet).sort_values("feature_id").reset_index(drop=True)
    frame.loc[0, "action"], frame.loc[1, "action"] = "reject", "redraw"
    shapes = frame.geometry.tolist()
    shapes[1], shapes[2] = shapely.MultiPolygon([lake(10, 0, 3.0)]), shapely.MultiPolygon([lake(20, 0, 3.0)])
    new = gpd.GeoDataFrame({"action": ["draw", ""], "year": [YEAR, YEAR]}, geometry=[lake(30, 0), lake(40, 0)], crs=4326)
    frame = gpd.GeoDataFrame(gpd.pd.concat([frame.set_geometry(gpd.GeoSeries(shapes, crs=4326)), new], ignore_index=True), crs=4326)
    frame["reason"] = "looked at it"
    pyogrio.write_dataframe(frame, sheet, layer="edits", geometry_type="MultiPolygon", promote_to_multi=True)
    said = cryoatlas("edits", "import", sheet, "--store", store.root, *WHERE, "--author", "A", "--date", "2026-01-01")
    assert said.code == 0, said.err
    assert "3 edits taken over" in said.err
    assert "was moved, but it has no action" in said.err
    assert "no name and no action" in said.err
    list_lakes(store)
    after = listed(store)
    assert after.edit.tolist() == ["redrawn", None, "drawn"]
    assert after.geometry[0].equals(lake(10, 0, 3.0))
    again = cryoatlas("edits", "import", sheet, "--store", store.root, *WHERE, "--author", "A")
    assert "0 edits taken over, 3 known already" in again.err


def test_a_template_is_not_overwritten(cryoatlas, store, tmp_path):
    (tmp_path / "edit.gpkg").write_bytes(b"mine")
    said = cryoatlas("edits", "template", "--store", store.root, *WHERE, "--year", YEAR, "--out", tmp_path / "edit.gpkg")
    assert said.code == 2
    assert (tmp_path / "edit.gpkg").read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (("--year", YEAR, "--action", "reject", "--id", "GL1", *BY), "GL1"),
        (("--year", 2001, "--action", "reject", "--at", "77.102,44.302", *BY), "2001"),
        (("--action", "reject", "--at", "77.102,44.302", *BY), "--every-year"),
        (("--year", YEAR, "--action", "draw", *BY), "polygon"),
        (("--year", YEAR, "--action", "reject", "--at", "77.2,44.25", *BY), "No feature at"),
        (("--year", YEAR, "--action", "reject", *BY), "which feature"),
    ],
)
def test_a_wrong_edit_exits_2_and_changes_nothing(cryoatlas, store, more, word):
    said = add(cryoatlas, store, *more)
    assert said.code == 2
    assert word in said.err
    assert not store.edits("lakes", REGION).exists()


@pytest.mark.parametrize(
    ("harm", "word"),
    [
        (lambda text: text.replace('"reject"', '"delete"'), "delete"),
        (lambda text: text[:-10], "GeoJSON"),
        (lambda text: text.replace('"feature_id": "GL', '"feature_id": "", "was": "GL'), "feature_id"),
        (lambda text: text.replace("POLYGON", "SHAPE"), "WKT"),
    ],
)
def test_a_file_that_a_person_broke_is_told_where(cryoatlas, store, harm, word):
    add(cryoatlas, store, "--year", YEAR, "--action", "reject", "--id", listed(store).lake_id[0], *BY)
    path = store.edits("lakes", REGION)
    path.write_text(harm(path.read_text()))
    said = cryoatlas("edits", "list", "--store", store.root, *WHERE)
    assert said.code == 2
    assert word in said.err


def test_edits_written_by_hand_get_numbers(cryoatlas, store):
    name = listed(store).lake_id[0]
    feature = {"type": "Feature", "properties": {"action": "reject", "feature_id": name, "year": float(YEAR)}, "geometry": None}
    store.edits("lakes", REGION).parent.mkdir(parents=True)
    store.edits("lakes", REGION).write_text(json.dumps({"type": "FeatureCollection", "features": [feature, {**feature}]}))
    assert [row["edit"] for row in told(cryoatlas, store)] == [1, 2]
    list_lakes(store)
    assert name not in set(listed(store).lake_id)


def test_the_list_fits_a_narrow_terminal(cryoatlas, store, monkeypatch):
    add(cryoatlas, store, "--every-year", "--action", "note", "--at", "77.102,44.302", *BY)
    monkeypatch.setenv("COLUMNS", "80")
    said = cryoatlas("edits", "list", "--store", store.root, *WHERE)
    assert "river (A, 2026-01-01)" in said.out
    assert max(len(line) for line in said.out.splitlines()) <= 80


def test_an_inventory_whose_edits_are_not_applied_is_not_complete(cryoatlas, store):
    add(cryoatlas, store, "--year", YEAR, "--action", "reject", "--id", listed(store).lake_id[0], *BY)
    said = cryoatlas("audit", "--store", store.root)
    assert said.code == 3
    assert "edits apply" in said.out
    list_lakes(store)
    assert json.loads(cryoatlas("audit", "--store", store.root, "--json").out)[0]["edits"] == {"applied": 1}
