"""A STAC item of any provider and version becomes a Scene, or is refused with the reason."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import shapely
from shapely.errors import ShapelyError

from catalog.facts.antimeridian import split, unwrapped
from catalog.facts.bands import BASELINE_OFFSET, DEM_NAME, OFFSET_SINCE_BASELINE
from catalog.facts.causes import Refusal
from catalog.facts.errors import SourceBroken
from catalog.facts.records import Asset, Scene, Sensor
from catalog.facts.sources import (
    DEM_ASSETS,
    DIALECTS,
    S1_ASSETS,
    S1_OTHER_ASSETS,
    SOURCES,
    TERRAIN_CORRECTED,
    Dialect,
    OffsetRule,
    dialect_of,
)

Item = Mapping[str, Any]
"""A raw STAC item, as the catalog gave it: foreign data, checked here and nowhere else."""

_PRODUCT = re.compile(r"(?P<platform>S2[A-Z])_MSIL2A_(?P<start>\d{8}T\d{6})_N(?P<baseline>\d{4})")
_DATATAKE = re.compile(r"G(?P<platform>S2[A-Z])_(?P<start>\d{8}T\d{6})_\d+_N(?P<baseline>\d{2}\.\d{2})")
_START = re.compile(r"S2[A-Z]_MSIL2A_(?P<start>\d{8}T\d{6})_")
_MGRS = re.compile(r"(?:^|[-_T])(\d{1,2})([C-HJ-NP-X])([A-HJ-NP-Z][A-HJ-NP-V])(?=_|$)")
_PREFIXES: Final = ("s2:", "sentinel2:", "eopf:")
_ETAG_KEYS: Final = ("updated", "s2:generation_time", "sentinel2:generation_time", "created")
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Rejected:
    """An item that cannot be used whatever the tile; its scene says what it is, for the record."""

    scene: Scene
    reason: Refusal
    message: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A scene beside the item it was read from."""

    scene: Scene | Rejected
    item: Item = field(hash=False, compare=False)


def to_scene(item: Item, provider: str) -> Scene | Rejected:
    """Read one STAC item (1.0 or 1.1, projection extension 1 or 2) of a provider.

    Raises SourceBroken when it is no STAC item at all: without an ID, a time or assets.
    """
    sensor = sensor_of(item)
    if sensor == "s2":
        return _optical(item, provider)
    if sensor == "s1":
        return _radar(item, provider)
    if sensor == "dem":
        assets = {DEM_NAME: _first(item, DEM_ASSETS)}
        return _scene(item, provider, "dem", assets, acquisition_key=str(item["id"]))
    scene = _scene(item, provider, "s2", {})
    return Rejected(scene, Refusal.BANDS_MISSING, f"{item['id']} has no asset that is known as a band of Sentinel-2 L2A, Sentinel-1 or a DEM")


def sensor_of(item: Item) -> Sensor | None:
    """Say what an item shows by the names of its assets and its collection; None when it is none of ours."""
    keys = _keys(item)
    words = f"{item.get('collection') or ''} {item.get('id')}".upper()
    if "L1C" in words and "L2A" not in words:
        return None
    if any(key in keys for names in S1_ASSETS.values() for key in names) or keys & set(S1_OTHER_ASSETS):
        return "s1"
    if dialect_of(keys) is not None:
        return "s2"
    return "dem" if keys & set(DEM_ASSETS) else None


def _keys(item: Item) -> frozenset[str]:
    assets = item.get("assets")
    if not item.get("id") or not isinstance(assets, Mapping):
        raise SourceBroken(f"Item {item.get('id')!r} is no STAC item: it has no ID or no assets; look at the catalog.")
    return frozenset(assets)


def _optical(item: Item, provider: str) -> Scene:
    dialect = _dialect(item, provider)
    assets = {band: found for band, keys in dialect.assets.items() if (found := _first(item, keys)) is not None}
    baseline = _baseline(item)
    offset, evidence = offset_of(item, dialect, baseline)
    return _scene(
        item, provider, "s2", assets, baseline=baseline, offset_counts=offset, offset_evidence=evidence, acquisition_key=_optical_key(item)
    )


def _dialect(item: Item, provider: str) -> Dialect:
    keys = _keys(item)
    known = SOURCES.get(provider)
    if known is not None and any(key in keys for key in DIALECTS[known.dialect].assets["B03"]):
        return DIALECTS[known.dialect]
    return dialect_of(keys) or DIALECTS["bands"]


def _radar(item: Item, provider: str) -> Scene | Rejected:
    assets = {band: found for band, keys in S1_ASSETS.items() if (found := _first(item, keys)) is not None}
    scene = _scene(item, provider, "s1", assets, acquisition_key=_radar_key(item))
    words = f"{scene.collection} {scene.id} {_properties(item).get('sar:product_type', '')}".upper()
    if not any(word in words for word in TERRAIN_CORRECTED):
        message = f"{scene.id} is not terrain-corrected: on slopes its pixels are off by kilometres; use sentinel-1-rtc"
        return Rejected(scene, Refusal.NOT_TERRAIN_CORRECTED, message)
    if not assets:
        return Rejected(scene, Refusal.BANDS_MISSING, f"{scene.id} has neither VV nor VH")
    return scene


def _scene(item: Item, provider: str, sensor: Sensor, assets: Mapping[str, Asset | None], **more: Any) -> Scene:
    properties = _properties(item)
    epsg = _epsg(properties) or (_epsg_of_mgrs(item) if sensor == "s2" else None)
    cloud = properties.get("eo:cloud_cover")
    elevation, azimuth = _sun(properties)
    return Scene(
        id=str(item["id"]),
        sensor=sensor,
        provider=provider,
        collection=str(item.get("collection") or ""),
        acquired=_acquired(item),
        assets={band: _with_defaults(asset, epsg, properties, sensor) for band, asset in assets.items() if asset is not None},
        footprint_wkt=_footprint(item),
        sun_elevation_deg=elevation,
        sun_azimuth_deg=azimuth,
        orbit_state=_text(properties.get("sat:orbit_state") or properties.get("sentinel2:orbit_direction")),
        relative_orbit=_whole(properties.get("sat:relative_orbit", properties.get("sentinel2:relative_orbit_number"))),
        cloud_percent=None if cloud is None else float(cloud),
        platform=_text(properties.get("platform")),
        etag=next((str(_iso(properties[key])) for key in _ETAG_KEYS if properties.get(key)), None),
        **more,
    )


def _properties(item: Item) -> Mapping[str, Any]:
    found = item.get("properties")
    return found if isinstance(found, Mapping) else {}


def _acquired(item: Item) -> datetime:
    properties = _properties(item)
    value = properties.get("datetime") or properties.get("start_datetime")
    if value is None:
        raise SourceBroken(f"Item {item.get('id')!r} is no STAC item: it has no time; look at the catalog.")
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _iso(value: object) -> object:
    """The same text for an instant read from JSON or from a table, whose columns of times drop trailing zeros."""
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        return value
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat()


def _footprint(item: Item) -> str:
    geometry = item.get("geometry")
    if not geometry:
        return "POLYGON EMPTY"
    try:
        shape = geometry if isinstance(geometry, shapely.Geometry) else shapely.from_geojson(json.dumps(geometry))
    except ShapelyError as error:
        raise SourceBroken(f"Item {item.get('id')!r} has a footprint that cannot be read ({error}); look at the catalog.") from error
    whole = split(shapely.make_valid(unwrapped(shapely.force_2d(shape))))
    return str(shapely.to_wkt(shapely.normalize(whole), rounding_precision=9))


def _first(item: Item, keys: Sequence[str]) -> Asset | None:
    for key in keys:
        asset = item["assets"].get(key)
        if isinstance(asset, Mapping) and asset.get("href"):
            return Asset(str(asset["href"]), _epsg(asset), _transform(asset.get("proj:transform")), _shape(asset.get("proj:shape")))
    return None


def _with_defaults(asset: Asset, epsg: int | None, properties: Mapping[str, Any], sensor: Sensor) -> Asset:
    # an item of bands of three resolutions cannot have one transform
    transform = _transform(properties.get("proj:transform")) if sensor != "s2" else None
    shape = _shape(properties.get("proj:shape")) if sensor != "s2" else None
    return Asset(asset.href, asset.epsg or epsg, asset.transform or transform, asset.shape or shape)


def _epsg(fields: Mapping[str, Any]) -> int | None:
    code = fields.get("proj:code")
    if isinstance(code, str) and code.upper().startswith("EPSG:"):
        return int(code.split(":")[1])
    return _whole(fields.get("proj:epsg"))


def _transform(values: Any) -> tuple[float, float, float, float, float, float] | None:
    if values is None or len(values) < 6:
        return None
    a, b, c, d, e, f = (float(value) for value in list(values)[:6])
    return a, b, c, d, e, f


def _shape(values: Any) -> tuple[int, int] | None:
    return None if values is None or len(values) != 2 else (int(values[0]), int(values[1]))


def _sun(properties: Mapping[str, Any]) -> tuple[float | None, float | None]:
    elevation, zenith = properties.get("view:sun_elevation"), properties.get("s2:mean_solar_zenith")
    azimuth = properties.get("view:sun_azimuth", properties.get("s2:mean_solar_azimuth"))
    if elevation is None and zenith is not None:
        elevation = 90.0 - float(zenith)
    return None if elevation is None else float(elevation), None if azimuth is None else float(azimuth)


def _text(value: object) -> str | None:
    return str(value).lower().replace(" ", "-") if value else None


def _whole(value: object) -> int | None:
    return int(float(str(value))) if value is not None else None


def _names(item: Item) -> Iterator[str]:
    """Everything in an item that may spell the product's full name."""
    properties = _properties(item)
    yield str(item["id"])
    for prefix in _PREFIXES:
        for key in ("product_uri", "product_title", "datatake_id", "granule_id"):
            if properties.get(prefix + key):
                yield str(properties[prefix + key])


def _baseline(item: Item) -> str | None:
    """Processing baseline as `NN.NN`: said by the item, or spelled in a product name."""
    properties = _properties(item)
    keys = ("s2:processing_baseline", "sentinel2:processing_baseline", "processing:version", "earthsearch:processing_baseline")
    said = next((str(properties[key]) for key in keys if properties.get(key) is not None), None)
    if said is not None and re.fullmatch(r"\d{1,2}\.\d{1,2}", said):
        major, minor = said.split(".")
        return f"{int(major):02d}.{minor.ljust(2, '0')}"
    for name in _names(item):
        found = _PRODUCT.search(name) or _DATATAKE.search(name)
        if found:
            digits = found["baseline"].replace(".", "")
            return f"{digits[:2]}.{digits[2:]}"
    return None


def offset_of(item: Item, dialect: Dialect, baseline: str | None) -> tuple[int, str]:
    """Return the counts to subtract (0 or 1000) and what tells so: `catalog flag` or `metadata`."""
    flag = _properties(item).get("earthsearch:boa_offset_applied")
    if flag is True:
        return 0, "catalog flag"
    by_baseline = None if baseline is None else BASELINE_OFFSET * (float(baseline) >= OFFSET_SINCE_BASELINE)
    declared = _declared_offset(item, dialect)
    first, second = (declared, by_baseline) if dialect.offset_rule is OffsetRule.DECLARED else (by_baseline, declared)
    decided = first if first is not None else second
    return int(decided or 0), "metadata" if flag is None else "catalog flag"


def _declared_offset(item: Item, dialect: Dialect) -> int | None:
    """Offset that the bands declare, in counts: `raster:bands`, or `raster:scale` and `raster:offset` of STAC 1.1."""
    for band in ("B03", "B08", "B11"):
        for key in dialect.assets[band]:
            asset = item["assets"].get(key)
            if not isinstance(asset, Mapping):
                continue
            bands = asset.get("raster:bands")
            fields = bands[0] if bands is not None and len(bands) else {"scale": asset.get("raster:scale"), "offset": asset.get("raster:offset")}
            if fields.get("offset") is not None:
                return BASELINE_OFFSET if float(fields["offset"]) / float(fields.get("scale") or dialect.scale) < -BASELINE_OFFSET / 2 else 0
    return None


def _mgrs(item: Item) -> tuple[int, str, str] | None:
    properties = _properties(item)
    for text in (properties.get("grid:code"), properties.get("s2:mgrs_tile"), *_names(item)):
        found = _MGRS.search(str(text)) if text else None
        if found:
            return int(found[1]), found[2], found[3]
    return None


def _epsg_of_mgrs(item: Item) -> int | None:
    tile = _mgrs(item)
    return None if tile is None else (32600 if tile[1] >= "N" else 32700) + tile[0]


def _optical_key(item: Item) -> str:
    """`<MGRS tile>/<platform>/<start of the datatake>`: equal for one acquisition however often it is processed or listed."""
    tile = _mgrs(item)
    place = "" if tile is None else f"{tile[0]:02d}{tile[1]}{tile[2]}"
    for name in _names(item):
        found = _DATATAKE.search(name) or _START.search(name)
        if found:
            return f"{place}/{name[found.start() :].lstrip('G')[:3].lower()}/{found['start']}"
    platform = _text(_properties(item).get("platform")) or str(item["id"])[:3].lower()
    return f"{place}/{platform.replace('sentinel-2', 's2')}/{_acquired(item):%Y%m%dT%H%M%S}"


def _radar_key(item: Item) -> str:
    properties = _properties(item)
    platform = _text(properties.get("platform")) or str(item["id"])[:3].lower()
    return f"{platform}/{properties.get('sat:absolute_orbit', '')}/{_acquired(item):%Y%m%dT%H%M%S}"
