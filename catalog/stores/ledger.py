"""What is done, and from what: one small record per unit, written after the data it describes."""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from catalog.facts.causes import COMPLETE_STATES, State
from catalog.facts.errors import CryoatlasError, LeaseLost, StoreFull, StoreNotWritable
from catalog.facts.fingerprints import fingerprint_of as fingerprint_of  # noqa: PLC0414 - many call it by the ledger
from catalog.facts.records import Outcome, Unit
from catalog.stores import fences
from catalog.stores.files import checksum, looks_like, write_atomic
from catalog.stores.store import Store


def find(store: Store, unit: Unit) -> Outcome | None:
    """Return the record of a unit, restored from the receipt beside its product when the ledger lost it."""
    for folder in (store.ledger, store.receipts):
        path = folder(unit.region, unit.year) / _name(unit)
        if path.is_file():
            outcome = _read(path)
            if folder == store.ledger or verified(store, outcome):
                return outcome
    return None


def find_all(store: Store, region: str, year: int) -> tuple[Outcome, ...]:
    """Return every record of a region-year, ordered by stage and tile."""
    names = {path.name for folder in (store.ledger, store.receipts) for path in folder(region, year).glob("*.json")}
    found = (find(store, _unit(region, year, name)) for name in sorted(names))
    return tuple(sorted((o for o in found if o), key=lambda outcome: (outcome.unit.stage, outcome.unit.tile)))


def remembered(store: Store, region: str, year: int) -> tuple[Outcome, ...]:
    """Return the last record of every unit, from the ledger or else the receipt, whether or not its products are still there.

    For telling how something came about; whether it needs work is what `find` and `is_current` are for.
    """
    paths = {path.name: path for folder in (store.receipts, store.ledger) for path in folder(region, year).glob("*.json")}
    return tuple(_read(paths[name]) for name in sorted(paths))


def put(store: Store, outcome: Outcome) -> Outcome:
    """Record an outcome: first the receipt that stays with the products, then the ledger. Raises LeaseLost when that is not ours any more."""
    fences.check(store.root, outcome.unit.region, outcome.unit.year)
    content = _content(outcome)
    for folder in (store.receipts, store.ledger):
        write_atomic(folder(outcome.unit.region, outcome.unit.year) / _name(outcome.unit), content)
    return outcome


def present(store: Store, outcome: Outcome) -> bool:
    """Say whether everything an outcome promises is there in its promised size."""
    return all(looks_like(store.root / path, promise) for path, promise in outcome.outputs.items())


def verified(store: Store, outcome: Outcome) -> bool:
    """Say whether everything an outcome promises is there, byte for byte."""
    return present(store, outcome) and all(checksum(store.root / path) == promise for path, promise in outcome.outputs.items())


def is_current(store: Store, unit: Unit, fingerprint: str) -> Outcome | None:
    """Return the record of a unit that needs no work: same fingerprint, complete, and its products are there."""
    outcome = find(store, unit)
    if outcome is None or outcome.fingerprint != fingerprint or outcome.state not in COMPLETE_STATES:
        return None
    return outcome if present(store, outcome) else None


def once(store: Store, unit: Unit, inputs: Mapping[str, Any], produce: Callable[[], Outcome]) -> Outcome:
    """Do a unit unless it is done already from the same inputs; record what became of it.

    A deliberate error makes the unit `failed` and lets the others go on; a store that is full or refuses stops everything.
    """
    fingerprint = fingerprint_of(inputs)
    if done := is_current(store, unit, fingerprint):
        return done
    fences.check(store.root, unit.region, unit.year)
    started = time.monotonic()
    try:
        outcome = produce()
    except (StoreFull, StoreNotWritable):
        raise
    except LeaseLost:
        reopen_if_harmed(store, unit)
        raise
    except CryoatlasError as error:
        outcome = failure(unit, error)
    seconds = round(time.monotonic() - started, 3)
    try:
        return put(store, replace(outcome, fingerprint=fingerprint, inputs=dict(inputs), seconds=seconds))
    except LeaseLost:
        reopen_if_harmed(store, unit)
        raise


def reopen(store: Store, outcome: Outcome) -> Outcome:
    """Make a unit one that the next run does again, whatever its inputs; its products stay where they are until then."""
    content = _content(replace(outcome, fingerprint=""))
    for folder in (store.receipts, store.ledger):
        write_atomic(folder(outcome.unit.region, outcome.unit.year) / _name(outcome.unit), content)
    return outcome


def reopen_if_harmed(store: Store, unit: Unit) -> None:
    """Reopen a unit whose products are not what its record says: one who lost the lease may have written after who has it now."""
    path = store.ledger(unit.region, unit.year) / _name(unit)
    if path.is_file() and not verified(store, outcome := _read(path)):
        reopen(store, outcome)


def retire(store: Store, unit: Unit) -> None:
    """Forget a unit and delete its products: its inputs are gone, and what was made of them must not be used again."""
    outcome = find(store, unit)
    if outcome is None:
        return
    fences.check(store.root, unit.region, unit.year)
    for folder in (store.ledger, store.receipts):
        (folder(unit.region, unit.year) / _name(unit)).unlink(missing_ok=True)
    for path in outcome.outputs:
        (store.root / path).unlink(missing_ok=True)


def failure(unit: Unit, error: Exception) -> Outcome:
    """Return the outcome of a unit that an error ended."""
    return Outcome(unit, State.FAILED, "", cause=type(error).__name__, message=str(error) or repr(error))


def receipts_for(store: Store, paths: Iterable[Path]) -> dict[str, str]:
    """Return checksums of products, keyed as the ledger writes them; absent files (empty shards) are left out."""
    return {store.relative(path): checksum(path) for path in paths if path.is_file()}


def _content(outcome: Outcome) -> bytes:
    return json.dumps(asdict(outcome), sort_keys=True, indent=1, default=str).encode()


def _name(unit: Unit) -> str:
    return f"{unit.tile}.{unit.stage}.json"


def _unit(region: str, year: int, name: str) -> Unit:
    tile, stage, _ = name.split(".")
    return Unit(region, year, tile, stage)


def _read(path: Path) -> Outcome:
    fields = json.loads(path.read_bytes())
    return Outcome(**{**fields, "unit": Unit(**fields["unit"]), "state": State(fields["state"])})
