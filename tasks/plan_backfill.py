"""Which region-years a backfill is about, what was asked for when they were mapped, and which units it is told to do anyway."""

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Final

from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.backfills import Changes, Order, Reason, Request, name_of
from catalog.facts.errors import WrongCall
from catalog.facts.forecasts import Forecast
from catalog.facts.options import MapOptions, SearchOptions
from catalog.facts.records import Job, Unit
from catalog.facts.sources import STORED
from catalog.facts.standings import may_gain_scenes
from catalog.stores import ledger
from catalog.stores.findings import finding_of
from catalog.stores.jobs import REGION_UNIT, refused_for, stored_region, stored_regions, unit_of, years_begun
from catalog.stores.provenance import MODEL_STAGES
from catalog.stores.requests import read_request
from catalog.stores.store import Store, open_store
from catalog.stores.through_years import tracks_trouble

MANY: Final = 100
"""Forced units above which the caller has to say yes."""
_NEAREST: Final = 3


@task(cache_policy=NO_CACHE)
def read_orders(
    store: str, regions: Sequence[str] | None, years: Sequence[int] | None, changes: Changes, *, waiting: bool = False
) -> tuple[Order, ...]:
    """Return the region-years, by region and ascending year: without years all that were begun. Raises WrongCall.

    `waiting`: only those that are not complete and for which scenes may still arrive.
    """
    opened, now = open_store(store), datetime.now(UTC)
    names = sorted(regions) if regions else stored_regions(opened)
    chosen = [(stored_region(opened, name).name, year) for name in names for year in sorted(years or years_begun(opened, name))]
    if waiting:
        chosen = [(name, year) for name, year in chosen if may_gain_scenes(finding_of(opened, name, year, now), now.date())]
    return tuple(_order(opened, region, year, changes) for region, year in chosen)


def _order(store: Store, region: str, year: int, changes: Changes) -> Order:
    known, note = read_request(store, region, year), ""
    if known is None:
        known, note = _guess(store, region, year)
    options = changes.options or known.options
    together = tuple(sorted({*options.search.refuse, *changes.refuse}))
    options = replace(options, search=replace(options.search, refuse=together))
    request = Request(changes.catalog or known.catalog, changes.model or known.model, options)
    if request.catalog == STORED and changes.catalog is None:
        note = "its own search is replayed: name --catalog to look for new scenes"
    return Order(region, year, request, note)


def _guess(store: Store, region: str, year: int) -> tuple[Request, str]:
    """What a region-year that was never asked for is mapped by: the request of the nearest year, else what its records tell."""
    others = {other: found for other in years_begun(store, region) if (found := read_request(store, region, other)) is not None}
    if others:
        nearest = min(others, key=lambda other: (abs(other - year), -other))
        return others[nearest], f"never asked for: as {nearest} was"
    records = (o for other in (year, *reversed(years_begun(store, region))) for o in ledger.remembered(store, region, other))
    model = next(
        (str(o.inputs["model"]).rpartition(" ")[0] for o in records if o.unit.stage in MODEL_STAGES and o.inputs.get("model")), None
    )
    return Request(STORED, model, MapOptions()), ""


@task(cache_policy=NO_CACHE)
def select_forced(store: str, orders: Sequence[Order], patterns: Sequence[str], *, yes: bool) -> frozenset[Unit]:
    """Return the units whose names match a pattern; raises WrongCall with the nearest name, and for many without a yes."""
    if not patterns:
        return frozenset()
    opened = open_store(store)
    known = {name_of(o.unit): o.unit for order in orders for o in ledger.find_all(opened, order.region, order.year)}
    chosen = {unit for pattern in patterns for unit in _matching(pattern, known)}
    if len(chosen) > MANY and not yes:
        raise WrongCall(f"--force names {len(chosen)} units. Look at them with --dry-run, then add --yes.")
    return frozenset(chosen)


def _matching(pattern: str, known: Mapping[str, Unit]) -> Iterator[Unit]:
    found = [unit for name, unit in known.items() if fnmatchcase(name, pattern)]
    if not found:
        near = difflib.get_close_matches(pattern, known, n=_NEAREST, cutoff=0.0)
        meant = f"Did you mean {' or '.join(map(repr, near))}?" if near else "Nothing was mapped yet."
        raise WrongCall(
            f"--force {pattern!r}: none of the {len(known)} units that were chosen is called so (region/year/tile/stage). {meant}"
        )
    yield from found


def open_forecast(job: Job, options: SearchOptions, forced: Collection[Unit], *, checksums: bool) -> Forecast:
    """Return a forecast that shows what the ledger shows now; with `checksums` every product is read and compared."""
    store = open_store(job.store)
    records = ledger.find_all(store, job.region, job.year)
    harmed = [o for o in records if not ledger.verified(store, o)] if checksums else ledger.absent_among(store, records)
    return Forecast(records, damaged={o.unit for o in harmed}, forced=forced, refused=refused_for(job, options.refuse))


def job_of(store: str, order: Order) -> Job:
    """Return the job of a region-year whose region the store holds; nothing is written."""
    opened = open_store(store)
    return Job(order.region, order.year, stored_region(opened, order.region).target, str(opened.root))


def expect_tracks(job: Job, forecast: Forecast) -> None:
    """Tell the forecast of the last year of a region what is wrong with its tables through the years."""
    if why := tracks_trouble(open_store(job.store), job.target, job.region):
        forecast.beside(unit_of(job, REGION_UNIT, "tracks"), Reason("stale", why))
