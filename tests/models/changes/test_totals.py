"""Sums of a region: what hides, what counts twice, and which years are worth their trend."""

from dataclasses import replace

import numpy as np
import pytest


def test_only_what_both_years_settled_is_recounted_and_the_lists_add_up(lakes):
    both = {0: 10, 1: 10}
    tables = lakes.tables(lakes.year(2018, {**both, 2: 7}), lakes.year(2019, {0: 11, 1: 10, 2: (5, 0.3), 3: 4}))
    (row,) = tables.total_changes.to_pylist()
    assert (row["features"], row["area_from_m2"], row["area_to_m2"]) == (3, 20e5, 25e5)
    assert (row["only_from_m2"], row["only_to_m2"]) == (7e5, 5e5)
    assert row["listed_change_m2"] == pytest.approx(30e5 - 27e5)


def test_what_a_year_hides_is_counted_and_takes_nothing_from_the_total(lakes):
    years = [lakes.year(2018, {0: 10, 1: 10, 2: 10}), lakes.year(2019, {0: 10, 1: (4, 0.3)}), lakes.year(2020, {0: 10, 1: 10, 2: 10})]
    total = lakes.tables(*years, hidden=(2019,)).totals.to_pylist()[1]
    assert (total["features"], total["features_partly_observed"], total["features_unobserved"]) == (2, 1, 1)
    assert total["area_m2"] == 14e5
    assert total["observed_share"] == pytest.approx((10 * 1 + 7 * 0 + 10 * 0.3) / 30, abs=0.05)


def test_a_small_lake_is_tracked_and_not_in_the_total(lakes):
    years = [replace(lakes.year(2018 + step, {0: 10, 1: 1}), listed=np.array([True, False])) for step in range(2)]
    tables = lakes.tables(*years)
    assert [(row["features"], row["area_m2"]) for row in tables.totals.to_pylist()] == [(1, 10e5), (1, 10e5)]
    assert {row["feature_id"] for row in tables.changes.to_pylist()} == {"L000", "L001"}


def test_one_cloudy_year_is_left_out_of_the_trend_of_a_region_rather_than_its_lakes(lakes):
    everywhere = dict.fromkeys(range(8), 10)
    years = [lakes.year(2014 + step, everywhere if step != 3 else {0: 10}) for step in range(7)]
    (trend,) = lakes.tables(*years, hidden=(2017,)).region_trends.to_pylist()
    assert (trend["features"], trend["years_observed"]) == (8, 6)


def test_the_total_of_a_region_loses_a_lake_that_vanishes(lakes):
    years = [lakes.year(2014 + step, {0: 10, 1: 10} if step < 4 else {0: 10}) for step in range(8)]
    tables = lakes.tables(*years)
    (row,) = [row for row in tables.total_changes.to_pylist() if (row["year_from"], row["year_to"]) == (2014, 2021)]
    assert (row["change_m2"], row["significant"]) == (-10e5, True)
    assert tables.region_trends.to_pylist()[0]["area_last_m2"] == 10e5
