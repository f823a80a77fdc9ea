"""Units that are to be done again, marked so; and the receipt of a backfill, written when it begins and when it ends."""

import getpass
import os
import socket
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from catalog.facts.backfills import Planned, Receipt, YearPlan, name_of
from catalog.facts.causes import State
from catalog.facts.forecasts import Forecast
from catalog.facts.records import Job, Outcome, RegionYearReport, Unit
from catalog.stores import ledger
from catalog.stores.backfills import write_receipt
from catalog.stores.jobs import REGION_UNIT, stored_region
from catalog.stores.store import Store, open_store
from catalog.stores.through_years import tracks_trouble

_AGAIN: Final = frozenset({"forced", "damaged"})
"""Causes that the records alone do not show to a run."""
_FILES: Final = MappingProxyType({"scenes": Store.scenes, "coverage": Store.coverage})
"""Products of a region-year that have no record of their own, by the stage that writes them."""


def reopen_units(job: Job, units: Sequence[Planned]) -> None:
    """Mark what was forced, and what is damaged, as to be done again; for who holds the lease of the region-year."""
    store = open_store(job.store)
    for planned in units:
        record = ledger.find(store, planned.unit)
        if record is not None and any(reason.why in _AGAIN and not reason.inherited for reason in planned.reasons):
            ledger.reopen(store, record)


def begin_receipt(store: str, plans: Sequence[YearPlan], reason: str, asked: Mapping[str, Any]) -> Receipt:
    """Write the receipt of a backfill that begins."""
    began = datetime.now(UTC).replace(microsecond=0)
    name = f"{began:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"
    units = tuple(unit for plan in plans for unit in plan.units)
    receipt = Receipt(name, _who(), socket.gethostname(), began, reason, dict(asked), units)
    write_receipt(open_store(store), receipt)
    return receipt


def end_receipt(store: str, receipt: Receipt, forecasts: Sequence[Forecast], reports: Sequence[RegionYearReport]) -> Receipt:
    """Write what became of every unit, and which were done though nobody foresaw it."""
    opened = open_store(store)
    became = {planned.name: _became(opened, planned, forecasts) for planned in receipt.units}
    unforeseen = tuple(sorted(name_of(unit) for forecast in forecasts for unit in _surprises(opened, forecast)))
    failures = [failure for report in reports for failure in report.failures]
    outcome = f"{len(failures)} units failed: {failures[0]}" if failures else "complete"
    ended = datetime.now(UTC).replace(microsecond=0)
    receipt = replace(receipt, ended=ended, became=became, unforeseen=unforeseen, outcome=outcome)
    write_receipt(opened, receipt)
    return receipt


def _became(store: Store, planned: Planned, forecasts: Sequence[Forecast]) -> str:
    unit = planned.unit
    before, now = next((f.records[unit] for f in forecasts if unit in f.records), None), ledger.find(store, unit)
    if now is None and planned.retired:
        return "taken out"
    if now is None and _is_written(store, unit):
        return "written"
    untouched = now is None or now == before or (not now.fingerprint and now.state != State.FAILED)
    if untouched:
        return "not reached" if planned.certain else "not needed"
    return str(now.state) if now else ""


def _is_written(store: Store, unit: Unit) -> bool:
    if unit.stage == "tracks":
        return not tracks_trouble(store, stored_region(store, unit.region).target, unit.region)
    return unit.tile == REGION_UNIT and unit.stage in _FILES and _FILES[unit.stage](store, unit.region, unit.year).is_file()


def _surprises(store: Store, forecast: Forecast) -> set[Unit]:
    years = {(unit.region, unit.year) for unit in (*forecast.records, *forecast.planned)}
    now: dict[Unit, Outcome] = {o.unit: o for region, year in years for o in ledger.find_all(store, region, year)}
    changed = {unit for unit, outcome in now.items() if outcome != forecast.records.get(unit)}
    return changed - forecast.planned.keys()


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"
