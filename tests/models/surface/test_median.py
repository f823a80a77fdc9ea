"""The sorting networks agree with NumPy's masked median for every number of dates."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from models.surface.median import BLOCK_PX, masked_median, masked_quantile, median_linear


def by_numpy(stack: np.ndarray, use: np.ndarray) -> np.ndarray:
    masked = np.ma.array(stack, mask=(use == 0) | (stack == 0))
    return np.floor(np.ma.median(masked, axis=0)).filled(0).astype(np.uint16)


@given(st.data(), st.integers(1, 24), st.integers(1, 5), st.integers(1, 40))
def test_the_median_is_numpys(data, dates, height, width):
    stack = data.draw(hnp.arrays(np.uint16, (dates, height, width), elements=st.sampled_from([0, 1, 2, 7, 999, 10_000, 65_534, 65_535])))
    use = data.draw(hnp.arrays(np.uint8, (dates, height, width), elements=st.integers(0, 1)))
    np.testing.assert_array_equal(masked_median(stack, use), by_numpy(stack, use))


@pytest.mark.parametrize("dates", range(1, 34))
def test_random_counts_of_any_number_of_dates(dates):
    rng = np.random.default_rng(dates)
    stack = rng.integers(0, 9000, (dates, 3, BLOCK_PX + 37), dtype=np.uint16)
    use = rng.integers(0, 2, stack.shape, dtype=np.uint8)
    np.testing.assert_array_equal(masked_median(stack, use), by_numpy(stack, use))


@pytest.mark.parametrize("factor", [2, 3])
def test_one_flag_serves_several_counts(factor):
    rng = np.random.default_rng(0)
    stack = rng.integers(1, 9000, (7, 40, 1300), dtype=np.uint16)
    use = rng.integers(0, 2, (7, -(-40 // factor), -(-1300 // factor)), dtype=np.uint8)
    spread = use.repeat(factor, axis=1).repeat(factor, axis=2)[:, :40, :1300]
    np.testing.assert_array_equal(masked_median(stack, use, factor=factor), by_numpy(stack, spread))


def test_an_even_count_gives_the_floor_of_the_mean_of_the_middle_two():
    stack = np.array([10, 13, 500, 1], np.uint16).reshape(4, 1, 1)
    assert masked_median(stack, np.ones((4, 1, 1), np.uint8))[0, 0] == 11


def test_no_date_and_no_used_date_give_nodata():
    assert not masked_median(np.zeros((0, 2, 2), np.uint16), np.zeros((0, 2, 2), np.uint8)).any()
    assert not masked_median(np.full((3, 2, 2), 5, np.uint16), np.zeros((3, 2, 2), np.uint8)).any()


@given(st.integers(1, 20), st.sampled_from([0.0, 0.25, 0.5]))
def test_a_quantile_is_a_count_that_was_there(dates, share):
    rng = np.random.default_rng(dates)
    stack = rng.integers(1, 9000, (dates, 2, 30), dtype=np.uint16)
    use = rng.integers(0, 2, stack.shape, dtype=np.uint8)
    out = masked_quantile(stack, use, share)
    for y, x in np.ndindex(2, 30):
        values = np.sort(stack[use[:, y, x] == 1, y, x])
        assert out[y, x] == (values[int((len(values) - 1) * share)] if len(values) else 0)


@given(
    hnp.arrays(np.float32, hnp.array_shapes(min_dims=3, max_dims=3, max_side=9), elements=st.sampled_from([np.nan, 1e-4, 0.02, 0.5, 3.0]))
)
def test_the_median_of_power_is_numpys(stack):
    expected = np.full(stack.shape[1:], np.nan, np.float32)
    known = np.isfinite(stack).any(axis=0)
    expected[known] = np.nanmedian(stack[:, known], axis=0)
    np.testing.assert_allclose(median_linear(stack), expected, rtol=1e-6)


def test_the_order_of_dates_changes_nothing():
    rng = np.random.default_rng(3)
    stack = rng.integers(0, 9000, (9, 8, 70), dtype=np.uint16)
    use = rng.integers(0, 2, stack.shape, dtype=np.uint8)
    np.testing.assert_array_equal(masked_median(stack, use), masked_median(stack[::-1].copy(), use[::-1].copy()))
