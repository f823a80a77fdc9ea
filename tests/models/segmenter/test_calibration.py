"""A temperature is recovered from logits that were heated, and the error of calibration is what was put in."""

import numpy as np
import pytest
from numpy.typing import NDArray

from catalog.facts.errors import ChipsUnusable
from models.segmenter.calibration import ece, fit_temperature

Numbers = NDArray[np.float64]


def drawn(count: int = 100_000, seed: int = 0) -> tuple[Numbers, Numbers]:
    """Logits whose sigmoid is the true chance, and a draw by it."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(-1.5, 2.5, count)
    return logits, (generator.random(count) < 1 / (1 + np.exp(-logits))).astype(np.float64)


@pytest.mark.parametrize("temperature", [0.4, 1.0, 1.7, 5.0])
def test_a_planted_temperature_is_found_within_three_percent(temperature: float) -> None:
    logits, truth = drawn()
    assert fit_temperature((logits * temperature).astype(np.float32), truth) == pytest.approx(temperature, rel=0.03)


def test_soft_labels_give_the_temperature_exactly() -> None:
    logits, _ = drawn(2000)
    assert fit_temperature(logits * 2.5, 1 / (1 + np.exp(-logits))) == pytest.approx(2.5, rel=1e-3)


def test_pixels_without_weight_have_no_say() -> None:
    logits, truth = drawn(20_000)
    spoiled = np.concatenate([truth[:10_000], 1 - truth[10_000:]])
    weights = (np.arange(20_000) < 10_000).astype(np.float64)
    assert fit_temperature(logits, spoiled, weights) == pytest.approx(fit_temperature(logits[:10_000], truth[:10_000]), rel=1e-3)


def test_one_class_alone_leaves_the_logits_as_they_are() -> None:
    assert fit_temperature(np.linspace(-3, 3, 50), np.zeros(50)) == 1.0
    assert fit_temperature(np.linspace(-3, 3, 50), np.ones(50)) == 1.0


def test_huge_logits_do_not_overflow() -> None:
    logits, truth = drawn(5000)
    with np.errstate(over="raise", invalid="raise"):
        assert fit_temperature(logits * 1e4, truth) == pytest.approx(20.0, rel=0.01)


def test_true_chances_have_no_error_and_a_shift_has_its_size() -> None:
    generator = np.random.default_rng(1)
    chance = generator.uniform(0.1, 0.8, 200_000)
    truth = (generator.random(200_000) < chance).astype(np.float64)
    assert ece(chance, truth) < 0.006
    assert ece(chance + 0.15, truth) == pytest.approx(0.15, abs=0.005)


def test_calibrating_lowers_the_error() -> None:
    logits, truth = drawn()
    heated = logits * 3.0
    cooled = heated / fit_temperature(heated, truth)
    assert ece(1 / (1 + np.exp(-cooled)), truth) < 0.2 * ece(1 / (1 + np.exp(-heated)), truth)


def test_bins_hold_equal_mass() -> None:
    # one pixel a bin: the error is the mean gap of single pixels, but for those of one value
    probability = np.concatenate([np.full(900, 0.0), np.linspace(0.5, 1.0, 100)])
    truth = np.concatenate([np.zeros(900), np.zeros(50), np.ones(50)])
    by_hand = abs(probability[900:] - truth[900:]).sum() / 1000
    assert ece(probability, truth, bins=1000) == pytest.approx(by_hand, rel=1e-6)


def test_equal_probabilities_share_a_bin_in_any_order() -> None:
    probability = np.full(1000, 0.3)
    truth = np.concatenate([np.ones(300), np.zeros(700)])
    assert ece(probability, truth) == pytest.approx(0.0, abs=1e-12)


def test_the_error_counts_weights_as_copies() -> None:
    logits, truth = drawn(500)
    probability = 1 / (1 + np.exp(-1.5 * logits))
    weights = np.random.default_rng(2).integers(1, 4, 500)
    copies = np.repeat(np.arange(500), weights)
    assert ece(probability, truth, weights.astype(np.float64)) == pytest.approx(ece(probability[copies], truth[copies]), rel=1e-9)


def test_no_pixel_is_refused() -> None:
    for judge in (fit_temperature, ece):
        with pytest.raises(ChipsUnusable, match="No judged pixel"):
            judge(np.zeros(0), np.zeros(0))
