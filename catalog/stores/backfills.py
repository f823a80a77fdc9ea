"""Receipts of backfills: who had what done again, when and why, and what became of it; one small file each, so nobody waits for another."""

from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from catalog.facts.backfills import Receipt
from catalog.facts.errors import SchemaError
from catalog.stores.files import write_atomic
from catalog.stores.store import Store

_RECEIPT: Final = TypeAdapter(Receipt)


def write_receipt(store: Store, receipt: Receipt) -> None:
    """Keep a receipt; written again when the backfill ends."""
    write_atomic(store.backfills() / f"{receipt.id}.json", _RECEIPT.dump_json(receipt, indent=1))


def read_receipts(store: Store) -> tuple[Receipt, ...]:
    """Return all receipts, the oldest first; raises SchemaError that names the file that is none."""
    return tuple(_read(path) for path in sorted(store.backfills().glob("*.json")))


def _read(path: Path) -> Receipt:
    try:
        return _RECEIPT.validate_json(path.read_bytes())
    except ValidationError as error:
        raise SchemaError(f"{path}: not a receipt of a backfill ({error.error_count()} faults). Move it out of the store.") from error
