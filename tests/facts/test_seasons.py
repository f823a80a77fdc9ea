"""When a tile is free of ice and snow."""

from datetime import date, timedelta

import numpy as np
import pytest

from catalog.facts.errors import WrongCall
from catalog.facts.grids import Tile, from_lonlat
from catalog.facts.records import Season
from catalog.facts.regions import Region, SeasonRule
from catalog.facts.seasons import ARRIVAL, last_closed_year, season_of, season_of_region, span
from catalog.facts.territory import territory_of
from catalog.stores.regions import all_regions, family_of, find_region


def tile_at(longitude: float, latitude: float, epsg: int) -> Tile:
    x, y = from_lonlat(epsg).transform(longitude, latitude)
    return Tile(epsg, int(x // 22400), int(y // 22400))


def test_high_lakes_open_later_and_freeze_earlier() -> None:
    region, tile = find_region("ile_alatau"), tile_at(77.2, 43.1, 32643)
    low, high = season_of(region, tile, 2023, 2600.0), season_of(region, tile, 2023, 4000.0)
    assert low.start < high.start
    assert high.end < low.end


def test_without_an_elevation_the_window_holds_every_band() -> None:
    region, tile = find_region("ile_alatau"), tile_at(77.2, 43.1, 32643)
    widest = season_of(region, tile, 2023)
    for elevation in (100.0, 3100.0, 6000.0):
        season = season_of(region, tile, 2023, elevation)
        assert widest.start <= season.start <= season.end <= widest.end


@pytest.mark.parametrize("region", all_regions(), ids=lambda region: region.name)
def test_every_tile_and_height_of_a_bundled_region_has_a_season(region: Region) -> None:
    whole = season_of_region(region, 2023)
    tiles = territory_of(region, family_of(region)).tiles
    for index in np.linspace(0, len(tiles) - 1, 12).astype(int):
        for elevation in (-10.0, 499.0, 500.0, 3499.0, 4500.0, 8800.0):
            season = season_of(region, tiles[index], 2023, elevation)
            assert whole.start <= season.start < season.end <= whole.end
            assert season.start.year == season.end.year == 2023


def test_a_window_over_new_year_belongs_to_the_year_of_its_end() -> None:
    assert span(SeasonRule("12-01", "03-15"), 2023) == Season(date(2022, 12, 1), date(2023, 3, 15))


def test_a_southern_lake_is_seen_in_the_southern_summer() -> None:
    season = season_of(find_region("-73.5,-47.5,-73,-47"), tile_at(-73.2, -47.2, 32718), 2023)
    assert (season.start.month, season.end.month) == (1, 4)


def test_a_tile_at_the_rim_takes_the_window_of_the_nearest_latitude() -> None:
    rule = SeasonRule("07-01", "08-01", 43.0, 44.5)
    region = Region("x", "x", "lakes", "user", "POLYGON ((77 43, 78 43, 78 44, 77 44, 77 43))", seasons=(rule,))
    assert season_of(region, tile_at(77.5, 42.9, 32643), 2023) == span(rule, 2023)


def test_a_height_without_a_window_is_a_wrong_call_that_names_it() -> None:
    region = Region(
        "x", "x", "lakes", "user", "POLYGON ((77 43, 78 43, 78 44, 77 44, 77 43))", seasons=(SeasonRule("07-01", "08-01", 40, 45, 0, 100),)
    )
    with pytest.raises(WrongCall, match=r"no season for 43.* 500 m"):
        season_of(region, tile_at(77.5, 43.5, 32643), 2023, 500.0)


@pytest.mark.parametrize("region", all_regions(), ids=lambda region: region.name)
def test_a_year_is_closed_once_its_last_scenes_had_time_to_be_listed(region: Region) -> None:
    last_day = season_of_region(region, 2024).end + ARRIVAL
    assert last_closed_year(region, last_day) == 2023
    assert last_closed_year(region, last_day + timedelta(days=1)) == 2024
    assert last_closed_year(region, date(2025, 3, 1)) == 2024


@pytest.mark.parametrize(
    ("start", "end", "day", "year"),
    [
        ("11-15", "01-20", date(2025, 2, 1), 2025),  # over New Year: the year of its end
        ("11-15", "01-20", date(2025, 1, 25), 2024),
        ("10-01", "12-28", date(2025, 1, 5), 2023),  # its scenes are not all listed before the next year
    ],
)
def test_windows_about_new_year_close_in_the_year_that_they_belong_to(start: str, end: str, day: date, year: int) -> None:
    region = Region("south", "South", "lakes", "user", "POLYGON((0 0,1 0,1 1,0 0))", seasons=(SeasonRule(start, end),))
    assert last_closed_year(region, day) == year
