"""STAC items as Arrow tables (stac-geoparquet) and back."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import pyarrow as pa
import shapely
import stac_geoparquet.arrow as stac_arrow
from shapely.geometry.base import BaseGeometry

Item = dict[str, Any]

_TOP_LEVEL: Final = ("type", "stac_version", "stac_extensions", "id", "collection", "links")
_ASSET_FIELDS: Final = (
    "href",
    "type",
    "title",
    "roles",
    "gsd",
    "nodata",
    "data_type",
    "file:checksum",
    "raster:bands",
    "raster:scale",
    "raster:offset",
)
_PROJECTION_FIELDS: Final = ("proj:code", "proj:epsg", "proj:shape", "proj:transform", "proj:bbox")
_NUMBERS: Final = ("proj:transform", "proj:bbox", "raster:scale", "raster:offset", "gsd", "nodata")


def table_of(items: Sequence[Mapping[str, Any]], asset_keys: Iterable[str]) -> pa.Table:
    """Return items as one stac-geoparquet table with the named assets; items of several catalogs may differ in their fields."""
    kept = frozenset(asset_keys)
    slim = [_slim(item, kept) for item in items]
    _align([item["properties"] for item in slim])
    _align([asset for item in slim for asset in item["assets"].values()])
    return stac_arrow.parse_stac_items_to_arrow(slim).read_all()


def items_of(table: pa.Table) -> list[Item]:
    """Return the rows of a stac-geoparquet table as items; what is null in a row is absent in its item."""
    return [_item(row) for row in table.to_pylist()]


def _slim(item: Mapping[str, Any], kept: frozenset[str]) -> Item:
    """The item with the fields that a reader of the record needs: its identity, properties and the assets that can be read."""
    assets = {key: _asset(asset) for key, asset in sorted(item["assets"].items()) if key in kept}
    geometry = item.get("geometry") or {"type": "Polygon", "coordinates": []}
    box = [float(value) for value in item.get("bbox") or (math.nan,) * 4]
    return {
        "type": "Feature",
        "stac_version": str(item.get("stac_version", "1.0.0")),
        "stac_extensions": sorted(item.get("stac_extensions") or []),
        "id": item["id"],
        "geometry": geometry,
        "bbox": box if len(box) == 4 else [box[0], box[1], box[3], box[4]],
        "collection": item.get("collection") or "",
        "links": [{"rel": "self", "href": link["href"]} for link in item.get("links") or [] if link.get("rel") == "self"],
        "assets": assets,
        "properties": {key: value for key, value in sorted(item["properties"].items()) if key != "proj:geometry"},
    }


def _asset(asset: Mapping[str, Any]) -> Item:
    fields = {key: asset[key] for key in (*_ASSET_FIELDS, *_PROJECTION_FIELDS) if asset.get(key) is not None}
    if "raster:bands" in fields:
        bands = [{key: band[key] for key in ("nodata", "data_type", "scale", "offset") if key in band} for band in fields["raster:bands"]]
        for band in bands:
            band |= {key: float(band[key]) for key in ("nodata", "scale", "offset") if isinstance(band.get(key), int | float)}
        fields["raster:bands"] = bands
    return {key: _as_floats(value) if key in _NUMBERS else value for key, value in fields.items()}


def _as_floats(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [float(part) for part in value]
    return float(value) if isinstance(value, int | float) else value


def _align(records: Sequence[Item]) -> None:
    """Make every field one type over all records: numbers become floats together, anything else mixed becomes JSON text.

    Arrow columns have one type; catalogs do not agree whether a percentage is 0 or 0.0, or a product version text or number.
    """
    kinds: dict[str, set[str]] = {}
    for record in records:
        for key, value in record.items():
            kinds.setdefault(key, set()).add(_kind(value))
    for record in records:
        for key, value in record.items():
            found = kinds[key] - {"null"}
            if value is None or (len(found) <= 1 and not found & {"struct", "empty"}):
                continue
            record[key] = (
                float(value) if found <= {"int", "float"} else value if isinstance(value, str) else json.dumps(value, sort_keys=True)
            )


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, Mapping):
        return "struct"
    if isinstance(value, list | tuple):
        inner = sorted({_kind(part) for part in value} - {"null"})
        numbers = {"int", "float"}
        return "empty" if not inner else "list of " + ("number" if set(inner) <= numbers else "+".join(inner))
    return type(value).__name__


def _item(row: Mapping[str, Any]) -> Item:
    item = {key: _plain(row[key]) for key in _TOP_LEVEL if row.get(key) is not None}
    shape = _geometry(row.get("geometry"))
    item["geometry"] = None if shape is None or shape.is_empty else json.loads(shapely.to_geojson(shape))
    box = row.get("bbox")
    item["bbox"] = [box[key] for key in ("xmin", "ymin", "xmax", "ymax")] if isinstance(box, Mapping) else _plain(box)
    assets = row.get("assets") or {}
    item["assets"] = {key: _plain(asset) for key, asset in assets.items() if asset is not None and asset.get("href")}
    others = {key: value for key, value in row.items() if key not in (*_TOP_LEVEL, "geometry", "bbox", "assets")}
    item["properties"] = {key: _plain(value) for key, value in others.items() if value is not None}
    return item


def _geometry(value: object) -> BaseGeometry | None:
    if isinstance(value, bytes):
        return shapely.from_wkb(value)
    return shapely.from_geojson(json.dumps(value)) if isinstance(value, Mapping) else None


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items() if part is not None}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value
