from collections.abc import Callable, Iterator, Sequence

import pytest

from catalog.facts.causes import State
from catalog.facts.errors import StoreFull
from catalog.facts.pools import Crashed
from catalog.facts.records import Outcome, Unit
from catalog.stores import ledger
from catalog.stores.rounds import run_round
from catalog.stores.store import open_store


class Here:
    """A pool that runs items in this thread, last first: the order of ending must not matter."""

    def each(self, function: Callable, items: Sequence) -> Iterator:
        for item in reversed(items):
            try:
                yield item, function(item)
            except Exception as error:
                yield item, Crashed(error)


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path), create=True)


def unit(tile: str) -> Unit:
    return Unit("khumbu", 2021, tile, "surface")


def test_an_unforeseen_error_fails_its_unit_and_no_other(store):
    def work(tile: list[str]) -> Outcome:
        if tile == ["b"]:
            raise ZeroDivisionError("division by zero")
        return ledger.put(store, Outcome(unit(tile[0]), State.DONE, "f"))

    report = run_round(store, "surface", Here(), work, [(unit(t), [t]) for t in "abc"])
    assert [ledger.find(store, unit(t)).state for t in "abc"] == [State.DONE, State.FAILED, State.DONE]
    assert report.failures == ("b: division by zero",)
    assert report.states == {"done": 2, "failed": 1}
    assert ledger.find(store, unit("b")).cause == "ZeroDivisionError"


def test_a_full_disk_stops_the_round(store):
    def work(tile: list[str]) -> Outcome:
        raise StoreFull("no space left")

    with pytest.raises(StoreFull):
        run_round(store, "surface", Here(), work, [(unit("a"), ["a"])])


def test_units_that_were_current_do_not_count_as_written(store):
    def work(tile: list[str]) -> Outcome:
        return ledger.once(store, unit(tile[0]), {}, lambda: Outcome(unit(tile[0]), State.EMPTY, ""))

    units = [(unit(t), [t]) for t in "ab"]
    assert run_round(store, "surface", Here(), work, units).written == 2
    assert run_round(store, "surface", Here(), work, units).written == 0
