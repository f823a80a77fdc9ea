"""Several labelers: who means the same slump, where they agree, and how far apart the experts of the Peel Plateau are."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from models.detector.labelers import agreed, intersection_over_union, majority_outline, mutual_iou, shared_by


def square(x: float, y: float, side: float) -> shapely.Geometry:
    return shapely.box(x, y, x + side, y + side)


def shapes(*found: shapely.Geometry) -> np.ndarray:
    return np.array(found, object)


def test_outlines_of_one_slump_are_one_with_the_outline_of_the_majority():
    (slump,) = agreed(shapes(square(0, 0, 100), square(0, 0, 100), square(0, 0, 80)), ["a", "b", "c"])
    assert slump.outline.equals(square(0, 0, 100))
    assert slump.members == (0, 1, 2)
    assert slump.certainty == 1
    assert slump.area_sd_m2 == pytest.approx(np.std([10_000, 10_000, 6_400]))
    assert slump.pairwise_iou == pytest.approx((1 + 0.64 + 0.64) / 3)


def test_a_slump_that_one_of_four_drew_is_less_certain():
    found = agreed(shapes(square(0, 0, 100), square(5, 0, 100), square(500, 0, 50)), ["a", "b", "c"], voices=4)
    assert [slump.certainty for slump in found] == [0.5, 0.25]
    assert found[1].outline.equals(square(500, 0, 50))


def test_neighbours_stay_two_slumps_though_one_labeler_drew_them_as_one():
    # b takes both together; its outline goes with the larger, and a labeler has one voice per slump
    left, right = shapely.box(0, 0, 60, 100), shapely.box(62, 0, 100, 100)
    found = agreed(shapes(left, right, shapely.box(0, 0, 100, 100), left, right), ["a", "a", "b", "c", "c"])
    assert [slump.members for slump in found] == [(0, 2, 3), (1, 4)]
    assert intersection_over_union(found[0].outline, left) > 0.99
    assert intersection_over_union(found[1].outline, right) > 0.99


def test_touching_is_not_meaning_the_same():
    assert len(agreed(shapes(square(0, 0, 100), square(90, 0, 100)), ["a", "b"])) == 2
    assert len(agreed(shapes(square(0, 0, 100), square(20, 20, 20)), ["a", "b"])) == 1


def test_shared_ground_is_exact():
    three = shapes(shapely.box(0, 0, 10, 10), shapely.box(5, 0, 15, 10), shapely.box(8, 0, 20, 10))
    assert [shared_by(three, least).area for least in (1, 2, 3)] == [200, 100, 20]
    assert shared_by(three, 4).is_empty
    assert majority_outline(three, ["a", "b", "c"]).area == 100
    assert majority_outline(three, ["a", "b", "c"], voices=6).area == 20


def test_mutual_iou_is_over_all_that_each_drew():
    assert mutual_iou(shapes(square(0, 0, 10), square(50, 0, 10), square(0, 0, 10)), ["a", "a", "b"]).tolist() == [0.5]
    assert intersection_over_union(shapely.Polygon(), shapely.Polygon()) == 0


@settings(max_examples=20)
@given(st.permutations(range(6)))
def test_the_order_of_outlines_does_not_matter(order):
    everyone = shapes(square(0, 0, 90), square(8, 3, 90), square(60, 0, 50), square(62, 2, 51), square(300, 0, 20), square(-20, 7, 85))
    who = ["a", "b", "a", "c", "b", "c"]
    plain = {frozenset(slump.members) for slump in agreed(everyone, who)}
    moved = agreed(everyone[list(order)], [who[place] for place in order])
    assert {frozenset(order[member] for member in slump.members) for slump in moved} == plain


def test_the_experts_of_the_peel_plateau(shared_data):
    path = shared_data / "rts" / "expert_labels_peel" / "peel_digitized_all_labelers.gpkg"
    if not path.is_file():
        pytest.skip("the outlines of the Peel Plateau are not here")
    table = gpd.read_file(path)
    drawn, who = shapely.make_valid(table.geometry.to_numpy()), table["labeler"].tolist()
    pairs = mutual_iou(drawn, who)
    assert len(pairs) == 66
    assert np.quantile(pairs, (0.25, 0.5, 0.75)) == pytest.approx((0.534, 0.603, 0.654), abs=0.001)
    majority = majority_outline(drawn, who)
    each = [intersection_over_union(shapely.union_all(drawn[np.array(who) == name]), majority) for name in sorted(set(who))]
    assert np.quantile(each, (0.25, 0.5, 0.75)) == pytest.approx((0.642, 0.707, 0.789), abs=0.001)
    certain = [slump for slump in agreed(drawn, who) if slump.certainty >= 0.5]
    assert len(certain) == 10
    assert sum(slump.certainty == 1 for slump in certain) == 6
