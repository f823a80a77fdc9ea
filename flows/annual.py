"""Many region-years: regions side by side, the years of a region in order, then its tracks; here or on the workers of a pool."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture
from prefect.task_runners import ThreadPoolTaskRunner

from catalog.facts.errors import UnitsFailed
from catalog.facts.leases import WAIT_MINUTES
from catalog.facts.options import MapOptions
from catalog.facts.records import RegionYearReport, RegionYears
from flows.fan_out import Ended, Pauses, spread
from flows.forms import MapForm, Year
from flows.map_region import map_region
from flows.outcomes import Attempts
from flows.pool_runs import DeploymentRuns
from flows.served import conclude
from flows.track_region import track_region
from infra.settings import read_settings
from tasks.choose_years import choose_years
from tasks.keep_run_record import run_kept
from tasks.open_job import busy_last
from tasks.read_region_year import read_region_year

_DEFAULTS = MapOptions()
_REGIONS_AT_ONCE = 2
"""Each region spreads its tiles over all workers; a second one fills the gaps while the first writes tables."""


@task(cache_policy=NO_CACHE, task_run_name="{region.region}")
def _map_years(region: RegionYears, form: MapForm) -> Attempts:
    # names are given at first sight, so the years of one region run in ascending order and never beside each other
    attempts = Attempts()
    for year in region.years:
        attempts.add(region.region, year, partial(_map_here, region.region, year, form))
    _track(attempts, form.options)
    return attempts


def _map_here(region: str, year: int, form: MapForm) -> RegionYearReport:
    return map_region(region, year, form.catalog, form.store, form.model, form.options, form.outlines, form.wait_minutes)


def _map_on_pool(wanted: Sequence[RegionYears], form: MapForm, deployment: str, reason: str) -> list[PrefectFuture[Attempts]]:
    runs = DeploymentRuns(deployment, asdict(form), reason)
    runs.check()
    return [_close_years.submit(region, endings, form.store, form.options) for region, endings in spread(wanted, runs, Pauses())]


@task(cache_policy=NO_CACHE, task_run_name="{region.region}")
def _close_years(region: RegionYears, endings: Mapping[int, Ended], store: str, options: MapOptions) -> Attempts:
    attempts = Attempts()
    for year, ended in endings.items():
        attempts.add(region.region, year, partial(_standing, region, year, ended, store, options.until))
    _track(attempts, options)
    return attempts


def _standing(region: RegionYears, year: int, ended: Ended, store: str, until: str) -> RegionYearReport:
    # a run that ended because of its units has written all that the others gave
    if ended.state == "completed" or ended.error == UnitsFailed.__name__:
        return read_region_year(region, year, store, until=until)
    raise UnitsFailed(f"its run on the pool {ended.state}: {ended.message}")


def _track(attempts: Attempts, options: MapOptions) -> None:
    if attempts.came_through and options.until == "inventory":
        job = attempts.came_through[-1].job
        track_region(job.region, job.store, job.target, options)


@flow(name="annual", task_runner=ThreadPoolTaskRunner(max_workers=_REGIONS_AT_ONCE))  # type: ignore[arg-type]
def annual(  # noqa: PLR0913 - a deployment's parameters are its form
    regions: list[str],
    years: list[Year] | None,
    catalog: str,
    store: str,
    model: str | None = None,
    options: MapOptions = _DEFAULTS,
    outlines: str | None = None,
    *,
    deployment: str | None = None,
    reason: str = "",
    wait_minutes: float = WAIT_MINUTES,
) -> tuple[RegionYearReport, ...]:
    """Map regions over years and track them. One failing region does not stop the others; it is reported at the end.

    Args:
        regions: Bundled names as `cryoatlas regions list` shows them, GeoJSON files, or W,S,E,N.
        years: Years to map; none: of each region the last year whose season is over.
        catalog: planetary-computer, earth-search, cdse, a STAC API, a static catalog, stac-geoparquet, or stored.
        store: Folder or address that holds cubes, inventories and the ledger; every worker must reach it by this name.
        model: A name of `cryoatlas models list`, or weights: a folder, hf://..., https://...; none: the default of the target.
        options: What counts as a scene, a surface, a feature.
        outlines: File of glacier outlines beyond whose buffer tiles are skipped.
        deployment: Deployment that maps each region-year on its pool, for example map-region/region-year-gpu; none: here, in this process.
        reason: Why, kept with the runs; another reason makes new runs where others are open.
        wait_minutes: How long a region-year waits at the most while another run is at work on it.
    """
    wanted = choose_years(regions, years, catalog, store)
    form = MapForm(catalog, store, model, options, outlines, wait_minutes)
    with run_kept(store, read_settings().prices, region_years=sum(len(region.years) for region in wanted), always=True):
        if deployment is None:
            # where somebody is at work already, the turn comes last: by then it may be free
            futures = [_map_years.submit(region, form) for region in busy_last(wanted, form.store)]
        else:
            futures = _map_on_pool(wanted, form, deployment, reason)
        attempts = Attempts()
        for future in futures:
            future.wait()
        for future in futures:
            attempts.also(future.result())
        reports = conclude(attempts.reports)
        attempts.raise_if_all_failed()
        return reports
