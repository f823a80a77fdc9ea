"""Catalogs that are files: a tree of STAC JSON, an item collection, a stac-geoparquet table."""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import httpx
import pyarrow as pa
import pyarrow.parquet as pq

from catalog.facts.errors import CatalogUnreachable, WrongCall
from catalog.facts.records import Sensor
from catalog.facts.sources import PARQUET, STATIC
from catalog.stores.garbage import nothing_thrown_away
from catalog.stores.item_filters import Bounds, Item, matching
from catalog.stores.item_tables import items_of

_TIMEOUT_S: Final = 60.0
_TRANSIENT: Final = (429, 500, 502, 503, 504)
_WAITS_S: Final = (0.5, 2.0, 8.0)
_PARQUET: Final = (".parquet", ".geoparquet")
_KEPT_S: Final = 3600.0
"""How long a catalog that was read is taken for what it is now: a worker lives for weeks and must see late scenes."""


@dataclass(frozen=True, slots=True)
class FileCatalog:
    """A catalog whose items are all read once and kept in memory."""

    name: str
    provider: str
    items: tuple[Item, ...]

    def find(
        self, sensor: Sensor, bounds_wsen: Bounds, start: datetime, end: datetime, *, max_cloud_percent: float | None = None
    ) -> list[Item]:
        """Return the raw items of a sensor that meet a box (degrees) and an interval."""
        return matching(self.items, sensor, bounds_wsen, start, end, max_cloud_percent=max_cloud_percent)


def is_file_catalog(spec: str) -> bool:
    """Say whether an address names a file catalog rather than an API: a local path, or a .json or .parquet on the web."""
    if not spec.startswith(("http://", "https://")):
        return Path(spec).expanduser().exists()
    return urlsplit(spec).path.endswith((".json", ".geojson", *_PARQUET))


def open_file_catalog(spec: str) -> FileCatalog:
    """Open a folder with catalog.json, a catalog, collection or item collection in JSON, or a stac-geoparquet file.

    Raises WrongCall when it is none of these or holds no item, CatalogUnreachable when the web does not answer.
    """
    address = spec if spec.startswith(("http://", "https://")) else str(_local(spec))
    parquet = urlsplit(address).path.endswith(_PARQUET) if "://" in address else address.endswith(_PARQUET)
    items = _parquet_items(address) if parquet else _tree_items(address, _stamp(address))
    if not items:
        raise WrongCall(f"Catalog {spec} holds no items: give another, or make one with `cryoatlas simulate`.")
    return FileCatalog(spec, PARQUET if parquet else STATIC, items)


def _local(spec: str) -> Path:
    path = Path(spec).expanduser().resolve()
    if path.is_dir():
        path = path / "catalog.json"
    if not path.is_file():
        raise WrongCall(f"Catalog {spec} has no catalog.json: give the folder or file of a static STAC catalog.")
    return path


def _stamp(address: str) -> tuple[int, int]:
    """What stays equal while a catalog may be taken from memory; below an unchanged root there may be new items."""
    changed_ns = 0 if "://" in address else Path(address).stat().st_mtime_ns
    return changed_ns, int(time.monotonic() // _KEPT_S)


@lru_cache(maxsize=8)
def _tree_items(address: str, _stamp: tuple[int, int]) -> tuple[Item, ...]:
    """All items below a catalog, kept until its root file changes or an hour has gone."""
    with nothing_thrown_away():
        return tuple(_walk(address))


def _walk(root: str) -> Iterator[Item]:
    waiting, seen = [root], set[str]()
    while waiting:
        address = waiting.pop()
        if address in seen:
            continue
        seen.add(address)
        content = _read_json(address)
        kind = content.get("type")
        if kind == "Feature":
            yield _absolute(content, address)
        elif kind == "FeatureCollection":
            yield from (_absolute(feature, address) for feature in content["features"])
        elif "links" not in content:
            raise WrongCall(f"{address} is no STAC catalog, collection or item: point --catalog at a catalog.json.")
        hrefs = [link["href"] for link in content.get("links", []) if link.get("rel") in ("child", "item", "items") and kind != "Feature"]
        waiting.extend(_join(address, href) for href in reversed(hrefs))


def _absolute(item: Item, address: str) -> Item:
    """The item with asset addresses that do not depend on where the item lies."""
    assets = {key: {**asset, "href": _join(address, asset["href"])} for key, asset in item["assets"].items() if asset.get("href")}
    return {**item, "assets": assets}


def _join(base: str, href: str) -> str:
    if "://" in href or href.startswith("/"):
        return href
    if "://" in base:
        return urljoin(base, href)
    if ".." in href:
        return str((Path(base).parent / href).resolve())
    # catalogs have a million assets; asking the disk for links in every part of every address would take most of a search,
    # and nearly all of them lie beside their item
    if href.startswith("./") and href.rfind("/") == 1:
        return f"{base[: base.rfind('/')]}{href[1:]}"
    return os.path.normpath(os.path.join(os.path.dirname(base), href))  # noqa: PTH118, PTH120


def _read_json(address: str) -> dict[str, Any]:
    text = _fetch(address) if "://" in address else _read(address)
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise WrongCall(f"{address} is not JSON ({error}): point --catalog at a catalog.json.") from error
    if isinstance(content, list):
        content = {"type": "FeatureCollection", "features": content}
    if not isinstance(content, dict):
        raise WrongCall(f"{address} is no STAC catalog: point --catalog at a catalog.json.")
    return content


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise WrongCall(
            f"Catalog file {path} cannot be read ({error.strerror}): a link of the catalog is broken; make it again."
        ) from error


def _fetch(address: str) -> str:
    try:
        with httpx.Client(transport=httpx.HTTPTransport(retries=2), timeout=_TIMEOUT_S, follow_redirects=True) as client:
            answer = client.get(address)
            for wait_s in _WAITS_S:
                if answer.status_code not in _TRANSIENT:
                    break
                time.sleep(wait_s)
                answer = client.get(address)
            return answer.raise_for_status().text
    except httpx.HTTPError as error:
        raise CatalogUnreachable(f"Catalog {address} does not answer ({error}): check the address, or try later.") from error


def _parquet_items(address: str) -> tuple[Item, ...]:
    if "://" in address:
        raise WrongCall(f"Catalog {address}: stac-geoparquet is read from disk; download the file and give its path.")
    try:
        table = pq.read_table(address)
    except (pa.ArrowInvalid, OSError) as error:
        raise WrongCall(f"Catalog {address} is not a Parquet file ({error}): give a stac-geoparquet file.") from error
    if not {"id", "geometry", "assets"} <= set(table.column_names):
        raise WrongCall(f"Catalog {address} is not stac-geoparquet: it has no id, geometry and assets columns.")
    return tuple(_absolute(item, address) for item in items_of(table))
