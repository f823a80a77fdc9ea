import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from models.scores.features import ScoredFeatures, match, score


def square(x, y, size=10.0):
    return shapely.box(86 + x / 1000, 28 + y / 1000, 86 + (x + size) / 1000, 28 + (y + size) / 1000)


def held(*outlines):
    array = np.empty(len(outlines), dtype=object)
    array[:] = outlines
    return array


def test_pairs_are_one_to_one_and_the_rest_is_missed_or_invented():
    truth = held(square(0, 0), square(20, 0), square(40, 0))
    predicted = held(square(100, 0), square(1, 0), square(0, 1), square(20, 0))
    found = match(predicted, truth)
    assert dict(zip(found.predicted.tolist(), found.truth.tolist(), strict=True)) in ({1: 0, 3: 1}, {2: 0, 3: 1})
    assert found.missed.tolist() == [2]
    assert len(found.invented) == 2


def test_a_blurred_shore_matches_by_overlap_but_not_by_iou():
    truth, predicted = held(square(0, 0, 10)), held(square(-4, -4, 18))
    assert len(match(predicted, truth, criterion="iou").truth) == 0
    assert len(match(predicted, truth, criterion="overlap").truth) == 1


def test_scores_by_size_and_truth_class():
    truth = ScoredFeatures(
        held(square(0, 0), square(20, 0), square(40, 0)), np.array([2e4, 3e4, 2e6]), classes=["clear", "frozen", "clear"]
    )
    predicted = ScoredFeatures(
        held(square(0, 0), square(40, 0), square(90, 0)),
        np.array([2.2e4, 1.9e6, 7e3]),
        area_low_m2=np.array([1.9e4, 1.95e6 - 1e5, 6e3]),
        area_high_m2=np.array([2.4e4, 1.95e6, 8e3]),
    )
    scores = {each.group: each for each in score(predicted, truth, match(predicted.outlines, truth.outlines))}
    everything = scores["all"]
    assert everything.recall == everything.precision == pytest.approx(2 / 3)
    assert everything.area_bias_m2 == pytest.approx((2e3 - 1e5) / 2)
    assert everything.area_mae_m2 == pytest.approx((2e3 + 1e5) / 2)
    assert everything.total_area_error == pytest.approx((2.2e4 + 1.9e6 + 7e3 - 2.05e6) / 2.05e6)
    assert everything.interval_coverage == pytest.approx(0.5)
    assert scores["size 1-5ha"].recall == pytest.approx(0.5)
    assert scores["size 0.5-1ha"].precision == 0
    assert math.isnan(scores["size 0.5-1ha"].recall)
    assert scores["class frozen"].recall == 0
    assert scores["class clear"].recall == 1
    assert math.isnan(scores["class clear"].precision)
    assert "size <0.5ha" not in scores


def test_a_prediction_counts_in_the_size_class_of_the_lake_it_found():
    truth = ScoredFeatures(held(square(0, 0)), np.array([4.9e3]))
    predicted = ScoredFeatures(held(square(0, 0)), np.array([5.1e3]))
    scores = {each.group: each for each in score(predicted, truth, match(predicted.outlines, truth.outlines))}
    assert scores["size <0.5ha"].precision == 1
    assert "size 0.5-1ha" not in scores


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), unique=True, max_size=12))
def test_an_inventory_against_itself_is_perfect(cells):
    outlines = held(*(square(20 * x, 20 * y) for x, y in cells))
    areas = np.full(len(cells), 1e6)
    inventory = ScoredFeatures(outlines, areas, areas * 0.9, areas * 1.1)
    (everything, *_) = score(inventory, inventory, match(outlines, outlines))
    if cells:
        assert everything.recall == everything.precision == everything.interval_coverage == 1
        assert everything.area_mae_m2 == everything.total_area_error == 0
    else:
        assert math.isnan(everything.recall)


def test_nothing_predicted_recalls_nothing():
    truth = ScoredFeatures(held(square(0, 0)), np.array([1e6]))
    nothing = ScoredFeatures(held(), np.empty(0))
    (everything, *_) = score(nothing, truth, match(nothing.outlines, truth.outlines))
    assert everything.recall == 0
    assert math.isnan(everything.precision)
    assert everything.total_area_error == -1
