"""What a release is: how it is asked for, what became of it, and the table that lists all of a region."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Final

import pyarrow as pa

from catalog.facts.errors import WrongCall
from catalog.facts.records import Target

PUBLICATION_VERSION: Final = 1
"""Raised when the layout of a publication changes; older programs refuse newer ones."""
_RELEASE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._]{0,31}$")
_DOI = re.compile(r"^10\.[0-9a-zA-Z]{4,}/[^\s]+$")

RELEASES: Final = pa.schema(
    [
        ("release", pa.string()),
        ("sequence", pa.int32()),
        ("date", pa.date32()),
        ("target", pa.string()),
        ("region", pa.string()),
        ("years", pa.list_(pa.int16())),
        ("reason", pa.string()),
        ("supersedes", pa.list_(pa.string())),
        ("complete", pa.bool_()),
        ("licence", pa.string()),
        ("doi", pa.string()),
        ("cryoatlas_version", pa.string()),
    ]
)
"""Columns of releases.parquet, one row per release of a region, in the order of `sequence`."""


@dataclass(frozen=True, slots=True)
class PublishOptions:
    """What a person decides about a release."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}
    date: date
    """Day of the release."""
    release: str = ""
    """Its name; empty: the year of the date and the first free number, for example `2026.1`."""
    reason: str = ""
    """Why it takes the place of an earlier one."""
    allow_partial: bool = False
    """Publish in spite of holes, and state them."""
    cogs: bool = False
    """Add rasters of probability and surface."""
    licence: str = "CC-BY-4.0"
    """SPDX identifier."""
    doi: str = ""
    authors: tuple[str, ...] = ()
    """Of the citation."""
    model: str = ""
    """Where the weights that mapped the region are, when they are not shipped."""

    def __post_init__(self) -> None:
        """Raise WrongCall for a name that makes no folder, or something that is no DOI."""
        if self.release and not _RELEASE.match(self.release):
            raise WrongCall(f"Release {self.release!r}: letters, digits, dots and underscores make its name, for example 2026.1.")
        if self.doi and not _DOI.match(self.doi):
            raise WrongCall(f"DOI {self.doi!r}: write it without an address, for example 10.5281/zenodo.1234567.")


@dataclass(frozen=True, slots=True)
class Gap:
    """Ground of a published year that is not what it should be; stated with the release."""

    year: int
    tile: str
    """Tile ID, or `region` for all of it."""
    stage: str
    cause: str
    """`failed`, `damaged`, `missing` or `stale`; of the stage `coverage`: `waiting` or `short`."""
    message: str
    km2: float
    """Mapped ground that it concerns."""


@dataclass(frozen=True, slots=True)
class PublishReport:
    """What became of a call."""

    release: str
    """Empty when everything was published already."""
    folder: str
    target: Target
    region: str
    items: tuple[str, ...] = ()
    """IDs of what was published now."""
    unchanged: tuple[str, ...] = ()
    """IDs of what an earlier release holds already."""
    supersedes: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
    files: int = 0
    bytes: int = 0
    finished: tuple[str, ...] = ()
    """Releases that an interrupted call had left without a place in the catalog."""


def collection_id(target: Target, region: str) -> str:
    """Name of a collection and of its folder."""
    return f"cryoatlas-{target}-{region}"


def item_id(region: str, year: int, release: str) -> str:
    """Name of the item of a region-year."""
    return f"{region}-{year}-{release}"


def next_release(day: date, taken: frozenset[str]) -> str:
    """Name of the next release: the year of its date, and the first free number."""
    number = 1
    while f"{day.year}.{number}" in taken:
        number += 1
    return f"{day.year}.{number}"
