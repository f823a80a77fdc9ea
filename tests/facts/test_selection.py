"""Which scenes make a surface: each refusal with its reason, whatever the order."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.facts.causes import Refusal
from catalog.facts.grids import Tile, from_lonlat
from catalog.facts.options import SearchOptions
from catalog.facts.records import Asset, Choice, Scene, Season
from catalog.facts.scenes import Rejected, to_scene
from catalog.facts.selection import ClearShares, choose, orbit_direction
from catalog.facts.tile_ground import ground_of, part_of

TILE = Tile(32643, 29, 213)
SEASON = Season(date(2023, 7, 1), date(2023, 9, 30))
OPTIONS = SearchOptions()
WEST, SOUTH, EAST, NORTH = ground_of(TILE).bounds
WIDE = shapely.box(WEST - 0.5, SOUTH - 0.5, EAST + 0.5, NORTH + 0.5)
MIDDLE = (WEST + EAST) / 2


def optical(
    name: str,
    *,
    day: int = 0,
    place: str = "43TGH",
    start: str | None = None,
    epsg: int = 32643,
    baseline: str = "05.09",
    etag: str = "2023-10-01",
    ground: shapely.Geometry = WIDE,
    **more: object,
) -> Scene:
    acquired = datetime(2023, 8, 1, 5, tzinfo=UTC) + timedelta(days=day)
    key = f"{place}/s2a/{start or acquired.strftime('%Y%m%dT%H%M%S')}"
    scene = Scene(
        name, "s2", "static", "sentinel-2-l2a", acquired, {"B03": Asset(name, epsg)}, ground.wkt, baseline, etag=etag, acquisition_key=key
    )
    return replace(scene, sun_elevation_deg=50.0, cloud_percent=10.0, **more)  # type: ignore[arg-type]


def radar(name: str, orbit: str | None, *, day: int = 0) -> Scene:
    acquired = datetime(2023, 8, 1, tzinfo=UTC) + timedelta(days=day)
    return Scene(name, "s1", "static", "sentinel-1-rtc", acquired, {"VV": Asset(name)}, WIDE.wkt, orbit_state=orbit, acquisition_key=name)


def reasons(
    scenes: Sequence[Scene | Rejected],
    clear: dict[str, ClearShares] | None = None,
    options: SearchOptions = OPTIONS,
    orbit: str | None = None,
) -> dict[str, str | None]:
    return {choice.scene.id: choice.refused_because for choice in choose(scenes, TILE, SEASON, options, clear or {}, orbit=orbit)}


def test_a_clear_scene_in_season_is_used_and_says_how_clear_it_is() -> None:
    (choice,) = choose([optical("a")], TILE, SEASON, OPTIONS, {"a": ClearShares(0.7, 0.2, 0.0)})
    assert choice == Choice(choice.scene, TILE.id, used=True, refused_because=None, clear_share=0.7)


@pytest.mark.parametrize(("day", "reason"), [(-32, Refusal.OUT_OF_SEASON), (-31, None), (60, None), (61, Refusal.OUT_OF_SEASON)])
def test_both_days_of_a_season_belong_to_it(day: int, reason: Refusal | None) -> None:
    assert reasons([optical("a", day=day)]) == {"a": reason}


@pytest.mark.parametrize(
    ("scene", "clear", "reason"),
    [
        (optical("a", ground=shapely.box(EAST + 0.1, SOUTH, EAST + 1, NORTH)), None, Refusal.NO_OVERLAP),
        (optical("a", ground=shapely.Polygon()), None, Refusal.NO_OVERLAP),
        (replace(optical("a"), sun_elevation_deg=9.0), None, Refusal.LOW_SUN),
        (replace(optical("a"), sun_elevation_deg=None), None, None),
        (optical("a"), ClearShares(0.3, 0.7, 0.0), Refusal.CLOUD),
        (optical("a"), ClearShares(0.9, 0.1, 0.95), Refusal.SNOW),
        (replace(optical("a"), cloud_percent=90.0), None, Refusal.CLOUD),
        (replace(optical("a"), cloud_percent=90.0), ClearShares(0.95, 0.05, 0.0), None),
    ],
)
def test_each_refusal_has_its_reason(scene: Scene, clear: ClearShares | None, reason: Refusal | None) -> None:
    assert reasons([scene], {} if clear is None else {"a": clear}) == {"a": reason}


def test_one_acquisition_is_used_once_with_the_highest_baseline() -> None:
    pair = [optical("old", baseline="02.12"), optical("new", baseline="05.00"), optical("newest", baseline="05.00", etag="2024-01-01")]
    assert reasons(pair) == {"old": Refusal.OLDER_BASELINE, "new": Refusal.DUPLICATE, "newest": None}


def test_a_rejected_product_makes_room_for_another_of_the_same_acquisition() -> None:
    pair = [optical("old", baseline="02.12"), Rejected(optical("new", baseline="05.00"), Refusal.SUSPECT_OFFSET)]
    assert reasons(pair) == {"old": None, "new": Refusal.SUSPECT_OFFSET}


def test_two_halves_of_one_acquisition_are_different_ground() -> None:
    half = shapely.box(WEST - 1, SOUTH - 1, MIDDLE, NORTH + 1), shapely.box(MIDDLE, SOUTH - 1, EAST + 1, NORTH + 1)
    assert reasons([optical("west", ground=half[0]), optical("east", ground=half[1])]) == {"west": None, "east": None}


def test_a_reprocessed_product_with_a_slightly_other_footprint_is_still_the_same() -> None:
    moved = shapely.box(WEST - 0.5, SOUTH - 0.5, EAST - 0.005, NORTH + 0.5)
    assert reasons([optical("old", baseline="04.00"), optical("new", ground=moved)]) == {"old": Refusal.OLDER_BASELINE, "new": None}


def test_where_the_tiles_own_zone_shows_everything_the_other_zone_is_a_repeat() -> None:
    pair = [optical("mine"), optical("other", place="44TKN", epsg=32644, start="20230801T050000")]
    assert reasons(pair) == {"mine": None, "other": Refusal.DUPLICATE}


def test_where_the_own_zone_shows_a_part_both_are_used() -> None:
    part = shapely.box(WEST - 1, SOUTH - 1, MIDDLE, NORTH + 1)
    pair = [optical("mine", ground=part), optical("other", place="44TKN", epsg=32644, start="20230801T050000")]
    assert reasons(pair) == {"mine": None, "other": None}


def test_only_the_mapped_part_of_a_tile_decides_what_is_a_repeat() -> None:
    chips = np.zeros((10, 10), dtype=np.bool_)
    chips[2:5, 0:3] = True
    part = shapely.box(WEST - 1, SOUTH - 1, MIDDLE, NORTH + 1)
    pair = [optical("mine", ground=part), optical("other", place="44TKN", epsg=32644, start="20230801T050000")]
    choices = choose(pair, part_of(TILE, chips), SEASON, OPTIONS, {})
    assert {choice.scene.id: choice.refused_because for choice in choices} == {"mine": None, "other": Refusal.DUPLICATE}
    assert {choice.tile for choice in choices} == {TILE.id}


def test_a_scene_beside_the_mapped_part_shows_nothing() -> None:
    chips = np.zeros((10, 10), dtype=np.bool_)
    chips[:, 9] = True
    (choice,) = choose(
        [optical("west", ground=shapely.box(WEST - 1, SOUTH - 1, MIDDLE, NORTH + 1))], part_of(TILE, chips), SEASON, OPTIONS, {}
    )
    assert choice.refused_because == Refusal.NO_OVERLAP


def test_two_days_are_two_looks() -> None:
    assert reasons([optical("a"), optical("b", day=5)]) == {"a": None, "b": None}


def test_the_clearest_are_kept_when_there_are_too_many() -> None:
    scenes = [optical(f"s{day}", day=day) for day in range(5)]
    clear = {f"s{day}": ClearShares(0.5 + day / 10) for day in range(5)}
    found = reasons(scenes, clear, replace(OPTIONS, max_scenes=2))
    assert {name for name, reason in found.items() if reason is None} == {"s3", "s4"}
    assert {reason for reason in found.values() if reason is not None} == {Refusal.SURPLUS}


def test_no_corner_is_left_without_looks_when_swaths_end_inside_the_tile() -> None:
    west = [optical(f"w{day}", day=day, ground=shapely.box(WEST - 1, SOUTH - 1, MIDDLE, NORTH + 1)) for day in range(4)]
    east = [optical(f"e{day}", day=day + 10, ground=shapely.box(MIDDLE, SOUTH - 1, EAST + 1, NORTH + 1)) for day in range(4)]
    clear = {scene.id: ClearShares(0.50) for scene in west} | {scene.id: ClearShares(0.45) for scene in east}
    found = reasons([*west, *east], clear, replace(OPTIONS, max_scenes=4))
    assert {name for name, reason in found.items() if reason is None} == {"w0", "w1", "e0", "e1"}


def test_of_two_collections_with_one_acquisition_the_more_trusted_is_used() -> None:
    trusted = replace(optical("c1", etag="2023-01-01"), collection="sentinel-2-c1-l2a")
    assert reasons([optical("old", etag="2024-01-01"), trusted]) == {"c1": None, "old": Refusal.DUPLICATE}


def test_a_radar_slice_listed_twice_is_used_once() -> None:
    twice = [replace(radar(name, "ascending"), acquisition_key="sentinel-1a/1/20230801T000000", etag=name) for name in "ab"]
    assert reasons(twice) == {"a": Refusal.DUPLICATE, "b": None}


def test_one_orbit_direction_makes_a_radar_composite() -> None:
    scenes = [radar("a", "descending"), radar("b", "descending", day=1), radar("c", "ascending", day=2)]
    assert orbit_direction(scenes) == "descending"
    assert reasons(scenes) == {"a": None, "b": None, "c": Refusal.OTHER_ORBIT}
    assert reasons(scenes, orbit="ascending") == {"a": Refusal.OTHER_ORBIT, "b": Refusal.OTHER_ORBIT, "c": None}


def test_a_tie_of_directions_goes_to_ascending_and_no_radar_has_none() -> None:
    assert orbit_direction([radar("a", "descending"), radar("c", "ascending")]) == "ascending"
    assert orbit_direction([optical("a")]) is None


def test_radar_that_is_not_terrain_corrected_neither_counts_nor_serves() -> None:
    ground_range = Rejected(radar("grd", "descending"), Refusal.NOT_TERRAIN_CORRECTED)
    scenes = [ground_range, Rejected(radar("grd2", "descending", day=1), Refusal.NOT_TERRAIN_CORRECTED), radar("rtc", "ascending")]
    assert reasons(scenes) == {"grd": Refusal.NOT_TERRAIN_CORRECTED, "grd2": Refusal.NOT_TERRAIN_CORRECTED, "rtc": None}


def test_elevation_has_no_season() -> None:
    dem = Scene("dem", "dem", "static", "cop-dem-glo-30", datetime(2021, 4, 22, tzinfo=UTC), {"DEM": Asset("dem")}, WIDE.wkt)
    assert reasons([dem]) == {"dem": None}


def test_a_tile_across_the_antimeridian_sees_scenes_on_both_sides() -> None:
    x, y = from_lonlat(32660).transform(180.0, 71.0)
    tile = Tile(32660, int(x // 22400), int(y // 22400))
    ground = ground_of(tile)
    assert ground.geom_type == "MultiPolygon"
    east, west = optical("east", ground=shapely.box(179, 70, 180, 72)), optical("west", day=1, ground=shapely.box(-180, 70, -179, 72))
    assert all(choice.used for choice in choose([east, west], tile, SEASON, OPTIONS, {}))


def test_the_two_real_halves_of_one_acquisition_are_both_used_where_they_meet(shared_data: Path) -> None:
    items = [json.loads(path.read_text()) for path in sorted((shared_data / "stac" / "mapchete_s2_items").glob("*_T01VCG.json"))]
    halves = [to_scene(item, "static") for item in items]
    season, cloudy = Season(date(2023, 5, 1), date(2023, 5, 31)), replace(OPTIONS, max_scene_cloud_percent=100.0)
    used = [[choice.used for choice in choose(halves, Tile(32601, 16, row), season, cloudy, {})] for row in (296, 298, 299)]
    assert used == [[False, True], [True, True], [True, False]]


@st.composite
def worlds(draw: st.DrawFn) -> list[Scene | Rejected]:
    scenes: list[Scene | Rejected] = []
    for number in range(draw(st.integers(1, 12))):
        name = f"s{number}"
        if draw(st.integers(0, 4)) == 0:
            scenes.append(radar(name, draw(st.sampled_from(["ascending", "descending", None])), day=draw(st.integers(0, 3))))
            continue
        edge = draw(st.sampled_from([WEST - 0.1, MIDDLE, EAST - 0.003, EAST + 0.2]))
        epsg, place = draw(st.sampled_from([(32643, "43TGH"), (32644, "44TKN"), (32643, "43TGG")]))
        ground = shapely.box(edge, SOUTH - 1, EAST + 1, NORTH + 1)
        scene = optical(
            name,
            day=draw(st.sampled_from([-40, 0, 0, 5])),
            place=place,
            epsg=epsg,
            baseline=draw(st.sampled_from(["02.12", "05.09"])),
            etag=draw(st.sampled_from(["a", "b"])),
            ground=ground,
        )
        scenes.append(Rejected(scene, Refusal.BANDS_MISSING) if draw(st.integers(0, 9)) == 0 else scene)
    return scenes


@settings(max_examples=60)
@given(
    worlds(),
    st.randoms(use_true_random=False),
    st.dictionaries(st.sampled_from([f"s{i}" for i in range(12)]), st.floats(0, 1), max_size=12),
)
def test_the_choice_does_not_depend_on_the_order_of_the_scenes(
    scenes: list[Scene | Rejected], random: object, shares: dict[str, float]
) -> None:
    clear = {name: ClearShares(share, 1 - share, 0.0) for name, share in shares.items()}
    options = replace(OPTIONS, max_scenes=3)
    shuffled = list(scenes)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert choose(scenes, TILE, SEASON, options, clear) == choose(shuffled, TILE, SEASON, options, clear)


@settings(max_examples=60)
@given(worlds())
def test_every_scene_is_told_about_once_and_no_ground_is_lost_to_deduplication(scenes: list[Scene | Rejected]) -> None:
    choices = choose(scenes, TILE, SEASON, replace(OPTIONS, max_scenes=99), {})
    assert sorted(choice.scene.id for choice in choices) == sorted((s.scene if isinstance(s, Rejected) else s).id for s in scenes)
    assert all(choice.used == (choice.refused_because is None) for choice in choices)
    kept = shapely.union_all(
        [shapely.from_wkt(choice.scene.footprint_wkt) for choice in choices if choice.used and choice.scene.sensor == "s2"]
    )
    repeats = (Refusal.DUPLICATE, Refusal.OLDER_BASELINE)
    for choice in choices:
        if choice.refused_because in repeats:
            lost = shapely.from_wkt(choice.scene.footprint_wkt).difference(kept).intersection(ground_of(TILE)).area / ground_of(TILE).area
            assert lost < 0.06
