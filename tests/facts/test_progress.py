"""Estimates learn from what is behind a run, and need no clock."""

import pytest

from catalog.facts.progress import Course, on_course
from catalog.facts.run_events import RegionYearBegan, RegionYearEnded, RunPlanned, StageBegan, StageEnded, UnitEnded


def unit(done: int, total: int, *, year: int = 2021, stage: str = "surface", worked: bool = True, read: int = 0) -> UnitEnded:
    return UnitEnded("khumbu", year, stage, f"t{done}", "done", "", "", worked, 1.0, read, done, total)


def begun(year: int = 2021, total: int = 10, stage: str = "surface") -> Course:
    course = on_course(Course(), RegionYearBegan("khumbu", year, 2240), 0.0)
    return on_course(course, StageBegan("khumbu", year, stage, total), 0.0)


def pace_of(course: Course, year: int = 2021, stage: str = "surface"):
    return course.paces["khumbu", year, stage]


def mapped(course: Course, year: int, start_s: float, seconds: float) -> Course:
    """A region-year that spends 80 % of its time on surfaces and the rest on segments."""
    course = on_course(course, RegionYearBegan("khumbu", year, 2240), start_s)
    for stage, begin, end in (("surface", 0.0, 0.8), ("segment", 0.8, 1.0)):
        course = on_course(course, StageBegan("khumbu", year, stage, 1), start_s + begin * seconds)
        course = on_course(course, unit(1, 1, year=year, stage=stage), start_s + end * seconds)
        course = on_course(course, StageEnded("khumbu", year, stage, True), start_s + end * seconds)
    return on_course(course, RegionYearEnded("khumbu", year, "complete"), start_s + seconds)


def test_a_steady_stage_tells_its_rates_and_its_end():
    course = begun()
    for done in (1, 2, 3, 4):
        course = on_course(course, unit(done, 10, read=30_000_000), 6.0 * done)
    pace = pace_of(course)
    assert pace.units_per_s == pytest.approx(1 / 6)
    assert pace.left_s == pytest.approx(36.0)
    assert pace.pixels_per_s == pytest.approx(2240**2 / 6)
    assert pace.bytes_per_s() == pytest.approx(5e6)


def test_units_that_were_current_do_not_make_the_stage_look_fast():
    course = begun(total=10)
    for done in range(1, 6):
        course = on_course(course, unit(done, 10, worked=False), 0.01 * done)
    course = on_course(course, unit(6, 10), 10.05)
    assert pace_of(course).left_s == pytest.approx(40.0)


def test_before_the_first_unit_of_work_nothing_is_claimed():
    assert pace_of(begun()).units_per_s is None
    assert pace_of(begun()).left_s is None
    assert Course().left_s(0.0) is None


def test_a_stage_that_slows_down_is_followed():
    course = begun(total=200)
    for done in range(1, 101):
        course = on_course(course, unit(done, 200), 1.0 * done)
    for done in range(101, 151):
        course = on_course(course, unit(done, 200), 100 + 10.0 * (done - 100))
    assert pace_of(course).left_s == pytest.approx(500.0)


def test_the_whole_run_is_estimated_from_the_region_years_behind_it():
    course = mapped(on_course(Course(), RunPlanned(4), 0.0), 2021, 0.0, 100.0)
    course = on_course(course, RegionYearBegan("khumbu", 2022, 2240), 100.0)
    assert course.left_s(100.0) == pytest.approx(300.0)
    course = on_course(course, StageBegan("khumbu", 2022, "surface", 4), 100.0)
    course = on_course(course, unit(2, 4, year=2022), 140.0)
    # half of the surfaces, which took 80 of 100 s: 60 of this year left, and two years
    assert course.left_s(140.0) == pytest.approx(260.0)


def test_years_that_were_current_do_not_rule_the_estimate_for_long():
    course = on_course(Course(), RunPlanned(8), 0.0)
    course = mapped(course, 2018, 0.0, 1.0)
    start = 1.0
    for year in (2019, 2020, 2021):
        course, start = mapped(course, year, start, 100.0), start + 100.0
    assert course.left_s(start) == pytest.approx(4 * 100.0, rel=0.15)


def test_two_regions_side_by_side_halve_what_is_left():
    course = mapped(on_course(Course(), RunPlanned(5), 0.0), 2021, 0.0, 100.0)
    for region in ("khumbu", "taimyr"):
        course = on_course(course, RegionYearBegan(region, 2022, 2240), 100.0)
    assert course.left_s(100.0) == pytest.approx(200.0)


def test_the_first_region_year_is_judged_by_the_shares_of_its_stages():
    course = on_course(begun(total=2), RunPlanned(1), 0.0)
    course = on_course(course, unit(1, 2), 30.0)
    # half of the stage that takes three fifths of a region-year
    assert course.left_s(30.0) == pytest.approx(70.0)


def test_a_year_that_was_stopped_teaches_nothing():
    course = mapped(on_course(Course(), RunPlanned(3), 0.0), 2021, 0.0, 100.0)
    course = on_course(course, RegionYearBegan("khumbu", 2022, 2240), 100.0)
    course = on_course(course, RegionYearEnded("khumbu", 2022, "stopped"), 101.0)
    assert course.left_s(101.0) == pytest.approx(100.0)


def test_when_all_is_behind_nothing_is_left():
    assert mapped(on_course(Course(), RunPlanned(1), 0.0), 2021, 0.0, 10.0).left_s(10.0) == 0.0
