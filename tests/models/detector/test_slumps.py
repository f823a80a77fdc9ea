"""Outlines of a set become slumps per chip: dissolved, ignored for a reason, and certain as their labelers are."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from catalog.facts.footprints import squares_lonlat
from models.detector.slumps import SlumpOptions, positive, slumps_of, slumps_of_chips
from models.outlines.geodesy import to_degrees
from tests.slump_chips import ORIGIN, blob

EPSG = 32608
OPTIONS = SlumpOptions()


def labels(*shapes: shapely.Geometry, **columns) -> gpd.GeoDataFrame:
    count = len(shapes)
    facts = {
        "lake_id": [f"S{number}" for number in range(count)], "ground": "earth", "region": "here", "year": 2021, "label_year": 2021,
        "class": "", "hard": False, "hard_because": "", "observable": True,
    }  # fmt: skip
    frame = gpd.GeoDataFrame({"lake_id": facts["lake_id"]}, geometry=to_degrees(np.array(shapes, object), EPSG), crs=4326)
    return frame.assign(**{**facts, **columns})


def found(*shapes: shapely.Geometry, options: SlumpOptions = OPTIONS, **columns):
    return slumps_of(labels(*shapes, **columns), np.array(shapes, object), 2021, options)


def test_digitisations_that_overlap_are_one_slump_and_those_that_touch_are_two():
    twice = found(blob(50, 50, 8), blob(53, 50, 8), blob(100, 50, 8), blob(116, 50, 8.2))
    assert len(twice) == 3
    areas = sorted(float(shapely.area(shape)) for shape in twice.shapes)
    assert areas[-1] == pytest.approx(float(blob(50, 50, 8).union(blob(53, 50, 8)).area))
    assert not twice.ignored.any()
    assert twice.certainty.tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("columns", "ignored"),
    [
        ({"class": "stabilised"}, True),
        ({"class": "frozen"}, False),
        ({"hard": True, "hard_because": "small;recovering"}, True),
        ({"hard": True, "hard_because": "small;shadowed"}, False),
        ({"observable": False}, True),
        ({"label_year": 2020}, False),
        ({"label_year": 2018}, True),
    ],
)
def test_what_is_ignored_has_a_reason(columns, ignored):
    own = found(blob(50, 50, 8), **columns)
    assert own.ignored.tolist() == [ignored]
    assert positive([own]).tolist() == [not ignored]


def test_reasons_can_be_chosen():
    kept = found(blob(50, 50, 8), options=SlumpOptions(ignored_because=()), hard_because="recovering")
    assert kept.ignored.tolist() == [False]
    assert found(blob(50, 50, 8), options=SlumpOptions(most_year_gap=3), label_year=2018).ignored.tolist() == [False]


def test_negatives_are_neither_found_nor_ignored():
    own = found(blob(50, 50, 8), blob(90, 90, 8), **{"class": ["negative", ""]})
    assert len(own) == 1
    assert len(own.lures) == 1
    assert own.lures[0].equals(blob(50, 50, 8))


def test_labelers_make_soft_and_certain_slumps():
    own = found(
        blob(50, 50, 8), blob(51, 50, 8), blob(50, 51, 9), blob(150, 50, 8), blob(150, 150, 8), blob(151, 150, 8),
        labeler=["a", "b", "c", "a", "a", "b"],
    )  # fmt: skip
    assert len(own) == 3
    assert own.certainty.tolist() == pytest.approx([1, 1 / 3, 2 / 3])
    assert own.ignored.tolist() == [False, True, False]
    assert [len(voices) for voices in own.voices] == [3, 1, 2]


def test_one_labeler_is_no_majority_to_ask():
    own = found(blob(50, 50, 8), blob(53, 50, 8), labeler=["a", "a"])
    assert len(own) == 1
    assert own.certainty.tolist() == [1]
    assert len(found(blob(50, 50, 8), labeler=[None])) == 1


def test_every_chip_gets_the_slumps_of_its_own_ground_year_and_place():
    origins = np.array([ORIGIN, (ORIGIN[0], ORIGIN[1] + 112), (ORIGIN[0], ORIGIN[1] + 9000)])
    table = gpd.GeoDataFrame(
        {"ground": "earth", "region": "here", "year": [2021, 2021, 2021], "epsg": EPSG, "origin_y_px": origins[:, 0], "origin_x_px": origins[:, 1]},
        geometry=squares_lonlat(origins, EPSG), crs=4326,
    )  # fmt: skip
    left, both, other_year = blob(30, 30, 8), blob(150, 60, 8), blob(40, 100, 8)
    rows = labels(left, both, other_year, year=[2021, 2021, 2020])
    first, second, far = slumps_of_chips(table, rows, OPTIONS)
    assert [len(own) for own in (first, second, far)] == [2, 1, 0]
    # the way to degrees and back costs less than a millimetre
    assert shapely.hausdorff_distance(first.shapes[0], left) < 1e-3
    assert shapely.hausdorff_distance(second.shapes[0], both) < 1e-3
    assert [len(own) for own in slumps_of_chips(table, rows[:0], OPTIONS)] == [0, 0, 0]
