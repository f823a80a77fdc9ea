"""The record of scenes: whole, equal bytes for equal choices, replayable."""

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import geopandas as gpd
import pyarrow.parquet as pq
import pytest

from catalog.facts.causes import Refusal
from catalog.facts.errors import SchemaError
from catalog.facts.records import Choice, Scene
from catalog.facts.repeats import identity
from catalog.facts.scenes import Rejected, to_scene
from catalog.stores.selections import read_choices, read_found, read_providers, write_choices

Items = Mapping[tuple[str, str, str], dict[str, Any]]


def real_items(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(
        [*(folder / "stac").glob("*json"), *(folder / "stac" / "mapchete_s2_items").glob("*"), *(folder / "s2").glob("*/*/*.json")]
    ):
        content = json.loads(path.read_text())
        features = content if isinstance(content, list) else content.get("features", [content])
        yield from (item for item in features if isinstance(item, dict) and item.get("type") == "Feature")


def made_item(name: str) -> dict[str, Any]:
    ring = [[77, 43], [78, 43], [78, 44], [77, 44], [77, 43]]
    properties = {
        "datetime": "2021-07-01T05:00:00Z",
        "s2:processing_baseline": "05.00",
        "used": "the item's own word",
        "nested": {"a": [1, "b"]},
    }
    assets = {"B03": {"href": f"{name}/B03.tif", "proj:shape": [10, 10]}, "thumbnail": {"href": "x.png"}}
    top = {"type": "Feature", "stac_version": "1.0.0", "id": name, "collection": "c", "bbox": [77, 43, 78, 44], "links": []}
    return {**top, "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": properties, "assets": assets}


def scene_of(item: dict[str, Any]) -> Scene:
    found = to_scene(item, "static")
    return found.scene if isinstance(found, Rejected) else found


def made(names: str = "abc") -> tuple[list[Choice], Items]:
    items = {identity(scene_of(item)): item for item in map(made_item, names)}
    choices = []
    for number, tile in enumerate(("32643-0029-0213", "32643-0029-0214")):
        for index, item in enumerate(items.values()):
            used = index != number
            choices.append(Choice(scene_of(item), tile, used, None if used else str(Refusal.CLOUD), None if index else 0.1 + number / 3))
    return choices, items


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    choices, items = made()
    write_choices(tmp_path / "r" / "2021.parquet", choices, items)
    assert list(read_choices(tmp_path / "r" / "2021.parquet")) == choices


def test_one_tile_can_be_read_alone(tmp_path: Path) -> None:
    choices, items = made()
    write_choices(tmp_path / "2021.parquet", choices, items)
    assert list(read_choices(tmp_path / "2021.parquet", tile="32643-0029-0214")) == choices[3:]
    assert read_choices(tmp_path / "2021.parquet", tile="32643-0001-0001") == ()


def test_the_catalogs_of_used_scenes_are_read_without_the_scenes(tmp_path: Path) -> None:
    choices, items = made()
    unused, elsewhere = choices[0].scene, replace(choices[1].scene, provider="elsewhere")
    assert not choices[0].used
    more = [Choice(replace(unused, provider="nowhere"), choices[0].tile, used=False), Choice(elsewhere, choices[0].tile, used=True)]
    known = items | {identity(choice.scene): items[identity(replace(choice.scene, provider="static"))] for choice in more}
    write_choices(tmp_path / "2021.parquet", [*choices, *more], known)
    assert read_providers(tmp_path / "2021.parquet") == ("elsewhere", "static")


def test_the_order_of_the_choices_does_not_change_a_byte(tmp_path: Path) -> None:
    choices, items = made()
    first = write_choices(tmp_path / "a.parquet", choices, items)
    random.Random(1).shuffle(choices)
    assert write_choices(tmp_path / "b.parquet", choices, dict(reversed(items.items()))) == first
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_a_replayed_search_finds_the_same_scenes(tmp_path: Path) -> None:
    choices, items = made()
    write_choices(tmp_path / "a.parquet", choices, items)
    found = read_found(tmp_path / "a.parquet")
    assert [entry.scene for entry in found] == [choice.scene for choice in choices[:3]]
    again = {identity(choice.scene): entry.item for choice, entry in zip(choices[:3], found, strict=True)}
    assert write_choices(tmp_path / "b.parquet", choices, again) == write_choices(tmp_path / "a.parquet", choices, items)


def test_every_real_item_is_read_back_as_the_same_scene(tmp_path: Path, shared_data: Path) -> None:
    items = {identity(scene_of(item)): item for item in real_items(shared_data)}
    choices = [Choice(scene_of(item), "32643-0029-0213", used=True) for item in items.values()]
    assert len(choices) > 60
    write_choices(tmp_path / "real.parquet", choices, items)
    assert {identity(c.scene): c.scene for c in read_choices(tmp_path / "real.parquet")} == {identity(c.scene): c.scene for c in choices}
    rejected = [entry for entry in read_found(tmp_path / "real.parquet") if isinstance(entry.scene, Rejected)]
    assert {entry.scene.reason for entry in rejected if isinstance(entry.scene, Rejected)} == {Refusal.NOT_TERRAIN_CORRECTED}


def test_a_measured_offset_is_kept(tmp_path: Path) -> None:
    (choice, *_), items = made()
    measured = replace(choice, scene=replace(choice.scene, offset_counts=0, offset_evidence="measured"))
    assert choice.scene.offset_counts == 1000
    write_choices(tmp_path / "a.parquet", [measured], items)
    assert read_choices(tmp_path / "a.parquet") == (measured,)


def test_a_region_without_scenes_has_an_empty_record(tmp_path: Path) -> None:
    write_choices(tmp_path / "a.parquet", [], {})
    assert read_choices(tmp_path / "a.parquet") == ()
    assert read_found(tmp_path / "a.parquet") == ()


def test_many_tiles_share_one_item_over_several_row_groups(tmp_path: Path) -> None:
    items = {identity(scene_of(item)): item for item in map(made_item, "ab")}
    scenes = [scene_of(item) for item in items.values()]
    choices = [Choice(scene, f"32643-{number:04d}-0001", used=True) for number in range(3000) for scene in scenes]
    write_choices(tmp_path / "a.parquet", choices, items)
    assert pq.ParquetFile(tmp_path / "a.parquet").num_row_groups > 1
    assert list(read_choices(tmp_path / "a.parquet")) == choices
    assert len(read_found(tmp_path / "a.parquet")) == 2


def test_others_can_open_the_record(tmp_path: Path) -> None:
    choices, items = made()
    path = tmp_path / "a.parquet"
    write_choices(path, choices, items)
    table = gpd.read_parquet(path)
    assert table.crs.to_epsg() == 4326
    assert table.geometry.is_valid.all()
    record = duckdb.read_parquet(str(path))
    rows = record.filter("not used").project("tile, used, refused_because, baseline, offset_applied").order("tile").fetchall()
    assert rows == [
        ("32643-0029-0213", False, "cloud over the tile", "05.00", False),
        ("32643-0029-0214", False, "cloud over the tile", "05.00", False),
    ]


def test_a_scene_without_its_item_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    choices, _ = made()
    with pytest.raises(SchemaError, match="no item for scene a"):
        write_choices(tmp_path / "a.parquet", choices, {})
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_record_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"half a file")
    with pytest.raises(SchemaError, match="cryoatlas run"):
        read_choices(tmp_path / "a.parquet")
