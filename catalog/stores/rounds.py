"""Runs one stage over its units: records what crashed, counts what ended how, tells how far it is."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TypeVar

from catalog.facts.causes import State
from catalog.facts.errors import LeaseLost, StoreFull, StoreNotWritable
from catalog.facts.pools import Crashed, TilePool
from catalog.facts.records import Outcome, StageReport, Unit
from catalog.stores import fences, ledger
from catalog.stores.store import Store

Item = TypeVar("Item")
PROGRESS = logging.getLogger("cryoatlas.progress")
"""Every ended unit is one record here with `stage`, `job`, `done`, `total`; the terminal's bar and the log both listen."""


def run_round(
    store: Store, stage: str, pool: TilePool, function: Callable[[Item], Outcome], units: Sequence[tuple[Unit, Item]]
) -> tuple[StageReport, tuple[Outcome, ...]]:
    """Work on all units of a stage side by side; an unforeseen error fails its unit and no other.

    Raises StoreFull, StoreNotWritable or LeaseLost, because no other unit could do better.
    """
    unit_of = {id(item): unit for unit, item in units}
    before = {unit: ledger.find(store, unit) for unit, _ in units}
    started = time.monotonic()

    def outcomes() -> Iterator[Outcome]:
        for item, result in pool.each(fences.carried(function), [item for _, item in units]):
            if isinstance(result, Crashed):
                if isinstance(result.error, StoreFull | StoreNotWritable | LeaseLost):
                    raise result.error
                yield ledger.put(store, ledger.failure(unit_of[id(item)], result.error))
            else:
                yield result

    ended = tuple(told(stage, outcomes(), total=len(units)))
    return report_of(stage, ended, before.get, seconds=time.monotonic() - started), _in_order(ended)


def retire_all_but(store: Store, units: Iterable[Unit], kept: Collection[str]) -> None:
    """Retire the units of tiles that are not kept: what earlier runs made of inputs that are gone."""
    for unit in units:
        if unit.tile not in kept:
            ledger.retire(store, unit)


def told(stage: str, outcomes: Iterable[Outcome], *, total: int) -> Iterator[Outcome]:
    """Pass outcomes on, and tell the progress log of each."""
    for done, outcome in enumerate(outcomes, start=1):
        unit = outcome.unit
        extra = {"stage": stage, "job": f"{unit.region} {unit.year}", "done": done, "total": total}
        PROGRESS.info("%s %s %s %s: %s %s", unit.region, unit.year, stage, unit.tile, outcome.state, outcome.message, extra=extra)
        yield outcome


def report_of(stage: str, outcomes: Sequence[Outcome], before: Callable[[Unit], Outcome | None], *, seconds: float) -> StageReport:
    """Count how the units of a stage ended, and which of them were worked on now."""
    states = Counter(str(outcome.state) for outcome in outcomes)
    failures = tuple(f"{o.unit.tile}: {o.message}" for o in _in_order(outcomes) if o.state == State.FAILED)
    written = sum(before(outcome.unit) != outcome for outcome in outcomes)
    return StageReport(stage, dict(sorted(states.items())), failures, round(seconds, 2), written)


def _in_order(outcomes: Iterable[Outcome]) -> tuple[Outcome, ...]:
    return tuple(sorted(outcomes, key=lambda outcome: outcome.unit.tile))
