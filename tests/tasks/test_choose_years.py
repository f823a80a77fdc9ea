"""Regions and years as they were asked for, checked before anything is started."""

from datetime import UTC, datetime

import pytest

from catalog.facts.errors import UnknownRegion, WrongCall, YearsInverted
from catalog.facts.records import RegionYears
from catalog.facts.seasons import last_closed_year
from catalog.stores.regions import find_region
from tasks.choose_years import choose_years


def test_years_are_ascending_and_named_once(tmp_path):
    wanted = choose_years.fn(["pamir", "banks_island"], [2022, 2020, 2022], "stored", str(tmp_path / "store"))
    assert wanted == (RegionYears("pamir", "lakes", (2020, 2022)), RegionYears("banks_island", "slumps", (2020, 2022)))
    assert not (tmp_path / "store").exists(), "only a question was asked"


@pytest.mark.parametrize("years", [None, []])
def test_without_years_each_region_has_the_last_one_whose_season_is_over(tmp_path, years):
    regions = ["pamir", "central_himalaya"]
    wanted = choose_years.fn(regions, years, "planetary-computer", str(tmp_path / "store"))
    today = datetime.now(UTC).date()
    assert [region.years for region in wanted] == [(last_closed_year(find_region(name), today),) for name in regions]


@pytest.mark.parametrize(
    ("regions", "years", "catalog", "error", "sentence"),
    [
        (["karakorum"], [2021], "stored", UnknownRegion, "did you mean 'karakoram'?"),
        (["pamir", "pamir"], [2021], "stored", WrongCall, "name each region once"),
        ([], [2021], "stored", WrongCall, "name each region once"),
        (["pamir"], [2014], "stored", YearsInverted, "Year 2014: Sentinel-2 covers 2015"),
        (["pamir"], [2100], "stored", YearsInverted, "Year 2100"),
        (["pamir"], [2021], "planetry-computer", WrongCall, "did you mean 'planetary-computer'?"),
        (["pamir"], [2021], "/nowhere/catalog", WrongCall, "does not exist"),
    ],
)
def test_what_does_not_exist_is_refused_with_the_way_out(tmp_path, regions, years, catalog, error, sentence):
    with pytest.raises(error, match=sentence.replace("?", r"\?")):
        choose_years.fn(regions, years, catalog, str(tmp_path / "store"))
