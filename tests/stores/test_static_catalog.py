"""Catalogs that are files: trees, collections of items, tables."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from catalog.facts.errors import CatalogUnreachable, WrongCall
from catalog.facts.records import Scene
from catalog.facts.scenes import to_scene
from catalog.stores.item_tables import items_of, table_of
from catalog.stores.search import open_catalog

WORLD = (-180.0, -90.0, 180.0, 90.0)
START, END = datetime(2021, 6, 1, tzinfo=UTC), datetime(2021, 8, 31, 23, 59, tzinfo=UTC)


def made_item(name: str, *, date: str = "2021-07-01", longitude: float = 77.0, asset: str = "B03") -> dict[str, Any]:
    east = longitude + 1
    ring = [[longitude, 43], [east, 43], [east, 44], [longitude, 44], [longitude, 43]]
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": name,
        "collection": {"B03": "sentinel-2-l2a", "vv": "sentinel-1-rtc", "data": "cop-dem-glo-30"}[asset],
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "bbox": [longitude, 43, east, 44],
        "properties": {"datetime": f"{date}T05:00:00Z", "eo:cloud_cover": 10.0},
        "assets": {asset: {"href": f"./{name}/{asset}.tif"}},
        "links": [],
    }


ITEMS = [
    made_item("inside"),
    made_item("winter", date="2021-01-01"),
    made_item("elsewhere", longitude=90.0),
    made_item("radar", asset="vv"),
    made_item("dem", date="1999-01-01", asset="data"),
]


def write_tree(root: Path, items: list[dict[str, Any]]) -> Path:
    """A catalog with one collection and relative links, as pystac writes them."""
    folder = root / "collection"
    folder.mkdir(parents=True)
    for item in items:
        (folder / item["id"]).mkdir()
        (folder / item["id"] / "item.json").write_text(json.dumps(item))
    links = [{"rel": "item", "href": f"./{item['id']}/item.json"} for item in items]
    links += [{"rel": "root", "href": "../catalog.json"}, {"rel": "parent", "href": "../catalog.json"}]
    (folder / "collection.json").write_text(json.dumps({"type": "Collection", "id": "c", "links": links}))
    top = {"type": "Catalog", "id": "top", "links": [{"rel": "child", "href": "./collection/collection.json"}]}
    (root / "catalog.json").write_text(json.dumps(top))
    return root


def names(spec: str, sensor: Any = "s2", bounds: tuple[float, float, float, float] = (76.0, 42.0, 79.0, 45.0)) -> list[str]:
    return [item["id"] for item in open_catalog(spec).find(sensor, bounds, START, END)]


def test_a_folder_is_searched_by_sensor_place_and_time(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "catalog", ITEMS)
    assert names(str(root)) == ["inside"]
    assert names(str(root / "catalog.json"), "s1") == ["radar"]
    assert names(str(root), "dem") == ["dem"]
    assert names(str(root), bounds=(10.0, 10.0, 11.0, 11.0)) == []


def test_relative_addresses_are_made_absolute(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "catalog", ITEMS)
    catalog = open_catalog(str(root))
    (item,) = catalog.find("s2", (76.0, 42.0, 79.0, 45.0), START, END)
    assert item["assets"]["B03"]["href"] == str(root / "collection" / "inside" / "inside" / "B03.tif")
    assert (catalog.provider, catalog.name) == ("static", str(root))


def test_the_last_day_belongs_to_the_interval(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "catalog", [made_item("last", date="2021-08-31"), made_item("after", date="2021-09-01")])
    assert names(str(root)) == ["last"]


def test_an_item_collection_serves_as_a_catalog(tmp_path: Path) -> None:
    path = tmp_path / "items.json"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": ITEMS}))
    assert names(str(path)) == ["inside"]


@pytest.mark.parametrize("newest_first", [True, False])
def test_an_item_listed_twice_is_found_once_as_last_updated(tmp_path: Path, newest_first: bool) -> None:
    newer = made_item("inside")
    newer["properties"]["updated"] = "2022-01-01T00:00:00Z"
    path = tmp_path / "items.json"
    path.write_text(json.dumps([newer, ITEMS[0]] if newest_first else [ITEMS[0], newer]))
    (found,) = open_catalog(str(path)).find("s2", WORLD, START, END)
    assert found["properties"]["updated"] == "2022-01-01T00:00:00Z"


def test_a_table_serves_as_a_catalog(tmp_path: Path) -> None:
    pq.write_table(table_of(ITEMS, ["B03", "vv", "data"]), tmp_path / "items.parquet")
    catalog = open_catalog(str(tmp_path / "items.parquet"))
    assert catalog.provider == "parquet"
    assert names(str(tmp_path / "items.parquet")) == ["inside"]


def test_a_real_table_gives_scenes_with_all_bands(shared_data: Path) -> None:
    catalog = open_catalog(str(shared_data / "stac" / "stac_geoparquet_100_sentinel-2_items.parquet"))
    items = catalog.find("s2", WORLD, datetime(2015, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC))
    scenes = [to_scene(item, "parquet") for item in items]
    assert len(scenes) == 100
    for scene in scenes:
        assert isinstance(scene, Scene)
        assert len(scene.assets) == 13
        assert scene.baseline is not None
        assert scene.offset_counts == (1000 if scene.baseline >= "04.00" else 0)
        assert scene.assets["B02"].shape == (10980, 10980)


def test_real_items_survive_a_table(shared_data: Path) -> None:
    path = shared_data / "stac" / "pc_sentinel-2-l2a_items.json"
    items = json.loads(path.read_text())
    again = items_of(table_of(items, ["B02", "B03", "SCL"]))
    for before, after in zip(items, again, strict=True):
        kept = before | {"assets": {key: before["assets"][key] for key in ("B02", "B03", "SCL")}}
        assert to_scene(after, "planetary-computer") == to_scene(kept, "planetary-computer")
        assert after["properties"]["s2:mgrs_tile"] == before["properties"]["s2:mgrs_tile"]


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    write_tree(tmp_path / "catalog", ITEMS)
    handler = partial(_Quiet, directory=str(tmp_path))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def test_a_catalog_on_the_web_is_followed_by_its_links(web: str) -> None:
    (item,) = open_catalog(f"{web}/catalog/catalog.json").find("s2", (76.0, 42.0, 79.0, 45.0), START, END)
    assert item["assets"]["B03"]["href"] == f"{web}/catalog/collection/inside/inside/B03.tif"


@pytest.mark.parametrize("on_the_web", [True, False])
def test_a_scene_that_came_late_is_seen_within_the_hour(
    web: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, on_the_web: bool
) -> None:
    spec = f"{web}/catalog/catalog.json" if on_the_web else str(tmp_path / "catalog")
    assert names(spec) == ["inside"]
    page = tmp_path / "catalog" / "collection" / "collection.json"
    (page.parent / "late").mkdir()
    (page.parent / "late" / "item.json").write_text(json.dumps(made_item("late")))
    content = json.loads(page.read_text())
    page.write_text(json.dumps(content | {"links": [*content["links"], {"rel": "item", "href": "./late/item.json"}]}))
    now = time.monotonic()
    monkeypatch.setattr("catalog.stores.static_catalog.time.monotonic", lambda: now + 3600.0)
    assert sorted(names(spec)) == ["inside", "late"]


def test_a_missing_page_of_the_web_is_unreachable(web: str) -> None:
    with pytest.raises(CatalogUnreachable, match="does not answer"):
        open_catalog(f"{web}/catalog/other.json")


@pytest.mark.parametrize(
    ("files", "spec", "problem"),
    [
        ({}, "", "has no catalog.json"),
        ({"catalog.json": {"type": "Catalog", "id": "x", "links": []}}, "", "holds no items"),
        ({"catalog.json": {"hello": 1}}, "", "is no STAC catalog"),
        ({"catalog.json": {"type": "Catalog", "id": "x", "links": [{"rel": "item", "href": "gone.json"}]}}, "", "gone.json cannot be read"),
        ({"x.parquet": {}}, "x.parquet", "is not a Parquet file"),
    ],
)
def test_what_is_no_catalog_says_why(tmp_path: Path, files: dict[str, Any], spec: str, problem: str) -> None:
    folder = tmp_path / "c"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))
    with pytest.raises(WrongCall, match=problem):
        open_catalog(str(folder / spec))
