"""Two inventories beside each other: every feature once, by what it shares with which."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from catalog.facts.change_schemas import MATCHES
from catalog.facts.matching import RELATIONS
from models.outlines.clip import hull_of, on_ground
from models.outlines.geodesy import area_perimeter
from models.outlines.matches import counts_of, differences_of, match_inventories, repeated_in
from models.outlines.nearest import nearest_m

LON, LAT = 86.9, 27.9


def box(x, width=10.0, y=0.0):
    return shapely.box(LON + x / 1000, LAT + y / 1000, LON + (x + width) / 1000, LAT + (y + 10) / 1000)


def named(lakes):
    outlines = np.empty(len(lakes), dtype=object)
    outlines[:] = list(lakes.values())
    return list(lakes), outlines


def matched(ours, theirs, min_overlap=0.1):
    table = match_inventories(named(ours), named(theirs), min_overlap)
    assert table.schema.equals(MATCHES)
    return table


def told(table):
    return {(row["feature_id"], row["other_id"]): row["relation"] for row in table.to_pylist()}


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ({"A": box(0)}, {"x": box(1)}, {("A", "x"): "same"}),
        ({"A": box(0), "B": box(12)}, {"x": box(0, 22)}, {("A", "x"): "split", ("B", "x"): "split"}),
        ({"A": box(0, 22)}, {"x": box(0), "y": box(12)}, {("A", "x"): "merged", ("A", "y"): "merged"}),
        (
            {"A": box(0), "B": box(12)},
            {"x": box(0, 15), "y": box(18, 4)},
            {("A", "x"): "tangled", ("B", "x"): "tangled", ("B", "y"): "tangled"},
        ),
        ({"A": box(0)}, {"x": box(50)}, {("A", None): "only_ours", (None, "x"): "only_theirs"}),
        ({"A": box(0)}, {"x": box(9.5)}, {("A", None): "only_ours", (None, "x"): "only_theirs"}),
        ({"A": box(0)}, {}, {("A", None): "only_ours"}),
        ({}, {}, {}),
    ],
)
def test_features_are_related_by_what_they_share(ours, theirs, expected):
    assert told(matched(ours, theirs)) == expected


def test_areas_are_geodesic_and_a_lake_drawn_in_pieces_has_lost_nothing():
    ours, theirs = {"A": box(0), "B": box(10)}, {"x": box(0, 20)}
    rows = matched(ours, theirs).to_pylist()
    whole, half = area_perimeter(np.array([box(0, 20), box(0)]))[0]
    for row in rows:
        assert row["other_area_m2"] == pytest.approx(whole, rel=1e-8)
        assert row["area_m2"] == row["shared_m2"] == pytest.approx(half, rel=1e-6)
        assert row["iou"] == pytest.approx(0.5, rel=1e-6)
        assert row["area_difference_percent"] == pytest.approx(0.0, abs=1e-4)
        assert row["distance_m"] is None


def test_a_feature_without_a_partner_says_how_far_the_nearest_is():
    (row,) = [
        row for row in matched({"A": box(0)}, {"x": box(500), "y": box(20), "z": box(0, y=30)}).to_pylist() if row["feature_id"] == "A"
    ]
    east = Geod(ellps="WGS84").inv(LON + 0.010, LAT + 0.005, LON + 0.020, LAT + 0.005)[2]
    assert row["relation"] == "only_ours"
    assert row["distance_m"] == pytest.approx(east, rel=1e-4)
    assert row["shared_m2"] is None


@pytest.mark.parametrize(
    ("shape", "other", "north", "ends"),
    [
        (shapely.Point(0, 70), shapely.Point(0.02, 70), 0.015, (0, 70, 0.02, 70)),
        (shapely.box(179.9, 70, 179.95, 70.01), shapely.box(-179.98, 70, -179.9, 70.01), 0.05, (179.95, 70.005, -179.98, 70.005)),
    ],
)
def test_distances_are_measured_on_the_ground(shape, other, north, ends):
    # nearer in degrees, farther on the ground
    decoy = shapely.transform(shape, lambda corners: corners + np.array([0, north]))
    (found,) = nearest_m(np.array([shape]), np.array([other, decoy, shapely.Polygon()]))
    assert found == pytest.approx(Geod(ellps="WGS84").inv(*ends)[2], rel=1e-3)


def test_without_others_there_is_no_distance():
    assert np.isnan(nearest_m(np.array([box(0)]), np.empty(0, dtype=object))).all()


lakes = st.dictionaries(st.sampled_from("ABCDEFGH"), st.tuples(st.integers(0, 80), st.integers(3, 30)), max_size=7)


@settings(max_examples=60, deadline=None)
@given(lakes, lakes, st.sampled_from([0.01, 0.1, 0.5]))
def test_every_feature_is_told_and_the_other_side_tells_the_same(ours, theirs, min_overlap):
    ours, theirs = ({name: box(*place) for name, place in side.items()} for side in (ours, theirs))
    table = matched(ours, theirs, min_overlap)
    rows = table.to_pylist()
    assert {row["feature_id"] for row in rows} - {None} == set(ours)
    assert {row["other_id"] for row in rows} - {None} == set(theirs)
    turned = {"split": "merged", "merged": "split", "only_ours": "only_theirs", "only_theirs": "only_ours"}
    other_way = told(matched(theirs, ours, min_overlap))
    assert {(b, a): turned.get(relation, relation) for (a, b), relation in told(table).items()} == other_way
    counts = counts_of(table, RELATIONS)
    assert sum(count[0] for count in counts.values()) == len(ours)
    for row in rows:
        if row["relation"] == "same":
            assert sum(other["feature_id"] == row["feature_id"] or other["other_id"] == row["other_id"] for other in rows) == 1


@settings(max_examples=30, deadline=None)
@given(lakes, lakes, st.randoms(use_true_random=False))
def test_the_order_of_features_changes_nothing(ours, theirs, random):
    ours, theirs = ({name: box(*place) for name, place in side.items()} for side in (ours, theirs))
    shuffled = [dict(random.sample(list(side.items()), len(side))) for side in (ours, theirs)]
    assert matched(ours, theirs).equals(matched(*shuffled))


def test_the_differences_are_those_of_pairs_that_are_the_same():
    middle, quartiles, iou = differences_of(matched({"A": box(0), "B": box(50, 20), "C": box(100)}, {"x": box(0), "y": box(50, 10)}))
    assert middle == pytest.approx(50.0, abs=1e-3)
    assert quartiles == (pytest.approx(25.0, abs=1e-3), pytest.approx(75.0, abs=1e-3))
    assert iou == pytest.approx(0.75, abs=1e-4)
    assert differences_of(matched({"A": box(0)}, {})) == (None, None, None)


def test_outlines_on_the_rim_of_the_ground_belong_to_it():
    assert on_ground(np.array([box(0), box(9), box(11)]), box(0)).tolist() == [True, True, False]
    assert hull_of(np.array([box(0), box(50)])).equals(shapely.box(LON, LAT, LON + 0.06, LAT + 0.01))


def test_outlines_drawn_on_several_images_are_noticed():
    assert repeated_in(np.array([box(0), box(1), box(20), box(28)])) == 2
    assert repeated_in(np.empty(0, dtype=object)) == 0
