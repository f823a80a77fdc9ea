import math

import numpy as np
import pytest

from models.scores.intervals import bootstrap, bootstrap_of_sums, ratio_of_sums


def clustered(rng, blocks=40, rows=30, spread=1.0):
    """Rows (hit, 1) whose chance differs from block to block."""
    chance = 1 / (1 + np.exp(-rng.normal(0.5, spread, blocks)))
    hits = rng.random((blocks, rows)) < chance[:, None]
    return np.column_stack([hits.ravel(), np.ones(hits.size)]).astype(float), np.repeat(np.arange(blocks), rows)


def test_the_same_seed_gives_the_same_interval():
    values, blocks = clustered(np.random.default_rng(1))
    first, second = (bootstrap(values, blocks, np.random.default_rng(5), draws=100) for _ in range(2))
    assert first == second
    assert first.low < first.value < first.high
    assert first.value == ratio_of_sums(values)
    assert first.blocks == 40


def test_intervals_over_blocks_are_wider_than_over_rows_that_are_alike():
    values, blocks = clustered(np.random.default_rng(2))
    by_block = bootstrap(values, blocks, np.random.default_rng(0), draws=300)
    by_row = bootstrap(values, np.arange(len(values)), np.random.default_rng(0), draws=300)
    assert by_block.high - by_block.low > 1.5 * (by_row.high - by_row.low)


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(3)
    true_mean = np.mean(1 / (1 + np.exp(-rng.normal(0.5, 1.0, 200_000))))
    inside = 0
    for _ in range(100):
        values, blocks = clustered(rng)
        found = bootstrap(values, blocks, rng, draws=200)
        inside += found.low <= true_mean <= found.high
    assert inside >= 87


def test_one_block_has_a_value_and_no_interval():
    found = bootstrap(np.array([[1.0, 1.0], [0.0, 1.0]]), np.zeros(2, np.int64), np.random.default_rng(0))
    assert found.value == pytest.approx(0.5)
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_sums_per_block_give_the_interval_of_rows():
    rng = np.random.default_rng(5)
    values, blocks = rng.random((400, 2)), rng.integers(0, 25, 400)
    by_rows = bootstrap(values, blocks, np.random.default_rng(1), draws=2000)
    by_sums = bootstrap_of_sums(values, blocks, np.random.default_rng(1), draws=2000)
    assert by_sums.value == pytest.approx(by_rows.value)
    assert by_sums.blocks == by_rows.blocks
    assert by_sums.low == pytest.approx(by_rows.low, abs=0.01)
    assert by_sums.high == pytest.approx(by_rows.high, abs=0.01)


def test_one_block_carries_no_interval():
    found = bootstrap_of_sums(np.ones((5, 2)), np.zeros(5, np.int64), np.random.default_rng(1))
    assert found.value == 1
    assert np.isnan(found.low)
