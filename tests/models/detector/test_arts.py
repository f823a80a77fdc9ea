"""ARTS rows: UIDs of the data set itself, its formats, and files that give back what was written."""

import re
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from catalog.facts.errors import SchemaError
from models.detector.arts import GENERATED, REQUIRED, Contribution, SlumpYear, arts_columns, centroids, uid_of
from models.outlines.geodesy import area_perimeter

CONTRIBUTION = Contribution("Peel Plateau, Canada", "cryoatlas", date(2026, 1, 5), "slumps-tiny 1")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


def _year(year, slumps, *, last_month=8, dated=True):
    """`slumps`: id -> (west, status, related)."""
    shapes = np.array([shapely.box(west, 67.5, west + 0.003, 67.501) for west, _, _ in slumps.values()], dtype=object)
    number = len(slumps)
    columns = {
        "slump_id": list(slumps),
        "status": [status for _, status, _ in slumps.values()],
        "related_ids": [related for *_, related in slumps.values()],
        "score": np.full(number, 0.75),
        "date_first": [date(year, 7, 1) if dated else None] * number,
        "date_last": [date(year, last_month, 1)] * number,
        "tile": ["32608-0021-0334"] * number,
        "mask_probability": [0.9] * number,
        "mask_probability_sd": [float("nan")] * number,
    }
    return SlumpYear(year, columns, shapes)


# Rows of the data set's own README and of its tutorial (CC0): required fields -> UID.
@pytest.mark.parametrize(
    ("required", "uid"),
    [
        (
            (
                71.89659,
                -120.66907,
                "Banks Island, Inuvik Region, Canada",
                "TLantz, University of Victoria",
                "2020-07-05,2020-08-20",
                "PlanetScope",
                3.0,
                "Positive",
                "Polygon",
            ),
            "6aff1955-71f5-5fa5-97d1-d9e006e4ec5c",
        ),
        (
            (70.01655, 68.33926, "Yamal-Gydan", "Rodenhizer", "2023-05-01,2023-09-30", "WorldView-2", 4.0, "Positive", "Polygon"),
            "697680a4-9707-59fb-aabb-540308cf0705",
        ),
        (
            (70.01526, 68.32684, "Yamal-Gydan", "Rodenhizer", "2023-05-01,2023-09-30", "WorldView-2", 4.0, "Negative", "Polygon"),
            "a3425670-eef6-5b0c-9324-75563e3430ee",
        ),
        (
            (70.01543, 68.34071, "Yamal-Gydan", "Rodenhizer", "2022-05-01,2022-9-30", "WorldView-2", 4.0, "Positive", "Polygon"),
            "aedeff78-0897-5159-aefd-c5a5885475c8",
        ),
    ],
)
def test_uids_are_those_of_the_data_set(required, uid):
    assert uid_of(required) == uid


def test_a_fraction_of_a_metre_stays_in_the_uid():
    row = (70.0, 68.0, "r", "c", "2023-05-01", "s", 0.5, "Positive", "Polygon")
    assert uid_of(row) != uid_of((*row[:6], 0.0, *row[7:]))


def test_rows_have_the_types_and_forms_that_the_data_set_checks():
    frame = pd.DataFrame(arts_columns([_year(2021, {"RTS1": (-135.0, "new", []), "RTS2": (-135.1, None, [])})], 2021, CONTRIBUTION))
    assert {*REQUIRED, *GENERATED} <= set(frame)
    assert frame.CentroidLat.dtype == frame.CentroidLon.dtype == frame.BaseMapResolution.dtype == np.float64
    assert frame.CentroidLat.round(5).equals(frame.CentroidLat)
    for column in (*GENERATED[:5], "RegionName", "CreatorLab", "BaseMapSource"):
        assert frame[column].map(type).eq(str).all(), column
    for text in frame.BaseMapDate:
        assert len(pd.to_datetime(text.split(","), format="%Y-%m-%d")) == 2
    assert set(frame.TrainClass) == {"Positive"}
    assert set(frame.LabelType) == {"Polygon"}
    assert frame.UID.str.fullmatch(UUID).all()
    assert frame.UID.is_unique


def test_one_day_is_one_date():
    columns = arts_columns([_year(2021, {"RTS1": (-135.0, "new", [])}, last_month=7)], 2021, CONTRIBUTION)
    assert columns["BaseMapDate"] == ["2021-07-01"]


def test_repeats_keep_the_uid_of_the_first_year():
    years = [_year(year, {"RTS1": (-135.0 + 1e-4 * year, "stable", [])}) for year in (2021, 2019, 2020)]
    uids = {year: arts_columns(years, year, CONTRIBUTION)["UID"] for year in (2019, 2020, 2021)}
    assert uids[2019] == uids[2020] == uids[2021]
    alone = arts_columns(years[:1], 2021, CONTRIBUTION)["UID"]
    assert alone != uids[2021]


def test_relations_name_uids_under_what_happened():
    before = _year(2020, {"A": (-135.0, "new", []), "B": (-135.1, "new", []), "C": (-135.2, "new", [])})
    now = _year(2021, {"A": (-135.0, "merged", ["B", "C"]), "D": (-135.3, "split", ["A"]), "E": (-135.4, "unknown", ["B"])})
    earlier, found = arts_columns([before, now], 2020, CONTRIBUTION), arts_columns([before, now], 2021, CONTRIBUTION)
    uid = dict(zip("ABC", earlier["UID"], strict=True))
    assert found["MergedRTS"] == [f"{uid['B']},{uid['C']}", "", ""]
    assert found["SplitRTS"] == ["", uid["A"], ""]
    assert found["UnknownRelationship"] == ["", "", uid["B"]]
    assert found["NewRTS"] == found["StabilizedRTS"] == ["", "", ""]


def test_a_slump_without_a_date_is_refused():
    with pytest.raises(SchemaError, match=r"RTS1 of 2021 has no date"):
        arts_columns([_year(2021, {"RTS1": (-135.0, "new", [])}, dated=False)], 2021, CONTRIBUTION)


def test_centroids_lie_inside_and_areas_are_geodesic():
    year = _year(2021, {"RTS1": (-135.0, "new", [])})
    latitude, longitude = centroids(year.outlines)
    assert (latitude[0], longitude[0]) == pytest.approx((67.5005, -134.9985), abs=2e-5)
    assert arts_columns([year], 2021, CONTRIBUTION)["Area"] == area_perimeter(year.outlines)[0].tolist()


@pytest.mark.parametrize("suffix", ["gpkg", "parquet"])
def test_files_give_back_what_was_written(tmp_path, suffix):
    year = _year(2021, {"RTS1": (-135.0, "new", []), "RTS2": (-135.1, "merged", ["RTS1"])})
    frame = gpd.GeoDataFrame(arts_columns([year], 2021, CONTRIBUTION), geometry=year.outlines, crs=4326)
    path = tmp_path / f"arts.{suffix}"
    if suffix == "gpkg":
        frame.to_file(path, driver="GPKG")
        again = gpd.read_file(path)
    else:
        frame.to_parquet(path)
        again = gpd.read_parquet(path)
    for column in frame.columns.drop("geometry"):
        pd.testing.assert_series_equal(again[column], frame[column], check_dtype=column not in ("npixel", "year", "std"), check_exact=True)
    assert [shape.wkb for shape in again.geometry.normalize()] == [shape.wkb for shape in frame.geometry.normalize()]
