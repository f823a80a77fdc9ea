import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from benchmarks.change_truth import trend_coverage
from models.changes.ranks import interval_rank, inversions
from models.changes.trends import intercepts_of, trends_of

TIMES = np.arange(2015.0, 2025.0)


def gappy(rows=200, seed=1):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, len(TIMES)))
    values[rng.random(values.shape) < 0.3] = np.nan
    return values


def test_slope_and_p_value_are_those_of_scipy_over_the_known_years():
    values = gappy()
    found = trends_of(TIMES, values)
    for row, series in enumerate(values):
        known = ~np.isnan(series)
        assert found.years[row] == known.sum()
        if known.sum() >= 4:
            assert found.slope[row] == pytest.approx(stats.theilslopes(series[known], TIMES[known])[0])
            assert found.p_value[row] == pytest.approx(stats.kendalltau(TIMES[known], series[known], method="exact").pvalue)


def test_ties_are_weighed_as_by_the_normal_approximation_with_continuity():
    values = np.array([[1.0, 1, 2, 2, 3, 3, 4, 4, 5, 5]])
    count, pairs_tied = 10, 5
    score = 10 * 9 / 2 - pairs_tied
    variance = (count * (count - 1) * (2 * count + 5) - 5 * 2 * 1 * 9) / 18
    assert trends_of(TIMES, values).p_value[0] == pytest.approx(2 * stats.norm.sf((score - 1) / np.sqrt(variance)))


def test_a_constant_series_has_no_trend():
    found = trends_of(TIMES, np.full((1, 10), 7.0))
    assert (found.slope[0], found.low[0], found.high[0], found.p_value[0]) == (0, 0, 0, 1)
    assert found.direction[0] == "no_trend"


def test_three_years_are_too_short_and_say_nothing():
    values = np.full((2, 10), np.nan)
    values[0, [0, 4, 9]] = (1.0, 2.0, 3.0)
    found = trends_of(TIMES, values)
    assert list(found.direction) == ["too_short", "too_short"]
    assert np.isnan([found.slope, found.low, found.high, found.p_value]).all()
    assert (found.first[0], found.last[0], found.first[1]) == (0, 9, -1)


@settings(max_examples=50)
@given(st.floats(-1e5, 1e5), st.floats(0.1, 1e4), st.integers(0, 1000))
def test_a_line_added_moves_slope_and_interval_by_its_slope_and_units_scale_them(slope, unit, seed):
    values = gappy(20, seed)
    plain, moved = trends_of(TIMES, values), trends_of(TIMES, unit * values + slope * (TIMES - 2015))
    for name in ("slope", "low", "high"):
        np.testing.assert_allclose(getattr(moved, name), unit * getattr(plain, name) + slope, rtol=1e-6, atol=1e-6 * (unit + abs(slope)))


def test_each_series_is_judged_by_itself_however_many_there_are():
    values = gappy(5000)
    whole, part = trends_of(TIMES, values), trends_of(TIMES, values[4990:])
    np.testing.assert_array_equal(whole.low[4990:], part.low)


def test_intervals_hold_the_slope_in_93_to_97_of_100_series_also_with_unequal_errors_and_outliers():
    for years in range(4, 13):
        for outliers in (0.0, 0.05):
            held, false = trend_coverage(years, outliers=outliers, series=8_000, seed=years)
            assert 0.935 <= held <= 0.97, (years, outliers)
            assert false <= 0.065, (years, outliers)


def test_the_interval_starts_where_sen_s_would_for_many_years():
    for years in (20, 40):
        pairs, spread = years * (years - 1) / 2, 1.959964 * np.sqrt(years * (years - 1) * (2 * years + 5) / 18)
        assert interval_rank(years) + 1 == pytest.approx((pairs - spread) / 2, abs=1.0)
    assert interval_rank(4) == -np.inf


def test_inversions_are_a_distribution_and_symmetric():
    for count in (1, 2, 5, 30):
        chances = inversions(count)
        assert chances.sum() == pytest.approx(1.0)
        np.testing.assert_allclose(chances, chances[::-1])


def test_the_line_goes_through_the_middle():
    values = 3.0 + 2.0 * (TIMES - 2015)[None, :]
    assert intercepts_of(TIMES, values, np.array([2.0]))[0] == pytest.approx(3.0 - 2 * 2015)
