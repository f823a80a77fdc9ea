"""A user's words to a job: region resolved, store opened, both checked before any work; and the lease under which it is worked on."""

from collections.abc import Iterator
from contextlib import contextmanager

from prefect import runtime, task
from prefect.cache_policies import NO_CACHE

from catalog.facts.backfills import Request
from catalog.facts.leases import Terms
from catalog.facts.records import Job
from catalog.stores.jobs import create_job, sweep
from catalog.stores.leases import Claimer, held
from catalog.stores.requests import keep_request
from catalog.stores.store import open_store


@task(cache_policy=NO_CACHE, task_run_name="open-{region}-{year}")
def open_job(region: str, year: int, store: str, outlines: str | None) -> Job:
    """Resolve the region, and open or create the store."""
    return create_job(region, year, store, outlines)


@contextmanager
def region_year_held(job: Job, *, wait_minutes: float, terms: Terms, request: Request | None = None) -> Iterator[None]:
    """Hold the lease of a region-year while the body runs, rid of what a killed run left half-written; the request is remembered.

    Raises LeaseBusy when another holds it for longer than `wait_minutes`.
    """
    store = open_store(job.store)
    with held(store, job.region, job.year, wait_s=60 * wait_minutes, by=Claimer(str(runtime.flow_run.name or ""), terms)):
        sweep(job)
        if request is not None:
            keep_request(store, job.region, job.year, request)
        yield
