"""Many region-years: regions side by side, the years of a region in order, then its tracks."""

from collections.abc import Sequence
from functools import partial

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.task_runners import ThreadPoolTaskRunner

from catalog.facts.options import MapOptions
from catalog.facts.records import RegionYearReport
from flows.map_region import map_region
from flows.outcomes import Attempts
from flows.track_region import track_region

_DEFAULTS = MapOptions()
_REGIONS_AT_ONCE = 2
"""Each region spreads its tiles over all workers; a second one fills the gaps while the first writes tables."""


@task(cache_policy=NO_CACHE, task_run_name="{region}")
def _map_years(  # noqa: PLR0913 - passes a deployment's form on
    region: str, years: Sequence[int], catalog: str, store: str, model: str | None, options: MapOptions, outlines: str | None
) -> tuple[RegionYearReport, ...]:
    # names are given at first sight, so the years of one region run in ascending order and never beside each other
    attempts = Attempts()
    for year in sorted(years):
        attempts.add(region, year, partial(map_region, region, year, catalog, store, model, options, outlines))
    attempts.raise_if_all_failed()
    job = attempts.came_through[-1].job
    if options.until == "inventory":
        track_region(job.region, store, job.target, options)
    return tuple(attempts.reports)


@flow(name="annual", task_runner=ThreadPoolTaskRunner(max_workers=_REGIONS_AT_ONCE))  # type: ignore[arg-type]
def annual(  # noqa: PLR0913 - a deployment's parameters are its form
    regions: list[str],
    years: list[int],
    catalog: str,
    store: str,
    model: str | None = None,
    options: MapOptions = _DEFAULTS,
    outlines: str | None = None,
) -> tuple[RegionYearReport, ...]:
    """Map regions over years and track them. One failing region does not stop the others; its error is raised at the end."""
    futures = [_map_years.submit(region, years, catalog, store, model, options, outlines) for region in regions]
    for future in futures:
        future.wait()
    return tuple(report for future in futures for report in future.result())
