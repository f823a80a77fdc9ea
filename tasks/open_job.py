"""A user's words to a job: region resolved, store opened, both checked before any work."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.records import Job
from catalog.stores.jobs import create_job, sweep


@task(cache_policy=NO_CACHE, task_run_name="open-{region}-{year}")
def open_job(region: str, year: int, store: str, outlines: str | None) -> Job:
    """Resolve the region, open or create the store, and sweep what a killed run left half-written."""
    job = create_job(region, year, store, outlines)
    sweep(job)
    return job
