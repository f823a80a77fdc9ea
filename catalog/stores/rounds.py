"""Runs one stage over its units: records what crashed, counts what ended how, tells how far it is."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TypeVar

from catalog.facts.causes import State
from catalog.facts.errors import STORE_UNUSABLE, LeaseLost
from catalog.facts.pools import Crashed, TilePool
from catalog.facts.records import Job, Outcome, StageReport, Unit
from catalog.facts.run_events import StageBegan, StageEnded, UnitEnded
from catalog.stores import fences, ledger, meters
from catalog.stores.news import tell
from catalog.stores.store import Store

Item = TypeVar("Item")


def run_round(
    store: Store, stage: str, pool: TilePool, function: Callable[[Item], Outcome], units: Sequence[tuple[Unit, Item]]
) -> StageReport:
    """Work on all units of a stage side by side; an unforeseen error fails its unit and no other.

    Raises what ends a run (STORE_UNUSABLE) and LeaseLost, because no other unit could do better.
    """
    unit_of = {id(item): unit for unit, item in units}
    wanted = [unit for unit, _ in units]
    before = dict(zip(wanted, ledger.find_each(store, wanted), strict=True))
    started = time.monotonic()

    def outcomes() -> Iterator[Outcome]:
        for item, result in pool.each(meters.Metered(fences.carried(function)), [item for _, item in units]):
            if isinstance(result, Crashed):
                if isinstance(result.error, (*STORE_UNUSABLE, LeaseLost)):
                    raise result.error
                yield ledger.put(store, ledger.failure(unit_of[id(item)], result.error))
            else:
                outcome, *readings = result
                meters.WORKERS.note(*readings)
                yield outcome

    if not units:
        return report_of(stage, (), before.get, since=started)
    return report_of(stage, told(stage, outcomes(), before.get, of=wanted[0], total=len(units)), before.get, since=started)


def retire_all_but(store: Store, units: Iterable[Unit], kept: Collection[str]) -> None:
    """Retire the units of tiles that are not kept: what earlier runs made of inputs that are gone."""
    for unit in units:
        if unit.tile not in kept:
            ledger.retire(store, unit)


def told(
    stage: str, outcomes: Iterable[Outcome], before: Callable[[Unit], Outcome | None], *, of: Job | Unit, total: int
) -> Iterator[Outcome]:
    """Pass the outcomes of a region-year's stage on, and tell of its begin, of each of them, and of its end.

    `of` names the region-year, `before` gives the record that a unit had: one that has it still was not worked on. Outcomes must
    come into being as they are asked for: the stage begins here.
    """
    finished = False
    tell(StageBegan(of.region, of.year, stage, total))
    try:
        for done, outcome in enumerate(outcomes, start=1):
            worked = before(outcome.unit) != outcome
            unit, seconds, read = outcome.unit, outcome.seconds, outcome.read_bytes
            why = (str(outcome.state), outcome.cause, outcome.message)
            tell(UnitEnded(unit.region, unit.year, stage, unit.tile, *why, worked, seconds, read, done, total))
            yield outcome
        finished = True
    finally:
        tell(StageEnded(of.region, of.year, stage, finished))


def report_of(stage: str, outcomes: Iterable[Outcome], before: Callable[[Unit], Outcome | None], *, since: float) -> StageReport:
    """Count how the units of a stage ended, and which of them were worked on now; `since`: when it began, by the monotonic clock.

    Outcomes are counted as they come and not kept: those of ten thousand tiles would be gigabytes.
    """
    states: Counter[str] = Counter()
    failed: list[tuple[str, str]] = []
    written = 0
    for outcome in outcomes:
        states[str(outcome.state)] += 1
        written += before(outcome.unit) != outcome
        if outcome.state == State.FAILED:
            failed.append((outcome.unit.tile, outcome.message))
    failures = tuple(f"{tile}: {message}" for tile, message in sorted(failed))
    return StageReport(stage, dict(sorted(states.items())), failures, round(time.monotonic() - since, 2), written)
