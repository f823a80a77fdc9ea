"""A STAC item of any provider and version becomes a Scene, or is refused with the reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from catalog.facts import item_fields as fields
from catalog.facts.bands import DEM_NAME
from catalog.facts.baselines import baseline_of, offset_of
from catalog.facts.causes import Refusal
from catalog.facts.item_fields import Item
from catalog.facts.records import Asset, Scene, Sensor
from catalog.facts.sources import DEM_ASSETS, DIALECTS, S1_ASSETS, S1_OTHER_ASSETS, SOURCES, TERRAIN_CORRECTED, Dialect, dialect_of

_RADAR_KEYS: Final = frozenset((*(key for keys in S1_ASSETS.values() for key in keys), *S1_OTHER_ASSETS))
_ELEVATION_KEYS: Final = frozenset(DEM_ASSETS)


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
    item: Item = field(hash=False, compare=False, repr=False)


def to_scene(item: Item, provider: str) -> Scene | Rejected:
    """Read one STAC item (1.0 or 1.1, projection extension 1 or 2) of a provider.

    Satellites that did not exist when this was written are read like their elders. Raises SourceBroken when it is no STAC
    item at all: without an ID, a time or assets.
    """
    sensor = sensor_of(item)
    if sensor == "s2":
        return _optical(item, provider)
    if sensor == "s1":
        return _radar(item, provider)
    if sensor == "dem":
        return _scene(item, provider, "dem", {DEM_NAME: fields.asset_of(item, DEM_ASSETS)}, acquisition_key=str(item["id"]))
    message = f"{item['id']} has no asset that is known as a band of Sentinel-2 L2A, Sentinel-1 or an elevation model"
    return Rejected(_scene(item, provider, "s2", {}), Refusal.BANDS_MISSING, message)


def sensor_of(item: Item) -> Sensor | None:
    """Say what an item shows by the names of its assets and its collection; None when it is none of ours."""
    keys = fields.asset_keys(item)
    words = f"{item.get('collection') or ''} {item.get('id')}".upper()
    if "L1C" in words and "L2A" not in words:
        return None
    if keys & _RADAR_KEYS:
        return "s1"
    if dialect_of(keys) is not None:
        return "s2"
    return "dem" if keys & _ELEVATION_KEYS else None


def _optical(item: Item, provider: str) -> Scene:
    dialect = _dialect(item, provider)
    assets = {band: fields.asset_of(item, keys) for band, keys in dialect.assets.items()}
    baseline = baseline_of(item)
    offset, evidence = offset_of(item, dialect, baseline)
    key = fields.optical_key(item)
    return _scene(item, provider, "s2", assets, baseline=baseline, offset_counts=offset, offset_evidence=evidence, acquisition_key=key)


def _dialect(item: Item, provider: str) -> Dialect:
    keys = fields.asset_keys(item)
    known = SOURCES.get(provider)
    if known is not None and any(key in keys for key in DIALECTS[known.dialect].assets["B03"]):
        return DIALECTS[known.dialect]
    return dialect_of(keys) or DIALECTS["bands"]


def _radar(item: Item, provider: str) -> Scene | Rejected:
    assets = {band: fields.asset_of(item, keys) for band, keys in S1_ASSETS.items()}
    scene = _scene(item, provider, "s1", assets, acquisition_key=fields.radar_key(item))
    words = f"{scene.collection} {scene.id} {fields.properties(item).get('sar:product_type', '')}".upper()
    if not any(word in words for word in TERRAIN_CORRECTED):
        message = f"{scene.id} is not terrain-corrected: on slopes its pixels are off by kilometres; use sentinel-1-rtc"
        return Rejected(scene, Refusal.NOT_TERRAIN_CORRECTED, message)
    if not scene.assets:
        return Rejected(scene, Refusal.BANDS_MISSING, f"{scene.id} has neither VV nor VH")
    return scene


def _scene(item: Item, provider: str, sensor: Sensor, assets: Mapping[str, Asset | None], **of_sensor: Any) -> Scene:
    said = fields.properties(item)
    elevation, azimuth = fields.sun(item)
    return Scene(
        id=str(item["id"]),
        sensor=sensor,
        provider=provider,
        collection=str(item.get("collection") or ""),
        acquired=fields.acquired(item),
        assets={band: _completed(asset, item, sensor) for band, asset in assets.items() if asset is not None},
        footprint_wkt=fields.footprint_wkt(item),
        sun_elevation_deg=elevation,
        sun_azimuth_deg=azimuth,
        orbit_state=fields.word(said.get("sat:orbit_state") or said.get("sentinel2:orbit_direction")),
        relative_orbit=fields.whole(said.get("sat:relative_orbit", said.get("sentinel2:relative_orbit_number"))),
        cloud_percent=fields.number(said.get("eo:cloud_cover")),
        platform=fields.word(said.get("platform")),
        etag=fields.etag(item),
        **of_sensor,
    )


def _completed(asset: Asset, item: Item, sensor: Sensor) -> Asset:
    """An asset with what only the item says; an item with bands of three resolutions cannot have one transform."""
    said = fields.properties(item)
    epsg = asset.epsg or fields.epsg(said)
    if sensor == "s2":
        return Asset(asset.href, epsg or fields.mgrs_epsg(item), asset.transform, asset.shape)
    return Asset(asset.href, epsg, asset.transform or fields.transform(said), asset.shape or fields.shape(said))
