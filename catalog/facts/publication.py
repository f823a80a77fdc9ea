"""What a publication says of its files, years, releases and models; plain facts from which its documents are written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from catalog.facts.columns import Column
from catalog.facts.records import Target
from catalog.facts.releases import Gap, PublishOptions

PARQUET, JSON, TEXT, MARKDOWN = "application/vnd.apache.parquet", "application/json", "text/plain", "text/markdown"
COG, GEOJSON = "image/tiff; application=geotiff; profile=cloud-optimized", "application/geo+json"


@dataclass(frozen=True, slots=True)
class Raster:
    """Where the pixels of a raster lie and what its bands hold."""

    code: str
    """CRS, for example EPSG:32643."""
    shape_yx: tuple[int, int]
    transform: tuple[float, float, float, float, float, float]
    """Affine (a, b, c, d, e, f)."""
    bands: tuple[tuple[str, str], ...]
    """Name and meaning."""
    data_type: str
    nodata: float
    scale: float
    unit: str = ""


@dataclass(frozen=True, slots=True)
class ReleasedFile:
    """One file of a release."""

    key: str
    """Of the asset."""
    path: str
    """Inside the release's folder."""
    media_type: str
    title: str
    roles: tuple[str, ...]
    checksum: str
    """`sha256:<hex>:<bytes>`."""
    rows: int | None = None
    columns: tuple[Column, ...] = ()
    geometry: str = ""
    """Name of the column with the geometry; empty without."""
    raster: Raster | None = None

    @property
    def size(self) -> int:
        """Bytes."""
        return int(self.checksum.rsplit(":", 1)[1])

    @property
    def multihash(self) -> str:
        """SHA-256 as a multihash in hexadecimal: code 12, length 20, then the digest."""
        return f"1220{self.checksum.split(':')[1]}"


@dataclass(frozen=True, slots=True)
class UsedScene:
    """A scene that went into a year."""

    id: str
    sensor: str
    acquired: datetime
    href: str
    """Address of its STAC item; empty where the catalog gave none."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """The model that mapped a year, as its card tells."""

    name: str
    version: str
    sha256: str
    title: str
    licence: str
    citation: str
    trained_on: str
    folder: str
    """Of its item, inside the publication."""
    description: Mapping[str, Any] = field(default_factory=dict)
    """Properties of the MLM extension; empty when no card is at hand."""


@dataclass(frozen=True, slots=True)
class YearFacts:
    """One region-year of a release."""

    year: int
    id: str
    start: datetime
    end: datetime
    features: int
    """Rows of the inventory without `below_minimum_area`."""
    rows: int
    area_m2: float
    """Of those features."""
    observed_share: float
    """Mean over the mapped tiles."""
    tiles: int
    payload: str
    """`sha256:<hex>` of geometry and columns without what names the run."""
    content: str
    """Hash of everything that the year's tables hold: equal content is not published twice."""
    rasters: str
    """Hash of what its rasters are made from; empty without."""
    files: tuple[ReleasedFile, ...]
    scenes: tuple[UsedScene, ...]
    origin: Mapping[str, Any]
    """What the inventory says of its provenance."""
    model: ModelFacts | None
    gaps: tuple[Gap, ...] = ()
    supersedes: str = ""
    """ID of the item that it takes the place of; empty when there is none."""
    supersedes_path: str = ""
    """Of that item, inside the collection's folder."""


@dataclass(frozen=True, slots=True)
class ReleaseFacts:
    """One release of a region."""

    release: str
    sequence: int
    day: date
    reason: str
    target: Target
    region: str
    title: str
    """Of the region."""
    geometry: Mapping[str, Any]
    """GeoJSON of the region."""
    bbox: tuple[float, float, float, float]
    licence: str
    doi: str
    authors: tuple[str, ...]
    citation: str
    attribution: tuple[str, ...]
    version: str
    """Of cryoatlas."""
    years: tuple[YearFacts, ...]
    files: tuple[ReleasedFile, ...]
    """Of the release as a whole: tables through the years, words."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be published, from where, and what is known of it."""

    region: str
    years: tuple[int, ...]
    store: str
    to: str
    options: PublishOptions
    gaps: tuple[Gap, ...] = ()
    models: Mapping[int, ModelFacts] = field(default_factory=dict)
