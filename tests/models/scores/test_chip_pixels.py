import numpy as np
import pytest

from catalog.facts.errors import GridMismatch
from models.scores.chip_pixels import BINS, HALF, THRESHOLDS, best_threshold, calibration_error, chip_iou, concatenate, count_chips


def chips(probability, label, seen=None):
    probability, label = np.atleast_3d(np.asarray(probability, np.float32)), np.atleast_3d(np.asarray(label, np.uint8))
    return count_chips(probability, label, np.ones(label.shape, bool) if seen is None else seen)


def test_counts_follow_masks_at_every_threshold():
    rng = np.random.default_rng(3)
    probability = rng.random((2, 20, 20), np.float32)
    label = rng.choice([0, 100, 125, 250, 255], (2, 20, 20)).astype(np.uint8)
    seen = rng.random((2, 20, 20)) > 0.1
    counts = count_chips(probability, label, seen)
    for step, threshold in enumerate(THRESHOLDS):
        judged = seen & (label != 255)
        predicted, true = probability >= np.float32(threshold), label >= 125
        assert counts.hit[:, step].tolist() == (predicted & true & judged).sum((1, 2)).tolist()
        assert counts.false[:, step].tolist() == (predicted & ~true & judged).sum((1, 2)).tolist()
        assert counts.missed[:, step].tolist() == (~predicted & true & judged).sum((1, 2)).tolist()
    assert counts.judged.tolist() == (seen & (label != 255)).sum((1, 2)).tolist()


def test_a_probability_on_the_threshold_is_predicted():
    counts = chips([[[0.35, 0.5]]], [[[250, 250]]])
    assert counts.hit[0, THRESHOLDS.index(0.35)] == 2
    assert counts.hit[0, HALF] == 1


def test_an_abstention_counts_as_land_but_not_for_calibration():
    counts = chips([[[np.nan, 0.9]]], [[[250, 250]]])
    assert (counts.hit[0, HALF], counts.missed[0, HALF]) == (1, 1)
    assert counts.answered[0] == 1
    assert counts.squared[0] == pytest.approx(0.01, abs=1e-6)


def test_dry_chips_have_no_iou_but_score_one_as_published():
    counts = concatenate([chips([[[0.1, 0.1]]], [[[0, 0]]]), chips([[[0.9, 0.9]]], [[[250, 0]]])])
    assert np.isnan(chip_iou(counts)[0])
    assert chip_iou(counts)[1] == pytest.approx(0.5)
    assert chip_iou(counts, smooth=1.0).tolist() == pytest.approx([1.0, 2 / 3])
    assert counts.wet.tolist() == [False, True]


def test_best_threshold_is_where_iou_peaks():
    assert best_threshold(chips([[[0.66, 0.62, 0.9]]], [[[0, 0, 250]]])) == 0.70


def test_calibration_error_is_zero_for_honest_probabilities_and_large_for_boasting():
    rng = np.random.default_rng(0)
    probability = rng.random((1, 300, 300), np.float32)
    label = np.where(rng.random((1, 300, 300)) < probability, 250, 0)
    honest = calibration_error(chips(probability, label).bins.reshape(1, -1))
    boasting = calibration_error(chips(np.where(probability > 0.5, 0.99, 0.01), label).bins.reshape(1, -1))
    assert honest[0] < 0.01
    assert boasting[0] == pytest.approx(0.24, abs=0.02)
    assert chips(probability, label).bins.shape == (1, BINS, 3)


def test_soft_labels_are_what_a_calibrated_shore_says():
    counts = chips([[[0.4, 0.4]]], [[[100, 100]]])
    assert calibration_error(counts.bins.reshape(1, -1))[0] == pytest.approx(0, abs=1e-6)


def test_shapes_must_agree():
    with pytest.raises(GridMismatch, match="predict the chips"):
        count_chips(np.zeros((1, 4, 4), np.float32), np.zeros((1, 4, 5), np.uint8), np.ones((1, 4, 4), bool))
