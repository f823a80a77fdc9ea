"""What a catalog, or the store's own record of an earlier search, knows of a region-year."""

from collections.abc import Iterator
from datetime import UTC, datetime, time

from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.candidates import Candidates
from catalog.facts.errors import WrongCall
from catalog.facts.options import SearchOptions
from catalog.facts.records import Job, Sensor
from catalog.facts.scenes import Found, to_scene
from catalog.facts.seasons import season_of_region
from catalog.stores.jobs import region_of
from catalog.stores.search import Catalog, open_catalog
from catalog.stores.selections import read_found
from catalog.stores.store import open_store

STORED = "stored"
"""In place of a catalog: replay the search that the store keeps."""
_SENSORS: tuple[Sensor, ...] = ("s2", "s1", "dem")


@task(cache_policy=NO_CACHE, task_run_name="search-{job.region}-{job.year}")
def search_scenes(job: Job, catalog: str, options: SearchOptions) -> Candidates:
    """Ask the catalog for every scene of the season; raises CatalogUnreachable when it does not answer completely."""
    if catalog == STORED:
        path = open_store(job.store).scenes(job.region, job.year)
        if not path.is_file():
            raise WrongCall(f"{job.region} {job.year}: the store keeps no earlier search to replay. Name a --catalog.")
        return Candidates(read_found(path))
    return Candidates(tuple(_found(open_catalog(catalog), job, options)))


def _found(catalog: Catalog, job: Job, options: SearchOptions) -> Iterator[Found]:
    region = region_of(job)
    season = season_of_region(region, job.year)
    start, end = datetime.combine(season.start, time.min, UTC), datetime.combine(season.end, time.max, UTC)
    for sensor in _SENSORS:
        for item in catalog.find(sensor, region.bounds_wsen, start, end, max_cloud_percent=options.max_scene_cloud_percent):
            yield Found(to_scene(item, catalog.provider), item)
