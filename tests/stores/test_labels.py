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


BOX = shapely.box(-134.0, 67.0, -133.99, 67.01)


def arts(count: int, **columns) -> gpd.GeoDataFrame:
    """Rows as ARTS has them, side by side."""
    shapes = [shapely.affinity.translate(BOX, 0.02 * number) for number in range(count)]
    facts = {"UID": [f"uid-{number}" for number in range(count)], "BaseMapDate": "2021-07-01,2021-08-31", "TrainClass": "Positive"}
    relations = dict.fromkeys(("StabilizedRTS", "UnknownRelationship", "MergedRTS"), "")
    return gpd.GeoDataFrame({**facts, "LabelType": "Polygon", **relations, **columns}, geometry=shapes, crs=4326)


def test_arts_says_what_is_a_slump_and_what_only_looks_like_one(tmp_path):
    frame = arts(
        6,
        TrainClass=["Positive", "Negative", "Negative", "Positive", "Positive", "Positive"],
        LabelType=["Polygon", "Polygon", "Bounding Box", "BoundingBox", "Polygon", "Polygon"],
        StabilizedRTS=["", "", "", "", "uid-9", ""],
        UnknownRelationship=["", "", "", "", "", "uid-8,uid-7"],
    )
    frame.to_file(tmp_path / "l.gpkg")
    found = read_labels(str(tmp_path / "l.gpkg"), 2021).outlines
    assert found["class"].tolist() == ["", "negative", "negative", "unclear", "stabilised", "unknown"]
    assert found["lake_id"].tolist() == [f"uid-{number}" for number in range(6)]


def test_points_of_arts_are_left_out(tmp_path):
    frame = arts(2, LabelType=["Point", "Polygon"])
    frame.geometry = [BOX.centroid, BOX]
    frame.to_parquet(tmp_path / "l.parquet")
    assert read_labels(str(tmp_path / "l.parquet"), 2021).outlines["lake_id"].tolist() == ["uid-1"]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("image_date", ["2019-07-01", "2021-08-30"]),
        ("date_", ["2019-09-07", "2021-07-27"]),
        ("date", ["2019-09-07T10:00:00", "2021-07-27"]),
        ("BaseMapDate", ["2019-07-01,2019-08-01", "2020-07-01,2021-08-01"]),
        ("BaseMapDate", ["2019", "2021"]),
        ("year", [2019, 2021]),
    ],
)
def test_a_date_tells_the_year_and_of_a_span_its_end_does(tmp_path, column, values):
    arts(2).drop(columns="BaseMapDate").assign(**{column: values}).to_parquet(tmp_path / "l.parquet")
    for image in (2019, 2021):
        found = read_labels(str(tmp_path / "l.parquet"), image)
        assert found.year == image
        assert len(found.outlines) == 1
    assert read_labels(str(tmp_path / "l.parquet"), 2020).year == 2021


def test_a_date_that_is_none_is_not_guessed(tmp_path):
    arts(2, BaseMapDate=["202-00-722", "2021-07-15"]).to_parquet(tmp_path / "l.parquet")
    assert read_labels(str(tmp_path / "l.parquet"), 2020).outlines["lake_id"].tolist() == ["uid-1"]
    arts(1, BaseMapDate=["202-00-722"]).to_parquet(tmp_path / "none.parquet")
    with pytest.raises(ChipsUnusable, match="--label-year"):
        read_labels(str(tmp_path / "none.parquet"), 2020)


def test_labelers_are_kept_and_a_column_that_is_the_same_everywhere_names_nothing(tmp_path):
    arts(2, UID="x", Id=0, labeler=["01", None]).to_parquet(tmp_path / "l.parquet")
    found = read_labels(str(tmp_path / "l.parquet"), 2021).outlines
    assert found["labeler"].tolist() == ["01", ""]
    assert found["lake_id"].tolist() == ["0", "1"]


@pytest.mark.parametrize(
    ("name", "image", "year", "count"),
    [
        ("barth2023_NZ_rts_by_year.gpkg", 2018, 2018, 350),
        ("runge2022_chukotka_coast_by_date.gpkg", 2018, 2018, 62),
        ("nitze_training_labels/TrainingLabel_RTS_PlanetScope_Nitze_iteration006.gpkg", 2021, 2022, 69),
    ],
)
def test_inventories_of_slumps_are_read_as_they_are(shared_data, name, image, year, count):
    path = shared_data / "rts" / "inventories" / name
    if not path.is_file():
        pytest.skip(f"{name} is not here")
    found = read_labels(str(path), image)
    assert (found.year, len(found.outlines)) == (year, count)
    assert shapely.is_valid(found.outlines.geometry.to_numpy()).all()
    with_year = shared_data / "rts" / "inventories" / "huang2022_banks_island_2020.gpkg"
    with pytest.raises(ChipsUnusable, match="nothing tells their year"):
        read_labels(str(with_year), 2020)
    assert len(read_labels(str(with_year), 2020, 2020).outlines) == 262
