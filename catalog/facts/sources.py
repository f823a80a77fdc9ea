"""The one table of sources: which catalog has what, which asset is which band, and what its counts mean."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from catalog.facts.bands import S2_NAMES, SCL_NAME
from catalog.facts.records import Sensor


class OffsetRule(StrEnum):
    """What tells whether counts still carry the +1000 of baseline 04.00; an explicit flag of the item goes before all."""

    BASELINE = "baseline"
    """The processing baseline; then what the bands declare."""
    DECLARED = "declared"
    """What the bands declare (raster offset / scale); then the processing baseline."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a family of catalogs names the Sentinel-2 L2A assets and what its counts mean."""

    name: str
    assets: Mapping[str, tuple[str, ...]]
    """Cube band or SCL -> asset keys, best first."""
    offset_rule: OffsetRule
    scale: float = 1e-4
    """Reflectance = (count - offset) x scale."""


@dataclass(frozen=True, slots=True)
class Source:
    """A catalog that this program knows by name."""

    name: str
    title: str
    endpoint: str
    collections: Mapping[Sensor, tuple[str, ...]]
    """Searched together; what they both hold is used once."""
    dialect: str
    queries: bool
    """Whether the API filters by `query`."""
    note: str = ""


_COMMON_NAMES = {
    "B01": "coastal",
    "B02": "blue",
    "B03": "green",
    "B04": "red",
    "B05": "rededge1",
    "B06": "rededge2",
    "B07": "rededge3",
    "B08": "nir",
    "B8A": "nir08",
    "B09": "nir09",
    "B11": "swir16",
    "B12": "swir22",
    SCL_NAME: "scl",
}
_CDSE_RESOLUTIONS = {"B01": (60, 20), "B09": (60,)} | dict.fromkeys(("B02", "B03", "B04", "B08"), (10,))

DIALECTS: Final[Mapping[str, Dialect]] = {
    "bands": Dialect("bands", {name: (name,) for name in (*S2_NAMES, SCL_NAME)}, OffsetRule.BASELINE),
    "common-names": Dialect("common-names", {band: (key,) for band, key in _COMMON_NAMES.items()}, OffsetRule.DECLARED),
    "bands-with-resolution": Dialect(
        "bands-with-resolution",
        {name: tuple(f"{name}_{metres}m" for metres in _CDSE_RESOLUTIONS.get(name, (20,))) for name in (*S2_NAMES, SCL_NAME)},
        OffsetRule.BASELINE,
    ),
}
"""Planetary Computer writes `B02`, Earth Search `blue`, Copernicus Data Space `B02_10m`."""

SOURCES: Final[Mapping[str, Source]] = {
    source.name: source
    for source in (
        Source(
            "planetary-computer",
            "Microsoft Planetary Computer",
            "https://planetarycomputer.microsoft.com/api/stac/v1",
            {"s2": ("sentinel-2-l2a",), "s1": ("sentinel-1-rtc",), "dem": ("cop-dem-glo-30",)},
            "bands",
            queries=True,
        ),
        Source(
            "earth-search",
            "Earth Search v1 by Element 84",
            "https://earth-search.aws.element84.com/v1",
            {"s2": ("sentinel-2-c1-l2a", "sentinel-2-l2a"), "s1": ("sentinel-1-grd",), "dem": ("cop-dem-glo-30",)},
            "common-names",
            queries=True,
            note="sentinel-2-c1-l2a lacks most of 2022 and the older collection has wrong offset flags, so both are searched",
        ),
        Source(
            "cdse",
            "Copernicus Data Space Ecosystem",
            "https://stac.dataspace.copernicus.eu/v1",
            {"s2": ("sentinel-2-l2a",), "s1": ("sentinel-1-grd",), "dem": ("cop-dem-glo-30-dged-cog",)},
            "bands-with-resolution",
            queries=False,
            note="JPEG 2000 in s3://eodata; needs keys",
        ),
    )
}

STORED: Final = "stored"
"""In place of a catalog: replay the search that the store keeps."""
FIRST_YEAR: Final = 2015
"""Sentinel-2A was launched in June 2015."""
STATIC, API, PARQUET = "static", "api", "parquet"
"""Providers of a user's own catalogs: files on disk, another STAC API, a stac-geoparquet file."""

KNOWN_COLLECTIONS: Final[Mapping[Sensor, tuple[str, ...]]] = {
    "s2": ("sentinel-2-c1-l2a", "sentinel-2-l2a", "sentinel-s2-l2a", "sentinel-s2-l2a-cogs"),
    "s1": ("sentinel-1-rtc", "sentinel-1-grd"),
    "dem": ("cop-dem-glo-30", "cop-dem-glo-30-dged-cog"),
}
"""Collections that are recognised in any other STAC API, those with the most trusted metadata first."""

COLLECTION_PATTERNS: Final[Mapping[Sensor, str]] = {
    "s2": r"(sentinel-?2|s2).*l2a",
    "s1": r"(sentinel-?1|s1).*(rtc|grd)",
    "dem": r"cop.*dem.*30",
}
"""What the names of other collections look like."""

S1_ASSETS: Final[Mapping[str, tuple[str, ...]]] = {"VV": ("vv", "VV"), "VH": ("vh", "VH")}
S1_OTHER_ASSETS: Final = ("hh", "hv", "HH", "HV")
DEM_ASSETS: Final = ("data", "dem", "DEM", "elevation")
TERRAIN_CORRECTED: Final = ("RTC", "NRB", "GAMMA0")
"""Words that name radiometrically terrain-corrected radar in a collection, an ID or a product type; GRD without one is refused.

A GRD pixel is off by height / tan(incidence angle): 1.0 to 1.7 km for 1000 m of relief, and the affine in the items is made up.
"""

PLANETARY_COMPUTER_ACCOUNTS: Final = frozenset({"sentinel2l2a01", "sentinel1euwestrtc", "sentinel1euwest", "elevationeuwest"})
"""Storage accounts whose files need a signature, whichever catalog lists them."""
CDSE_BUCKET: Final = "s3://eodata/"
CDSE_S3_ENDPOINT: Final = "eodata.dataspace.copernicus.eu"


@lru_cache(maxsize=256)  # a catalog has a handful of sets of names, on tens of thousands of items
def dialect_of(asset_keys: frozenset[str]) -> Dialect | None:
    """Return the dialect that names most bands of an item's assets, or None when none names the green band."""
    best, most = None, 0
    for dialect in DIALECTS.values():
        named = sum(any(key in asset_keys for key in keys) for keys in dialect.assets.values())
        if named > most and any(key in asset_keys for key in dialect.assets["B03"]):
            best, most = dialect, named
    return best


ASSET_KEYS: Final = frozenset(key for dialect in DIALECTS.values() for keys in dialect.assets.values() for key in keys) | frozenset(
    (*(key for keys in S1_ASSETS.values() for key in keys), *S1_OTHER_ASSETS, *DEM_ASSETS)
)
"""Every asset that this program may read, whatever the catalog."""
