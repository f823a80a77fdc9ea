"""What a region's page is made from, as tables; pictures travel beside them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.facts.records import Outcome
from catalog.facts.regions import Region

Geometries = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class YearTables:
    """What a store holds about one region-year; tables that are not there have no rows and no columns."""

    year: int
    mapped: bool
    """Whether there is an inventory; False for a year that was begun and has none yet."""
    inventory: pa.Table
    outlines: Geometries
    """EPSG:4326, one per row of the inventory."""
    provenance: Mapping[str, Any]
    coverage: pa.Table
    scenes: pa.Table
    """`id`, `collection`, `provider`, `datetime`, `tile`, `used`, `refused_because` of every scene considered."""
    counts: pa.Table
    """Of slumps only: what observed ground holds."""
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class ReportTables:
    """What a store holds about a region."""

    region: Region
    years: tuple[YearTables, ...]
    """Ascending."""
    through: Mapping[str, pa.Table]
    """Tables through the years by name, those that are there: `tracks`, `events`, `changes`, `trends`, `totals`, ..."""
    shapes: Geometries
    """EPSG:4326, one per row of `through["change_shapes"]`; none without it."""


@dataclass(frozen=True, slots=True)
class Plane:
    """The plane that a page's map is drawn in."""

    epsg: int
    left_m: float
    top_m: float
    quantum_m: float
    """Metres per unit of the page's coordinates, which grow to the right and down from the upper left corner."""


@dataclass(frozen=True, slots=True)
class YearPicture:
    """A surface and its unusable pixels, encoded, and where they lie in the plane."""

    year: int
    surface: bytes
    """WebP."""
    causes: bytes
    """PNG of the codes of `Cause`, one byte per pixel."""
    left_m: float
    top_m: float
    width_m: float
    height_m: float


@dataclass(frozen=True, slots=True)
class PageParts:
    """The parts of a page that are the same for every region."""

    html: str
    style: str
    script: str
    plotly: str
    """The script of plotly.js, whole."""


@dataclass(frozen=True, slots=True)
class PageReport:
    """What was written."""

    path: str
    bytes: int
    written: bool
    """False where the page was there already, byte for byte."""
    complete: bool
    features: Mapping[int, int]
    """Rows of the inventory per year, as the page shows them."""
    parts: Mapping[str, int]
    """Bytes per part of the page."""
