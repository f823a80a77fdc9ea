"""Leases: one writer at a time for a region-year, and for what the years of a region share; kept in the store, so on every machine.

A lease is one small file. It is made only where there is none, and changed only as long as it is the version that was read, so
among any number of claimers one wins. Its holder renews it from a thread of its own. One who waits takes over what it has
itself seen unchanged for the whole duration, by its own clock, or at once what a dead process of this machine left behind.
"""

import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from catalog.facts.leases import TERMS, Holder, Lease, Terms, Watch, busy, lost, standing
from catalog.stores import fences
from catalog.stores.fences import Ground
from catalog.stores.store import Store
from catalog.stores.versioned import create_only, delete_if, read_versioned, replace_if

SHARED_WAIT_S: Final = 3600.0
"""How long a year waits for what the years of its region share: naming and tracking take minutes, a dead holder two."""
_POLL_S: Final = 2.0
"""Between two looks of one who waits."""
_WATCHES: Final = dict[Path, Watch]()
"""What this process saw of the leases of others: waiting goes on from the first look, whatever was done in between."""
_CONFIRMED: Final = dict[str, float]()
"""When a worker process last saw the lease it works under, by its nonce."""


def _monotonic() -> float:
    # goes on while a machine sleeps, which the plain monotonic clock does not
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


@dataclass(frozen=True, slots=True)
class Clock:
    """Where time comes from; tests bring their own."""

    monotonic: Callable[[], float] = _monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep


CLOCK: Final = Clock()


@dataclass(frozen=True, slots=True)
class Claimer:
    """Who asks for a lease, and by which terms and clock."""

    run: str = ""
    """Name of the flow run."""
    terms: Terms = TERMS
    clock: Clock = CLOCK


CLAIMER: Final = Claimer()


@dataclass(frozen=True, slots=True)
class Ticket:
    """A lease as a worker process knows it: it looks whether the file still names the holder it works for."""

    ground: Ground
    path: Path
    nonce: str
    confirm_s: float

    def check(self) -> None:
        """Raise LeaseLost when somebody else holds the lease now, or nobody; what was seen just now is believed."""
        now = _monotonic()
        if now - _CONFIRMED.get(self.nonce, -self.confirm_s) < self.confirm_s:
            return
        taker = _read(self.path)
        if taker is None or taker.nonce != self.nonce:
            raise lost(taker or _nobody(self.ground), taker)
        _CONFIRMED[self.nonce] = now

    def ticket(self) -> "Ticket":
        """Return itself."""
        return self


@dataclass(slots=True)
class Held:
    """A lease that this process holds."""

    ground: Ground
    path: Path
    lease: Lease
    version: str
    terms: Terms
    clock: Clock
    trusted_until_s: float
    confirmed_s: float
    _gone: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self) -> None:
        """Raise LeaseLost when the lease was not renewed in time, or somebody else holds it."""
        with self._lock:
            now = self.clock.monotonic()
            if not self._gone and (now >= self.trusted_until_s or now - self.confirmed_s >= self.terms.confirm_s):
                self._confirm(now)
            if self._gone:
                # who was paused may still find its own lease there, and gives it up all the same
                there = _read(self.path)
                raise lost(self.lease, there if there and there.nonce != self.lease.nonce else None)

    def renew(self) -> bool:
        """Renew the lease; False when it is not ours any more."""
        with self._lock:
            started, renewed = self.clock.monotonic(), self.lease.renewed_at(self.clock.now())
            # late by more than the others wait, another may have begun: only a look at the file can tell, and then it is too late
            version = None if started >= self.trusted_until_s else replace_if(self.path, renewed.to_json(), self.version)
            if version is None:
                self._gone = self._gone or not self._adopted(started)
                return not self._gone
            self.lease, self.version = renewed, version
            self.trusted_until_s, self.confirmed_s = started + self.terms.trusted_s, started
            return True

    def release(self) -> None:
        """Give the lease back; what is not ours any more is left alone."""
        with self._lock:
            if not self._gone:
                delete_if(self.path, self.version)
            self._gone = True

    def ticket(self) -> Ticket:
        """Return what a worker process checks."""
        return Ticket(self.ground, self.path, self.lease.nonce, self.terms.confirm_s)

    def _confirm(self, now: float) -> None:
        if now >= self.trusted_until_s:
            self._gone = True
            return
        found = _read(self.path)
        self._gone = found is None or found.nonce != self.lease.nonce
        self.confirmed_s = now

    def _adopted(self, started: float) -> bool:
        """Whether the file says what we meant to write: an answer that got lost on the way back is no loss."""
        found = read_versioned(self.path)
        if started >= self.trusted_until_s or found is None or _parsed(found[0], self.lease).nonce != self.lease.nonce:
            return False
        self.lease, self.version = _parsed(found[0], self.lease), found[1]
        self.trusted_until_s, self.confirmed_s = started + self.terms.trusted_s, started
        return True


@contextmanager
def held(store: Store, region: str, year: int | None = None, *, wait_s: float = 0.0, by: Claimer = CLAIMER) -> Iterator[Held]:
    """Hold a region-year, or (year None) what the years of a region share, while the body runs.

    Waits up to `wait_s` for another holder, then raises LeaseBusy, which names it. What the body records is refused with
    LeaseLost once the lease is lost.
    """
    lease = acquire(store, region, year, wait_s=wait_s, by=by)
    stop = threading.Event()
    renewing = threading.Thread(target=_renew, args=(lease, stop), name=f"lease-{region}-{year}", daemon=True)
    renewing.start()
    try:
        with fences.of_process(lease):
            yield lease
    finally:
        stop.set()
        renewing.join()
        lease.release()


def acquire(store: Store, region: str, year: int | None = None, *, wait_s: float = 0.0, by: Claimer = CLAIMER) -> Held:
    """Take a lease without renewing it; for `held`, and for tests that are their own clock. Raises LeaseBusy."""
    terms, clock = by.terms, by.clock
    path, deadline = store.lease(region, year), clock.monotonic() + wait_s
    while True:
        started, now = clock.monotonic(), clock.now()
        lease = Lease(region, year, this_process(by.run), uuid.uuid4().hex, now, now, terms.duration_s)
        version, other = _claimed(path, lease, started)
        if version is not None:
            _WATCHES.pop(path, None)
            ground = Ground(str(store.root), region, year)
            return Held(ground, path, lease, version, terms, clock, started + terms.trusted_s, started)
        if other is not None and started >= deadline:
            raise busy(other)
        if other is not None:
            clock.sleep(min(_POLL_S, terms.renew_s, max(deadline - started, 0.0)))


def _claimed(path: Path, lease: Lease, now_s: float) -> tuple[str | None, Lease | None]:
    """Try once; returns the version of our lease, or whose it is. Neither when it was let go in between: try again."""
    version = create_only(path, lease.to_json())
    if version is not None:
        return version, None
    found = read_versioned(path)
    if found is None:
        return None, None
    other = _parsed(found[0], lease)
    expired = _WATCHES.setdefault(path, Watch()).expired(found[1], max(other.duration_s, lease.duration_s), now_s)
    if expired or is_dead(other.holder):
        version = replace_if(path, lease.to_json(), found[1])
        return version, None
    return None, other


def find_leases(store: Store, region: str | None = None, *, clock: Clock = CLOCK) -> tuple[tuple[Lease, str], ...]:
    """Return every lease with `live`, `expired` or `dead`, of one region or of all, by region and year."""
    found = [_read(path) for path in sorted(store.leases().glob(f"{region or '*'}/*.json"))]
    there = [lease for lease in found if lease is not None]
    return tuple((lease, standing(lease, clock.now(), dead=is_dead(lease.holder))) for lease in there)


def this_process(run: str = "") -> Holder:
    """Return this process as the holder of a lease."""
    return Holder(socket.gethostname(), os.getpid(), _machine(), _state(os.getpid())[1], run)


def is_dead(holder: Holder) -> bool:
    """Say whether a holder is surely dead: its process was on this machine, and is not there any more. When unsure, no."""
    if holder.machine != _machine():
        return False
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    state, started = _state(holder.pid)
    # a process that nobody asked for its exit code is dead, though its ID is still there
    return state == "Z" or started not in ("", holder.started)


def _renew(lease: Held, stop: threading.Event) -> None:
    while not stop.wait(lease.terms.renew_s):
        # a store that does not answer is asked again at the next turn; whether that is soon enough, `check` knows
        with suppress(Exception):
            if not lease.renew():
                return


def _read(path: Path) -> Lease | None:
    found = read_versioned(path)
    return None if found is None else _parsed(found[0], None)


def _parsed(content: bytes, otherwise: Lease | None) -> Lease:
    """Read a lease; one that cannot be read is held by nobody we know, for as long as our own would be."""
    try:
        return Lease.from_json(content)
    except (ValueError, KeyError, TypeError):
        known = otherwise or _nobody(Ground("", "?", None))
        return Lease(known.region, known.year, Holder("an unknown host", 0, "", ""), "", known.taken, known.renewed, known.duration_s)


def _nobody(ground: Ground) -> Lease:
    then = datetime.fromtimestamp(0, UTC)
    return Lease(ground.region, ground.year, Holder("an unknown host", 0, "", ""), "", then, then, TERMS.duration_s)


def _machine() -> str:
    """This start of this machine, and the space of process IDs; the host's name where the system tells neither."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return socket.gethostname()


def _state(pid: int) -> tuple[str, str]:
    """A letter for the state of a process, and when it started, in ticks since the machine did; empty where the system does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return fields[0], fields[19]
    except (OSError, IndexError):
        return "", ""
