"""The record of one invocation of the program: who asked what, what was done, what it took, how it ended.

Not the `run_id` of an inventory: that is a hash of what went in, equal for equal inputs. An invocation has an ID of its own.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal, Self

from catalog.facts.leases import Holder

SCHEMA: Final = 1
"""Of the file of a record; raised when a field changes its meaning."""
RunEnd = Literal["running", "complete", "failed", "killed"]
"""`failed`: units failed, or an error ended it; `killed`: a person or the system did, and the program could still say so."""
Standing = Literal["running", "complete", "failed", "killed", "interrupted"]
"""`interrupted`: the record was never finished, and nobody is at work on it any more."""
StagePhase = Literal["running", "ended", "stopped"]
RegionYearState = Literal["running", "complete", "failed", "stopped"]
SILENT_S: Final = 600.0
"""A record says every minute that it is alive; one that said nothing for so long is interrupted."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for, and by what program."""

    command: str
    """As it was typed."""
    parameters: Mapping[str, Any]
    """Of the flow: regions, years, catalog, model, options, ..."""
    version: str
    """Of cryoatlas."""
    flow_run: str = ""
    """ID of the Prefect flow run; empty without one."""
    user: str = ""


@dataclass(frozen=True, slots=True)
class Prices:
    """What an hour costs, in any currency; None: not given, and then no cost is said."""

    cpu_hour: float | None = None
    """Of one worker slot, which is what `seconds` of units count."""
    gpu_hour: float | None = None
    """Of one GPU, whether it is busy or not."""


NO_PRICES: Final = Prices()


@dataclass(frozen=True, slots=True)
class Usage:
    """What a run took."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    """Of this process and, as far as they took units, of worker processes."""
    work_s: float = 0.0
    """Summed over units worked on now: the hours of the region's page, and what a worker slot is paid for."""
    gpu_s: float = 0.0
    """GPUs held."""
    read_bytes: int = 0
    """Decoded pixels."""
    retries: int = 0
    """Reads and requests that were tried again."""
    peak_bytes: int = 0
    """Largest resident memory of any one process."""
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class DeviceRun:
    """What a stage did with the device that its network ran on; its shares are of `total_s`."""

    device: str
    held_s: float = 0.0
    busy_s: float = 0.0
    waiting_s: float = 0.0
    total_s: float = 0.0
    busy_share: float = 0.0
    waiting_share: float = 0.0


@dataclass(frozen=True, slots=True)
class StageRun:
    """One stage of a region-year in this run."""

    stage: str
    phase: StagePhase
    began: str
    total: int
    """Units before it; less behind it than that, and it did not come to its end."""
    states: Mapping[str, int] = field(default_factory=dict)
    """Units behind it by state."""
    worked: int = 0
    current: int = 0
    """Units that were complete from the same inputs; nothing was done."""
    wall_s: float = 0.0
    cpu_s: float = 0.0
    """Of all processes while the stage ran, so of other regions beside it too."""
    work_s: float = 0.0
    read_bytes: int = 0
    retries: int = 0
    """While the stage ran, like `cpu_s`."""
    failures: tuple[str, ...] = ()
    """The first twenty units that failed, with their sentences."""
    devices: tuple[DeviceRun, ...] = ()


@dataclass(frozen=True, slots=True)
class RegionYearRun:
    """One region-year in this run."""

    region: str
    year: int
    state: RegionYearState
    began: str
    wall_s: float = 0.0
    tile_px: int = 0
    scenes_used: int | None = None
    """Scenes used on some tile; None before they were chosen."""
    scenes_refused: int | None = None
    message: str = ""
    """The error that stopped it."""
    stages: tuple[StageRun, ...] = ()


@dataclass(frozen=True, slots=True)
class RunRecord:
    """The whole record."""

    invocation: str
    """ID: the time it began and eight random digits; not the `run_id` of an inventory."""
    asked: Asked
    holder: Holder
    """The process, so that another can tell whether it is alive."""
    began: str
    """UTC, as all times here."""
    updated: str
    """When it last said that it is alive."""
    ended: str | None = None
    end: RunEnd = "running"
    message: str = ""
    """The error that ended it."""
    planned: int = 0
    """Region-years asked for; 0 when that was not said."""
    region_years: tuple[RegionYearRun, ...] = ()
    usage: Usage = Usage()
    prices: Prices = Prices()
    log: str = ""
    """Name of the log beside it."""
    schema: int = SCHEMA

    def to_json(self) -> bytes:
        """Return the content of the file."""
        return json.dumps(asdict(self), indent=1, default=str).encode()

    @classmethod
    def from_json(cls, content: bytes) -> Self:
        """Read the content of the file; what a later program added is left out."""
        known: dict[str, Any] = json.loads(content)
        years = tuple(_region_year(entry) for entry in known.pop("region_years"))
        parts = {name: kind(**_of(kind, known.pop(name))) for name, kind in _PARTS.items()}
        return cls(**_of(cls, known) | parts | {"region_years": years})


_PARTS: Final[Mapping[str, type]] = {"asked": Asked, "holder": Holder, "usage": Usage, "prices": Prices}


def standing_of(record: RunRecord, now: datetime, *, dead: bool) -> Standing:
    """Say how a run stands: `dead` when its process is surely gone, which only a program on its machine can know."""
    if record.end != "running":
        return record.end
    silent = (now - datetime.fromisoformat(record.updated)).total_seconds() > SILENT_S
    return "interrupted" if dead or silent else "running"


def cost_of(usage: Usage, prices: Prices) -> float | None:
    """Cost of worker slots and GPUs; None unless a price was given for what was used."""
    if prices.cpu_hour is None and prices.gpu_hour is None:
        return None
    if (usage.work_s and prices.cpu_hour is None) or (usage.gpu_s and prices.gpu_hour is None):
        return None
    return round(usage.work_s / 3600 * (prices.cpu_hour or 0.0) + usage.gpu_s / 3600 * (prices.gpu_hour or 0.0), 4)


def stamp(now: datetime) -> str:
    """A time as a record writes it: UTC, to the millisecond."""
    return now.astimezone(UTC).isoformat(timespec="milliseconds")


def _region_year(known: dict[str, Any]) -> RegionYearRun:
    stages = tuple(_stage(entry) for entry in known.pop("stages"))
    return RegionYearRun(**_of(RegionYearRun, known) | {"stages": stages})


def _stage(known: dict[str, Any]) -> StageRun:
    devices = tuple(DeviceRun(**_of(DeviceRun, entry)) for entry in known.pop("devices"))
    return StageRun(**_of(StageRun, known) | {"devices": devices, "failures": tuple(known["failures"])})


def _of(kind: type, known: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in known.items() if name in kind.__dataclass_fields__}  # type: ignore[attr-defined]
