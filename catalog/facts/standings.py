"""How a region-year stands: complete, still waiting for late scenes, short of what was to be observed, or with holes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any, ClassVar, Final, Literal

from catalog.facts.records import Target

State = Literal["complete", "waiting", "short", "incomplete"]
Why = Literal["failed", "damaged", "missing", "stale"]


@dataclass(frozen=True, slots=True)
class Hole:
    """A unit that is not what it should be."""

    tile: str
    """Tile ID, or `region` for a stage that works on the whole region-year."""
    stage: str
    why: Why
    message: str


@dataclass(frozen=True, slots=True)
class Policy:
    """How much must be observed, and how long late scenes are waited for."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}
    coverage_target: float
    """Share of the mapped ground with a clear optical look, 0 to 1."""
    grace_days: int
    """Days after the end of the season in which scenes still arrive: late downlinks, reprocessing, mirrors that lag."""


POLICIES: Final[Mapping[Target, Policy]] = MappingProxyType({"lakes": Policy(0.7, 45), "slumps": Policy(0.8, 45)})
"""Unless a store says otherwise. Of mountains more ground is in the shadow of terrain or under snow than of tundra, all season long."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a region-year stands."""

    state: State
    observed_share: float | None
    """Share of the ground that could hold the target and was observed; None when nothing was looked at yet."""
    coverage_target: float
    grace_until: date
    because: str
    """Empty when it is complete."""


@dataclass(frozen=True, slots=True)
class LeaseSeen:
    """A lease as an audit found it."""

    region: str
    year: int | None
    """None: what the years of the region share."""
    subject: str
    holder: str
    taken: datetime
    expires: datetime
    standing: str
    """`live`, `expired` (may be taken over), or `dead` (its process is gone)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """All that an audit says of a region-year."""

    region: str
    year: int
    target: Target
    state: State
    because: str
    observed_share: float | None
    coverage_target: float
    grace_until: date
    stages: Mapping[str, Mapping[str, int]]
    """Stage -> units per state."""
    holes: tuple[Hole, ...]
    mend: str
    """The command that fills the holes; empty when there are none."""
    look_again: str
    """The command that asks for late scenes; empty when as much as was to be is observed."""
    leases: tuple[LeaseSeen, ...]


def standing_of(holes: int, observed: float | None, policy: Policy, season_end: date, today: date) -> Standing:
    """Say how a region-year stands; `observed` of its ground, the last day of its season."""
    until = season_end + timedelta(days=policy.grace_days)
    share = "nothing is observed yet" if observed is None else f"{observed:.2f} of the ground is observed"
    aim = f"{share}, the target is {policy.coverage_target:.2f}"
    if holes:
        return Standing("incomplete", observed, policy.coverage_target, until, f"{holes} units are not what they should be")
    if observed is not None and observed >= policy.coverage_target:
        return Standing("complete", observed, policy.coverage_target, until, "")
    if today <= until:
        return Standing("waiting", observed, policy.coverage_target, until, f"until {until}, because {aim} and scenes may still arrive")
    return Standing("short", observed, policy.coverage_target, until, f"{aim}, and since {until} no more scenes are waited for")


def may_gain_scenes(found: Finding, today: date) -> bool:
    """Say whether a region-year is not complete and scenes of it may still arrive."""
    return found.state != "complete" and today <= found.grace_until
