"""Inventories of others: any format and coordinate system, and one sentence for what cannot be used."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from catalog.facts.errors import ChipsUnusable
from catalog.stores.labels import read_labels

LAKE = shapely.box(81.0, 43.0, 81.01, 43.01)


def table(shapes=(LAKE,), crs=4326, **columns):
    return gpd.GeoDataFrame(columns or {"id": [f"L{i}" for i in range(len(shapes))]}, geometry=list(shapes), crs=crs)


@pytest.mark.parametrize("name", ["lakes.parquet", "lakes.gpkg", "lakes.shp", "lakes.geojson"])
def test_formats_and_coordinate_systems_do_not_matter(tmp_path, name):
    path = tmp_path / name
    frame = table(crs=4326) if name.endswith("json") else table().to_crs(32644)
    frame.to_parquet(path) if name.endswith("parquet") else frame.to_file(path)
    found = read_labels(str(path), 2021, 2022)
    assert found.outlines.crs == 4326
    assert found.outlines["lake_id"].tolist() == ["L0"]
    assert found.outlines["label_year"].tolist() == [2022]
    assert shapely.area(found.outlines.geometry[0].intersection(LAKE)) == pytest.approx(LAKE.area, rel=1e-3)


def test_a_pattern_takes_the_file_of_the_year(tmp_path):
    for year in (2020, 2021):
        (tmp_path / f"year={year}.parquet").parent.mkdir(exist_ok=True)
        table(id=[f"of {year}"]).to_parquet(tmp_path / f"year={year}.parquet")
    found = read_labels(str(tmp_path / "year={year}.parquet"), 2020)
    assert found.outlines["lake_id"].tolist() == ["of 2020"]
    assert found.year == 2020


@pytest.mark.parametrize(("image", "nearest"), [(2017, 2016), (2019, 2022), (2020, 2022), (2023, 2022)])
def test_a_year_column_gives_the_nearest_year(tmp_path, image, nearest):
    table((LAKE, LAKE), id=["a", "b"], year=[2016, 2022]).to_parquet(tmp_path / "l.parquet")
    found = read_labels(str(tmp_path / "l.parquet"), image)
    assert found.year == nearest
    assert len(found.outlines) == 1


def test_broken_outlines_are_repaired_and_counted(tmp_path):
    bow_tie = shapely.Polygon([(81, 43), (81.01, 43.01), (81.01, 43), (81, 43.01)])
    table((bow_tie, LAKE)).to_parquet(tmp_path / "l.parquet")
    found = read_labels(str(tmp_path / "l.parquet"), 2021, 2021)
    assert found.repaired == 1
    assert shapely.is_valid(found.outlines.geometry.to_numpy()).all()
    assert np.isin(shapely.get_type_id(found.outlines.geometry.to_numpy()), (3, 6)).all()


@pytest.mark.parametrize(
    ("frame", "sentence"),
    [
        (table(crs=None), "no coordinate system"),
        (table(()), "no outline in it"),
        (table((shapely.Point(81, 43),)), "no polygon in it"),
    ],
)
def test_what_cannot_be_used_is_said(tmp_path, frame, sentence):
    frame.to_parquet(tmp_path / "l.parquet")
    with pytest.raises(ChipsUnusable, match=sentence):
        read_labels(str(tmp_path / "l.parquet"), 2021, 2021)


def test_labels_without_a_year_ask_for_one(tmp_path):
    table().to_parquet(tmp_path / "l.parquet")
    with pytest.raises(ChipsUnusable, match="--label-year"):
        read_labels(str(tmp_path / "l.parquet"), 2021)


def test_a_missing_file_and_one_that_is_none_are_said(tmp_path):
    with pytest.raises(ChipsUnusable, match="no such file"):
        read_labels(str(tmp_path / "l.gpkg"), 2021)
    for name in ("l.gpkg", "l.parquet"):
        (tmp_path / name).write_bytes(b"nothing of the kind")
        with pytest.raises(ChipsUnusable, match="not a file of outlines"):
            read_labels(str(tmp_path / name), 2021, 2021)
