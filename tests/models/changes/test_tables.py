from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.facts.change_schemas import CHANGE_SHAPES, CHANGES, REGION_TRENDS, TOTAL_CHANGES, TOTALS, TRENDS
from catalog.facts.options import TrackOptions
from catalog.facts.schemas import require
from models.changes.tables import change_tables
from models.outlines.track import tracks_of


def change(tables, feature="L000", year_to=2019):
    return next(row for row in tables.changes.to_pylist() if row["feature_id"] == feature and row["year_to"] == year_to)


def test_a_gain_beyond_both_errors_has_grown_and_its_ground_is_drawn(lakes):
    tables = lakes.tables(lakes.year(2018, {0: 10}), lakes.year(2019, {0: 12}))
    row = change(tables)
    assert (row["verdict"], row["because"], row["significant"], row["comparable"]) == ("grown", [], True, True)
    assert row["change_m2"] == pytest.approx(2e5)
    assert row["change_low_m2"] == pytest.approx(2e5 - np.hypot(5e4, 6e4))
    assert row["relative_change_percent"] == pytest.approx(20)
    assert row["gain_m2"] == pytest.approx(2e5, rel=1e-3)
    assert row["loss_m2"] == pytest.approx(0, abs=1)
    assert [(shape["kind"], shape["year_from"], shape["year_to"]) for shape in tables.shapes.to_pylist()] == [("gain", 2018, 2019)]
    assert tables.shape_geometry[0].equals(shapely.difference(lakes.rectangle(0, 12), lakes.rectangle(0, 10)))


def test_a_change_within_the_errors_is_no_change_and_draws_nothing(lakes):
    tables = lakes.tables(lakes.year(2018, {0: 10}), lakes.year(2019, {0: 10.5}))
    assert change(tables)["verdict"] == "within_error"
    assert tables.shapes.num_rows == 0


@pytest.mark.parametrize(("pens", "because"), [((False, True), ["redrawn"]), ((True, False), ["redrawn"]), ((True, True), [])])
def test_a_change_between_a_pen_and_a_model_is_told(lakes, pens, because):
    years = [lakes.year(2018, {0: 10, 1: 10}), lakes.year(2019, {0: 12, 1: 12})]
    drawn = [replace(year, drawn=np.array([pen, False])) for year, pen in zip(years, pens, strict=True)]
    tables = lakes.tables(*drawn)
    assert (change(tables)["because"], change(tables)["verdict"]) == (because, "grown")
    assert change(tables, "L001")["because"] == []


def test_a_year_that_did_not_see_a_lake_is_in_no_pair_and_no_trend(lakes):
    tables = lakes.tables(*(lakes.year(year, {0: 10} if year != 2019 else {}) for year in range(2016, 2022)), hidden=(2019,))
    assert [(row["year_from"], row["year_to"]) for row in tables.changes.to_pylist()] == [
        (2016, 2017),
        (2017, 2018),
        (2018, 2020),
        (2020, 2021),
    ]
    assert tables.trends.to_pylist()[0]["years_observed"] == 5


def test_a_partly_observed_outline_is_not_a_loss(lakes):
    tables = lakes.tables(lakes.year(2018, {0: 10}), lakes.year(2019, {0: (3, 0.3)}), lakes.year(2020, {0: 10}))
    assert [(row["year_from"], row["year_to"], row["verdict"]) for row in tables.changes.to_pylist()] == [(2018, 2020, "within_error")]


def test_a_lake_that_vanishes_shrinks_to_nothing_and_its_trend_ends_with_it(lakes):
    years = [lakes.year(2014 + step, {0: 20 - step, 1: 10} if step < 5 else {1: 10}) for step in range(8)]
    tables = lakes.tables(*years)
    row = change(tables, year_to=2019)
    assert (row["area_to_m2"], row["verdict"], row["loss_m2"]) == (0.0, "shrunk", pytest.approx(16e5))
    assert not [row for row in tables.changes.to_pylist() if row["feature_id"] == "L000" and row["year_from"] >= 2019]
    trend = tables.trends.to_pylist()[0]
    assert (trend["last_year"], trend["years_observed"], trend["direction"]) == (2018, 5, "shrinking")
    assert trend["slope_m2_per_year"] == pytest.approx(-1e5)


def test_fewer_looks_make_a_loss_not_comparable(lakes):
    years = [lakes.year(2016 + step, {0: 10}) for step in range(3)]
    tables = lakes.tables(*years, lakes.year(2019, {0: 7}, looks=1.0))
    row = change(tables)
    assert (row["verdict"], row["because"], row["significant"]) == ("not_comparable", ["fewer_looks"], True)
    assert tables.shapes.num_rows == 0


def test_another_model_is_not_growth_but_two_years_of_it_may_be_compared(lakes):
    years = [lakes.year(2016 + step, {0: 10}, model="one") for step in range(3)]
    tables = lakes.tables(*years, lakes.year(2019, {0: 13}, model="two"), lakes.year(2020, {0: 16}, model="two"))
    assert (change(tables)["verdict"], change(tables)["because"]) == ("not_comparable", ["other_model"])
    later = change(tables, year_to=2020)
    assert (later["verdict"], later["because"]) == ("grown", [])
    assert tables.trends.to_pylist()[0]["years_observed"] == 3


def test_a_harmonised_baseline_is_told_and_does_not_stop_a_comparison(lakes):
    tables = lakes.tables(lakes.year(2018, {0: 10}, baseline="before 04.00"), lakes.year(2019, {0: 13}, baseline="from 04.00 on"))
    assert (change(tables)["verdict"], change(tables)["because"]) == ("grown", ["other_baseline"])


def test_growth_of_a_whole_region_with_another_baseline_is_not_reported_as_growth(lakes):
    def year(number, factor, baseline):
        return lakes.year(number, dict.fromkeys(range(12), 10 * factor), baseline=baseline)

    years = [year(2016, 1.0, "a"), year(2017, 1.0, "a"), year(2018, 1.0, "a"), year(2019, 1.2, "b"), year(2020, 1.2, "b")]
    tables = lakes.tables(*years)
    assert {row["verdict"] for row in tables.changes.to_pylist() if row["year_to"] == 2019} == {"not_comparable"}
    assert {row["verdict"] for row in tables.changes.to_pylist() if row["year_to"] == 2020} == {"within_error"}
    assert {row["direction"] for row in tables.trends.to_pylist()} == {"too_short"}
    step = next(row for row in tables.total_changes.to_pylist() if (row["year_from"], row["year_to"]) == (2018, 2019))
    assert (step["comparable"], step["because"]) == (False, ["other_baseline"])


def test_a_late_year_with_few_scenes_lowers_no_count_silently(lakes):
    full = dict.fromkeys(range(10), 10)
    late = lakes.year(2019, dict.fromkeys(range(4), 10), looks=1.0, middle_day=290.0)
    tables = lakes.tables(*(lakes.year(year, full, middle_day=220.0) for year in (2016, 2017, 2018)), late, hidden=(2019,))
    total = tables.totals.to_pylist()[-1]
    assert (total["features"], total["features_unobserved"], total["comparable"]) == (4, 6, False)
    assert total["because"] == ["fewer_looks", "other_season", "partly_observed"]
    recount = next(row for row in tables.total_changes.to_pylist() if (row["year_from"], row["year_to"]) == (2018, 2019))
    assert (recount["features"], recount["change_m2"], recount["comparable"]) == (4, 0.0, False)
    assert recount["listed_change_m2"] == pytest.approx(-6e6)


def test_no_years_give_empty_tables_with_all_columns():
    nothing = tracks_of([], (2018, 2020), lambda year, outlines: np.zeros(len(outlines)), TrackOptions())
    tables = change_tables(nothing, [], "test", TrackOptions())
    for table, schema in [*tables.plain().values(), (tables.shapes, CHANGE_SHAPES)]:
        assert require(table, schema, where="test").num_rows == 0


worlds = st.lists(
    st.dictionaries(st.integers(0, 5), st.tuples(st.integers(1, 60), st.sampled_from([0.3, 1.0])), max_size=6), min_size=1, max_size=6
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(worlds, st.randoms(use_true_random=False))
def test_tables_keep_their_promises_whatever_happened_and_in_whatever_order_years_come(lakes, world, random):
    years = [lakes.year(2015 + step, widths) for step, widths in enumerate(world)]
    tables = lakes.tables(*years)
    for table, schema in zip(
        (tables.changes, tables.trends, tables.region_trends, tables.totals, tables.total_changes, tables.shapes),
        (CHANGES, TRENDS, REGION_TRENDS, TOTALS, TOTAL_CHANGES, CHANGE_SHAPES),
        strict=True,
    ):
        require(table, schema, where="test")
    for row in tables.changes.to_pylist():
        assert row["change_low_m2"] <= row["change_m2"] <= row["change_high_m2"]
        assert row["gain_m2"] - row["loss_m2"] == pytest.approx(row["change_m2"], rel=1e-2, abs=2e3)
        assert row["significant"] == (row["p_value"] < 0.05)
        assert (row["verdict"] == "not_comparable") == (not row["comparable"])
    for row in tables.total_changes.to_pylist():
        assert row["listed_change_m2"] == pytest.approx(row["change_m2"] + row["only_to_m2"] - row["only_from_m2"])
    listed = {features.year: float(features.area_m2.sum()) for features in years}
    for row in tables.totals.to_pylist():
        assert row["area_m2"] == pytest.approx(listed[row["year"]])
        assert row["area_low_m2"] <= row["area_m2"] <= row["area_high_m2"]
    assert shapely.is_valid(tables.shape_geometry).all()
    random.shuffle(years)
    again = lakes.tables(*years)
    for name in ("changes", "trends", "totals", "total_changes", "region_trends", "shapes"):
        assert str(getattr(again, name).to_pylist()) == str(getattr(tables, name).to_pylist())
