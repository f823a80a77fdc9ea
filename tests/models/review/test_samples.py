"""Samples hold every stratum, and their intervals hold the truth as often as they say."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.facts.errors import WrongCall
from models.review.accuracy import CellAnswer, FeatureAnswer, Population, figures_of
from models.review.sampling import CELL_STRATA, allocate, area_weights, cell_strata, draw, feature_strata


@given(st.lists(st.integers(0, 60), min_size=1, max_size=8), st.integers(1, 150), st.randoms())
def test_an_allocation_adds_up_and_never_asks_for_more_than_there_is(sizes, total, random):
    sizes, total = np.array(sizes), max(total, len(sizes))
    counts = allocate(sizes, sizes * np.array([random.uniform(0.1, 5) for _ in sizes]), total)
    assert counts.sum() == min(total, sizes.sum())
    assert (counts <= sizes).all()
    assert (counts >= np.minimum(sizes, min(5, total // len(sizes)))).all()


def test_every_stratum_is_drawn_from_and_the_seed_decides():
    area = np.array([6e3] * 50 + [2e4] * 30 + [3e5] * 4)
    strata = feature_strata(area, [["few_looks"] if place % 3 == 0 else ["below_minimum_area"] for place in range(84)])
    one, again, other = (draw(strata, area_weights(area), 40, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert set(strata) == {strata[row] for row in one.rows}
    assert one.rows.tolist() == again.rows.tolist() != other.rows.tolist()
    assert len(set(one.rows.tolist())) == 40
    assert (
        Counter(strata[row] for row in one.rows)["0.5-1ha, flagged"] == one.sampled[[strata[r] for r in one.rows].index("0.5-1ha, flagged")]
    )


def test_a_sample_smaller_than_its_strata_is_refused_with_what_to_ask_for():
    with pytest.raises(WrongCall, match="at least 6"):
        draw(["a", "b", "c"], np.ones(3), 2, np.random.default_rng(1))


def world(rng, count=1200, cells=700):
    """A population with its truth: larger errors of flagged and small features, misses where the model was in doubt."""
    area = np.maximum(np.exp(rng.normal(9.8, 1.1, count)), 5000)
    flagged = rng.random(count) < 0.25
    wrong = rng.random(count) < np.where(flagged, 0.15, 0.03) * np.where(area < 2e4, 1.5, 0.5)
    true = np.where(wrong, 0, area * np.exp(rng.normal(0.01, 0.12, count)))
    near, doubt = rng.random(cells) < 0.4, np.where(rng.random(cells) < 0.15, 0.01, 0.0)
    missed = rng.poisson(np.where(near, 0.12, np.where(doubt > 0, 0.24, 0.02)))
    missed_m2 = np.array([np.maximum(np.exp(rng.normal(9.2, 0.7, each)), 5000).sum() for each in missed])
    flags = [["few_looks"] if flag else [] for flag in flagged]
    return area, feature_strata(area, flags), wrong, true, cell_strata(near, doubt), missed, missed_m2


def answered(rng, size, cells):
    area, strata, wrong, true, ground, missed, missed_m2 = world(rng)
    shared = np.minimum(area, true) * 0.97
    drawn = draw(strata, area_weights(area), size, rng)
    looked = draw(ground, np.array([CELL_STRATA[name] for name in ground]), cells, rng)
    population = Population(Counter(strata), Counter(ground), float(area.sum()), float(np.median(area)))
    features = [FeatureAnswer(strata[r], "wrong" if wrong[r] else "correct", area[r], true[r], shared[r]) for r in drawn.rows]
    answers = [CellAnswer(ground[r], int(missed[r]), float(missed_m2[r])) for r in looked.rows]
    real, count = float((~wrong).sum()), len(area)
    total, sharing, lacking = true.sum() + missed_m2.sum(), shared.sum(), float(missed.sum())
    truth = {
        "users_accuracy_count": real / count,
        "users_accuracy_area": sharing / area.sum(),
        "producers_accuracy_count": real / (real + lacking),
        "producers_accuracy_area": sharing / total,
        "f1_count": 2 * real / (count + real + lacking),
        "f1_area": 2 * sharing / (area.sum() + total),
        "true_count": real + lacking,
        "true_area_m2": total,
        "missed_count": lacking,
        "missed_area_m2": missed_m2.sum(),
    }
    return figures_of(population, features, answers)[0], truth


def coverage(repeats, size, cells, seed=0):
    rng = np.random.default_rng(seed)
    held = Counter()
    for _ in range(repeats):
        figures, truth = answered(rng, size, cells)
        held.update(name for name, value in truth.items() if figures[name].low <= value <= figures[name].high)
    return {name: held[name] / repeats for name in truth}


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    for name, share in coverage(150, 200, 100).items():
        assert 0.89 <= share <= 1.0, name


@pytest.mark.slow
def test_intervals_hold_the_truth_in_92_to_98_of_100_samples():
    for name, share in coverage(1000, 200, 100, seed=1).items():
        assert 0.92 <= share <= 0.985, name


def test_checking_all_there_is_leaves_no_interval():
    area = [6e3, 8e3, 2e4]
    features = [
        FeatureAnswer("x", verdict, a, a if verdict != "wrong" else 0.0, a if verdict != "wrong" else 0.0)
        for verdict, a in zip(("correct", "wrong", "merged"), area, strict=True)
    ]
    figures, notes = figures_of(
        Population({"x": 3}, {"c": 2}, sum(area), 8e3), features, [CellAnswer("c", 1, 5e3), CellAnswer("c", 0, 0.0)]
    )
    assert figures["users_accuracy_count"].value == figures["users_accuracy_count"].low == pytest.approx(2 / 3)
    assert figures["true_area_m2"].value == pytest.approx(6e3 + 2e4 + 5e3)
    assert figures["producers_accuracy_count"].value == pytest.approx(2 / 3)
    assert notes == ()


def test_a_sample_without_a_fault_still_has_an_interval():
    features = [FeatureAnswer("x", "correct", 1e4, 1e4, 1e4)] * 30
    figures, notes = figures_of(Population({"x": 300}, {"c": 100}, 3e6, 1e4), features, [CellAnswer("c", 0, 0.0)] * 20)
    assert figures["users_accuracy_count"].value == 1
    assert 0.85 < figures["users_accuracy_count"].low < 0.95
    assert figures["producers_accuracy_count"].low < 0.97
    assert figures["true_area_m2"].high > 3.1e6
    assert "no miss in 20 cells" in notes[0]


def test_weights_undo_that_some_strata_are_drawn_more_often():
    features = [FeatureAnswer("a", "wrong", 1e4, 0.0, 0.0)] * 10 + [FeatureAnswer("b", "correct", 1e4, 1e4, 1e4)] * 10
    figures, _ = figures_of(Population({"a": 10, "b": 90}, {}, 1e6, 1e4), features, [])
    assert figures["users_accuracy_count"].value == pytest.approx(0.9)
    assert figures["true_area_of_listed_m2"].value == pytest.approx(9e5)


def test_a_stratum_with_one_answer_joins_its_neighbour_and_the_reader_is_told():
    features = [FeatureAnswer("0.5-1ha, clean", "correct", 7e3, 7e3, 7e3)] + [FeatureAnswer("1-5ha, clean", "correct", 2e4, 2e4, 2e4)] * 5
    figures, notes = figures_of(Population({"0.5-1ha, clean": 20, "1-5ha, clean": 30}, {}, 1e6, 1e4), features, [])
    assert figures["users_accuracy_count"].value == 1
    assert "0.5-1ha, clean has too few answers" in notes[0]


def test_nothing_answered_is_refused():
    with pytest.raises(WrongCall, match="verdict"):
        figures_of(Population({"a": 10}, {}, 1e6, 1e4), [], [])
