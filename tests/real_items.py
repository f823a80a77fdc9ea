"""STAC Items for real pixels: what Planetary Computer and Earth Search would say of them, and nothing that the pixels belie."""

import itertools
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import rasterio
from rasterio.io import DatasetReader
from rasterio.warp import transform_geom

Json = dict[str, Any]
EARTH_SEARCH_KEYS: Final = {
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
    "SCL": "scl",
}
COLLECTIONS: Final = {
    "sentinel-2-l2a": "Sentinel-2 Level-2A",
    "sentinel-1-rtc": "Sentinel-1 radiometrically terrain corrected",
    "sentinel-1-grd": "Sentinel-1 Level-1 ground range detected",
    "cop-dem-glo-30": "Copernicus DEM GLO-30",
}
_COG: Final = "image/tiff; application=geotiff; profile=cloud-optimized"


@dataclass(frozen=True, slots=True)
class Raster:
    """What an item tells of a file: measured from the file itself."""

    path: Path
    epsg: int
    transform: tuple[float, ...]
    shape: tuple[int, int]
    footprint: Json
    """GeoJSON polygon in longitude and latitude, 16 points a side."""


def look_at(path: Path) -> Raster:
    """Read the georeference of a file."""
    with rasterio.open(path) as file:
        epsg = file.crs.to_epsg()
        footprint = transform_geom(file.crs, "EPSG:4326", _outline(file), precision=8)
        return Raster(path, epsg, tuple(file.transform)[:6], file.shape, dict(footprint))


def optical_item_pc(scene_id: str, acquired: datetime, bands: dict[str, Path], baseline: str) -> Json:
    """Sentinel-2 L2A as Planetary Computer lists it: keys B01..B12, projection extension 1, no radiometric fields."""
    first = look_at(next(iter(bands.values())))
    zenith, azimuth = sun(acquired, *_centre(first))
    properties = {
        "platform": f"Sentinel-{scene_id[1:3]}",
        "instruments": ["msi"],
        "proj:epsg": first.epsg,
        "s2:product_type": "S2MSI2A",
        "s2:processing_baseline": baseline,
        "s2:mean_solar_zenith": zenith,
        "s2:mean_solar_azimuth": azimuth,
    }
    assets = {band: _band_asset(look_at(path), band) for band, path in bands.items()}
    return _item("sentinel-2-l2a", scene_id, acquired, first, properties, assets)


def optical_item_es(scene_id: str, acquired: datetime, bands: dict[str, Path], baseline: str) -> Json:
    """Sentinel-2 L2A as Earth Search lists it: keys by colour, projection extension 2, offset already applied and said so."""
    first = look_at(next(iter(bands.values())))
    zenith, azimuth = sun(acquired, *_centre(first))
    properties = {
        "platform": f"sentinel-{scene_id[1:3].lower()}",
        "instruments": ["msi"],
        "proj:code": f"EPSG:{first.epsg}",
        "s2:product_type": "S2MSI2A",
        "s2:processing_baseline": baseline,
        "view:sun_elevation": 90 - zenith,
        "view:sun_azimuth": azimuth,
        "earthsearch:boa_offset_applied": True,
    }
    radiometry = {"raster:bands": [{"nodata": 0, "data_type": "uint16", "scale": 0.0001, "offset": 0}]}
    assets = {EARTH_SEARCH_KEYS[band]: {**_band_asset(look_at(path), band), **radiometry} for band, path in bands.items()}
    return _item("sentinel-2-l2a", scene_id, acquired, first, properties, assets)


def radar_item(collection: str, scene_id: str, acquired: datetime, files: dict[str, Path]) -> Json:
    """Sentinel-1 as Planetary Computer lists it; the orbit direction follows from the local time of day."""
    first = look_at(next(iter(files.values())))
    local_hour = (acquired.hour + acquired.minute / 60 + _centre(first)[0] / 15) % 24
    properties = {
        "platform": "SENTINEL-1A",
        "proj:epsg": first.epsg,
        "proj:shape": list(first.shape),
        "proj:transform": list(first.transform),
        # a dawn-dusk orbit: it descends at 6 and ascends at 18 local time
        "sat:orbit_state": "descending" if local_hour < 12 else "ascending",
        "sar:instrument_mode": "IW",
        "sar:polarizations": [key.upper() for key in files],
        "sar:product_type": "GRD",
    }
    assets = {key: {"href": str(path), "type": _COG, "roles": ["data"]} for key, path in files.items()}
    return _item(collection, scene_id, acquired, first, properties, assets)


def elevation_item(item_id: str, path: Path) -> Json:
    """Copernicus DEM as Planetary Computer lists it, but on the raster's own grid."""
    raster = look_at(path)
    properties = {
        "platform": "TanDEM-X",
        "gsd": 10,
        "proj:epsg": raster.epsg,
        "proj:shape": list(raster.shape),
        "proj:transform": list(raster.transform),
    }
    assets = {"data": {"href": str(path), "type": _COG, "roles": ["data"]}}
    return _item("cop-dem-glo-30", item_id, datetime(2021, 4, 22, tzinfo=UTC), raster, properties, assets)


def moved_item(item: Json, files: dict[str, Path]) -> Json:
    """A real Earth Search item whose assets are these files (band -> file) on their own grid; other assets are dropped."""
    assets = {}
    for band, path in files.items():
        raster = look_at(path)
        size = raster.transform[0]
        real = item["assets"][EARTH_SEARCH_KEYS[band]]
        moved = {**real, "href": str(path), "gsd": size, "proj:shape": list(raster.shape), "proj:transform": list(raster.transform)}
        moved["raster:bands"] = [{**layer, "spatial_resolution": size} for layer in real["raster:bands"]]
        assets[EARTH_SEARCH_KEYS[band]] = moved
    return {**item, "assets": assets, "links": []}


def sun(when: datetime, longitude: float, latitude: float) -> tuple[float, float]:
    """Zenith and azimuth of the sun in degrees, good to 0.3 (Astronomical Almanac, low-precision formulas)."""
    days = (when - datetime(2000, 1, 1, 12, tzinfo=UTC)).total_seconds() / 86400
    mean, anomaly = math.radians(280.460 + 0.9856474 * days), math.radians(357.528 + 0.9856003 * days)
    ecliptic = mean + math.radians(1.915) * math.sin(anomaly) + math.radians(0.020) * math.sin(2 * anomaly)
    tilt = math.radians(23.439)
    declination = math.asin(math.sin(tilt) * math.sin(ecliptic))
    ascension = math.atan2(math.cos(tilt) * math.sin(ecliptic), math.cos(ecliptic))
    sidereal = math.radians(280.46062 + 360.98564737 * days + longitude)
    hour, north = sidereal - ascension, math.radians(latitude)
    height = math.asin(math.sin(north) * math.sin(declination) + math.cos(north) * math.cos(declination) * math.cos(hour))
    azimuth = math.atan2(-math.sin(hour), math.tan(declination) * math.cos(north) - math.sin(north) * math.cos(hour))
    return round(90 - math.degrees(height), 2), round(math.degrees(azimuth) % 360, 2)


def _item(collection: str, item_id: str, acquired: datetime, raster: Raster, properties: Json, assets: Json) -> Json:
    longitudes, latitudes = zip(*raster.footprint["coordinates"][0], strict=True)
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "stac_extensions": [],
        "id": item_id,
        "collection": collection,
        "bbox": [min(longitudes), min(latitudes), max(longitudes), max(latitudes)],
        "geometry": raster.footprint,
        "properties": {"datetime": acquired.isoformat().replace("+00:00", "Z"), **properties},
        "links": [],
        "assets": assets,
    }


def _band_asset(raster: Raster, band: str) -> Json:
    return {
        "href": str(raster.path),
        "type": _COG,
        "roles": ["data"],
        "gsd": raster.transform[0],
        "proj:shape": list(raster.shape),
        "proj:transform": list(raster.transform),
        "eo:bands": [{"name": band}],
    }


def _centre(raster: Raster) -> tuple[float, float]:
    corners = raster.footprint["coordinates"][0][:-1]
    return sum(x for x, _ in corners) / len(corners), sum(y for _, y in corners) / len(corners)


def _outline(file: DatasetReader) -> Json:
    left, bottom, right, top = file.bounds
    corners = [(left, bottom), (right, bottom), (right, top), (left, top), (left, bottom)]
    ring = [
        (x0 + (x1 - x0) * step / 16, y0 + (y1 - y0) * step / 16) for (x0, y0), (x1, y1) in itertools.pairwise(corners) for step in range(16)
    ]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
