"""What is missing or stale in a store, and why; and exactly that, done again."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.task_runners import ThreadPoolTaskRunner

from catalog.facts.backfills import BackfillReport, Changes, Order, YearPlan
from catalog.facts.errors import CryoatlasError
from catalog.facts.forecasts import Forecast
from catalog.facts.leases import WAIT_MINUTES
from catalog.facts.options import MapOptions
from catalog.facts.records import Job, RegionYearReport, RegionYears, Unit
from flows.forecast import forecast_year
from flows.map_region import map_region
from flows.outcomes import Attempts
from flows.served import conclude
from flows.track_region import track_region
from infra.settings import read_settings
from tasks.open_job import busy_last, region_year_held
from tasks.plan_backfill import expect_tracks, job_of, read_orders, select_forced
from tasks.record_backfill import begin_receipt, end_receipt, reopen_units

TRACKS = "tracks"
"""In place of a stage: the tables through the years, which have no record of their own."""
_REGIONS_AT_ONCE = 2
"""As in the annual run."""
Forecasts = dict[tuple[str, int], Forecast]


@flow(name="backfill", task_runner=ThreadPoolTaskRunner(max_workers=_REGIONS_AT_ONCE))  # type: ignore[arg-type]
def backfill(  # noqa: PLR0913 - a deployment's parameters are its form
    store: str,
    *,
    regions: list[str] | None = None,
    years: list[int] | None = None,
    catalog: str | None = None,
    model: str | None = None,
    options: MapOptions | None = None,
    reason: str = "",
    force: list[str] | None = None,
    refuse: list[str] | None = None,
    waiting: bool = False,
    dry_run: bool = False,
    checksums: bool = False,
    yes: bool = False,
    wait_minutes: float = WAIT_MINUTES,
) -> BackfillReport:
    """Do what is missing or stale, and nothing else; say why, unit by unit.

    Args:
        store: Folder or address of the store.
        regions: Names of regions that the store holds; none: all.
        years: Years; none: all that were begun.
        catalog: Where to look for new scenes; none: where each region-year was searched when it was mapped; stored: nowhere.
        model: A name of `cryoatlas models list`, or weights; none: what each region-year was mapped with.
        options: What counts as a scene, a surface, a feature; none: as each region-year was mapped.
        reason: Why; kept in the store.
        force: Units to be done whatever the records say, as region/year/tile/stage; * and ? stand for anything.
        refuse: IDs of scenes that must not be used.
        waiting: Only region-years that are not complete and for which scenes may still arrive; with a schedule, late scenes are
            used without anybody's doing.
        dry_run: Only say what would be done.
        checksums: Read every product, so that bytes that changed in place are found too.
        yes: Force more than a hundred units.
        wait_minutes: How long to wait for another run on the same region-year.
    """
    changes = Changes(catalog, model, options, tuple(refuse or ()))
    orders = read_orders(store, regions, years, changes, waiting=waiting)
    forced = select_forced(store, orders, force or [], yes=yes or dry_run)
    plans, forecasts = _plan(orders, store, forced, checksums=checksums)
    if dry_run or not orders:
        return BackfillReport(plans, dry_run=dry_run)
    asked = {"regions": regions, "years": years, "catalog": catalog, "model": model, "force": force, "refuse": refuse}
    receipt = begin_receipt(store, plans, reason, asked)
    attempts = _work(plans, store, wait_minutes)
    receipt = end_receipt(store, receipt, list(forecasts.values()), attempts.reports)
    conclude(attempts.reports)
    return BackfillReport(plans, dry_run=False, reports=tuple(attempts.reports), receipt=receipt)


def _plan(orders: Sequence[Order], store: str, forced: Collection[Unit], *, checksums: bool) -> tuple[tuple[YearPlan, ...], Forecasts]:
    plans, forecasts, troubles = [], Forecasts(), list[CryoatlasError]()
    last = {order.region: order.year for order in orders}
    for order in orders:
        before = [forecast for (region, _), forecast in forecasts.items() if region == order.region]
        try:
            forecast = forecast_year(order, store, forced, before, checksums=checksums)
        except CryoatlasError as error:
            # one catalog that does not answer must not keep the other region-years from being mended
            troubles.append(error)
            plans.append(YearPlan(order, (), str(error)))
        else:
            if order.year == last[order.region] and order.request.options.until == "inventory":
                expect_tracks(job_of(store, order), forecast)
            forecasts[order.region, order.year] = forecast
            plans.append(YearPlan(order, tuple(forecast.planned.values())))
    if troubles and not forecasts:
        raise troubles[0]
    return tuple(plans), forecasts


def _work(plans: Sequence[YearPlan], store: str, wait_minutes: float) -> Attempts:
    by_region: Mapping[str, list[YearPlan]] = {plan.order.region: [] for plan in plans}
    for plan in plans:
        by_region[plan.order.region].append(plan)
    wanted = [RegionYears(region, "lakes", tuple(plan.order.year for plan in of)) for region, of in by_region.items()]
    futures = [_work_region.submit(one.region, by_region[one.region], store, wait_minutes) for one in busy_last(wanted, store)]
    for future in futures:
        future.wait()
    attempts = Attempts()
    for future in futures:
        attempts.also(future.result())
    return attempts


@task(cache_policy=NO_CACHE, task_run_name="{region}")
def _work_region(region: str, plans: Sequence[YearPlan], store: str, wait_minutes: float) -> Attempts:
    # names are given at first sight, so the years of one region run in ascending order and never beside each other
    attempts = Attempts()
    for plan in plans:
        if any(unit.unit.stage != TRACKS for unit in plan.units):
            attempts.add(region, plan.order.year, partial(_map, plan, store, wait_minutes))
    job, options = job_of(store, plans[0].order), plans[0].order.request.options
    tracks = any(unit.unit.stage == TRACKS for plan in plans for unit in plan.units)
    if options.until == "inventory" and (attempts.came_through or tracks):
        track_region(region, job.store, job.target, options)
    return attempts


def _map(plan: YearPlan, store: str, wait_minutes: float) -> RegionYearReport:
    order, job = plan.order, job_of(store, plan.order)
    _reopen(job, plan, wait_minutes)
    request = order.request
    return map_region(order.region, order.year, request.catalog, store, request.model, request.options, None, wait_minutes)


def _reopen(job: Job, plan: YearPlan, wait_minutes: float) -> None:
    with region_year_held(job, wait_minutes=wait_minutes, terms=read_settings().lease):
        reopen_units(job, plan.units)
