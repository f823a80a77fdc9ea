"""Inventories of others with the names of their features, from whatever file they come in."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from catalog.facts.errors import WrongCall
from catalog.stores.identity import write_names
from catalog.stores.named_features import read_ours, read_theirs, target_of
from catalog.stores.store import open_store

BOXES = [shapely.box(86.9, 27.9, 86.91, 27.91), shapely.box(86.95, 27.9, 86.96, 27.91)]


def written(path, columns, crs=4326):
    frame = gpd.GeoDataFrame(columns, geometry=BOXES, crs=4326).to_crs(crs)
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_file(path)
    return path


@pytest.mark.parametrize("name", ["lakes.gpkg", "lakes.parquet", "lakes.geojson", "lakes.shp"])
def test_every_format_gives_the_same_features(tmp_path, name):
    theirs = read_theirs(written(tmp_path / name, {"GLIMS_ID": ["G1", "G2"]}), None)
    assert (theirs.ids, theirs.id_column) == (("G1", "G2"), "GLIMS_ID")
    assert shapely.equals_exact(theirs.outlines, np.array(BOXES), tolerance=1e-9, normalize=True).all()


def test_outlines_in_metres_come_in_degrees(tmp_path):
    theirs = read_theirs(written(tmp_path / "lakes.parquet", {"id": [7, 8]}, crs=32645), None)
    assert theirs.ids == ("7", "8")
    assert shapely.equals_exact(theirs.outlines, np.array(BOXES), tolerance=1e-9, normalize=True).all()


def test_a_column_that_is_asked_for_wins_and_unnamed_rows_are_numbered(tmp_path):
    path = written(tmp_path / "lakes.gpkg", {"UID": ["a", "b"], "code": [5, 6]})
    assert read_theirs(path, None).ids == ("a", "b")
    assert read_theirs(path, "code").ids == ("5", "6")
    plain = read_theirs(written(tmp_path / "plain.gpkg", {"note": ["", ""]}), None)
    assert (plain.ids, plain.id_column) == (("1", "2"), "")


@pytest.mark.parametrize(("column", "way_out"), [("Name", "GLIMS_ID"), (None, "no such file")])
def test_a_wrong_column_or_file_is_answered_with_what_there_is(tmp_path, column, way_out):
    path = written(tmp_path / "lakes.gpkg", {"GLIMS_ID": ["G1", "G2"]}) if column else tmp_path / "nowhere.gpkg"
    with pytest.raises(WrongCall, match=way_out):
        read_theirs(path, column)


def test_a_file_that_is_no_vector_file_is_refused(tmp_path):
    for name in ("lakes.gpkg", "lakes.parquet"):
        (tmp_path / name).write_text("nothing")
        with pytest.raises(WrongCall, match="not a readable vector file"):
            read_theirs(tmp_path / name, None)


def test_tracked_outlines_of_others_count_as_ours(tmp_path):
    store = open_store(str(tmp_path), create=True)
    write_names(store.identity("slumps", "site"), (("A", "A", "B"), (2019, 2020, 2020), np.array([BOXES[0], BOXES[0], BOXES[1]])))
    assert target_of(store, "site") == "slumps"
    assert read_ours(store, "slumps", "site", 2020).ids == ("A", "B")
    assert read_ours(store, "slumps", "site", 2019).ids == ("A",)
    with pytest.raises(WrongCall, match="There are: 2019, 2020"):
        read_ours(store, "slumps", "site", 2021)
    with pytest.raises(WrongCall, match="There: site"):
        target_of(store, "elsewhere")
