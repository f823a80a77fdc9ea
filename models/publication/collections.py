"""The catalog, the collection of a region and that of models, written from the releases that there are."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pystac
from pystac.extensions.file import SCHEMA_URI as FILE_SCHEMA
from pystac.extensions.table import SCHEMA_URI as TABLE_SCHEMA

from catalog.facts.dictionary import TABLES
from catalog.facts.publication import PARQUET
from catalog.facts.records import Target
from catalog.facts.releases import collection_id
from models.publication.assets import described
from models.publication.model_items import MODELS

Document = dict[str, Any]
_WHAT: Final[Mapping[Target, str]] = {"lakes": "Glacial lakes", "slumps": "Retrogressive thaw slumps"}
_PROVIDERS: Final = [
    {"name": "cryoatlas", "roles": ["processor"], "description": "mapped the features from the scenes"},
    {
        "name": "European Union, Copernicus; ESA",
        "roles": ["producer", "licensor"],
        "url": "https://www.copernicus.eu",
        "description": "Sentinel-1, Sentinel-2 and the elevation model that it was made from",
    },
]
ROOT_ID: Final = "cryoatlas"
_ITEM_FIELDS: Final = ("title", "type", "roles", "description")


def root_catalog(children: Sequence[tuple[str, str]]) -> Document:
    """Return the catalog at the top; `children` are folders and titles of its collections."""
    catalog = pystac.Catalog(ROOT_ID, "Annual inventories of glacial lakes and thaw slumps, released by cryoatlas.", title="cryoatlas")
    catalog.links = [pystac.Link("root", "./catalog.json", pystac.MediaType.JSON)] + [
        pystac.Link("child", f"./{folder}/collection.json", pystac.MediaType.JSON, title=title) for folder, title in sorted(children)
    ]
    return dict(catalog.to_dict(include_self_link=False, transform_hrefs=False))


def releases_asset(href: str, checksum: str, rows: int) -> Document:
    """Return the asset of the table of releases; `checksum` is `sha256:<hex>:<bytes>`."""
    _, digest, size = checksum.split(":")
    return {
        "href": href,
        "type": PARQUET,
        "title": "Releases of this region: names, days, reasons, what they supersede",
        "roles": ["metadata"],
        "file:checksum": f"1220{digest}",
        "file:size": int(size),
        "table:row_count": rows,
        "table:columns": [{"name": c.name, "type": c.type, "description": described(c)} for c in TABLES["releases"].columns],
    }


def region_collection(manifests: Sequence[Mapping[str, Any]], items: Sequence[tuple[str, Mapping[str, Any]]], table: Document) -> Document:
    """Return the collection of a region: its releases in order, its items (path inside the folder, document), the asset of its table."""
    newest = manifests[-1]
    target, region = newest["target"], newest["region"]
    times = [(item["properties"]["start_datetime"], item["properties"]["end_datetime"]) for _, item in items]
    latest = [item for _, item in items if not item["properties"]["deprecated"]]
    collection = pystac.Collection(
        id=collection_id(target, region),
        title=f"{_WHAT[target]}: {newest['title']}",
        description=_description(target, newest, manifests),
        license=newest["licence"],
        extent=pystac.Extent(pystac.SpatialExtent([newest["bbox"]]), pystac.TemporalExtent([[None, None]])),
        keywords=[_WHAT[target].lower(), "cryosphere", "Sentinel-2", "Sentinel-1", region],
        providers=[pystac.Provider.from_dict(provider) for provider in _PROVIDERS],
    )
    document = dict(collection.to_dict(include_self_link=False, transform_hrefs=False))
    document["extent"]["temporal"]["interval"] = [[min(start for start, _ in times), max(end for _, end in times)]]
    years = sorted({item["properties"]["cryoatlas:year"] for item in latest})
    document["summaries"] = {"version": [m["release"] for m in manifests], "cryoatlas:year": {"minimum": years[0], "maximum": years[-1]}}
    document["item_assets"] = _item_assets(latest)
    document["assets"] = {"releases": table}
    document["stac_extensions"] = [FILE_SCHEMA, TABLE_SCHEMA]
    document["links"] = _links(items)
    return document


def _description(target: Target, newest: Mapping[str, Any], manifests: Sequence[Mapping[str, Any]]) -> str:
    named = ", ".join(manifest["release"] for manifest in manifests)
    return (
        f"{_WHAT[target]} of {newest['title']}, one item per year and release, with outlines, areas and their 95 % intervals, what was "
        f"observed, and every scene behind it. Releases: {named}. Items that a later release superseded are `deprecated` and lead to it."
    )


def _item_assets(items: Sequence[Mapping[str, Any]]) -> Document:
    found: Document = {}
    for item in items:
        for key, asset in item["assets"].items():
            found.setdefault(key, {field: asset[field] for field in _ITEM_FIELDS if field in asset})
    return dict(sorted(found.items()))


def _links(items: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Document]:
    links: list[Document] = [
        {"rel": "root", "href": "../catalog.json", "type": "application/json"},
        {"rel": "parent", "href": "../catalog.json", "type": "application/json"},
    ]
    for path, item in items:
        superseded = " (superseded)" if item["properties"]["deprecated"] else ""
        title = f"{item['properties']['cryoatlas:year']}, release {item['properties']['version']}{superseded}"
        links.append({"rel": "item", "href": f"./{path}", "type": "application/geo+json", "title": title})
    return links


def models_collection(items: Sequence[tuple[str, Mapping[str, Any]]]) -> Document:
    """Return the collection of models; items are pairs of path inside its folder and document."""
    licences = sorted({str(item["properties"].get("license", "other")) for _, item in items})
    collection = pystac.Collection(
        id=MODELS,
        title="Models",
        description="What mapped the inventories: networks and rules, each with its card.",
        license=licences[0] if len(licences) == 1 else "other",
        extent=pystac.Extent(pystac.SpatialExtent([[-180.0, -90.0, 180.0, 90.0]]), pystac.TemporalExtent([[None, None]])),
    )
    document = dict(collection.to_dict(include_self_link=False, transform_hrefs=False))
    document["extent"]["temporal"]["interval"] = [["1970-01-01T00:00:00Z", None]]
    links: list[Document] = [
        {"rel": "root", "href": "../catalog.json", "type": "application/json"},
        {"rel": "parent", "href": "../catalog.json", "type": "application/json"},
    ]
    links += [
        {"rel": "item", "href": f"./{path}", "type": "application/geo+json", "title": item["properties"]["title"]} for path, item in items
    ]
    document["links"] = links
    return document
