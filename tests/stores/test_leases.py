"""One writer at a time, whatever the clocks say: leases under races, death, pauses and skew."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.facts.causes import State
from catalog.facts.errors import LeaseBusy, LeaseLost
from catalog.facts.leases import Lease, Terms, Watch
from catalog.facts.pools import Crashed
from catalog.facts.records import Outcome, Unit
from catalog.stores import fences, ledger
from catalog.stores.files import write_atomic
from catalog.stores.leases import Claimer, Clock, acquire, find_leases, held
from catalog.stores.rounds import run_round
from catalog.stores.store import open_store
from catalog.stores.versioned import read_versioned

REGION, YEAR = "khumbu", 2021
UNIT = Unit(REGION, YEAR, "32645-0020-0136", "surface")
TERMS = Terms(duration_s=120, renew_s=30, confirm_s=5)


class Hands:
    """A clock that a test moves; what it shows to people may be off by any amount."""

    def __init__(self, skew_s: float = 0.0) -> None:
        self.seconds, self.skew = 0.0, timedelta(seconds=skew_s)

    def pass_(self, seconds: float) -> None:
        self.seconds += seconds

    @property
    def clock(self) -> Clock:
        start = datetime(2026, 11, 1, tzinfo=UTC) + self.skew
        return Clock(lambda: self.seconds, lambda: start + timedelta(seconds=self.seconds), self.pass_)

    def by(self) -> Claimer:
        return Claimer("", TERMS, self.clock)


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path / "store"), create=True)


def elsewhere(store) -> None:
    """Make the holder of the lease one of another machine, so that nobody here can tell whether it lives."""
    path = store.lease(REGION, YEAR)
    content = json.loads(path.read_bytes())
    content["holder"] |= {"machine": "another", "host": "node-7"}
    path.write_bytes(json.dumps(content).encode())


def test_a_second_comer_is_told_who_is_at_work_since_when_and_until_when(store):
    with held(store, REGION, YEAR), pytest.raises(LeaseBusy) as refused, held(store, REGION, YEAR):
        pass
    said = str(refused.value)
    assert f"process {os.getpid()}" in said
    assert "at work on it since" in said
    assert "runs until" in said


def test_a_lease_is_given_back_and_other_region_years_are_free_meanwhile(store):
    with held(store, REGION, YEAR), held(store, REGION, YEAR + 1), held(store, "everest", YEAR), held(store, REGION):
        assert len(find_leases(store)) == 4
    assert not find_leases(store)


def test_who_waits_gets_it_when_it_is_given_back(store):
    first = acquire(store, REGION, YEAR)
    threading.Timer(0.2, first.release).start()
    with held(store, REGION, YEAR, wait_s=60, by=Claimer(terms=Terms(120, 0.05, 5))) as mine:
        assert mine.lease.nonce != first.lease.nonce


@pytest.mark.parametrize("skew_s", [-90_000, 0, 90_000])
def test_a_dead_holder_of_another_machine_is_followed_after_the_duration_whatever_its_clock_says(store, skew_s):
    mine = Hands()
    acquire(store, REGION, YEAR, by=Hands(skew_s).by())
    elsewhere(store)
    assert acquire(store, REGION, YEAR, wait_s=200, by=mine.by()).lease.renewals == 0
    assert 120 <= mine.seconds <= 125


@given(st.lists(st.floats(0.1, 40), min_size=1, max_size=40))
def test_a_lease_that_is_renewed_never_expires_for_who_watches(steps):
    watch, now = Watch(), 0.0
    for count, step in enumerate(steps):
        now += step
        assert not watch.expired(str(count), 120, now)
        assert not watch.expired(str(count), 120, now + 119)


@given(st.lists(st.tuples(st.sampled_from(["step", "renew", "claim"]), st.integers(0, 2), st.floats(0, 150)), max_size=60))
def test_never_do_two_believe_that_they_hold_it(tmp_path_factory, moves):
    """Three machines with clocks of their own; whatever they do in whatever order, at most one may write."""
    store = open_store(str(tmp_path_factory.mktemp("store")), create=True)
    hands = Hands()
    skewed = [Claimer("", TERMS, replace(hands.clock, now=Hands(skew).clock.now)) for skew in (-4000, 0, 4000)]
    holding = [None, None, None]
    for what, who, seconds in moves:
        if what == "step":
            hands.pass_(seconds)
        elif what == "renew" and holding[who]:
            holding[who].renew()
        elif what == "claim" and not holding[who]:
            try:
                holding[who] = acquire(store, REGION, YEAR, by=skewed[who])
                elsewhere_version(store, holding[who])
            except LeaseBusy:
                pass
        sure = [mine for mine in holding if mine and may_write(mine)]
        assert len(sure) <= 1
        holding = [mine if mine and mine in sure else None for mine in holding]


def elsewhere_version(store, mine) -> None:
    """Let the holder be of another machine without the holder noticing."""
    elsewhere(store)
    mine.lease = replace(mine.lease, holder=replace(mine.lease.holder, machine="another"))
    mine.version = read_versioned(mine.path)[1]


def may_write(mine) -> bool:
    try:
        mine.check()
    except LeaseLost:
        return False
    return True


def test_one_wins_where_many_find_an_expired_lease(store):
    acquire(store, REGION, YEAR, by=Hands().by())
    elsewhere(store)
    hands, won = Hands(), []
    with pytest.raises(LeaseBusy):
        acquire(store, REGION, YEAR, by=hands.by())
    hands.pass_(121)
    start = threading.Barrier(8)

    def claim() -> None:
        start.wait()
        with suppress(LeaseBusy):
            won.append(acquire(store, REGION, YEAR, by=hands.by()))

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


CHILD = """
import sys, time
from catalog.stores.leases import held
from catalog.stores.store import open_store
from catalog.stores.versioned import read_versioned
with held(open_store(sys.argv[1]), "khumbu", 2021):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def child(store):
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(store.root)], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_holder_of_this_machine_that_was_killed_frees_its_lease_at_once(store, child):
    with pytest.raises(LeaseBusy, match=f"process {child.pid}"):
        acquire(store, REGION, YEAR)
    child.send_signal(signal.SIGKILL)
    # nobody asked for its exit code yet: a dead process that still has its ID
    deadline = time.monotonic() + 60
    while find_leases(store)[0][1] != "dead" and time.monotonic() < deadline:
        time.sleep(0.02)
    acquire(store, REGION, YEAR).release()


def test_a_process_id_that_another_process_has_now_does_not_keep_a_lease(store):
    acquire(store, REGION, YEAR)
    path = store.lease(REGION, YEAR)
    content = json.loads(path.read_bytes())
    content["holder"]["started"] = "1"
    path.write_bytes(json.dumps(content).encode())
    acquire(store, REGION, YEAR).release()


def test_a_holder_that_was_paused_records_nothing_more(store):
    hands = Hands()
    mine = acquire(store, REGION, YEAR, by=hands.by())
    with fences.inside(mine):
        ledger.put(store, Outcome(UNIT, State.DONE, "1"))
        hands.pass_(119)
        with pytest.raises(LeaseLost, match="did not renew its lease for 120 s, and somebody may have"):
            ledger.put(store, Outcome(UNIT, State.DONE, "2"))
    assert ledger.find(store, UNIT).fingerprint == "1"


def test_a_holder_whose_lease_was_taken_over_notices_before_its_own_clock_says_so(store):
    hands, other = Hands(), Hands()
    mine = acquire(store, REGION, YEAR, by=hands.by())
    elsewhere(store)
    theirs = acquire(store, REGION, YEAR, wait_s=200, by=other.by())
    hands.pass_(6)
    with fences.inside(mine), pytest.raises(LeaseLost, match="took it over"):
        ledger.put(store, Outcome(UNIT, State.DONE, "2"))
    mine.release()
    assert theirs.renew()


def test_what_a_holder_wrote_after_it_lost_its_lease_is_done_again(store):
    """Its product is in place of that of the new holder, whose record does not fit any more."""
    path = store.root / "cubes" / "product.bin"

    def produce(content: bytes):
        def write() -> Outcome:
            write_atomic(path, content)
            return Outcome(UNIT, State.DONE, "", outputs=ledger.receipts_for(store, [path]))

        return write

    def paused() -> Outcome:
        outcome = produce(b"late bytes")()
        write_atomic(path, b"new bytes!")
        ledger.put(
            store, Outcome(UNIT, State.DONE, ledger.fingerprint_of({"a": 2}), outputs=ledger.receipts_for(store, [path]), inputs={"a": 2})
        )
        write_atomic(path, b"late bytes")
        hands.pass_(500)
        return outcome

    hands = Hands()
    with fences.inside(acquire(store, REGION, YEAR, by=hands.by())), pytest.raises(LeaseLost):
        ledger.once(store, UNIT, {"a": 1}, paused)
    assert ledger.is_current(store, UNIT, ledger.fingerprint_of({"a": 2})) is None
    done = ledger.once(store, UNIT, {"a": 2}, produce(b"new bytes!"))
    assert ledger.verified(store, done)


class Elsewhere:
    """A pool whose units run in a thread that knows nothing of the flow."""

    def each(self, function, items):
        for item in items:
            found = []

            def call(item=item, found=found) -> None:
                try:
                    found.append(function(item))
                except Exception as error:
                    found.append(Crashed(error))

            thread = threading.Thread(target=call)
            thread.start()
            thread.join()
            yield item, found[0]


def test_units_on_a_pool_are_refused_too(store):
    mine = acquire(store, REGION, YEAR, by=Claimer(terms=Terms(confirm_s=0.0)))
    with fences.inside(mine):
        report = run_round(store, "surface", Elsewhere(), lambda unit: ledger.put(store, Outcome(unit, State.DONE, "1")), [(UNIT, UNIT)])
        assert report.states == {"done": 1}
        store.lease(REGION, YEAR).unlink()
        with pytest.raises(LeaseLost):
            run_round(store, "surface", Elsewhere(), lambda unit: ledger.put(store, Outcome(unit, State.DONE, "2")), [(UNIT, UNIT)])
    assert ledger.find(store, UNIT).fingerprint == "1"


def test_products_of_a_lost_region_year_are_refused_and_those_of_others_are_not(store):
    hands = Hands()
    with fences.inside(acquire(store, REGION, YEAR, by=hands.by())):
        hands.pass_(500)
        fences.check_path(store.cube(REGION, YEAR + 1, 32645))
        fences.check_path(store.cube("everest", YEAR, 32645))
        for path in (store.cube(REGION, YEAR, 32645), store.inventory("lakes", REGION, YEAR), store.scenes(REGION, YEAR)):
            with pytest.raises(LeaseLost):
                fences.check_path(path)


def test_a_lease_is_renewed_while_its_holder_works(store):
    with held(store, REGION, YEAR, by=Claimer(terms=Terms(60, 0.02, 5))):
        deadline = time.monotonic() + 60
        while find_leases(store)[0][0].renewals < 3 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert find_leases(store)[0][0].renewals >= 3


def test_a_lease_that_cannot_be_read_is_taken_over_like_any_other(store):
    path = store.lease(REGION, YEAR)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"{")
    hands = Hands()
    acquire(store, REGION, YEAR, wait_s=200, by=hands.by())
    assert 120 <= hands.seconds <= 125


def test_a_lease_survives_the_round_trip(store):
    lease = acquire(store, REGION, YEAR).lease
    assert Lease.from_json(lease.to_json()) == lease


CLAIMANT = """
import sys
from catalog.facts.errors import LeaseBusy
from catalog.facts.leases import Terms
from catalog.stores.leases import Claimer, held
from catalog.stores.store import open_store
print("ready", flush=True)
sys.stdin.readline()
try:
    with held(open_store(sys.argv[1]), "khumbu", 2021, wait_s=3, by=Claimer(terms=Terms(2.0, 0.2, 0.2))):
        print("won", flush=True)
        sys.stdin.readline()
except LeaseBusy:
    print("busy", flush=True)
"""


def test_of_two_processes_that_wait_for_a_dead_holder_one_goes_on(store):
    acquire(store, REGION, YEAR, by=Claimer(terms=Terms(2.0, 0.2, 0.2)))
    elsewhere(store)
    command = [sys.executable, "-c", CLAIMANT, str(store.root)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": Path(__file__).parents[2]}
    with subprocess.Popen(command, **pipes) as one, subprocess.Popen(command, **pipes) as other:
        assert {process.stdout.readline() for process in (one, other)} == {"ready\n"}
        for process in (one, other):
            process.stdin.write("go\n")
            process.stdin.flush()
        assert sorted(process.stdout.readline() for process in (one, other)) == ["busy\n", "won\n"]
        for process in (one, other):
            process.stdin.close()
