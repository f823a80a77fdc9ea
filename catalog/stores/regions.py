"""Regions by name, from a GeoJSON file or from a bounding box."""

import difflib
import importlib.resources
import json
import math
import re
from collections.abc import Mapping
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, get_args

import numpy as np
import shapely
from shapely.errors import ShapelyError
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from catalog.facts.antimeridian import split, split_bounds
from catalog.facts.errors import UnknownRegion, WrongCall
from catalog.facts.records import Target
from catalog.facts.regions import Extent, Family, Region, SeasonRule, in_order
from catalog.facts.seasons import span

BUNDLED: Final = ("hma", "arctic")
WIDEST_EDGE_DEG: Final = 180.0
_BBOX = re.compile(r"^\s*(-?\d+(?:\.\d+)?)(?:\s*,\s*(-?\d+(?:\.\d+)?)){3}\s*$")
_UNSAFE = re.compile(r"[^A-Za-z0-9_]+")
_EXAMPLE = "for example 76.5,42.7,78.2,43.55 (west, south, east, north)"
_LONLAT = (None, "urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326", "urn:ogc:def:crs:EPSG::4326")


@lru_cache(maxsize=1)
def all_regions() -> tuple[Region, ...]:
    """Return the bundled regions, family by family, in the order in which they claim tiles."""
    found: list[Region] = []
    for family in BUNDLED:
        text = importlib.resources.files("catalog").joinpath("regions", f"{family}.geojson").read_text(encoding="utf-8")
        found.extend(in_order(tuple(_region(feature, {}, family) for feature in json.loads(text)["features"])))
    return tuple(found)


def family_of(region: Region) -> tuple[Region, ...]:
    """Return the regions among which tiles are shared out, with the region itself as it is given; a user's stands alone."""
    if region.family == "user":
        return (region,)
    return tuple(region if member.name == region.name else member for member in all_regions() if member.family == region.family)


def find_region(name_or_path: str, *, target: Target = "lakes") -> Region:
    """Return a region by its bundled name, the path of a GeoJSON file, or `W,S,E,N` in degrees (W > E crosses +-180).

    `target` is what a bounding box, or a file that does not say, is mapped for. Raises UnknownRegion with the nearest name, or
    WrongCall for a file or box that cannot be used.
    """
    known = {region.name: region for region in all_regions()}
    if name_or_path in known:
        return known[name_or_path]
    if _BBOX.match(name_or_path):
        return _from_bbox(name_or_path, target)
    path = Path(name_or_path).expanduser()
    if path.is_file():
        return read_region(path, target=target)
    if path.suffix.lower() in (".geojson", ".json") or "/" in name_or_path:
        raise UnknownRegion(
            f"Region file {name_or_path!r} does not exist: give the path of a GeoJSON file, or a name of `cryoatlas regions list`."
        )
    nearest = difflib.get_close_matches(name_or_path.lower(), known, n=1, cutoff=0.4)
    hint = f"did you mean {nearest[0]!r}?" if nearest else "see `cryoatlas regions list`."
    raise UnknownRegion(f"Region {name_or_path!r} is neither a bundled name, nor a GeoJSON file, nor W,S,E,N: {hint}")


def read_region(path: Path, *, target: Target = "lakes") -> Region:
    """Read a region from a GeoJSON file; several features make one region. Raises WrongCall when it cannot be one."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise WrongCall(f"Region file {path} cannot be read as GeoJSON ({error}): write a Feature with a polygon.") from error
    if not isinstance(content, dict) or "type" not in content:
        raise WrongCall(f"Region file {path} is not GeoJSON: write a Feature with a polygon.")
    crs = (content.get("crs") or {}).get("properties", {}).get("name")
    if crs not in _LONLAT:
        raise WrongCall(f"Region file {path} has coordinates in {crs}: reproject it to longitude and latitude (EPSG:4326).")
    region = _region(_one_feature(content, path), {"name": _safe(path.stem), "title": path.stem, "target": target}, "user")
    bundled = next((known for known in all_regions() if known.name == region.name), None)
    if bundled is not None and region.family == "user":
        raise WrongCall(f"Region file {path} is named {region.name!r} as a bundled region is: give it another `name`.")
    return region


def to_geojson(region: Region) -> bytes:
    """Return a region as the GeoJSON that `read_region` reads back to an equal one."""
    skipped = {"geometry_wkt", "seasons", "crs_epsg"}
    properties = {item.name: getattr(region, item.name) for item in fields(region) if item.name not in skipped}
    properties |= {
        "crs": region.crs_epsg,
        "seasons": [{item.name: getattr(rule, item.name) for item in fields(rule)} for rule in region.seasons],
    }
    geometry = json.loads(shapely.to_geojson(region.geometry))
    return json.dumps({"type": "Feature", "properties": properties, "geometry": geometry}, indent=1).encode()


def _one_feature(content: Mapping[str, Any], path: Path) -> dict[str, Any]:
    if content["type"] == "FeatureCollection":
        features = content.get("features") or []
        if not features:
            raise WrongCall(f"Region file {path} holds no feature: write one with a polygon.")
        shapes = [_geometry(feature.get("geometry"), str(path)) for feature in features]
        properties = features[0].get("properties") or {}
        return {"properties": properties, "shape": shapely.union_all(shapes)}
    if content["type"] == "Feature":
        return dict(content)
    return {"properties": {}, "geometry": content}


def _from_bbox(text: str, target: Target) -> Region:
    west, south, east, north = (float(part) for part in text.split(","))
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south < north <= 90) or west == east:
        raise WrongCall(f"Bounding box {text!r} is not W,S,E,N in degrees with S < N: write {_EXAMPLE}.")
    # points along wide edges, so that no edge can be taken for one that crosses the antimeridian
    ground = shapely.segmentize(shapely.union_all([box(*part) for part in split_bounds((west, south, east, north))]), WIDEST_EDGE_DEG)
    name = "box_" + "_".join(_corner(value, signs) for value, signs in ((west, "we"), (south, "sn"), (east, "we"), (north, "sn")))
    return Region(name, f"Box {text}", target, "user", shapely.to_wkt(ground, rounding_precision=-1))


def _corner(value: float, signs: str) -> str:
    return f"{abs(value):.10g}".replace(".", "p") + signs[value >= 0]


def _region(feature: Mapping[str, Any], defaults: Mapping[str, Any], family: str) -> Region:
    properties = {**defaults, **{key: value for key, value in (feature.get("properties") or {}).items() if value is not None}}
    name = _safe(str(properties.get("name") or "region"))
    shape = feature["shape"] if "shape" in feature else _geometry(feature.get("geometry"), name)
    return Region(
        name=name,
        title=str(properties.get("title") or name),
        target=_one_of(properties.get("target"), get_args(Target), "target", name),
        family=_one_of(properties.get("family", family), get_args(Family), "family", name),
        geometry_wkt=shapely.to_wkt(shape, rounding_precision=-1),
        priority=int(properties.get("priority", 1)),
        territory=_one_of(properties.get("territory", "geometry"), get_args(Extent), "territory", name),
        seasons=tuple(_season(rule, name) for rule in properties.get("seasons", ())),
        elevation_floor_m=_number(properties.get("elevation_floor_m"), "elevation_floor_m", name),
        elevation_floor_why=str(properties.get("elevation_floor_why", "")),
        outline_buffer_m=_number(properties.get("outline_buffer_m"), "outline_buffer_m", name),
        crs_epsg=None if properties.get("crs") is None else int(properties["crs"]),
    )


def _season(rule: Mapping[str, Any], name: str) -> SeasonRule:
    known = {item.name for item in fields(SeasonRule)}
    wrong = sorted(set(rule) - known)
    if wrong or not {"start", "end"} <= set(rule):
        raise WrongCall(
            f"Region {name!r}: a season has {', '.join(sorted(rule))}, it needs start and end and may have {', '.join(sorted(known))}."
        )
    made = SeasonRule(**rule)
    try:
        span(made, 2001)
    except (ValueError, AttributeError) as error:
        raise WrongCall(f"Region {name!r}: season {made.start!r} to {made.end!r} is not written as MM-DD ({error}).") from error
    return made


def _geometry(content: object, where: str) -> BaseGeometry:
    try:
        shape = None if content is None else shapely.force_2d(shapely.from_geojson(json.dumps(content)))
    except ShapelyError as error:
        raise WrongCall(f"Region {where}: its geometry cannot be read ({error}): write a polygon in longitude and latitude.") from error
    if shape is None or shape.is_empty:
        raise WrongCall(f"Region {where}: it has no geometry: write a polygon in longitude and latitude.")
    west, south, east, north = shape.bounds
    if not (math.isfinite(west + south + east + north) and west >= -360 and east <= 360 and south >= -90 and north <= 90):
        raise WrongCall(f"Region {where}: bounds {shape.bounds} are not degrees: reproject it to longitude and latitude (EPSG:4326).")
    if _widest_edge_deg(shape) > WIDEST_EDGE_DEG:
        raise WrongCall(
            f"Region {where}: an edge spans more than {WIDEST_EDGE_DEG:.0f} degrees of longitude; across +-180 write 179 to 181, "
            "or two polygons that end at the line."
        )
    return split(shapely.make_valid(shape))


def _widest_edge_deg(shape: BaseGeometry) -> float:
    parts = shapely.get_parts(shape)
    rings = shapely.get_rings(parts[shapely.get_type_id(parts) == 3])
    return max((float(np.abs(np.diff(shapely.get_coordinates(ring)[:, 0])).max()) for ring in rings), default=0.0)


def _one_of(value: object, allowed: tuple[str, ...], key: str, name: str) -> Any:
    if value not in allowed:
        raise WrongCall(f"Region {name!r}: `{key}` is {value!r}, it must be {' or '.join(allowed)}.")
    return value


def _number(value: object, key: str, name: str) -> float | None:
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return None if value is None else float(value)
    raise WrongCall(f"Region {name!r}: `{key}` is {value!r}, it must be a number of metres.")


def _safe(text: str) -> str:
    return _UNSAFE.sub("_", text).strip("_").lower() or "region"
