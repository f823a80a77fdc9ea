"""What a region's own scatter says of its errors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.change_truth import alarms, total_coverage
from models.changes.correlation import LEAST_SHARE, joined, year_errors
from models.changes.pairs import pairs_of
from models.changes.settled import Areas
from models.outlines.interval import Z_95

YEARS = np.arange(2016.0, 2024.0)


def region(*, varying=0.3, together=0.0, lakes=60, years=YEARS, seed=0):
    """Areas whose errors are `varying` of what their intervals say, and correlated within a year."""
    rng = np.random.default_rng(seed)
    area = np.exp(rng.uniform(np.log(1.1e4), np.log(4.9e4), (lakes, 1)))
    sigma = 0.1 * area * np.ones(len(years))
    common = np.sqrt(together) * rng.standard_normal(len(years)) + np.sqrt(1 - together) * rng.standard_normal((lakes, len(years)))
    lasting = 0.8 * sigma[:, :1] * rng.standard_normal((lakes, 1))
    return Areas(area + lasting + varying * sigma * common, Z_95 * sigma, Z_95 * sigma)


def everywhere(areas):
    return np.ones(areas.area_m2.shape, bool)


def test_the_share_of_the_errors_that_varies_is_found():
    for varying in (0.2, 0.5, 0.9):
        areas = region(varying=varying, lakes=300)
        assert year_errors(YEARS, areas, everywhere(areas)).varying.mean() == pytest.approx(varying, rel=0.2)


def test_errors_larger_than_claimed_are_not_taken_as_more_and_none_are_not_taken_as_none():
    large, none = region(varying=3.0), region(varying=0.0)
    assert year_errors(YEARS, large, everywhere(large)).varying.max() == 1.0
    assert year_errors(YEARS, none, everywhere(none)).varying.min() == LEAST_SHARE


def test_a_region_of_few_features_or_years_takes_errors_in_full():
    few, short = region(lakes=19), region(years=YEARS[:3])
    assert (year_errors(YEARS, few, everywhere(few)).varying == 1).all()
    assert (year_errors(YEARS[:3], short, everywhere(short)).varying == 1).all()


def test_features_that_leap_make_errors_larger_never_smaller():
    areas = region()
    leaping = areas.area_m2.copy()
    leaping[:12, 4:] *= 1.5
    quiet, wild = (year_errors(YEARS, Areas(each, areas.below_m2, areas.above_m2), everywhere(areas)) for each in (areas.area_m2, leaping))
    assert (wild.varying >= quiet.varying).all()


def test_errors_that_go_together_within_a_year_are_found():
    apart = [year_errors(YEARS, areas, everywhere(areas)).correlation for areas in (region(seed=seed) for seed in range(20))]
    joint = [year_errors(YEARS, areas, everywhere(areas)).correlation for areas in (region(together=0.5, seed=seed) for seed in range(20))]
    assert np.median(apart) < 0.1
    assert 0.3 < np.median(joint) < 1.0


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=20), st.floats(0, 1))
def test_the_error_of_a_sum_lies_between_independent_and_common(errors, correlation):
    values = np.array(errors)
    found = joined(values, correlation)
    assert np.sqrt((values**2).sum()) <= found * (1 + 1e-9) + 1e-9
    assert found <= values.sum() * (1 + 1e-9) + 1e-9


def test_pairs_skip_years_that_say_nothing_and_never_cross_features():
    area = np.array([[1e4, np.nan, 1.1e4, 1.2e4], [2e4, 2e4, np.nan, np.nan]])
    pairs = pairs_of(Areas(area, 0.1 * area, 0.1 * area), np.ones(2))
    assert list(zip(pairs.row, pairs.before, pairs.after, strict=True)) == [(0, 0, 2), (0, 2, 3), (1, 0, 1)]


def test_a_birth_carries_the_whole_error_however_well_areas_repeat():
    area = np.array([[0.0, 1e4]])
    repeated, full = (pairs_of(Areas(area, 0.3 * area, 0.3 * area), np.array([share])) for share in (0.1, 1.0))
    assert (repeated.low_m2[0], repeated.high_m2[0]) == (full.low_m2[0], full.high_m2[0]) == (7e3, 1.3e4)


@pytest.mark.parametrize(("size", "years"), [((5.6, 12.6), 6), ((12.6, 17.8), 4), ((5.6, 12.6), 2)])
def test_lakes_drawn_anew_at_any_part_of_a_pixel_are_called_changed_in_under_5_of_100_pairs(size, years):
    false, _, _ = alarms(size, lakes=120, years=years, changing=0.0, step=0.0, seed=3)
    assert false < 0.05


def test_a_tenth_of_a_lake_of_one_to_five_hectares_is_found_when_six_years_show_how_well_areas_repeat():
    _, power, share = alarms((5.6, 12.6), lakes=200, years=6, changing=0.1, step=0.1, seed=4)
    assert power > 0.8
    assert share < 0.3


@pytest.mark.parametrize("correlation", [0.0, 0.2, 0.5])
def test_intervals_of_a_region_s_change_hold_it_whether_errors_go_together_or_not(correlation):
    held, _ = total_coverage(correlation, regions=120, lakes=60)
    assert held >= 0.91
