import shutil
from dataclasses import replace

import pytest

from catalog.facts.causes import State
from catalog.facts.errors import SourceBroken, StoreFull
from catalog.facts.records import Outcome, Unit
from catalog.stores import ledger
from catalog.stores.files import write_atomic
from catalog.stores.store import open_store

UNIT = Unit("khumbu", 2021, "32645-0020-0136", "surface")


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path / "store"), create=True)


def produced(store, content=b"pixels"):
    path = store.root / "cubes" / "product.bin"
    write_atomic(path, content)
    return Outcome(UNIT, State.DONE, "", outputs=ledger.receipts_for(store, [path]))


def counted(store, calls, content=b"pixels"):
    def produce():
        calls.append(1)
        return produced(store, content)

    return produce


def test_a_unit_is_done_once_for_the_same_inputs(store):
    calls = []
    first = ledger.once(store, UNIT, {"scenes": ["a", "b"]}, counted(store, calls))
    again = ledger.once(store, UNIT, {"scenes": ["a", "b"]}, counted(store, calls))
    assert len(calls) == 1
    assert again.fingerprint == first.fingerprint == ledger.fingerprint_of({"scenes": ["a", "b"]})


def test_a_unit_is_done_again_when_an_input_changed(store):
    calls = []
    ledger.once(store, UNIT, {"scenes": ["a"]}, counted(store, calls))
    ledger.once(store, UNIT, {"scenes": ["a", "b"]}, counted(store, calls))
    assert len(calls) == 2


@pytest.mark.parametrize("harm", ["delete", "truncate"])
def test_a_unit_whose_product_is_gone_or_cut_short_is_done_again(store, harm):
    calls = []
    outcome = ledger.once(store, UNIT, {}, counted(store, calls))
    (path,) = (store.root / name for name in outcome.outputs)
    path.unlink() if harm == "delete" else path.write_bytes(b"pix")
    ledger.once(store, UNIT, {}, counted(store, calls))
    assert len(calls) == 2
    assert path.read_bytes() == b"pixels"


def test_a_changed_byte_of_the_same_size_is_found_by_the_full_check(store):
    outcome = ledger.once(store, UNIT, {}, counted(store, []))
    (path,) = (store.root / name for name in outcome.outputs)
    path.write_bytes(b"pixelz")
    assert ledger.present(store, outcome)
    assert not ledger.verified(store, outcome)


def test_a_deliberate_error_fails_the_unit_with_its_sentence_and_is_tried_again(store):
    def broken():
        raise SourceBroken("scene S2A: file is cut short")

    failed = ledger.once(store, UNIT, {}, broken)
    assert (failed.state, failed.cause, failed.message) == (State.FAILED, "SourceBroken", "scene S2A: file is cut short")
    calls = []
    assert ledger.once(store, UNIT, {}, counted(store, calls)).state == State.DONE
    assert calls == [1]


def test_a_full_disk_stops_instead_of_failing_one_unit(store):
    def full():
        raise StoreFull("no space left")

    with pytest.raises(StoreFull):
        ledger.once(store, UNIT, {}, full)
    assert ledger.find(store, UNIT) is None


def test_a_deleted_ledger_costs_no_recompute(store):
    calls = []
    ledger.once(store, UNIT, {}, counted(store, calls))
    shutil.rmtree(store.root / "ledger")
    ledger.once(store, UNIT, {}, counted(store, calls))
    assert calls == [1]
    assert [outcome.unit for outcome in ledger.find_all(store, "khumbu", 2021)] == [UNIT]


def test_a_receipt_without_its_product_is_not_believed(store):
    outcome = ledger.once(store, UNIT, {}, counted(store, []))
    shutil.rmtree(store.root / "ledger")
    next(store.root / name for name in outcome.outputs).write_bytes(b"pixelz")
    assert ledger.find(store, UNIT) is None


def test_empty_is_not_failed_and_is_not_done_again(store):
    calls = []

    def nothing():
        calls.append(1)
        return Outcome(UNIT, State.EMPTY, "")

    for _ in range(2):
        assert ledger.once(store, UNIT, {}, nothing).state == State.EMPTY
    assert calls == [1]


def test_a_record_survives_the_round_trip(store):
    outcome = replace(produced(store), cause="x", message="y", inputs={"a": 1}, measures={"m": 0.5}, seconds=1.5, read_bytes=3)
    ledger.put(store, outcome)
    assert ledger.find(store, UNIT) == outcome
