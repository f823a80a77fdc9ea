"""A sample goes out as a folder, comes back with answers, and becomes a statement; answers are never overwritten."""

import json
import shutil

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest

from catalog.facts.errors import WrongCall
from catalog.facts.samples import SampleOptions
from catalog.stores.samples import read_sample
from catalog.stores.store import Store
from models.outlines.geodesy import area_perimeter
from tasks.export_sample import exported
from tasks.score_sample import scored
from tests.review_store import REGION, YEAR, lake, list_lakes, new_store, put_measured
from tests.sample_reviewer import answer

LAKES = [lake(8 * x, 8 * y, 1.0 + (x + y) % 5) for x in range(9) for y in range(6)]
OPTIONS = SampleOptions(size=30, cells=40, seed=7)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A store and a sample of it, which tests copy."""
    root = tmp_path_factory.mktemp("drawn")
    made = new_store(root / "store")
    put_measured(made, LAKES)
    list_lakes(made)
    exported(str(made.root), REGION, YEAR, str(root / "checks"), OPTIONS)
    return root


@pytest.fixture
def store(drawn, tmp_path):
    return Store(shutil.copytree(drawn / "store", tmp_path / "store"))


@pytest.fixture
def folder(drawn, tmp_path):
    return shutil.copytree(drawn / "checks", tmp_path / "checks")


def truth(outlines):
    held = np.array(outlines, dtype=object)
    return gpd.GeoDataFrame({"area_m2": area_perimeter(held)[0]}, geometry=held, crs=4326)


def score(folder):
    return scored(str(folder), str(folder.parent / "store"))


def test_the_key_tells_how_likely_each_case_was(folder):
    key = read_sample(folder).key
    features = key[key.kind == "feature"]
    assert len(features) == 30
    assert (key.inclusion_probability * key.weight).tolist() == pytest.approx([1.0] * len(key))
    assert features.groupby("stratum").size().tolist() == features.groupby("stratum").sampled.first().tolist()
    assert (features.groupby("stratum").weight.sum() - features.groupby("stratum").population.first()).abs().max() < 1e-9
    assert set(key[key.kind == "cell"].stratum) == {"near features", "plain"}


def test_the_sheet_does_not_tell_the_strata(folder):
    sheet = folder / "sample.gpkg"
    assert "stratum" not in pyogrio.read_info(sheet, layer="features")["fields"]
    assert "feature_id" not in pyogrio.read_info(sheet, layer="features")["fields"]


def test_the_seed_decides_the_sample(store, folder, tmp_path):
    for name, seed in (("again", 7), ("other", 8)):
        exported(str(store.root), REGION, YEAR, str(tmp_path / name), SampleOptions(30, 40, seed))
    key, again, other = ((tmp_path / name / "key.parquet") for name in ("checks", "again", "other"))
    assert read_sample(again.parent).key.equals(read_sample(key.parent).key)
    assert not read_sample(other.parent).key.equals(read_sample(key.parent).key)


def test_answers_that_agree_say_so_and_the_statement_is_stored(store, folder):
    answer(folder / "sample.gpkg", truth(LAKES), least_area_m2=5000)
    accuracy = score(folder)
    assert accuracy.figures["users_accuracy_count"].value == 1
    assert accuracy.figures["users_accuracy_area"].value == pytest.approx(1)
    assert accuracy.figures["missed_count"].value == 0
    assert json.loads((folder / "accuracy.json").read_text()) == json.loads(store.accuracy("lakes", REGION, YEAR).read_text())
    assert "54 lakes listed in valley 2021" in accuracy.statement
    assert "Olofsson" in (folder / "accuracy.txt").read_text()


def test_wrong_redrawn_and_missed_features_move_the_figures(store, folder):
    true = [lake(8 * x, 8 * y, 0.8 * (1.0 + (x + y) % 5)) for x in range(8) for y in range(6)]
    lacking = [lake(20 * place - 80, -70 if place % 2 else 70, 2.0) for place in range(12)]
    answer(folder / "sample.gpkg", truth([*true, *lacking]), least_area_m2=5000)
    accuracy = score(folder)
    figures = accuracy.figures
    assert figures["users_accuracy_count"].low < 48 / 54 < figures["users_accuracy_count"].high
    assert figures["true_area_m2"].value < 0.75 * accuracy.listed_area_m2
    assert figures["missed_count"].low <= 12 <= figures["missed_count"].high
    assert figures["producers_accuracy_count"].value < 0.95


def test_whoever_stops_early_still_has_a_statement_that_says_so(folder):
    answer(folder / "sample.gpkg", truth(LAKES), least_area_m2=5000, until=12)
    accuracy = score(folder)
    assert accuracy.answered["features"] == 12
    assert accuracy.answered["features_unanswered"] == 18
    assert "18 were not answered" in accuracy.statement


def test_answers_are_not_overwritten(store, folder):
    exported(str(store.root), REGION, YEAR, str(folder), OPTIONS)
    answer(folder / "sample.gpkg", truth(LAKES), least_area_m2=5000)
    with pytest.raises(WrongCall, match="already holds answers"):
        exported(str(store.root), REGION, YEAR, str(folder), OPTIONS)


def test_a_statement_about_another_inventory_stays_out_of_the_store(store, folder):
    answer(folder / "sample.gpkg", truth(LAKES), least_area_m2=5000)
    put_measured(store, LAKES[1:])
    list_lakes(store)
    accuracy = score(folder)
    assert not store.accuracy("lakes", REGION, YEAR).exists()
    assert any("not the one that was sampled" in note for note in accuracy.notes)


def test_a_word_that_is_no_verdict_is_refused_with_those_that_are(folder):
    sheet = folder / "sample.gpkg"
    frame = pyogrio.read_dataframe(sheet, layer="features").assign(verdict="yes")
    pyogrio.write_dataframe(frame, sheet, layer="features", geometry_type="MultiPolygon", promote_to_multi=True)
    with pytest.raises(WrongCall, match=r"'yes' is no answer\. Write one of correct"):
        score(folder)


def test_a_missed_point_needs_its_area(folder):
    answer(folder / "sample.gpkg", truth(LAKES), least_area_m2=5000)
    sheet = folder / "sample.gpkg"
    key = read_sample(folder).key
    cell = key[key.kind == "cell"].iloc[0]
    missed = gpd.GeoDataFrame({"case": [cell.case], "area_m2": [np.nan]}, geometry=[cell.geometry.centroid], crs=4326)
    pyogrio.write_dataframe(missed, sheet, layer="missed", geometry_type="Unknown")
    with pytest.raises(WrongCall, match="without `area_m2`"):
        score(folder)
    pyogrio.write_dataframe(missed.assign(area_m2=7000.0), sheet, layer="missed", geometry_type="Unknown")
    assert score(folder).figures["missed_area_m2"].value == pytest.approx(7000 * cell.weight)


def test_nothing_answered_is_refused(folder):
    with pytest.raises(WrongCall, match="verdict"):
        score(folder)
    assert pd.isna(read_sample(folder).features.true_area_m2).all()
