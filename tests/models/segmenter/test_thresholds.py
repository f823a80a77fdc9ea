"""A local threshold is taken where the values are two groups, and only there."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.segmenter.thresholds import Bounds, local_thresholds, spread_over_pixels

BOUNDS = Bounds(default=-16.0, low=-20.0, high=-10.0, value_low=-30.0, value_high=0.0)
BLOCK, SIDE = 32, 96


def normal(mean: float, deviation: float = 1.0, *, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(mean, deviation, (SIDE, SIDE)).astype(np.float32)


def thresholds(values: NDArray[np.float32], valid: NDArray[np.bool_] | None = None) -> NDArray[np.float32]:
    return local_thresholds(values, np.ones(values.shape, bool) if valid is None else valid, BOUNDS, block_px=BLOCK)


@pytest.mark.parametrize("deviation", [0.5, 1.5, 4.0])
def test_one_broad_group_gets_the_default(deviation: float) -> None:
    assert (thresholds(normal(-14.0, deviation)) == -16.0).all()


def test_two_groups_are_cut_midway() -> None:
    values = normal(-9.0)
    values[:, :40] = normal(-20.0)[:, :40]
    assert thresholds(values)[1, 1] == pytest.approx(-14.5, abs=0.4)


def test_a_thin_tail_is_not_a_group() -> None:
    values = normal(-9.0)
    values[:8, :8] = -22.0
    assert (thresholds(values) == -16.0).all()


def test_a_threshold_is_cut_to_its_bounds() -> None:
    values = normal(-2.0)
    values[:, :40] = normal(-12.0)[:, :40]
    assert thresholds(values)[1, 1] == -10.0


def test_nothing_valid_gets_the_default() -> None:
    assert (thresholds(normal(-9.0), np.zeros((SIDE, SIDE), bool)) == -16.0).all()


def test_values_that_are_not_valid_do_not_count() -> None:
    values, valid = normal(-9.0), np.ones((SIDE, SIDE), bool)
    values[:, :40], valid[:, :40] = -21.0, False
    assert (thresholds(values, valid) == -16.0).all()


def test_blocks_are_interpolated_between_their_centres() -> None:
    blocks = np.array([[0.0, 10.0], [0.0, 10.0]], np.float32)
    pixels = spread_over_pixels(blocks, (20, 20), block_px=10)
    assert pixels[0, 0] == 0.0
    assert pixels[10, 9] == pytest.approx(4.5)
    assert (np.diff(pixels, axis=1) >= 0).all()
