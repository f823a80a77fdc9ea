"""The season of a tile: the days without lake ice and snow, by latitude and elevation."""

from datetime import date, timedelta
from typing import Final

from catalog.facts.errors import WrongCall
from catalog.facts.grids import Tile, tile_centre_lonlat
from catalog.facts.records import Season, Target
from catalog.facts.regions import Region, SeasonRule

LAKES_ANYWHERE: Final = (
    SeasonRule("01-15", "04-15", -90.0, -20.0),
    SeasonRule("08-01", "11-15", -20.0, 32.0),
    SeasonRule("07-10", "10-10", 32.0, 45.0),
    SeasonRule("07-10", "09-25", 45.0, 60.0),
    SeasonRule("07-15", "09-15", 60.0, 90.1),
)
"""Windows for a user's region of lakes that names none: after melt of snow and lake ice, before the first lasting snow."""
SLUMPS_ANYWHERE: Final = (
    SeasonRule("06-20", "09-10", -90.0, 68.0),
    SeasonRule("07-01", "09-05", 68.0, 72.0),
    SeasonRule("07-10", "08-31", 72.0, 90.1),
)
"""Windows for a user's region of slumps that names none: tundra free of snow."""
ARRIVAL: Final = timedelta(days=10)
"""From the last day of a season until catalogs list its last scenes; what comes later still is a backfill's."""


def rules_of(region: Region) -> tuple[SeasonRule, ...]:
    """Return the region's own windows, or those of its target."""
    return region.seasons or default_rules(region.target)


def default_rules(target: Target) -> tuple[SeasonRule, ...]:
    """Return the windows of a target where a region names none."""
    return LAKES_ANYWHERE if target == "lakes" else SLUMPS_ANYWHERE


def season_of(region: Region, tile: Tile, year: int, elevation_m: float | None = None) -> Season:
    """Return the season of a tile; without an elevation the widest window of its latitude, so that a search misses nothing.

    Raises WrongCall when no window covers the tile's latitude and elevation.
    """
    _, south, _, north = region.bounds_wsen
    # the centre of a tile at the rim may lie beyond the latitudes that a region names windows for
    latitude = min(max(tile_centre_lonlat(tile)[1], south), north)
    rules = [rule for rule in rules_of(region) if rule.latitude_from <= latitude < rule.latitude_to]
    if elevation_m is not None:
        rules = [rule for rule in rules if rule.elevation_from_m <= elevation_m < rule.elevation_to_m]
    if not rules:
        height = "" if elevation_m is None else f" and {elevation_m:.0f} m"
        raise WrongCall(f"Region {region.name!r} names no season for {latitude:.2f} degrees{height}: add a window to its `seasons`.")
    spans = [span(rule, year) for rule in rules]
    return Season(min(season.start for season in spans), max(season.end for season in spans))


def season_of_region(region: Region, year: int) -> Season:
    """Return the span of all windows of a region: what a search over the region asks for."""
    _, south, _, north = region.bounds_wsen
    spans = [span(rule, year) for rule in rules_of(region) if rule.latitude_from <= north and rule.latitude_to > south]
    if not spans:
        raise WrongCall(f"Region {region.name!r} names no season for its latitudes: add a window to its `seasons`.")
    return Season(min(season.start for season in spans), max(season.end for season in spans))


def last_closed_year(region: Region, day: date) -> int:
    """Return the last year whose season is over on a day, everywhere in the region, with the time for its scenes to be listed."""
    # a window belongs to the year of its end, so no year after the day's own can be over; one that ends in late December may be two back
    return next(year for year in range(day.year, day.year - 3, -1) if season_of_region(region, year).end + ARRIVAL < day)


def span(rule: SeasonRule, year: int) -> Season:
    """Return a window's days in one year; a window over New Year belongs to the year of its end."""
    start, end = _day(year, rule.start), _day(year, rule.end)
    return Season(start if start <= end else _day(year - 1, rule.start), end)


def _day(year: int, text: str) -> date:
    month, day = (int(part) for part in text.split("-"))
    return date(year, month, day)
