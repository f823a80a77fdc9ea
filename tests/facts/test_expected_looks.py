"""What a catalog lets expect of a tile before a pixel is read."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import shapely

from catalog.facts.expected_looks import HIDDEN_PER_CLOUD, expected_of, likely, observed_share
from catalog.facts.grids import Tile
from catalog.facts.options import SearchOptions
from catalog.facts.records import Choice, Scene
from catalog.facts.tile_ground import ground_of, part_of

TILE = Tile(32643, 29, 213)
PART = part_of(TILE, np.ones((10, 10), bool))
WEST, SOUTH, EAST, NORTH = ground_of(TILE).bounds
WIDE = shapely.box(WEST - 1, SOUTH - 1, EAST + 1, NORTH + 1)
WEST_HALF = shapely.box(WEST - 1, SOUTH - 1, (WEST + EAST) / 2, NORTH + 1)
EAST_HALF = shapely.box((WEST + EAST) / 2, SOUTH - 1, EAST + 1, NORTH + 1)


def scene(day: int, cloud_percent: float | None, ground: shapely.Geometry = WIDE, *, sensor: str = "s2", take: str | None = None) -> Scene:
    acquired = datetime(2023, 8, 1, 5, tzinfo=UTC) + timedelta(days=day)
    name = f"{sensor}-{day}-{ground.wkt[:20]}"
    key = f"43TGH/{take or name}"
    return Scene(name, sensor, "static", "any", acquired, {}, ground.wkt, etag="1", acquisition_key=key, cloud_percent=cloud_percent)  # type: ignore[arg-type]


def test_nothing_is_seen_without_a_scene_and_all_under_a_clear_sky() -> None:
    assert observed_share(PART, ()) == 0.0
    assert observed_share(PART, [scene(0, 0.0)]) == pytest.approx(1.0)
    assert observed_share(PART, [scene(0, None)]) == pytest.approx(1.0)


def test_clouds_hide_more_than_their_cover_and_two_dates_see_more_than_one() -> None:
    hidden = HIDDEN_PER_CLOUD * 0.4
    assert observed_share(PART, [scene(0, 40.0)]) == pytest.approx(1 - hidden)
    assert observed_share(PART, [scene(0, 40.0), scene(9, 40.0)]) == pytest.approx(1 - hidden**2)
    assert observed_share(PART, [scene(0, 90.0)]) == 0.0


def test_ground_beyond_every_footprint_is_never_seen_however_many_dates_there_are() -> None:
    many = [scene(day, 5.0, WEST_HALF) for day in range(8)]
    assert observed_share(PART, many) == pytest.approx(0.5, abs=0.02)
    assert observed_share(PART, [*many, scene(9, 0.0)]) == pytest.approx(1.0)


def test_two_halves_of_one_date_are_one_look_at_the_whole() -> None:
    halves = [scene(0, 20.0, half, take="one") for half in (WEST_HALF, EAST_HALF)]
    assert observed_share(PART, halves) == pytest.approx(1 - HIDDEN_PER_CLOUD * 0.2, abs=0.01)


def test_more_scenes_never_show_less() -> None:
    found = [scene(day, 10.0 + 9 * day, (WIDE, WEST_HALF, EAST_HALF)[day % 3]) for day in range(6)]
    shares = [observed_share(PART, found[:count]) for count in range(len(found) + 1)]
    assert shares == sorted(shares)


def test_refused_scenes_do_not_count() -> None:
    used = [Choice(scene(0, 0.0), TILE.id, True), Choice(scene(1, None, sensor="s1"), TILE.id, True)]
    refused = Choice(scene(2, 0.0), TILE.id, False, "cloud over the tile")
    found = expected_of(PART, [*used, refused])
    assert (found.optical, found.radar, found.observed_share) == (1, 1, pytest.approx(1.0))


def test_a_tile_is_taken_to_be_as_cloudy_as_its_scene() -> None:
    assert likely(SearchOptions()).max_scene_cloud_percent == 60.0
    assert likely(replace(SearchOptions(), max_scene_cloud_percent=20.0)).max_scene_cloud_percent == 20.0
