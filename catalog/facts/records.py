"""Frozen records that travel between tasks; pixels and polygons travel through stores."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar, Literal

from catalog.facts.causes import State

Target = Literal["lakes", "slumps"]
Sensor = Literal["s2", "s1", "dem"]


@dataclass(frozen=True, slots=True)
class Season:
    """The date interval that is reduced to one surface; both days belong to it."""

    start: date
    end: date


@dataclass(frozen=True, slots=True)
class Asset:
    """One file of a scene: a band, a polarization, a class map or an elevation raster."""

    href: str
    """Unsigned address; signing happens when the file is opened."""
    epsg: int | None = None
    transform: tuple[float, float, float, float, float, float] | None = None
    """Affine (a, b, c, d, e, f) of the file, or None when the catalog does not tell."""
    shape: tuple[int, int] | None = None
    """Rows, columns of the file, or None when the catalog does not tell."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One acquisition as one STAC Item, normalised over providers."""

    id: str
    sensor: Sensor
    provider: str
    collection: str
    acquired: datetime
    assets: Mapping[str, Asset]
    """Cube band name (B02, SCL, VV, DEM, ...) -> asset."""
    footprint_wkt: str
    """Footprint in EPSG:4326."""
    baseline: str | None = None
    """Sentinel-2 processing baseline as `NN.NN`."""
    offset_counts: int = 0
    """Counts to subtract from every valid count; decided once in the table of sources."""
    offset_evidence: str = "metadata"
    """`catalog flag`, `metadata` or `measured`."""
    sun_elevation_deg: float | None = None
    sun_azimuth_deg: float | None = None
    orbit_state: str | None = None
    relative_orbit: int | None = None
    cloud_percent: float | None = None
    platform: str | None = None
    etag: str | None = None
    """Checksum, etag or update time of the item: changes when it is replaced in place."""
    acquisition_key: str = ""
    """Equal for the same acquisition processed or delivered twice."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One scene considered for one tile and year: used, or refused with the reason."""

    scene: Scene
    tile: str
    used: bool
    refused_because: str | None = None
    clear_share: float | None = None
    """Share of the tile that the scene shows without cloud, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Job:
    """One region-year to be mapped into one store; small, so that it travels through Prefect."""

    region: str
    year: int
    target: Target
    store: str


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """What of a model goes into the fingerprint of what it makes."""

    name: str
    version: str
    sha256: str
    stride_px: int = 0
    """Of detectors: between windows."""
    score_floor: float = 0.0
    """Of detectors: what scores less is not kept."""


@dataclass(frozen=True, slots=True)
class RegionYears:
    """A region and the years of it that are to be mapped."""

    region: str
    """As the call named it: a name, a file or a box."""
    target: Target
    years: tuple[int, ...]
    """Ascending."""


@dataclass(frozen=True, slots=True)
class StageReport:
    """How one stage of a region-year ended."""

    stage: str
    states: Mapping[str, int]
    """Units per state."""
    failures: tuple[str, ...]
    """One sentence per failed unit: which, and why."""
    seconds: float
    written: int
    """Units that were worked on now; the others were current already."""
    warnings: tuple[str, ...] = ()
    """What a person should look at, though nothing failed: edits in conflict, one sentence each."""


@dataclass(frozen=True, slots=True)
class RegionYearReport:
    """How a whole region-year ended."""

    job: Job
    stages: tuple[StageReport, ...]

    @property
    def failures(self) -> tuple[str, ...]:
        """Every failed unit of every stage."""
        return tuple(failure for stage in self.stages for failure in stage.failures)


@dataclass(frozen=True, slots=True)
class Unit:
    """What the ledger keeps one record for."""

    region: str
    year: int
    tile: str
    """Tile ID, or `region` for a stage that works on the whole region-year."""
    stage: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a unit; the ledger's record and what tasks return."""

    unit: Unit
    state: State
    fingerprint: str
    """Hash of everything that went in."""
    cause: str = ""
    """Short code, for example `no_scene`, `read_failed`, `below_elevation_floor`."""
    message: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    """Path inside the store -> `sha256:<hex>:<bytes>`."""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    """The fingerprint's ingredients, in words, so that a difference can be explained."""
    measures: Mapping[str, float] = field(default_factory=dict)
    """Shares and counts that reports need, for example `observed_share`, `looks_median`."""
    seconds: float = 0.0
    read_bytes: int = 0

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}
