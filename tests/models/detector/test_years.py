"""Columns that only other years can fill."""

import numpy as np
import pytest
import shapely

from models.detector.status import YearOutlines
from models.detector.years import MeasuredYear, over_the_years
from models.outlines.geodesy import area_perimeter, to_degrees

EPSG = 32608


def _square(height_m, east=0.0):
    """A slump whose headwall lies in the north, `height_m` above its foot."""
    return to_degrees(np.array([shapely.box(500_000 + east, 7_500_000, 500_100 + east, 7_500_000 + height_m)], dtype=object), EPSG)[0]


def _year(year, slumps, *, observed=1.0, aspect=180.0):
    shapes = np.array(list(slumps.values()), dtype=object)
    area, perimeter = area_perimeter(shapes)
    number = len(slumps)
    named = YearOutlines(year, tuple(slumps), shapes)
    return MeasuredYear(named, area, perimeter, np.full(number, observed), np.full(number, aspect), (EPSG,) * number)


def _always(_, outlines):
    return np.ones(len(outlines))


def _never(_, outlines):
    return np.zeros(len(outlines))


def test_growth_retreat_and_status_of_a_growing_slump():
    years = [_year(2018 + place, {"RTS1": _square(100.0 + 30 * place)}) for place in range(4)]
    found = over_the_years(years[-1], years[:-1], _always)
    assert found["status"] == ["growing"]
    assert found["growth_m2_per_year"] == [pytest.approx(3_000, rel=0.01)]
    assert found["growth_significant"] == [True]
    assert found["headwall_retreat_m"] == [pytest.approx(30, abs=0.5)]


def test_the_first_year_knows_nothing_of_growth():
    found = over_the_years(_year(2018, {"RTS1": _square(100.0)}), [], _always)
    assert found == {
        "status": ["unknown"],
        "related_ids": [[]],
        "growth_m2_per_year": [None],
        "growth_se_m2_per_year": [None],
        "growth_significant": [None],
        "headwall_retreat_m": [None],
    }


def test_later_years_change_nothing():
    years = [_year(2018 + place, {"RTS1": _square(100.0 + 30 * place)}) for place in range(4)]
    assert over_the_years(years[1], years, _always) == over_the_years(years[1], years[:1], _always)


def test_years_that_were_hardly_observed_say_nothing_of_growth():
    seen, hidden = _year(2018, {"RTS1": _square(100.0)}), _year(2019, {"RTS1": _square(300.0)}, observed=0.4)
    found = over_the_years(_year(2020, {"RTS1": _square(100.0)}), [seen, hidden], _always)
    assert found["growth_m2_per_year"] == [pytest.approx(0, abs=1)]
    assert found["headwall_retreat_m"] == [pytest.approx(0, abs=0.1)]


def test_a_slump_on_ground_that_was_not_seen_before_is_not_new():
    before, now = _year(2019, {"RTS1": _square(100.0)}), _year(2020, {"RTS2": _square(100.0, east=2_000)})
    assert over_the_years(now, [before], _always)["status"] == ["new"]
    assert over_the_years(now, [before], _never)["status"] == ["unknown"]
