"""What happens in a run, as it is told while it happens: to the terminal, to the record of the run and to its log."""

from dataclasses import dataclass
from typing import Literal

RegionYearEnd = Literal["complete", "failed", "stopped"]
"""All units complete; some failed; or an error or a person ended it before its last stage."""


@dataclass(frozen=True, slots=True)
class RunPlanned:
    """How many more region-years a run has before it."""

    region_years: int


@dataclass(frozen=True, slots=True)
class RegionYearBegan:
    """A region-year is worked on from here."""

    region: str
    year: int
    tile_px: int
    """Pixels along one side of its tiles."""


@dataclass(frozen=True, slots=True)
class StageBegan:
    """A stage of a region-year begins."""

    region: str
    year: int
    stage: str
    total: int
    """Units before it, those that are current already among them."""


@dataclass(frozen=True, slots=True)
class UnitEnded:
    """One unit of a stage is behind it."""

    region: str
    year: int
    stage: str
    tile: str
    state: str
    cause: str
    message: str
    worked: bool
    """False when it was current and nothing was done."""
    seconds: float
    """Of the work on it, on whatever worker."""
    read_bytes: int
    """Decoded, as the ledger counts them."""
    done: int
    """Units behind the stage, this one among them."""
    total: int


@dataclass(frozen=True, slots=True)
class StageEnded:
    """A stage came to its end, or was ended by an error."""

    region: str
    year: int
    stage: str
    finished: bool


@dataclass(frozen=True, slots=True)
class DeviceUsed:
    """What a stage did with the device that its network ran on."""

    region: str
    year: int
    stage: str
    device: str
    """`cpu`, or the GPU by its name and number."""
    held_s: float
    """How long the GPU was ours; 0 on a CPU."""
    busy_s: float
    """Inside the network."""
    waiting_s: float
    """The model had nothing to do: pixels were still being read."""
    total_s: float
    """From the first window wanted to the last one answered."""


@dataclass(frozen=True, slots=True)
class ScenesChosen:
    """How many scenes of a region-year are used on some tile, and how many on none."""

    region: str
    year: int
    used: int
    refused: int


@dataclass(frozen=True, slots=True)
class RegionYearEnded:
    """A region-year is behind the run."""

    region: str
    year: int
    end: RegionYearEnd
    message: str = ""
    """The error that stopped it."""


RunEvent = RunPlanned | RegionYearBegan | StageBegan | UnitEnded | StageEnded | DeviceUsed | ScenesChosen | RegionYearEnded
