"""A static STAC catalog whose items carry the fields of the Planetary Computer's, differences between its items included."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from pyproj import Transformer
from shapely.geometry import Polygon, box, mapping

from simulator.frames import Frame, reproject

Json = dict[str, object]
COG_TYPE = "image/tiff; application=geotiff; profile=cloud-optimized"
EXTENSION = "https://stac-extensions.github.io/"
OPTICAL, RADAR, ELEVATION = "sentinel-2-l2a", "sentinel-1-rtc", "cop-dem-glo-30"
EXTENSIONS = MappingProxyType({OPTICAL: ("eo/v1.0.0", "sat/v1.0.0"), RADAR: ("sar/v1.0.0", "sat/v1.0.0", "raster/v1.1.0"), ELEVATION: ()})
TITLES = {
    OPTICAL: "Simulated Sentinel-2 Level-2A",
    RADAR: "Simulated Sentinel-1 radiometrically terrain corrected",
    ELEVATION: "Simulated elevation model of one arc second",
}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How an item states its projection: the archive's items differ in this."""

    code: bool
    """`proj:code` (projection extension 2) instead of `proj:epsg` (extension 1)."""
    transform: bool = True
    """Whether `proj:transform` is given."""

    def crs(self, epsg: int) -> Json:
        """Property that names the system."""
        return {"proj:code": f"EPSG:{epsg}"} if self.code else {"proj:epsg": epsg}

    def grid(self, frame: Frame, *, closing: bool = False) -> Json:
        """Fields that describe a pixel grid; `closing` adds the last row of the matrix, as the radar items do."""
        left, bottom, right, top = frame.bounds
        fields: Json = {"proj:bbox": [left, bottom, right, top], "proj:shape": [frame.height, frame.width]}
        if self.transform:
            tail = [0.0, 0.0, 1.0] if closing else []
            fields["proj:transform"] = [frame.pixel_m, 0.0, left, 0.0, -frame.pixel_m, top, *tail]
        return fields

    @property
    def version(self) -> str:
        """STAC version that goes with it."""
        return "1.1.0" if self.code else "1.0.0"

    def extensions(self, *names: str) -> list[str]:
        """Addresses of the extensions, with the projection's right version."""
        return [f"{EXTENSION}{name}/schema.json" for name in names] + [
            f"{EXTENSION}projection/{'v2.0.0' if self.code else 'v1.1.0'}/schema.json"
        ]


def item(collection: str, name: str, footprint: Polygon, *, dialect: Dialect, properties: Json, assets: dict[str, Json]) -> Json:
    """One item with relative links."""
    return {
        "type": "Feature",
        "stac_version": dialect.version,
        "stac_extensions": dialect.extensions(*EXTENSIONS[collection]),
        "id": name,
        "collection": collection,
        "bbox": [round(value, 8) for value in footprint.bounds],
        "geometry": json.loads(json.dumps(mapping(footprint))),
        "properties": properties,
        "assets": assets,
        "links": [
            {"rel": "collection", "type": "application/json", "href": "../collection.json"},
            {"rel": "parent", "type": "application/json", "href": "../collection.json"},
            {"rel": "root", "type": "application/json", "href": "../../catalog.json"},
        ],
    }


def footprint(frame: Frame) -> Polygon:
    """Outline of a frame in longitude and latitude."""
    return reproject(box(*frame.bounds), frame.epsg, 4326)


def zulu(when: datetime) -> str:
    """UTC time as the archive writes it."""
    return when.strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"


def mgrs_square(frame: Frame) -> str:
    """Military grid square of the middle of a frame, such as 43TGK (DMA TM 8358.1, set of letters by zone)."""
    left, bottom, right, top = frame.bounds
    x, y = (left + right) / 2, (bottom + top) / 2
    _, latitude = Transformer.from_crs(frame.epsg, 4326, always_xy=True).transform(x, y)
    zone = frame.epsg % 100
    column = ("STUVWXYZ", "ABCDEFGH", "JKLMNPQR")[zone % 3][int(x // 100_000) - 1]
    row = "ABCDEFGHJKLMNPQRSTUV"[(int(y // 100_000) + (5 if zone % 2 == 0 else 0)) % 20]
    return f"{zone:02d}{'CDEFGHJKLMNPQRSTUVWX'[min(int((latitude + 80) // 8), 19)]}{column}{row}"


def write_json(path: Path, content: Json) -> None:
    """Write JSON that is the same byte for byte every time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def write_catalog(folder: Path, world: str, region: Polygon, items: dict[str, list[str]], years: Iterable[int]) -> None:
    """Write the catalog and its collections over items that lie in `<collection>/<item>/<item>.json` already."""
    ordered = sorted(years)
    span = [f"{ordered[0]}-01-01T00:00:00Z", f"{ordered[-1]}-12-31T23:59:59Z"]
    for collection, names in items.items():
        links: list[Json] = [{"rel": "item", "type": "application/geo+json", "href": f"./{name}/{name}.json"} for name in sorted(names)]
        ends: list[Json] = [{"rel": rel, "type": "application/json", "href": "../catalog.json"} for rel in ("root", "parent")]
        content: Json = {
            "type": "Collection",
            "stac_version": "1.0.0",
            "id": collection,
            "title": TITLES[collection],
            "description": f"{TITLES[collection]}, world {world}. Not observations.",
            "license": "CC0-1.0",
            "extent": {"spatial": {"bbox": [list(region.bounds)]}, "temporal": {"interval": [span]}},
            "links": ends + links,
        }
        write_json(folder / collection / "collection.json", content)
    children = [{"rel": "child", "type": "application/json", "href": f"./{name}/collection.json"} for name in items]
    root: Json = {"rel": "root", "type": "application/json", "href": "./catalog.json"}
    description = f"Simulated scenes of the world {world}, in the form of the Planetary Computer's catalog."
    write_json(
        folder / "catalog.json",
        {"type": "Catalog", "stac_version": "1.0.0", "id": world, "description": description, "links": [root, *children]},
    )
