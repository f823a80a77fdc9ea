"""Region-years given to a pool: order, limits, crashes and failures, with a pool that answers as it is told."""

from collections.abc import Callable, Collection, Mapping

import pytest

from catalog.facts.records import RegionYears
from flows.fan_out import CRASHES_FORGIVEN, Ended, Pauses, spread

DONE = Ended("completed")


class ScriptedPool:
    """Runs end one poll after they were submitted, as the script says."""

    def __init__(self, how: Callable[[str, int, int], Ended]) -> None:
        self.how = how
        self.submitted: list[tuple[str, int]] = []
        self.open: dict[str, tuple[str, int]] = {}
        self.most_open = 0

    def submit(self, region: RegionYears, year: int) -> str:
        assert region.region not in [name for name, _ in self.open.values()], "two years of one region at a time"
        self.submitted.append((region.region, year))
        run = f"run-{len(self.submitted)}"
        self.open[run] = (region.region, year)
        self.most_open = max(self.most_open, len(self.open))
        return run

    def ended(self, runs: Collection[str]) -> Mapping[str, Ended]:
        assert set(runs) == set(self.open)
        endings = {run: self.how(name, year, self.submitted.count((name, year))) for run, (name, year) in self.open.items()}
        self.open.clear()
        return endings


def regions(*names: str, years: tuple[int, ...] = (2021, 2022)) -> list[RegionYears]:
    return [RegionYears(name, "lakes", years) for name in names]


def map_with(pool: ScriptedPool, wanted: list[RegionYears], most_open: int = 200) -> dict[str, Mapping[int, Ended]]:
    slept: list[float] = []
    return {region.region: endings for region, endings in spread(wanted, pool, Pauses(slept.append), most_open)}


def test_years_of_a_region_run_in_order_and_regions_side_by_side():
    pool = ScriptedPool(lambda *_: DONE)
    assert map_with(pool, regions("pamir", "karakoram")) == {name: {2021: DONE, 2022: DONE} for name in ("pamir", "karakoram")}
    assert [year for name, year in pool.submitted if name == "pamir"] == [2021, 2022]
    assert pool.most_open == 2


def test_never_more_runs_are_open_than_allowed():
    pool = ScriptedPool(lambda *_: DONE)
    endings = map_with(pool, regions(*(f"region-{number}" for number in range(23))), most_open=5)
    assert len(endings) == 23
    assert pool.most_open == 5


@pytest.mark.parametrize("state", ["failed", "was cancelled"])
def test_a_year_that_failed_or_was_cancelled_is_told_and_the_others_go_on(state):
    pool = ScriptedPool(lambda name, year, _: Ended(state, "because") if (name, year) == ("pamir", 2021) else DONE)
    endings = map_with(pool, regions("pamir", "karakoram"))
    assert endings["pamir"] == {2021: Ended(state, "because"), 2022: DONE}
    assert endings["karakoram"] == {2021: DONE, 2022: DONE}
    assert pool.submitted.count(("pamir", 2021)) == 1


def test_a_crash_is_tried_again_and_then_told():
    def crashing_until(attempt: int) -> ScriptedPool:
        return ScriptedPool(lambda _, year, tried: Ended("crashed", "killed") if year == 2021 and tried < attempt else DONE)

    mended = crashing_until(CRASHES_FORGIVEN + 1)
    assert map_with(mended, regions("pamir"))["pamir"] == {2021: DONE, 2022: DONE}
    assert mended.submitted == [("pamir", 2021)] * (CRASHES_FORGIVEN + 1) + [("pamir", 2022)]
    hopeless = crashing_until(CRASHES_FORGIVEN + 2)
    assert map_with(hopeless, regions("pamir"))["pamir"] == {2021: Ended("crashed", "killed"), 2022: DONE}


def test_pauses_grow_to_a_minute_while_nothing_happens_and_start_anew_after_news():
    slept: list[float] = []
    pauses = Pauses(slept.append)
    for news in (True, *[False] * 12, True):
        pauses.take(news=news)
    assert slept == sorted(slept[:-1]) + slept[:1]
    assert slept[-2] == 60.0
