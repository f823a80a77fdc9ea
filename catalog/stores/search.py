"""Catalogs by name, address or path, and patient searches of STAC APIs."""

import difflib
import logging
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from json import JSONDecodeError
from typing import Any, Final, Protocol

from pystac.errors import STACTypeError
from pystac_client import Client
from pystac_client.exceptions import APIError
from pystac_client.stac_api_io import StacApiIO
from urllib3 import Retry

from catalog.facts.errors import CatalogUnreachable, WrongCall
from catalog.facts.records import Sensor
from catalog.facts.sources import API, COLLECTION_PATTERNS, KNOWN_COLLECTIONS, SOURCES
from catalog.stores.item_filters import Bounds, Item, clear_enough, once
from catalog.stores.meters import count_retry
from catalog.stores.questions import Question, questions
from catalog.stores.static_catalog import is_file_catalog, open_file_catalog

logger = logging.getLogger(__name__)

_TRANSIENT: Final = (429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Patience:
    """How a catalog is asked: small questions, again after a pause, never for ever."""

    page: int = 100
    """Items per page; larger pages are what gateways answer with 502."""
    days: int = 32
    cell_deg: float = 4.0
    retries: int = 6
    wait_s: float = 1.0
    """Before the second retry; doubles with each one, plus as much again at random; a Retry-After of the server goes before."""
    timeout_s: float = 60.0
    threads: int = 4
    most_items: int = 10_000
    """Some catalogs stop silently after so many hits."""
    idle_pages: int = 3
    """Pages in a row without a new item from which the paging runs in a circle."""


class Catalog(Protocol):
    """Anything that lists the items of a sensor over a place and a time."""

    @property
    def name(self) -> str:
        """What the user called it."""

    @property
    def provider(self) -> str:
        """Key of the table of sources, or `static`, `api`, `parquet`."""

    def find(
        self, sensor: Sensor, bounds_wsen: Bounds, start: datetime, end: datetime, *, max_cloud_percent: float | None = None
    ) -> list[Item]:
        """Return raw items, each once, ordered by collection and ID.

        `bounds_wsen` in degrees, west > east across +-180. Scenes cloudier than `max_cloud_percent` as a whole are not listed.
        Raises CatalogUnreachable when the catalog does not answer completely.
        """


def open_catalog(spec: str, *, patience: Patience = Patience()) -> Catalog:
    """Open a catalog by the name of a source, the URL of a STAC API, or the path of a static catalog or stac-geoparquet file.

    Raises WrongCall for what is none of these, CatalogUnreachable when an API does not answer.
    """
    if spec in SOURCES:
        source = SOURCES[spec]
        return _open_api(spec, source.endpoint, source.name, patience)
    if is_file_catalog(spec):
        return open_file_catalog(spec)
    if spec.startswith(("http://", "https://")):
        known = next((source.name for source in SOURCES.values() if source.endpoint == spec.rstrip("/")), API)
        return _open_api(spec, spec, known, patience)
    raise _unknown(spec)


def refuse_unknown(spec: str) -> None:
    """Raise WrongCall for what is neither the name of a source, nor an address, nor a file; asks nobody."""
    if spec not in SOURCES and not is_file_catalog(spec) and not spec.startswith(("http://", "https://")):
        raise _unknown(spec)


def _unknown(spec: str) -> WrongCall:
    if "/" in spec or spec.endswith((".json", ".parquet")):
        return WrongCall(f"Catalog {spec!r} does not exist: give the path of a static catalog or stac-geoparquet file.")
    nearest = difflib.get_close_matches(spec.lower(), SOURCES, n=1, cutoff=0.4)
    hint = f"did you mean {nearest[0]!r}?" if nearest else f"known names are {', '.join(SOURCES)}; a URL or a path also serves."
    return WrongCall(f"Catalog {spec!r} is unknown: {hint}")


class _Incomplete(Exception):
    """An answer that lacks items: too many hits, paging in a circle, fewer items than announced."""


@dataclass(frozen=True, slots=True)
class ApiCatalog:
    """A STAC API with item search."""

    name: str
    provider: str
    client: Client = field(repr=False)
    reader: StacApiIO = field(repr=False)
    collections: dict[Sensor, tuple[str, ...]]
    patience: Patience
    queries: bool = False

    def find(
        self, sensor: Sensor, bounds_wsen: Bounds, start: datetime, end: datetime, *, max_cloud_percent: float | None = None
    ) -> list[Item]:
        """Return raw items of a sensor; see `Catalog.find`."""
        collections = self.collections.get(sensor, ())
        if not collections:
            return []
        interval = None if sensor == "dem" else (start, end)
        parts = questions(bounds_wsen, interval, cell_deg=self.patience.cell_deg, days=self.patience.days)
        limit = max_cloud_percent if sensor == "s2" else None
        with ThreadPoolExecutor(self.patience.threads) as pool:
            answers = list(pool.map(lambda part: self._ask(part, sensor, limit), parts))
        return once(item for answer in answers for item in answer if clear_enough(item, limit))

    def _ask(self, part: Question, sensor: Sensor, max_cloud_percent: float | None) -> list[Item]:
        try:
            return self._complete(part, sensor, max_cloud_percent)
        except (APIError, JSONDecodeError, _Incomplete) as error:
            smaller = part.halves() if _smaller_may_help(error) else None
            if smaller is None:
                raise self._unreachable(error) from error
            logger.warning("%s: %s; asking for %s in two halves", self.name, error, part.bounds_wsen)
            return [item for half in smaller for item in self._ask(half, sensor, max_cloud_percent)]

    def _complete(self, part: Question, sensor: Sensor, max_cloud_percent: float | None) -> list[Item]:
        """Ask again where fewer items came than were announced: a repeated page hides a lost one, but some counts are estimates."""
        items, announced = self._items(part, sensor, max_cloud_percent)
        if announced is None or len(items) >= announced:
            return items
        again, _ = self._items(part, sensor, max_cloud_percent)
        found = once([*items, *again])
        if len(found) < announced and len(again) != len(items):
            raise _Incomplete(f"{len(found)} items where {announced} were announced")
        if len(found) < announced:
            logger.warning("%s announces %d items and lists %d, twice; taking what it lists", self.name, announced, len(found))
        return found

    def _items(self, part: Question, sensor: Sensor, max_cloud_percent: float | None) -> tuple[list[Item], int | None]:
        """The items of all pages, each once, and how many the catalog announced."""
        found: dict[tuple[str, str], Item] = {}
        announced: int | None = None
        idle = 0
        for page in self._pages(part, sensor, max_cloud_percent):
            announced = _announced(page) if announced is None else announced
            if announced is not None and announced > self.patience.most_items:
                raise _Incomplete(f"{announced} hits, more than a catalog lists")
            before = len(found)
            for item in page.get("features", []):
                found.setdefault((str(item.get("collection")), str(item["id"])), item)
            idle = 0 if len(found) > before else idle + 1
            if idle >= self.patience.idle_pages:
                raise _Incomplete(f"the last {idle} pages held nothing new")
        return list(found.values()), announced

    def _pages(self, part: Question, sensor: Sensor, max_cloud_percent: float | None) -> Iterator[dict[str, Any]]:
        query = {"eo:cloud_cover": {"lte": max_cloud_percent}} if self.queries and max_cloud_percent is not None else None
        search = self.client.search(
            collections=list(self.collections[sensor]),
            bbox=part.bounds_wsen,
            datetime=None if part.start is None else (part.start, part.end),
            limit=self.patience.page,
            query=query,
        )
        yield from _follow(self.reader, search.url, search.method, search.get_parameters())

    def _unreachable(self, error: Exception) -> CatalogUnreachable:
        return CatalogUnreachable(
            f"Catalog {self.name} ({self.client.self_href}) did not answer completely ({error}): try later, or use another catalog."
        )


class _CountedRetry(Retry):
    """Counts every request that is sent again."""

    def increment(self, *args: Any, **kwargs: Any) -> "_CountedRetry":
        """Count, unless that was the last attempt; then it raises."""
        after = super().increment(*args, **kwargs)
        count_retry()
        return after


def _open_api(name: str, url: str, provider: str, patience: Patience) -> ApiCatalog:
    # urllib3 does what is needed: pauses that grow with jitter, Retry-After, and an end
    retry = _CountedRetry(
        total=patience.retries,
        connect=min(patience.retries, 2),
        backoff_factor=patience.wait_s,
        backoff_jitter=patience.wait_s,
        status_forcelist=_TRANSIENT,
        allowed_methods=None,
        respect_retry_after_header=True,
    )
    reader = StacApiIO(timeout=patience.timeout_s, max_retries=retry)
    try:
        client = Client.open(url, stac_io=reader)
        collections = dict(SOURCES[provider].collections) if provider in SOURCES else _recognised(client)
    except (APIError, STACTypeError, KeyError, ValueError) as error:
        raise CatalogUnreachable(
            f"Catalog {name} ({url}) does not answer as a STAC API ({error}): check the address and the connection."
        ) from error
    if client.get_search_link() is None and not client.conforms_to("ITEM_SEARCH"):
        raise WrongCall(f"Catalog {name} ({url}) has no item search: for a static catalog give the address of its catalog.json.")
    if not any(collections.values()):
        raise WrongCall(
            f"Catalog {name} ({url}) has no collection that is known: it needs one of {', '.join(sum(KNOWN_COLLECTIONS.values(), ()))}."
        )
    return ApiCatalog(name, provider, client, reader, collections, patience, queries=provider in SOURCES and SOURCES[provider].queries)


def _recognised(client: Client) -> dict[Sensor, tuple[str, ...]]:
    """The collections of an API by sensor: those known by name first, then those whose name looks like it."""
    offered = sorted(collection.id for collection in client.get_collections())
    found: dict[Sensor, tuple[str, ...]] = {}
    for sensor, names in KNOWN_COLLECTIONS.items():
        alike = [name for name in offered if re.search(COLLECTION_PATTERNS[sensor], name.lower()) and name not in names]
        found[sensor] = (*(name for name in names if name in offered), *alike)
    return found


def _follow(reader: StacApiIO, url: str, method: str | None, parameters: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield pages by their `next` links; pystac-client's own paging ends at an empty page even when more follow."""
    page = reader.read_json(url, method=method, parameters=parameters)
    while True:
        yield page
        link = next((link for link in page.get("links", []) if link.get("rel") == "next"), None)
        if link is None:
            return
        body = link.get("body", {})
        body = {**parameters, **body} if link.get("merge") else body
        verb = link.get("method", "GET")
        page = reader.read_json(link["href"], method=verb, headers=link.get("headers"), parameters=body if verb == "POST" else {})


def _announced(page: dict[str, Any]) -> int | None:
    found = page.get("numberMatched", (page.get("context") or {}).get("matched"))
    return None if found is None else int(found)


def _smaller_may_help(error: Exception) -> bool:
    status = getattr(error, "status_code", None)
    return (
        isinstance(error, _Incomplete | JSONDecodeError)
        or status in _TRANSIENT
        or any(f"{code} error" in str(error) for code in _TRANSIENT)
        or "timed out" in str(error)
    )
