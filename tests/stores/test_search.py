"""Searching STAC APIs: a real server on loopback with real items, and a server that misbehaves as real ones do."""

import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.facts.errors import CatalogUnreachable, WrongCall
from catalog.facts.scenes import to_scene
from catalog.stores.questions import questions
from catalog.stores.search import ApiCatalog, Patience, open_catalog

QUICK = Patience(page=3, wait_s=0.001, retries=3, timeout_s=2.0, threads=2, days=400, cell_deg=400.0)
START, END = datetime(2021, 1, 1, tzinfo=UTC), datetime(2021, 12, 31, tzinfo=UTC)
WORLD = (-180.0, -90.0, 180.0, 90.0)


def made_item(number: int, *, cloud: float = 10.0, longitude: float = 77.0) -> dict[str, Any]:
    day = f"2021-{1 + number // 28:02d}-{1 + number % 28:02d}T05:00:00Z"
    ring = [[longitude, 43], [longitude + 1, 43], [longitude + 1, 44], [longitude, 44], [longitude, 43]]
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": f"S2A_{number:03d}",
        "collection": "sentinel-2-l2a",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "bbox": [longitude, 43, longitude + 1, 44],
        "properties": {"datetime": day, "eo:cloud_cover": cloud},
        "assets": {"B03": {"href": f"http://data/{number}/B03.tif"}},
        "links": [],
    }


Fault = Callable[[int, dict[str, Any]], tuple[int, dict[str, str], dict[str, Any] | None]]


class Api:
    """A small STAC API with POST item search and paging; `fault` may replace the answer to the n-th search request."""

    def __init__(self, items: list[dict[str, Any]], fault: Fault | None = None, *, announces: bool = True) -> None:
        self.items, self.fault, self.announces = items, fault, announces
        self.bodies: list[dict[str, Any]] = []
        self.url = ""
        self.lock = threading.Lock()

    def landing(self) -> dict[str, Any]:
        core = "https://api.stacspec.org/v1.0.0/"
        search = {"rel": "search", "href": f"{self.url}/search", "method": "POST", "type": "application/geo+json"}
        links = [search, {"rel": "data", "href": f"{self.url}/collections"}]
        links += [{"rel": "self", "href": self.url}, {"rel": "root", "href": self.url}]
        conforms = [f"{core}core", f"{core}item-search", f"{core}collections", f"{core}ogcapi-features"]
        return {"type": "Catalog", "id": "api", "stac_version": "1.0.0", "description": "d", "links": links, "conformsTo": conforms}

    def collections(self) -> dict[str, Any]:
        extent = {"spatial": {"bbox": [WORLD]}, "temporal": {"interval": [[None, None]]}}
        one = {
            "type": "Collection",
            "id": "sentinel-2-l2a",
            "stac_version": "1.0.0",
            "description": "d",
            "license": "other",
            "extent": extent,
        }
        return {"collections": [{**one, "links": []}], "links": []}

    def search(self, body: dict[str, Any]) -> dict[str, Any]:
        first, last = (part[:10] for part in body["datetime"].split("/"))
        west, _, east, _ = body["bbox"]
        hits = [
            item
            for item in self.items
            if first <= item["properties"]["datetime"][:10] <= last and item["bbox"][0] <= east and item["bbox"][2] >= west
        ]
        skip, limit = body.get("skip", 0), body["limit"]
        page: dict[str, Any] = {"type": "FeatureCollection", "features": hits[skip : skip + limit], "links": []}
        if self.announces:
            page["numberMatched"] = len(hits)
        if skip + limit < len(hits):
            after = {"rel": "next", "method": "POST", "href": f"{self.url}/search", "body": {**body, "skip": skip + limit}}
            page["links"] = [after]
        return page

    def answer(self, body: dict[str, Any]) -> tuple[int, dict[str, str], dict[str, Any]]:
        with self.lock:
            self.bodies.append(body)
            count = len(self.bodies)
        page = self.search(body)
        if self.fault is not None:
            status, headers, instead = self.fault(count, body)
            return status, headers, page if instead is None else instead
        return 200, {}, page


@contextmanager
def serving(api: Api) -> Iterator[Api]:
    class Handler(BaseHTTPRequestHandler):
        def _send(self, status: int, headers: dict[str, str], content: dict[str, Any]) -> None:
            payload = json.dumps(content).encode()[: int(headers.pop("Cut-At", "-1")) if "Cut-At" in headers else None]
            self.send_response(status)
            for key, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(payload))}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(payload)

        def do_GET(self) -> None:
            self._send(200, {}, api.collections() if self.path.startswith("/collections") else api.landing())

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._send(*api.answer(body))

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    api.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()


def found_ids(api: Api, patience: Patience = QUICK, **more: Any) -> list[str]:
    with serving(api):
        return [item["id"] for item in open_catalog(api.url, patience=patience).find("s2", more.pop("bounds", WORLD), START, END, **more)]


ITEMS = [made_item(number) for number in range(10)]
ALL = [item["id"] for item in ITEMS]


def test_pages_are_followed_to_the_end() -> None:
    api = Api(ITEMS)
    assert found_ids(api) == ALL
    assert len(api.bodies) == 4


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_gateway_errors_are_asked_again_and_the_answer_is_that_of_a_healthy_server(status: int) -> None:
    api = Api(ITEMS, lambda count, _: (status, {}, {}) if count in (1, 3) else (200, {}, None))
    assert found_ids(api) == ALL


def test_retry_after_of_the_server_is_obeyed() -> None:
    opened = time.monotonic() + 1.0

    def closed_for_a_second(*_: object) -> tuple[int, dict[str, str], dict[str, Any] | None]:
        return (429, {"Retry-After": "2"}, {}) if time.monotonic() < opened else (200, {}, None)

    once_more = Patience(page=30, wait_s=0.001, retries=1, days=400, cell_deg=400.0)
    assert found_ids(Api(ITEMS, closed_for_a_second), once_more) == ALL


def test_a_repeated_page_neither_doubles_nor_hides_items() -> None:
    def repeat_first_page(count: int, body: dict[str, Any]) -> tuple[int, dict[str, str], dict[str, Any] | None]:
        if count != 2:
            return 200, {}, None
        healthy = Api(ITEMS)
        healthy.url = api.url
        first = healthy.search({**body, "skip": 0})
        return 200, {}, {**first, "links": healthy.search(body)["links"]}

    api = Api(ITEMS, repeat_first_page)
    assert found_ids(api) == ALL


def test_paging_in_a_circle_ends_and_the_question_is_split() -> None:
    def circle(_: int, body: dict[str, Any]) -> tuple[int, dict[str, str], dict[str, Any] | None]:
        first, last = (datetime.fromisoformat(part) for part in body["datetime"].split("/"))
        if (last - first).days < 20:
            return 200, {}, None
        return 200, {}, {"features": ITEMS[:1], "links": [{"rel": "next", "method": "POST", "href": f"{api.url}/search", "body": body}]}

    api = Api(ITEMS, circle, announces=False)
    assert found_ids(api) == ALL


def test_more_hits_than_a_catalog_lists_are_asked_for_in_parts() -> None:
    api = Api(ITEMS)
    patience = Patience(page=3, wait_s=0.001, days=400, cell_deg=400.0, most_items=4)
    assert found_ids(api, patience) == ALL
    assert any(body["datetime"] != api.bodies[0]["datetime"] for body in api.bodies)


def test_an_empty_page_with_a_next_link_is_not_the_end() -> None:
    def empty_then_on(count: int, body: dict[str, Any]) -> tuple[int, dict[str, str], dict[str, Any] | None]:
        if count != 1:
            return 200, {}, None
        link = {"rel": "next", "method": "POST", "href": f"{api.url}/search", "body": body}
        return 200, {}, {"type": "FeatureCollection", "features": [], "links": [link]}

    api = Api(ITEMS, empty_then_on, announces=False)
    assert found_ids(api) == ALL


def test_a_large_answer_that_always_fails_is_asked_for_in_smaller_parts() -> None:
    def refuse_long_spans(_: int, body: dict[str, Any]) -> tuple[int, dict[str, str], dict[str, Any] | None]:
        first, last = (datetime.fromisoformat(part) for part in body["datetime"].split("/"))
        return (502, {}, {}) if (last - first).days > 100 else (200, {}, None)

    assert found_ids(Api(ITEMS, refuse_long_spans)) == ALL


def test_a_catalog_that_never_answers_is_named_with_the_way_out() -> None:
    api = Api(ITEMS, lambda *_: (400, {}, {}))
    with pytest.raises(CatalogUnreachable, match=r"127\.0\.0\.1.*try later"):
        found_ids(api)


def test_a_closed_port_is_a_catalog_unreachable() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        with pytest.raises(CatalogUnreachable, match="check the address"):
            open_catalog(url, patience=QUICK)


def test_a_slow_answer_is_asked_again() -> None:
    def slow_once(count: int, _: dict[str, Any]) -> tuple[int, dict[str, str], dict[str, Any] | None]:
        if count == 2:
            time.sleep(1.0)
        return 200, {}, None

    assert found_ids(Api(ITEMS, slow_once), replace(QUICK, timeout_s=0.4)) == ALL


def test_an_answer_cut_off_in_the_middle_is_asked_again() -> None:
    api = Api(ITEMS, lambda count, _: (200, {"Cut-At": "40"}, None) if count == 2 else (200, {}, None))
    assert found_ids(api) == ALL


def test_a_count_that_is_only_an_estimate_ends_with_what_the_catalog_lists() -> None:
    def too_high(_: int, body: dict[str, Any]) -> tuple[int, dict[str, str], dict[str, Any] | None]:
        return 200, {}, {**api.search(body), "numberMatched": 14}

    api = Api(ITEMS, too_high)
    assert found_ids(api) == ALL


def test_answers_that_lack_other_items_each_time_are_asked_for_in_parts() -> None:
    def forgetful(count: int, body: dict[str, Any]) -> tuple[int, dict[str, str], dict[str, Any] | None]:
        first, last = (datetime.fromisoformat(part) for part in body["datetime"].split("/"))
        if (last - first).days < 100:
            return 200, {}, None
        return 200, {}, {"features": ITEMS[:count], "numberMatched": len(ITEMS), "links": []}

    assert found_ids(Api(ITEMS, forgetful)) == ALL


def test_collections_of_another_name_are_recognised() -> None:
    class Renamed(Api):
        def collections(self) -> dict[str, Any]:
            one = super().collections()["collections"][0]
            names = ["my-sentinel-2-l2a-cogs", "landsat-c2-l2", "s1-grd", "cop-dem-glo-30"]
            return {"collections": [{**one, "id": name} for name in names], "links": []}

    with serving(Renamed([])) as api:
        catalog = open_catalog(api.url, patience=QUICK)
        assert isinstance(catalog, ApiCatalog)
        assert catalog.collections == {"s2": ("my-sentinel-2-l2a-cogs",), "s1": ("s1-grd",), "dem": ("cop-dem-glo-30",)}


def test_an_api_without_our_sensors_is_a_wrong_call() -> None:
    class Empty(Api):
        def collections(self) -> dict[str, Any]:
            return {"collections": [], "links": []}

    with serving(Empty([])) as api, pytest.raises(WrongCall, match="no collection that is known"):
        open_catalog(api.url, patience=QUICK)


def test_a_box_across_the_antimeridian_is_asked_in_two() -> None:
    api = Api([made_item(1, longitude=178.5), made_item(2, longitude=-179.9), made_item(3, longitude=0.0)])
    assert found_ids(api, bounds=(178.0, 40.0, -178.0, 45.0)) == ["S2A_001", "S2A_002"]
    assert all(body["bbox"][0] <= body["bbox"][2] for body in api.bodies)


def test_cloudier_scenes_than_wanted_are_not_listed() -> None:
    api = Api([made_item(1, cloud=90.0), made_item(2, cloud=10.0)])
    assert found_ids(api, max_cloud_percent=80.0) == ["S2A_002"]


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(WrongCall, match="did you mean 'planetary-computer'"):
        open_catalog("planetary-compter")
    with pytest.raises(WrongCall, match="does not exist"):
        open_catalog("no/such/catalog.json")


@given(west=st.floats(-180, 180), south=st.floats(-85, 80), width=st.floats(0.01, 60), height=st.floats(0.01, 5), cell=st.floats(0.5, 10))
def test_cells_cover_a_box_without_gaps(west: float, south: float, width: float, height: float, cell: float) -> None:
    east = west + width if west + width <= 180 else west + width - 360
    parts = questions((west, south, east, south + height), (START, END), cell_deg=cell, days=32)
    areas = {part.bounds_wsen for part in parts}
    assert sum((right - left) * (top - bottom) for left, bottom, right, top in areas) == pytest.approx(width * height, rel=1e-6)
    assert {part.start for part in parts} | {part.end for part in parts} >= {START, END}


def test_halves_ask_for_the_same() -> None:
    (part,) = questions((0.0, 0.0, 1.0, 1.0), (START, END), cell_deg=4, days=400)
    halves = part.halves()
    assert halves is not None
    assert (halves[0].start, halves[0].end, halves[1].end) == (part.start, halves[1].start, part.end)


@pytest.fixture(scope="module")
def rustac_api(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A STAC API server that is not ours, loaded with real items of three services."""
    program = shutil.which("rustac", path=str(Path(sys.executable).parent)) or shutil.which("rustac")
    if program is None:
        pytest.skip("the rustac program is not installed")
    items = {}
    for path in [*(shared_data / "stac").glob("*.json"), *(shared_data / "stac").glob("*.geojson")]:
        content = json.loads(path.read_text())
        features = content if isinstance(content, list) else content.get("features", [content])
        items |= {(item["collection"], item["id"]): item for item in features if isinstance(item, dict) and item.get("type") == "Feature"}
    folder = tmp_path_factory.mktemp("rustac")
    (folder / "items.json").write_text(json.dumps({"type": "FeatureCollection", "features": list(items.values())}))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    server = subprocess.Popen(
        [program, "serve", "--addr", address, "--create-collections", str(folder / "items.json")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(f"http://{address}/")
        yield f"http://{address}"
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait_for(url: str) -> None:
    for _ in range(200):
        try:
            if httpx.get(url, timeout=5.0).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail("the STAC API server did not start")


def test_a_real_server_gives_the_scenes_that_its_items_hold(rustac_api: str, shared_data: Path) -> None:
    path = shared_data / "stac" / "earthsearch_v1_sentinel-2-c1-l2a_itemcollection_10.json"
    expected = {to_scene(item, "api").id: to_scene(item, "api") for item in json.loads(path.read_text())["features"]}
    catalog = open_catalog(rustac_api, patience=Patience(page=4))
    found = catalog.find("s2", (-106.0, 39.8, -104.9, 40.6), datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 5, 1, tzinfo=UTC))
    scenes = {scene.id: scene for scene in (to_scene(item, "api") for item in found)}
    assert scenes == expected


def test_a_real_server_lists_radar_and_elevation_whatever_the_year(rustac_api: str) -> None:
    catalog = open_catalog(rustac_api, patience=Patience(page=2))
    radar = catalog.find("s1", (-99.0, 41.0, -94.0, 44.0), datetime(2022, 1, 1, tzinfo=UTC), datetime(2022, 12, 31, tzinfo=UTC))
    assert len(radar) == 3
    assert {item["collection"] for item in radar} == {"sentinel-1-rtc"}
    elevation = catalog.find("dem", (179.0, -90.0, -176.5, -88.0), datetime(1999, 1, 1, tzinfo=UTC), datetime(1999, 2, 1, tzinfo=UTC))
    assert len(elevation) == 4
