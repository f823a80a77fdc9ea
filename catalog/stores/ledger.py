"""What is done, and from what: one small record per unit, written after the data it describes."""

import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from catalog.facts.causes import COMPLETE_STATES, State
from catalog.facts.errors import STORE_UNUSABLE, CryoatlasError, LeaseLost
from catalog.facts.fingerprints import fingerprint_of as fingerprint_of  # noqa: PLC0414 - many call it by the ledger
from catalog.facts.records import Outcome, Unit
from catalog.stores import fences
from catalog.stores.files import checksum_if_there, of_each, read_each, size_in, size_of, write_atomic
from catalog.stores.store import Store


def find(store: Store, unit: Unit) -> Outcome | None:
    """Return the record of a unit, restored from the receipt beside its product when the ledger lost it."""
    return find_each(store, [unit])[0]


def find_each(store: Store, units: Sequence[Unit]) -> list[Outcome | None]:
    """Return the record of each unit, as `find` does."""
    kept = read_each([store.ledger(unit.region, unit.year) / _name(unit) for unit in units])
    return [_restored(store, unit) if content is None else _parsed(content) for unit, content in zip(units, kept, strict=True)]


def find_all(store: Store, region: str, year: int, stage: str = "*") -> tuple[Outcome, ...]:
    """Return every record of a region-year, or of one stage of it, ordered by stage and tile."""
    names = {path.name for folder in (store.ledger, store.receipts) for path in folder(region, year).glob(f"*.{stage}.json")}
    found = find_each(store, [_unit(region, year, name) for name in sorted(names)])
    return tuple(sorted((o for o in found if o), key=lambda outcome: (outcome.unit.stage, outcome.unit.tile)))


def remembered(store: Store, region: str, year: int) -> tuple[Outcome, ...]:
    """Return the last record of every unit, from the ledger or else the receipt, whether or not its products are still there.

    For telling how something came about; whether it needs work is what `find` and `is_current` are for.
    """
    paths = {path.name: path for folder in (store.receipts, store.ledger) for path in folder(region, year).glob("*.json")}
    contents = read_each([paths[name] for name in sorted(paths)])
    return tuple(_parsed(content) for content in contents if content is not None)


def put(store: Store, outcome: Outcome) -> Outcome:
    """Record an outcome: first the receipt that stays with the products, then the ledger. Raises LeaseLost when that is not ours any more."""
    fences.check(store.root, outcome.unit.region, outcome.unit.year)
    content = _content(outcome)
    for folder in (store.receipts, store.ledger):
        write_atomic(folder(outcome.unit.region, outcome.unit.year) / _name(outcome.unit), content)
    return outcome


def present(store: Store, outcome: Outcome) -> bool:
    """Say whether everything an outcome promises is there in its promised size."""
    return not absent_among(store, [outcome])


def absent_among(store: Store, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return those of the outcomes that promise something that is not there in its promised size."""
    promises = [(number, path, promise) for number, outcome in enumerate(outcomes) for path, promise in outcome.outputs.items()]
    sizes = of_each(size_of, [store.root / path for _, path, _ in promises])
    gone = {number for (number, _, promise), size in zip(promises, sizes, strict=True) if size != size_in(promise)}
    return [outcomes[number] for number in sorted(gone)]


def verified(store: Store, outcome: Outcome) -> bool:
    """Say whether everything an outcome promises is there, byte for byte."""
    if not present(store, outcome):
        return False
    return of_each(checksum_if_there, [store.root / path for path in outcome.outputs]) == list(outcome.outputs.values())


def is_current(store: Store, unit: Unit, fingerprint: str) -> Outcome | None:
    """Return the record of a unit that needs no work: same fingerprint, complete, and its products are there."""
    outcome = find(store, unit)
    if outcome is None or outcome.fingerprint != fingerprint or outcome.state not in COMPLETE_STATES:
        return None
    return outcome if present(store, outcome) else None


def once(store: Store, unit: Unit, inputs: Mapping[str, Any], produce: Callable[[], Outcome]) -> Outcome:
    """Do a unit unless it is done already from the same inputs; record what became of it.

    A deliberate error makes the unit `failed` and lets the others go on; a store that is full, refuses or fails stops everything.
    """
    fingerprint = fingerprint_of(inputs)
    if done := is_current(store, unit, fingerprint):
        return done
    fences.check(store.root, unit.region, unit.year)
    started = time.monotonic()
    try:
        outcome = produce()
    except STORE_UNUSABLE:
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
    content = read_each([store.ledger(unit.region, unit.year) / _name(unit)])[0]
    if content is not None and not verified(store, outcome := _parsed(content)):
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
    products = list(paths)
    sums = of_each(checksum_if_there, products)
    return {store.relative(path): sum_ for path, sum_ in zip(products, sums, strict=True) if sum_ is not None}


def _content(outcome: Outcome) -> bytes:
    return json.dumps(asdict(outcome), sort_keys=True, indent=1, default=str).encode()


def _name(unit: Unit) -> str:
    return f"{unit.tile}.{unit.stage}.json"


def _unit(region: str, year: int, name: str) -> Unit:
    tile, stage, _ = name.split(".")
    return Unit(region, year, tile, stage)


def _restored(store: Store, unit: Unit) -> Outcome | None:
    content = read_each([store.receipts(unit.region, unit.year) / _name(unit)])[0]
    outcome = None if content is None else _parsed(content)
    return outcome if outcome is not None and verified(store, outcome) else None


def _parsed(content: bytes) -> Outcome:
    fields = _shared(json.loads(content))
    return Outcome(**{**fields, "unit": Unit(**fields["unit"]), "state": State(fields["state"])})


def _shared(value: Any) -> Any:
    """Let equal words of all records be one object: a stage reads those of ten thousand tiles, which name the same scenes."""
    if isinstance(value, str):
        return sys.intern(value)
    if isinstance(value, dict):
        return {sys.intern(name): _shared(part) for name, part in value.items()}
    return [_shared(part) for part in value] if isinstance(value, list) else value
