"""What a raw STAC item says, field by field: STAC 1.0 and 1.1, projection extension 1 and 2, three habits of naming."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

import shapely
from shapely.errors import ShapelyError
from shapely.geometry.base import BaseGeometry

from catalog.facts.antimeridian import split, unwrapped
from catalog.facts.errors import SourceBroken
from catalog.facts.records import Asset
from catalog.facts.sources import ASSET_KEYS

Item = Mapping[str, Any]
"""A raw STAC item, as the catalog gave it: foreign data, checked here and nowhere else."""

_DATATAKE = re.compile(r"(?:G(?P<a>S2[A-Z])_|(?P<b>S2[A-Z])_MSIL2A_)(?P<start>\d{8}T\d{6})_")
_MGRS = re.compile(r"(?:^|[-_T])(\d{1,2})([C-HJ-NP-X])([A-HJ-NP-Z][A-HJ-NP-V])(?=_|$)")
_KEPT_FOOTPRINTS: Final = 32_768
_PREFIXES: Final = ("s2:", "sentinel2:", "eopf:")
_PRODUCT_NAMES: Final = ("product_uri", "product_title", "datatake_id", "granule_id")
_ETAG_KEYS: Final = ("updated", "s2:generation_time", "sentinel2:generation_time", "created")


def asset_keys(item: Item) -> frozenset[str]:
    """Return the names of an item's assets; raises SourceBroken when it is no STAC item."""
    assets = item.get("assets")
    if not item.get("id") or not isinstance(assets, Mapping):
        raise SourceBroken(f"Item {item.get('id')!r} is no STAC item: it has no ID or no assets; look at the catalog.")
    return frozenset(assets)


def properties(item: Item) -> Mapping[str, Any]:
    """Return an item's properties, empty when it has none."""
    found = item.get("properties")
    return found if isinstance(found, Mapping) else {}


def acquired(item: Item) -> datetime:
    """Return the instant of an item in UTC, the start of its interval when it has no single one; raises SourceBroken without either."""
    value = properties(item).get("datetime") or properties(item).get("start_datetime")
    if value is None:
        raise SourceBroken(f"Item {item.get('id')!r} is no STAC item: it has no time; look at the catalog.")
    try:
        return _instant(value)
    except ValueError as error:
        raise SourceBroken(f"Item {item.get('id')!r} has the time {value!r}, which is no ISO 8601; look at the catalog.") from error


def _instant(value: object) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def footprint_wkt(item: Item) -> str:
    """Return the footprint in EPSG:4326, valid, split at +-180, in a normal form; `POLYGON EMPTY` when the item has none."""
    return _wkt_of(footprint(item))


def footprint(item: Item) -> BaseGeometry:
    """Return the footprint in EPSG:4326, valid, split at +-180; an empty polygon when the item has none."""
    geometry = item.get("geometry")
    if not geometry:
        return shapely.Polygon()
    try:
        return _shape_of(json.dumps(geometry))
    except ShapelyError as error:
        raise SourceBroken(f"Item {item.get('id')!r} has a footprint that cannot be read ({error}); look at the catalog.") from error


@lru_cache(maxsize=_KEPT_FOOTPRINTS)  # an item is asked when it is searched and when it is read, and dates of one orbit lie alike
def _shape_of(geojson: str) -> BaseGeometry:
    shape: BaseGeometry = shapely.force_2d(shapely.from_geojson(geojson))
    return split(shapely.make_valid(unwrapped(shape)))


@lru_cache(maxsize=_KEPT_FOOTPRINTS)
def _wkt_of(shape: BaseGeometry) -> str:
    return str(shapely.to_wkt(shapely.normalize(shape), rounding_precision=9))


def etag(item: Item) -> str | None:
    """Return what changes when an item is replaced in place: when it was updated, generated or created, else its files' checksums."""
    said = next((properties(item)[key] for key in _ETAG_KEYS if properties(item).get(key)), None)
    if said is None:
        sums = {asset["file:checksum"] for key, asset in item["assets"].items() if key in ASSET_KEYS and asset.get("file:checksum")}
        return "+".join(sorted(sums)) or None
    try:
        return _instant(said).isoformat()  # the same text from JSON and from a table, which drops trailing zeros
    except ValueError:
        return str(said)


def epsg(fields: Mapping[str, Any]) -> int | None:
    """Return the EPSG code in the fields of an item or asset: `proj:code` (extension 2) or `proj:epsg` (extension 1)."""
    code = fields.get("proj:code")
    if isinstance(code, str) and code.upper().startswith("EPSG:"):
        return int(code.split(":")[1])
    return whole(fields.get("proj:epsg"))


def transform(fields: Mapping[str, Any]) -> tuple[float, float, float, float, float, float] | None:
    """Return the affine of `proj:transform`, given with six or nine numbers; None when it is missing."""
    values = fields.get("proj:transform")
    if not isinstance(values, Sequence) or len(values) not in (6, 9):
        return None
    a, b, c, d, e, f = (float(value) for value in values[:6])
    return a, b, c, d, e, f


def shape(fields: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return rows and columns of `proj:shape`; None when it is missing."""
    values = fields.get("proj:shape")
    if not isinstance(values, Sequence) or len(values) != 2:
        return None
    return int(values[0]), int(values[1])


def asset_of(item: Item, keys: Sequence[str]) -> Asset | None:
    """Return the first of the named assets that the item has, with what the asset itself says of its grid."""
    for key in keys:
        asset = item["assets"].get(key)
        if isinstance(asset, Mapping) and asset.get("href"):
            return Asset(str(asset["href"]), epsg(asset), transform(asset), shape(asset))
    return None


def sun(item: Item) -> tuple[float | None, float | None]:
    """Return elevation and azimuth of the sun in degrees, of the `view` extension or of Planetary Computer's `s2:` fields."""
    said = properties(item)
    elevation, zenith = said.get("view:sun_elevation"), said.get("s2:mean_solar_zenith")
    azimuth = said.get("view:sun_azimuth", said.get("s2:mean_solar_azimuth"))
    if elevation is None and zenith is not None:
        elevation = 90.0 - float(zenith)
    return number(elevation), number(azimuth)


def number(value: object) -> float | None:
    """Return a number, or None for nothing."""
    return None if value is None else float(str(value))


def whole(value: object) -> int | None:
    """Return a whole number, or None for nothing."""
    return None if value is None else int(float(str(value)))


def word(value: object) -> str | None:
    """Return a name in lower case with hyphens (`Sentinel-2B`, `SENTINEL-1A` and `sentinel 2` are written by catalogs)."""
    return str(value).lower().replace(" ", "-") if value else None


def product_names(item: Item) -> Iterator[str]:
    """Yield everything in an item that may spell the full name of the product or datatake."""
    yield str(item["id"])
    for prefix in _PREFIXES:
        for key in _PRODUCT_NAMES:
            if properties(item).get(prefix + key):
                yield str(properties(item)[prefix + key])


def mgrs_tile(item: Item) -> tuple[int, str, str] | None:
    """Return zone, latitude band and square of a Sentinel-2 tile, from `grid:code`, `s2:mgrs_tile` or a product name."""
    for text in (properties(item).get("grid:code"), properties(item).get("s2:mgrs_tile"), *product_names(item)):
        found = _MGRS.search(str(text)) if text else None
        if found:
            return int(found[1]), found[2], found[3]
    return None


def mgrs_epsg(item: Item) -> int | None:
    """Return the EPSG code in which a Sentinel-2 tile is delivered, by its name; None when the item does not name its tile."""
    tile = mgrs_tile(item)
    return None if tile is None else (32600 if tile[1] >= "N" else 32700) + tile[0]


def optical_key(item: Item) -> str:
    """Return `<MGRS tile>/<satellite>/<start of the datatake>`: equal for one acquisition however often it is processed or listed."""
    tile = mgrs_tile(item)
    place = "" if tile is None else f"{tile[0]:02d}{tile[1]}{tile[2]}"
    for name in product_names(item):
        found = _DATATAKE.search(name)
        if found:
            return f"{place}/{(found['a'] or found['b']).lower()}/{found['start']}"
    satellite = word(properties(item).get("platform")) or str(item["id"])[:3].lower()
    return f"{place}/{satellite.replace('sentinel-2', 's2')}/{acquired(item):%Y%m%dT%H%M%S}"


def radar_key(item: Item) -> str:
    """Return `<satellite>/<absolute orbit>/<instant>` of a Sentinel-1 slice."""
    satellite = word(properties(item).get("platform")) or str(item["id"])[:3].lower()
    return f"{satellite}/{properties(item).get('sat:absolute_orbit', '')}/{acquired(item):%Y%m%dT%H%M%S}"
