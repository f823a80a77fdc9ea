"""A user's words to a job: region resolved, store opened, both checked before any work; and the lease under which it is worked on."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from prefect import runtime, task
from prefect.cache_policies import NO_CACHE

from catalog.facts.backfills import Request
from catalog.facts.leases import Terms
from catalog.facts.records import Job, RegionYears
from catalog.stores.jobs import create_job, sweep
from catalog.stores.leases import Claimer, find_leases, held
from catalog.stores.objects import place
from catalog.stores.requests import keep_request
from catalog.stores.store import Store, open_store
from tasks import PATIENT


@task(cache_policy=NO_CACHE, task_run_name="open-{region}-{year}", **PATIENT)
def open_job(region: str, year: int, store: str, outlines: str | None) -> Job:
    """Resolve the region, and open or create the store."""
    return create_job(region, year, store, outlines)


def busy_last(regions: Sequence[RegionYears], store: str) -> tuple[RegionYears, ...]:
    """Return the regions with those that somebody is at work on behind the others: when their turn comes, they may be free."""
    leases = find_leases(Store(place(store)))
    busy = {(lease.region, lease.year) for lease, standing in leases if standing == "live"}
    return tuple(sorted(regions, key=lambda one: any((Path(one.region).stem, year) in busy for year in one.years)))


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
