"""A user's words to a job: region resolved, store opened, both checked before any work."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.records import Job
from catalog.stores.files import sweep_partials
from catalog.stores.jobs import create_job
from catalog.stores.store import open_store


@task(cache_policy=NO_CACHE, task_run_name="open-{region}-{year}")
def open_job(region: str, year: int, store: str, outlines: str | None) -> Job:
    """Resolve the region, open or create the store, and sweep what a killed run left half-written."""
    job = create_job(region, year, store, outlines)
    opened = open_store(store)
    for folder in (opened.cube(job.region, year, 0).parent, opened.probability(job.target, job.region, year, 0).parent):
        sweep_partials(folder)
    return job
