"""What a catalog, or the store's own record of an earlier search, knows of a region-year."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.candidates import Candidates
from catalog.facts.errors import NoScenes, WrongCall
from catalog.facts.options import SearchOptions
from catalog.facts.records import Job
from catalog.facts.seasons import season_of_region
from catalog.facts.sources import STORED
from catalog.stores.candidates import find_candidates
from catalog.stores.jobs import region_of
from catalog.stores.selections import read_found
from catalog.stores.store import open_store
from tasks import PATIENT


@task(cache_policy=NO_CACHE, task_run_name="search-{job.region}-{job.year}", **PATIENT)
def search_scenes(job: Job, catalog: str, options: SearchOptions) -> Candidates:
    """Ask the catalog for every scene of the season; raises CatalogUnreachable or NoScenes with the way out."""
    if catalog == STORED:
        path = open_store(job.store).scenes(job.region, job.year)
        if not path.is_file():
            raise WrongCall(f"{job.region} {job.year}: the store keeps no earlier search to replay. Name a --catalog.")
        return Candidates(read_found(path))
    region = region_of(job)
    candidates = find_candidates(catalog, region, job.year, options)
    if not candidates.observations:
        season = season_of_region(region, job.year)
        raise NoScenes(
            f"{job.region} {job.year}: catalog {catalog} has no Sentinel-1 or -2 scene from {season.start} to {season.end}. "
            "Check the years, or name another --catalog."
        )
    return candidates
