"""Regions and years as they were asked for, checked before anything is started."""

from collections.abc import Sequence
from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.errors import WrongCall, YearsInverted
from catalog.facts.records import RegionYears
from catalog.facts.seasons import last_closed_year
from catalog.facts.sources import FIRST_YEAR, STORED
from catalog.stores.jobs import region_asked_for
from catalog.stores.search import refuse_unknown


@task(cache_policy=NO_CACHE)
def choose_years(regions: Sequence[str], years: Sequence[int] | None, catalog: str, store: str) -> tuple[RegionYears, ...]:
    """Return each region with its years, ascending; without years the last one whose season is over.

    Raises WrongCall for a region, a year or a catalog that does not exist, before a server or a catalog is asked for anything.
    """
    today = datetime.now(UTC).date()
    if catalog != STORED:
        refuse_unknown(catalog)
    found = [region_asked_for(region, store) for region in regions]
    twice = {name for name in (region.name for region in found) if [region.name for region in found].count(name) > 1}
    if twice or not found:
        raise WrongCall(f"Regions {', '.join(regions) or 'none'}: name each region once, for example karakoram.")
    for year in years or ():
        if not FIRST_YEAR <= year <= today.year:
            raise YearsInverted(f"Year {year}: Sentinel-2 covers {FIRST_YEAR} to {today.year}. Choose years inside.")
    chosen = [tuple(sorted(set(years))) if years else (last_closed_year(region, today),) for region in found]
    return tuple(RegionYears(asked, region.target, span) for asked, region, span in zip(regions, found, chosen, strict=True))
