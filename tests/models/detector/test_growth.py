"""Growth from areas of several years, and when it is told from noise."""

import numpy as np
import pytest

from models.detector.growth import boundary_sigma_m, growth_of

SIGMA_M = 4.0


def _noisy(rng, years, area, perimeter, growth=0.0):
    return area + growth * (np.array(years) - years[0]) + perimeter * rng.normal(0, SIGMA_M, len(years))


def test_steady_growth_is_measured_exactly():
    years = (2017, 2018, 2020, 2021)
    found = growth_of(years, np.array([5e3, 6e3, 8e3, 9e3]), np.full(4, 300.0), boundary_sigma_m=SIGMA_M)
    assert found.m2_per_year == pytest.approx(1_000)
    assert found.se_m2_per_year == pytest.approx(300 * SIGMA_M / np.sqrt(10))
    assert found.significantly_growing


def test_noise_alone_is_called_growth_in_a_tenth_of_the_slumps_at_most():
    rng = np.random.default_rng(0)
    called = []
    for _ in range(3_000):
        years = tuple(range(2016, 2016 + int(rng.integers(2, 9))))
        perimeter = rng.uniform(150, 900)
        called.append(
            growth_of(years, _noisy(rng, years, 2e4, perimeter), np.full(len(years), perimeter), boundary_sigma_m=SIGMA_M).significant
        )
    assert 0.03 < np.mean(called) <= 0.10


def test_fast_growth_is_found_through_the_noise():
    rng, years = np.random.default_rng(1), (2016, 2017, 2018, 2019, 2020)
    found = [growth_of(years, _noisy(rng, years, 5e3, 300.0, 1_431.0), np.full(5, 300.0), boundary_sigma_m=SIGMA_M) for _ in range(200)]
    assert np.mean([each.significantly_growing for each in found]) > 0.9
    assert np.mean([each.m2_per_year for each in found]) == pytest.approx(1_431, rel=0.05)


def test_one_year_tells_no_growth():
    found = growth_of((2020,), np.array([5e3]), np.array([300.0]))
    assert np.isnan(found.m2_per_year)
    assert not found.significant


def test_areas_that_scatter_more_than_their_errors_widen_the_error():
    years = (2016, 2017, 2018, 2019)
    calm, wild = (growth_of(years, np.array(areas), np.full(4, 100.0)) for areas in ([5e3, 5e3, 5e3, 5e3], [5e3, 9e3, 5e3, 9e3]))
    assert wild.se_m2_per_year > 2 * calm.se_m2_per_year


def test_shrinking_is_significant_but_not_growing():
    found = growth_of((2016, 2020), np.array([9e3, 2e3]), np.array([400.0, 200.0]))
    assert found.significant
    assert not found.significantly_growing


def test_the_noise_of_outlines_is_measured_beside_their_growth():
    rng, years = np.random.default_rng(2), tuple(range(2013, 2021))
    tracks = [(years, _noisy(rng, years, 9e3, 350.0, rng.uniform(0, 2e3)), np.full(8, 350.0)) for _ in range(150)]
    leaping = [(years, np.where(np.arange(8) < 4, 5e3, 9e4), np.full(8, 300.0)) for _ in range(8)]
    assert boundary_sigma_m([*tracks, *leaping]) == pytest.approx(SIGMA_M, rel=0.15)
    assert np.isnan(boundary_sigma_m([((2019, 2020), np.array([1.0, 2.0]), np.array([1.0, 1.0]))]))
