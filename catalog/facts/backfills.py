"""What a backfill is to do and why, unit by unit, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final, Literal

from catalog.facts.options import MapOptions
from catalog.facts.records import RegionYearReport, Unit

Why = Literal[
    "missing", "failed", "damaged", "new scenes", "unobserved", "new weights", "new options", "new code", "edits", "stale", "forced"
]
WHYS: Final[Mapping[Why, str]] = {
    "missing": "no record of it, or a product that has none is gone",
    "failed": "it failed, and is tried again",
    "damaged": "a product is gone or is not what its record says",
    "new scenes": "the catalog has scenes that went into nothing yet, replaced some, or lost some",
    "unobserved": "nothing was seen of it, and now there are new scenes",
    "new weights": "another model, or another version of it",
    "new options": "another option, or another rule of which tiles can hold the target",
    "new code": "the stage computes other numbers than it did",
    "edits": "people edited, changed or took back something",
    "stale": "what it was made from was made anew after it",
    "forced": "named with --force",
}
"""Cause -> what it means."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a unit is to be done."""

    why: Why
    detail: str
    """What exactly: names, old and new values."""
    inherited: bool = False
    """It is the reason of a unit that this one waits for."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A unit that a run would do."""

    unit: Unit
    reasons: tuple[Reason, ...]
    certain: bool = True
    """False: it is done only if what it is made from turns out to have other bytes, or to be there at all."""
    retired: bool = False
    """It is not made again but taken out, because what it was made from is gone."""

    @property
    def name(self) -> str:
        """The unit as `--force` names it."""
        return name_of(self.unit)


def name_of(unit: Unit) -> str:
    """Return `<region>/<year>/<tile>/<stage>`."""
    return f"{unit.region}/{unit.year}/{unit.tile}/{unit.stage}"


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for when a region-year was mapped, and what a backfill repeats unless told otherwise."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}
    catalog: str
    model: str | None
    """None: the default of the region's target, whatever that is when it is run."""
    options: MapOptions


@dataclass(frozen=True, slots=True)
class Order:
    """A region-year to be looked at by a backfill."""

    region: str
    year: int
    request: Request
    note: str = ""
    """What a person must know of the request, for example that the store remembers none."""


@dataclass(frozen=True, slots=True)
class YearPlan:
    """What a run over a region-year would do."""

    order: Order
    units: tuple[Planned, ...]
    trouble: str = ""
    """Why nothing could be planned, in one sentence."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What stays in the store of a backfill."""

    id: str
    who: str
    host: str
    began: datetime
    reason: str
    asked: Mapping[str, Any]
    """What was given on the call."""
    units: tuple[Planned, ...]
    ended: datetime | None = None
    """None: it is still at work, or it was killed."""
    became: Mapping[str, str] | None = None
    """Unit -> its state after, `same bytes` where it was not needed, `not reached`."""
    unforeseen: tuple[str, ...] = ()
    """Units that were done though they were not on the list: products were not reproduced byte for byte."""
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs from the requests that a store remembers."""

    catalog: str | None = None
    model: str | None = None
    options: MapOptions | None = None
    refuse: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BackfillReport:
    """How a backfill ended, or with a dry run what it would do."""

    plans: tuple[YearPlan, ...]
    dry_run: bool
    reports: tuple[RegionYearReport, ...] = ()
    receipt: Receipt | None = None

    @property
    def units(self) -> tuple[Planned, ...]:
        """Every unit that is done or may follow."""
        return tuple(unit for plan in self.plans for unit in plan.units)

    @property
    def failures(self) -> tuple[str, ...]:
        """Every failed unit, and every region-year for which nothing could be planned."""
        troubles = tuple(f"{plan.order.region} {plan.order.year} {plan.trouble}" for plan in self.plans if plan.trouble)
        failed = tuple(f"{report.job.region} {report.job.year} {failure}" for report in self.reports for failure in report.failures)
        return (*troubles, *failed)
