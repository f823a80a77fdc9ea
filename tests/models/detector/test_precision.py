"""What calibration ground says of a detector, and how that moves."""

import numpy as np
import pytest

from benchmarks.slump_counts import calibration_of, ground
from catalog.facts.detector_cards import Calibration
from models.detector.precision import evidence_of, learn, moved_probability, shifted_precision, tempering_of


def _evidence(blocks=60, seed=0, density=1.0):
    return evidence_of(calibration_of(ground(np.random.default_rng(seed), blocks, density), blocks), 0.3, 400.0)


def test_probabilities_rise_with_the_score_and_have_the_mean_of_the_truth():
    evidence = _evidence()
    usual = learn(evidence, np.ones(evidence.blocks))
    assert (np.diff(usual.curve) >= 0).all()
    assert usual.probability(evidence.score).mean() == pytest.approx(evidence.true.mean(), abs=0.02)
    assert (usual.curve > 0).all()
    assert (usual.curve < 1).all()


def test_few_detections_make_a_smooth_curve():
    evidence = _evidence(blocks=12)
    assert len(evidence.score) < 200
    curve = learn(evidence, np.ones(evidence.blocks)).curve
    assert len(np.unique(np.round(curve, 6))) > 500


def test_the_share_of_slumps_is_found_again_at_another_density():
    evidence, there = _evidence(blocks=400), ground(np.random.default_rng(1), 400, 0.4)
    usual = learn(evidence, np.ones(evidence.blocks))
    _, moved = shifted_precision(usual.probability(there.score), usual.precision)
    _, unmoved = shifted_precision(usual.probability(there.score), usual.precision, shifted=False)
    truth = there.true.mean()
    assert moved == pytest.approx(truth, rel=0.2)
    assert unmoved > 1.5 * truth


def test_a_share_is_the_fixed_point_of_the_expectation_maximisation():
    probability = np.random.default_rng(2).beta(2, 3, 500)
    moved, here = shifted_precision(probability, 0.3)
    assert moved_probability(probability, 0.3, here) == pytest.approx(moved, abs=1e-6)
    assert moved.mean() == pytest.approx(here, abs=1e-6)


def test_scores_that_tell_nothing_leave_the_prior_where_it_is():
    _, here = shifted_precision(np.full(50, 0.4), 0.4)
    assert here == pytest.approx(0.4)


def test_a_curve_is_less_sure_than_the_ground_it_was_fitted_on():
    factors = [tempering_of(_evidence(seed=seed)).factor for seed in range(8)]
    assert np.mean(factors) < 0.95
    assert all(0 <= factor <= 1 for factor in factors)


def test_detections_of_slumps_below_the_minimum_area_are_false():
    calibration = Calibration(
        "two", (0.9, 0.9), (True, True), (0, 1), (500.0, 500.0), (300.0, 600.0), (0, 1), (300.0, 600.0), (0.9, 0.9), (1.0, 1.0)
    )
    evidence = evidence_of(calibration, 0.3, 400.0)
    assert evidence.true.tolist() == [False, True]
    assert evidence.truth_m2.tolist() == [600.0]


def test_blocks_without_anything_are_ground_too():
    calibration = Calibration("one", (0.9,), (True,), (0,), (500.0,), (500.0,), (0,), (500.0,), (0.9,), (1.0,) * 7)
    assert evidence_of(calibration, 0.3, 400.0).blocks == 7


def test_large_slumps_have_a_recall_of_their_own_only_where_there_are_enough():
    evidence = _evidence(blocks=200)
    usual = learn(evidence, np.ones(evidence.blocks))
    small = evidence.truth_m2 < 1e4
    assert usual.recall[0] == pytest.approx(evidence.found[small].mean())
    assert (evidence.truth_m2 >= 5e4).sum() < 50
    assert usual.recall[2] == pytest.approx(usual.overall_recall)
