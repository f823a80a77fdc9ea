"""The gate before a release: what holds passes, every fault is named."""

import numpy as np
import pyarrow as pa
import pytest
import shapely

from catalog.facts.change_schemas import TOTALS
from catalog.facts.schemas import COVERAGE, TRACKS
from models.publication.quality import YearTables, faults_of, listed_total


def features(**changed):
    columns = {
        "lake_id": ["A", "B", "C"],
        "obs_id": ["1", "2", "3"],
        "area_m2": [9000.0, 8000.0, 2000.0],
        "area_low_m2": [8000.0, 7000.0, 1000.0],
        "area_high_m2": [10_000.0, 9000.0, 3000.0],
        "flags": [[], [], ["below_minimum_area"]],
        "utm_epsg": [32643, 32643, 32643],
    }
    return pa.table(columns | changed)


def squares(*corners, side=0.001):
    return np.array([shapely.box(x, 43, x + side, 43 + side) for x in corners], object)


def coverage(**changed):
    row = dict.fromkeys(COVERAGE.names) | {"tile": "32643-0030-0213", "state": "done", "cloud_share": 0.1, "snow_ice_share": 0.0}
    row |= {"observed_share": 0.9, "shadow_share": 0.0, "no_scene_share": 0.0}
    return pa.Table.from_pylist([row | changed], schema=COVERAGE)


def year(table=None, geometry=None, **given):
    held = {"coverage": coverage()} | given
    return YearTables(
        "lakes", 2021, features() if table is None else table, squares(77, 77.001, 77.01) if geometry is None else geometry, **held
    )


def tracks(**areas):
    rows = [dict.fromkeys(TRACKS.names) | {"feature_id": name, "year": 2021, "area_m2": area} for name, area in areas.items()]
    return pa.Table.from_pylist([*rows, dict.fromkeys(TRACKS.names) | {"feature_id": "Z", "year": 2021, "area_m2": 0.0}], schema=TRACKS)


def totals(count, area):
    row = dict.fromkeys(TOTALS.names) | {"region": "toy", "year": 2021, "features": count, "area_m2": area}
    return pa.Table.from_pylist([row, row | {"year": 2020, "features": 99}], schema=TOTALS)


def test_what_holds_passes():
    assert faults_of(year(tracks=tracks(A=9000.0, B=8000.0, C=2000.0), totals=totals(2, 17_000.0))) == ()


def test_features_below_the_minimum_do_not_count():
    assert listed_total(features()) == (2, 17_000.0)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"table": features(lake_id=["A", "A", "C"])}, "lake_id A is given to more than one row"),
        ({"table": features(obs_id=["1", "2", "2"])}, "obs_id 2"),
        ({"table": features(lake_id=["A", None, "C"])}, "lake_id is null in 1 rows"),
        ({"table": features(area_m2=[0.0, 8000.0, 2000.0])}, "the area of A is not positive"),
        ({"table": features(area_m2=[9000.0, 9500.0, 2000.0])}, "the area of B lies outside its interval"),
        ({"table": features(area_m2=[9000.0, float("nan"), 2000.0])}, "the area of B is not positive"),
        ({"table": features(area_low_m2=[8000.0, 7000.0, None])}, "the area of C lies outside its interval"),
        ({"geometry": squares(77, 77.0005, 77.01)}, "A and B overlap by"),
        (
            {"geometry": np.array([*squares(77, 77.002), shapely.Polygon([(78, 43), (79, 44), (79, 43), (78, 44)])], object)},
            "C is not a valid",
        ),
        ({"geometry": np.array([*squares(77, 77.002), shapely.Polygon()], object)}, "the outline of C is not a valid polygon"),
        ({"coverage": coverage(cloud_share=0.3)}, "shares of tile 32643-0030-0213 add up to 1.200"),
        ({"tracks": tracks(A=9000.0, B=8000.0)}, "tracks and inventory disagree on C"),
        ({"tracks": tracks(A=9000.0, B=8001.0, C=2000.0)}, "tracks and inventory disagree on B"),
        ({"tracks": tracks(A=9000.0, B=8000.0, C=2000.0, D=1.0)}, "tracks and inventory disagree on D"),
        ({"totals": totals(3, 19_000.0)}, "totals say 3 features"),
        ({"totals": totals(2, 17_001.0)}, "the inventory lists 2 of 17000 m2"),
    ],
)
def test_every_fault_is_named(given, words):
    found = faults_of(year(**given))
    assert len(found) == 1
    assert words in found[0]
    assert found[0].startswith("2021: ")


def test_at_a_seam_outlines_of_two_zones_may_meet_a_little():
    nearly = squares(77, 77.00095, 77.01)
    assert faults_of(year(features(utm_epsg=[32643, 32644, 32643]), nearly)) == ()
    assert "overlap" in faults_of(year(features(), nearly))[0]
    assert "overlap" in faults_of(year(features(utm_epsg=[32643, 32644, 32643]), squares(77, 77.0008, 77.01)))[0]


def test_a_tile_that_nobody_looked_at_needs_no_shares():
    assert faults_of(year(coverage=coverage(state="skipped", observed_share=0.0, cloud_share=None))) == ()


def test_an_empty_year_may_be_published():
    nothing = features().slice(0, 0)
    assert faults_of(year(nothing, squares(), tracks=tracks(), totals=totals(0, 0.0))) == ()
