"""Everything a catalog knows of a region-year, asked for sensor by sensor."""

from collections.abc import Iterator
from datetime import UTC, datetime, time

from catalog.facts.candidates import Candidates
from catalog.facts.options import SearchOptions
from catalog.facts.records import Sensor
from catalog.facts.regions import Region, search_bounds
from catalog.facts.scenes import Found, to_scene
from catalog.facts.seasons import season_of_region
from catalog.stores.garbage import nothing_thrown_away
from catalog.stores.item_filters import Item
from catalog.stores.search import Catalog, open_catalog

_SENSORS: tuple[Sensor, ...] = ("s2", "s1", "dem")


def find_candidates(catalog: str, region: Region, year: int, options: SearchOptions) -> Candidates:
    """Ask a catalog for every scene of the season; raises CatalogUnreachable when it does not answer completely."""
    opened = open_catalog(catalog)
    items = list(_items(opened, region, year, options))
    with nothing_thrown_away():
        return Candidates([Found(to_scene(item, opened.provider), item) for item in items])


def _items(catalog: Catalog, region: Region, year: int, options: SearchOptions) -> Iterator[Item]:
    season = season_of_region(region, year)
    start, end = datetime.combine(season.start, time.min, UTC), datetime.combine(season.end, time.max, UTC)
    for sensor in _SENSORS:
        yield from catalog.find(sensor, search_bounds(region), start, end, max_cloud_percent=options.max_scene_cloud_percent)
