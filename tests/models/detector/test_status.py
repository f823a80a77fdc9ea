"""A script of continuing, new, lost, splitting, merging and hidden slumps is told again, whatever the order."""

import numpy as np
import pytest
import shapely

from models.detector.status import History, YearOutlines, phase_of, statuses
from models.outlines.identity import empty_registry, name_features

SIDE = 0.002
YEARS = (2018, 2019, 2020, 2021, 2022)


def _box(column, row=0.0, width=1.0, height=1.0):
    west, south = 100.0 + 5 * SIDE * column, 70.0 + 5 * SIDE * row
    return shapely.box(west, south, west + width * SIDE, south + height * SIDE)


def _slope(column, *, west, east):
    """Part of a slump two sides wide, from one share of it to another."""
    whole = _box(column, width=2.0)
    left, bottom, right, top = whole.bounds
    return shapely.box(left + west * (right - left), bottom, left + east * (right - left), top)


def _script():
    """Year -> outlines, of: 0 goes on, 1 begins in 2020, 2 ends after 2019, 3 splits in 2021, 4 merges in 2021, 5 has a gap of two years."""
    drawn = {year: [_box(0, height=1 + 0.01 * (year - 2018))] for year in YEARS}
    for year in (2020, 2021, 2022):
        drawn[year].append(_box(1))
    for year in (2018, 2019):
        drawn[year].append(_box(2))
    for year in YEARS:
        split, merged = year >= 2021, year >= 2021
        drawn[year] += [_slope(3, west=0, east=0.45), _slope(3, west=0.5, east=1)] if split else [_slope(3, west=0, east=1)]
        drawn[year] += [_slope(4, west=0, east=1)] if merged else [_slope(4, west=0, east=0.5), _slope(4, west=0.55, east=1)]
    for year in (2018, 2019, 2022):
        drawn[year].append(_box(5))
    return drawn


def _named(drawn, rng):
    registry, named = empty_registry(), {}
    for year in YEARS:
        shapes = np.array(drawn[year], dtype=object)[rng.permutation(len(drawn[year]))]
        points = shapely.get_coordinates(shapely.point_on_surface(shapes))
        ids, registry = name_features(year, shapes, points, registry, min_overlap=0.3, prefix="RTS")
        named[year] = YearOutlines(year, ids, shapes)
    return named


def _always(_, outlines):
    return np.ones(len(outlines))


def _told(named, year, rng, observed=_always):
    earlier = [named[other] for other in YEARS if other != year]
    found = statuses(named[year], [earlier[place] for place in rng.permutation(len(earlier))], observed, {})
    columns = np.round((np.array([shape.bounds[0] for shape in named[year].outlines]) - 100.0) / (5 * SIDE)).astype(int)
    return {(column, name): verdict for column, name, verdict in zip(columns.tolist(), named[year].ids, found, strict=True)}


@pytest.fixture(scope="module")
def named():
    return _named(_script(), np.random.default_rng(0))


def _status_at(told, column):
    return sorted(verdict.status for (there, _), verdict in told.items() if there == column)


def test_the_script_is_told_again_year_by_year(named):
    rng = np.random.default_rng(1)
    told = {year: _told(named, year, rng) for year in YEARS}
    assert {verdict.status for verdict in told[2018].values()} == {"unknown"}
    assert {verdict.status for verdict in told[2019].values()} == {"stable"}
    expected = {
        2020: {0: ["stable"], 1: ["new"], 2: [], 3: ["stable"], 4: ["stable", "stable"], 5: []},
        2021: {0: ["stable"], 1: ["stable"], 2: [], 3: ["split", "split"], 4: ["merged"], 5: []},
        2022: {0: ["stable"], 1: ["stable"], 2: [], 3: ["stable", "stable"], 4: ["stable"], 5: ["stable"]},
    }
    for year, columns in expected.items():
        assert {column: _status_at(told[year], column) for column in columns} == columns, year


def test_parents_and_siblings_are_named(named):
    told = _told(named, 2021, np.random.default_rng(2))
    parents = {name for (column, name) in _told(named, 2020, np.random.default_rng(2)) if column == 4}
    (((_, heir), merged),) = [(key, verdict) for key, verdict in told.items() if key[0] == 4]
    assert heir in parents
    assert set(merged.related_ids) == parents - {heir}
    halves = {name for column, name in told if column == 3}
    for column, name in told:
        if column == 3:
            assert halves - {name} <= set(told[column, name].related_ids) | {name}


def test_names_are_kept_through_the_gap_and_by_the_heir(named):
    def names(year, column):
        return {name for (there, name) in _told(named, year, np.random.default_rng(3)) if there == column}

    assert names(2018, 5) == names(2022, 5)
    assert names(2018, 0) == names(2022, 0)
    assert names(2020, 3) < names(2021, 3)
    assert all(name.startswith("RTS") for year in YEARS for name in named[year].ids)


def test_the_order_of_slumps_and_years_changes_nothing():
    tellings = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        named = _named(_script(), rng)
        tellings.append({year: dict(sorted(_told(named, year, rng).items())) for year in YEARS})
    assert all(telling == tellings[0] for telling in tellings[1:])


def test_what_nobody_looked_at_before_is_not_new(named):
    def hidden(_, outlines):
        return np.full(len(outlines), 0.5)

    assert _status_at(_told(named, 2020, np.random.default_rng(4), hidden), 1) == ["unknown"]
    assert _status_at(_told(named, 2020, np.random.default_rng(4), hidden), 0) == ["stable"]


def test_touching_neighbours_are_not_one_slump():
    left, right = _slope(0, west=0, east=0.55), _slope(0, west=0.5, east=1)
    before, now = (
        YearOutlines(year, (name,), np.array([shape], dtype=object)) for year, name, shape in ((2020, "a", left), (2021, "b", right))
    )
    assert statuses(now, [before], _always, {})[0].status == "new"


def test_after_more_than_two_missing_years_a_slump_is_not_known_to_be_the_same():
    before, now = (YearOutlines(year, ("a",), np.array([_box(0)], dtype=object)) for year in (2016, 2022))
    assert statuses(now, [before], _always, {})[0].status == "unknown"


def _history(areas):
    return History(tuple(range(2015, 2015 + len(areas))), np.array(areas, np.float64), np.full(len(areas), 300.0))


@pytest.mark.parametrize(
    ("areas", "phase"),
    [
        ([5e3, 9e3], "growing"),
        ([5e3, 5.5e3], "stable"),
        ([5e3, 7e3, 9e3, 11e3, 13e3], "growing"),
        ([5e3, 9e3, 13e3, 17e3, 17e3, 17e3], "stabilized"),
        ([5e3, 5.1e3, 4.9e3, 5e3, 5.2e3], "stable"),
        ([5e3, 5e3, 5e3, 9e3, 13e3], "growing"),
        ([17e3, 12e3, 7e3], "stabilized"),
    ],
)
def test_areas_tell_the_phase(areas, phase):
    assert phase_of(_history(areas)) == phase


def test_growth_makes_a_continuing_slump_growing():
    before, now = (YearOutlines(year, ("a",), np.array([_box(0)], dtype=object)) for year in (2020, 2021))
    assert statuses(now, [before], _always, {"a": _history([5e3, 9e3])})[0].status == "growing"
