from dataclasses import replace
from datetime import UTC, datetime

import pytest

from catalog.facts.records import Choice
from catalog.facts.repeats import identity
from catalog.stores.circumstances import circumstances_of
from catalog.stores.selections import write_choices
from catalog.stores.store import Store

ITEM = {
    "type": "Feature", "stac_version": "1.0.0", "bbox": [77, 43, 78, 44], "links": [],
    "geometry": {"type": "Polygon", "coordinates": [[[77, 43], [78, 43], [78, 44], [77, 44], [77, 43]]]},
}  # fmt: skip


def item(name, day, baseline, collection="sentinel-2-l2a"):
    when = datetime(2021, 1, 1, tzinfo=UTC).replace(month=day[0], day=day[1]).isoformat()
    properties = {"datetime": when} | ({"s2:processing_baseline": baseline} if baseline else {})
    asset = "B03" if baseline else "vv"
    return {**ITEM, "id": name, "collection": collection, "properties": properties, "assets": {asset: {"href": f"{name}.tif"}}}


@pytest.fixture
def store(tmp_path):
    from catalog.facts.scenes import to_scene  # noqa: PLC0415

    items = [item("a", (7, 1), "03.01"), item("b", (7, 11), "05.00"), item("c", (9, 19), "05.00"), item("d", (8, 1), "03.01")]
    scenes = [to_scene(each, "static") for each in items]
    scenes = [replace(getattr(scene, "scene", scene), sensor="s2") for scene in scenes]
    choices = [Choice(scene, "32643-0029-0213", scene.id != "d", None if scene.id != "d" else "cloud") for scene in scenes]
    found = Store(tmp_path)
    write_choices(found.scenes("r", 2021), choices, {identity(scene): each for scene, each in zip(scenes, items, strict=True)})
    return found


def test_most_of_the_used_scenes_say_how_a_year_was_seen(store):
    seen = circumstances_of(store, "r", 2021)
    assert seen == {"baseline": "from 04.00 on", "sensors": "S2", "provider": "static", "middle_day": 192.0}


def test_a_year_without_a_record_of_scenes_says_nothing(store):
    seen = circumstances_of(store, "r", 2022)
    assert (seen["baseline"], seen["sensors"], seen["provider"]) == ("", "", "")
    assert seen["middle_day"] != seen["middle_day"]
