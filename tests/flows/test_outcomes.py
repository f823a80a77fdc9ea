import pytest

from catalog.facts.errors import NoScenes, StoreFull, UnknownRegion
from catalog.facts.records import Job, RegionYearReport
from flows.outcomes import Attempts


def came_through() -> RegionYearReport:
    return RegionYearReport(Job("khumbu", 2021, "lakes", "store"), ())


def raising(error: Exception):
    def attempt() -> RegionYearReport:
        raise error

    return attempt


@pytest.mark.parametrize("error", [NoScenes("no scene in 2020"), ZeroDivisionError("division by zero")])
def test_one_year_that_fails_is_reported_and_the_others_go_on(error):
    attempts = Attempts()
    attempts.add("khumbu", 2020, raising(error))
    attempts.add("khumbu", 2021, came_through)
    attempts.raise_if_all_failed()
    assert [report.failures for report in attempts.reports] == [(str(error),), ()]
    assert [report.job.year for report in attempts.came_through] == [2021]


def test_when_no_year_came_through_the_first_error_is_the_answer():
    attempts = Attempts()
    attempts.add("khumbu", 2020, raising(NoScenes("no scene in 2020")))
    attempts.add("khumbu", 2021, raising(ZeroDivisionError()))
    with pytest.raises(NoScenes):
        attempts.raise_if_all_failed()


@pytest.mark.parametrize("error", [UnknownRegion("no such region"), StoreFull("no space left")])
def test_a_wrong_call_or_a_full_store_ends_everything(error):
    with pytest.raises(type(error)):
        Attempts().add("khumbu", 2020, raising(error))
