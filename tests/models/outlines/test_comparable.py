"""How two years were seen and mapped, and when that forbids comparing them. What makes a year dip is in test_track.py."""

import numpy as np
import pytest
import shapely

from models.outlines.circumstances import SEASON_DAYS, differences, others_of, steps_of
from models.outlines.timeline import Circumstances, YearFeatures, timeline_of


def year(number, areas, **circumstances):
    outlines = np.array([shapely.box(86 + place / 100, 27, 86.005 + place / 100, 27.005) for place in range(len(areas))], dtype=object)
    area = np.array(areas, float)
    ids, ones = tuple(f"L{place:02d}" for place in range(len(areas))), np.ones(len(areas))
    return YearFeatures(number, ids, outlines, area, 0.9 * area, 1.1 * area, ones, 5 * ones, Circumstances(**circumstances))


def timeline(years):
    return timeline_of(years, (years[0].year, years[-1].year), lambda _, asked: np.ones(len(asked)), min_observed=0.8)


def reasons(years):
    found = others_of(timeline(years), years)
    return {name: [y.year for y, other in zip(years, mask, strict=True) if other] for name, mask in found.items() if mask.any()}


def test_what_differs_between_two_years_is_named_and_what_is_unknown_is_not():
    one = Circumstances(baseline="a", model="m", sensors="S1+S2", provider="p", middle_day=200)
    assert differences(one, one) == ()
    assert differences(one, Circumstances()) == ()
    other = Circumstances(baseline="b", model="n", sensors="S2", provider="q", middle_day=200 + SEASON_DAYS + 1)
    assert differences(one, other) == ("other_baseline", "other_model", "other_provider", "other_season", "other_sensors")


@pytest.mark.parametrize(("name", "reason"), [("baseline", "other_baseline"), ("sensors", "other_sensors"), ("provider", "other_provider")])
def test_what_is_harmonised_is_a_reason_only_where_the_region_moved_as_one_with_it(name, reason):
    rng = np.random.default_rng(2)
    size = rng.uniform(1e4, 1e5, 20)
    scattered = [size * rng.normal(1, 0.05, 20) for _ in range(5)]
    values = ["a", "a", "a", "b", "b"]
    still = [year(2018 + place, areas, **{name: values[place]}) for place, areas in enumerate(scattered)]
    moved = [year(2018 + place, areas * (1.1 if place > 2 else 1.0), **{name: values[place]}) for place, areas in enumerate(scattered)]
    assert reasons(still) == {}
    assert reasons(moved) == {reason: [2021, 2022]}


def test_growth_that_goes_on_every_year_is_no_step():
    years = [year(2018 + step, np.full(20, 1e4 * 1.08**step), baseline="a" if step < 3 else "b") for step in range(6)]
    assert steps_of(timeline(years), {each.year: each.circumstances for each in years}, "baseline") == []


def test_few_lakes_cannot_move_as_one():
    years = [year(2018 + step, np.full(5, 1e4 if step < 3 else 2e4), baseline="a" if step < 3 else "b") for step in range(5)]
    assert reasons(years) == {}


def test_another_model_counts_by_itself_and_of_equally_many_the_latest_is_usual():
    years = [year(2018 + step, [1e4], model="one" if step < 2 else "two") for step in range(4)]
    assert reasons(years) == {"other_model": [2018, 2019]}


def test_a_year_seen_in_another_part_of_the_season_is_named():
    years = [year(2018 + step, [1e4], middle_day=day) for step, day in enumerate((210.0, 220.0, 215.0, 280.0, float("nan")))]
    assert reasons(years) == {"other_season": [2021]}
