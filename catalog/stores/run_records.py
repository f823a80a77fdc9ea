"""Records of invocations as a store keeps them."""

from datetime import UTC, datetime
from typing import Final

from catalog.facts.run_records import RunRecord, Standing, standing_of
from catalog.stores.files import read_each, write_atomic
from catalog.stores.leases import is_dead
from catalog.stores.store import Store

_ENDING: Final = ".json"


def write_record(store: Store, record: RunRecord) -> None:
    """Write a record, whole or not at all."""
    write_atomic(store.run_record(record.invocation), record.to_json())


def read_record(store: Store, invocation: str) -> RunRecord | None:
    """Return a record; None when there is none, or a later program wrote what cannot be read here."""
    return _parsed(read_each([store.run_record(invocation)])[0])


def find_records(store: Store, latest: int = 200) -> tuple[RunRecord, ...]:
    """Return the latest records, the last begun first."""
    # names begin with the time, so no record is read that is not wanted
    paths = sorted(store.runs().glob(f"*{_ENDING}"), key=lambda path: path.name, reverse=True)[:latest]
    return tuple(record for content in read_each(paths) if (record := _parsed(content)) is not None)


def standing(record: RunRecord, now: datetime | None = None) -> Standing:
    """Say how a run stands now; one whose process of this machine is gone is interrupted at once, others after ten minutes of silence."""
    return standing_of(record, now or datetime.now(UTC), dead=is_dead(record.holder))


def _parsed(content: bytes | None) -> RunRecord | None:
    if content is None:
        return None
    try:
        return RunRecord.from_json(content)
    except (ValueError, KeyError, TypeError):
        return None
