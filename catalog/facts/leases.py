"""Who may write a region-year, or what the years of a region share, and for how long: what a lease says, and when it may be taken over."""

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

from catalog.facts.errors import LeaseBusy, LeaseLost


@dataclass(frozen=True, slots=True)
class Terms:
    """How long a lease is good for; both sides measure it by their own clock."""

    duration_s: float = 120.0
    """A lease that nobody renewed for so long may be taken over."""
    renew_s: float = 30.0
    """Between renewals: four may fail before the lease is lost."""
    confirm_s: float = 5.0
    """How old the holder's own look at the lease may be when it records something."""

    @property
    def trusted_s(self) -> float:
        """How long after a renewal its holder believes in it: less than others wait, should its clock run slower than theirs."""
        return 0.9 * self.duration_s


TERMS: Final = Terms()
WAIT_MINUTES: Final = 10.0
"""How long a run waits for another on the same region-year, unless told otherwise: longer than a dead holder's lease runs."""


def terms_of(duration_s: float) -> Terms:
    """Return terms of another duration, in the same proportions."""
    share = duration_s / TERMS.duration_s
    return Terms(duration_s, share * TERMS.renew_s, share * TERMS.confirm_s)


@dataclass(frozen=True, slots=True)
class Holder:
    """A process, so that another on the same machine can tell whether it is alive."""

    host: str
    pid: int
    machine: str
    """Equal only where process IDs mean the same: this start of this machine, and this container of it."""
    started: str
    """Tells a process from a later one with the same ID; empty where the system does not say."""
    run: str = ""
    """Name of the flow run."""

    def __str__(self) -> str:
        """The holder in words."""
        return f"process {self.pid} on {self.host}" + (f" (run {self.run})" if self.run else "")


@dataclass(frozen=True, slots=True)
class Lease:
    """What the file of a lease says. Its times are of the holder's clock: for people to read, never to be trusted alone."""

    region: str
    year: int | None
    """None: what all years of the region share, its names and its tracks."""
    holder: Holder
    nonce: str
    """Tells this lease from any other, also of the same holder."""
    taken: datetime
    renewed: datetime
    duration_s: float
    renewals: int = 0

    @property
    def expires(self) -> datetime:
        """When it ends unless it is renewed."""
        return self.renewed + timedelta(seconds=self.duration_s)

    @property
    def subject(self) -> str:
        """What it is about, in words."""
        return f"{self.region} {self.year}" if self.year is not None else f"the names and tracks of {self.region}"

    def renewed_at(self, now: datetime) -> Self:
        """Return the lease renewed; the count makes its bytes new even where a clock stands still."""
        return replace(self, renewed=now, renewals=self.renewals + 1)

    def to_json(self) -> bytes:
        """Return the content of the file."""
        times = {name: getattr(self, name).isoformat() for name in ("taken", "renewed", "expires")}
        return json.dumps(asdict(self) | times, indent=1).encode()

    @classmethod
    def from_json(cls, content: bytes) -> Self:
        """Read the content of the file."""
        known: dict[str, Any] = json.loads(content)
        known.pop("expires")
        times = {name: datetime.fromisoformat(known[name]) for name in ("taken", "renewed")}
        return cls(**known | times | {"holder": Holder(**known["holder"])})


def busy(lease: Lease) -> LeaseBusy:
    """Return the sentence that names the holder, since when and until when."""
    return LeaseBusy(
        f"{lease.subject}: {lease.holder} is at work on it since {_minute(lease.taken)}; its lease runs until {_minute(lease.expires)} unless "
        "it is renewed. Run the same command again later, or let it wait longer with --wait MINUTES."
    )


def lost(lease: Lease, taker: Lease | None) -> LeaseLost:
    """Return the sentence for a holder that was paused for too long."""
    by = f"{taker.holder} took it over" if taker else "somebody may have taken it over"
    return LeaseLost(
        f"{lease.subject}: this program did not renew its lease for {lease.duration_s:.0f} s, and {by}. Nothing more was recorded. "
        "Run the same command again: what is complete is kept."
    )


class Watch:
    """A lease as one who waits for it sees it: it is free once the same version was seen for the whole duration, by one's own clock.

    The times in the lease are not asked: a clock may be hours off. A holder that is alive renews, and every renewal has a new version.
    """

    def __init__(self) -> None:
        """Nothing was seen yet."""
        self._version, self._since_s = "", 0.0

    def expired(self, version: str, duration_s: float, now_s: float) -> bool:
        """Say whether the lease of this version may be taken over now; `now_s` never goes back."""
        if version != self._version:
            self._version, self._since_s = version, now_s
        return now_s - self._since_s >= duration_s


def standing(lease: Lease, now: datetime, *, dead: bool) -> str:
    """Return `live`, `expired` or `dead`, by the clock of who asks: for people."""
    return "dead" if dead else "live" if now <= lease.expires else "expired"


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
