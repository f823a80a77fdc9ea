"""The optical composite on analytic worlds: every scene is a function of ground position, so any tile can ask for it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from catalog.facts.bands import S2_NAMES, SCL_NAME, s2_index
from catalog.facts.causes import Cause
from catalog.facts.errors import SourceBroken, SourceUnavailable
from catalog.facts.grids import CHIP_PX, Tile
from catalog.facts.options import SurfaceOptions
from catalog.facts.pixel_grids import PixelGrid
from catalog.facts.records import Asset, Scene
from models.surface.composite import compose_optical
from models.surface.terrain import Terrain, terrain_grid

EPSG = 32643
FOOTPRINT = "POLYGON ((60 20, 100 20, 100 60, 60 60, 60 20))"
LAND = dict(zip(S2_NAMES, (600, 700, 900, 1000, 1300, 1800, 2000, 2200, 2300, 2400, 2100, 1500), strict=True))
WATER = dict(zip(S2_NAMES, (900, 800, 700, 400, 250, 150, 120, 100, 90, 80, 50, 40), strict=True))
CLOUD = dict.fromkeys(S2_NAMES, 6000)
SNOW = dict(zip(S2_NAMES, (9000, 9000, 8800, 8600, 8000, 7800, 7600, 7500, 7400, 7000, 900, 800), strict=True))
Field = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class World:
    """Where things are: masks as functions of easting and northing, per scene."""

    water: Field
    cloud: dict[str, Field]
    tag: dict[str, tuple[Field, int]]
    offset: dict[str, int]
    snow: dict[str, Field]
    broken: frozenset[tuple[str, str]] = frozenset()

    def __call__(self, scene: Scene, band: str, grid: PixelGrid) -> np.ndarray:
        if (scene.id, band) in self.broken:
            raise SourceBroken(f"{scene.id} {band} cannot be decoded")
        if band == SCL_NAME:
            return self.classes(scene, *centres(grid, grid.resolution_m)).astype(np.uint8)
        fine = self.counts(scene, band, *centres(grid, 10)) + self.offset.get(scene.id, 0)
        parts = int(grid.resolution_m // 10)
        return fine.reshape(grid.height, parts, grid.width, parts).mean(axis=(1, 3)).astype(np.uint16)

    def counts(self, scene: Scene, band: str, east: np.ndarray, north: np.ndarray) -> np.ndarray:
        values = LAND[band] + ((east // 60 * 7 + north // 60 * 13) % 50)
        kinds = [(self.water, WATER), (self.snow.get(scene.id, nowhere), SNOW), (self.cloud.get(scene.id, nowhere), CLOUD)]
        for field, spectrum in kinds:
            values = np.where(field(east, north), spectrum[band], values)
        return values

    def classes(self, scene: Scene, east: np.ndarray, north: np.ndarray) -> np.ndarray:
        classes = np.full(east.shape, 5)
        kinds = [
            (self.water, 6),
            (self.snow.get(scene.id, nowhere), 11),
            (self.cloud.get(scene.id, nowhere), 9),
            self.tag.get(scene.id, (nowhere, 5)),
        ]
        for field, code in kinds:
            classes = np.where(field(east, north), code, classes)
        return classes


def centres(grid: PixelGrid, size_m: float) -> list[np.ndarray]:
    """Eastings and northings of the centres of the parts of `size_m` that a grid's pixels have."""
    parts = grid.resolution_m / size_m
    x = grid.left + (np.arange(grid.width * parts) + 0.5) * size_m
    y = grid.top - (np.arange(grid.height * parts) + 0.5) * size_m
    return list(np.meshgrid(x, y))


def nowhere(east: np.ndarray, north: np.ndarray) -> np.ndarray:
    return np.zeros(east.shape, dtype=bool)


def everywhere(east: np.ndarray, north: np.ndarray) -> np.ndarray:
    return np.ones(east.shape, dtype=bool)


def disc(east_m: float, north_m: float, radius_m: float) -> Field:
    return lambda east, north: (east - east_m) ** 2 + (north - north_m) ** 2 < radius_m**2


def scene(name: str, day: int, offset: int = 0) -> Scene:
    assets = {band: Asset(f"{name}/{band}.tif") for band in (*S2_NAMES, SCL_NAME)}
    acquired = datetime(2023, 7, 1, 5, 30, tzinfo=UTC) + timedelta(days=day)
    return Scene(
        name, "s2", "files", "s2", acquired, assets, FOOTPRINT, offset_counts=offset, sun_elevation_deg=60.0, sun_azimuth_deg=140.0
    )


TILE = Tile(EPSG, 200, 1700, 1)
LEFT, BOTTOM, RIGHT, TOP = TILE.bounds_lbrt
MIDDLE = ((LEFT + RIGHT) / 2, (BOTTOM + TOP) / 2)
LAKE = disc(MIDDLE[0], MIDDLE[1], 400)
PLAIN = World(LAKE, {}, {}, {}, {})
SCENES = [scene("a", 0), scene("b", 5), scene("c", 10)]


def compose(world, scenes, tile=TILE, chips=None, terrain=None):
    inside = np.ones((tile.chips, tile.chips), bool) if chips is None else chips
    return compose_optical(scenes, world, tile, inside, terrain, SurfaceOptions(), max_workers=2)


def px(surface, east_m, north_m):
    return int((TOP - north_m) // 10), int((east_m - LEFT) // 10)


def test_one_clear_scene_comes_back_as_it_was_at_10_m():
    surface = compose(PLAIN, [scene("a", 3)])
    expected = PLAIN(scene("a", 3), "B03", PixelGrid(EPSG, LEFT, TOP, 10, CHIP_PX, CHIP_PX))
    np.testing.assert_array_equal(surface.s2[s2_index("B03")], expected)
    assert (surface.cause == Cause.USABLE).all()
    assert (surface.looks == 1).all()
    assert (surface.day == 185).all()


def test_bands_of_three_resolutions_have_their_values_at_the_same_place():
    surface = compose(PLAIN, SCENES)
    row, column = px(surface, *MIDDLE)
    np.testing.assert_array_equal(surface.s2[:, row, column], [WATER[band] for band in S2_NAMES])


@pytest.mark.parametrize("dates", [3, 2])
def test_a_cloud_that_the_classification_missed_is_found_by_the_second_test(dates):
    cloud = disc(LEFT + 600, TOP - 600, 300)
    missed = replace(PLAIN, cloud={"b": cloud}, tag={"b": (cloud, 5)})
    surface = compose(missed, SCENES[:dates])
    row, column = px(surface, LEFT + 600, TOP - 600)
    assert surface.s2[s2_index("B02"), row, column] < 800
    assert surface.looks[row, column] == dates - 1


def test_where_every_date_is_cloudy_nothing_is_shown_and_the_cause_is_cloud():
    cloud = disc(LEFT + 600, TOP - 600, 300)
    surface = compose(replace(PLAIN, cloud=dict.fromkeys("abc", cloud)), SCENES)
    row, column = px(surface, LEFT + 600, TOP - 600)
    assert surface.cause[row, column] == Cause.CLOUD
    assert surface.looks[row, column] == 0
    assert surface.day[row, column] == 0
    assert not surface.s2[:, row, column].any()


@pytest.mark.parametrize("code", [3, 8, 9])
def test_a_lake_that_the_classification_masks_on_every_date_is_still_observed(code):
    surface = compose(replace(PLAIN, tag=dict.fromkeys("abc", (LAKE, code))), SCENES)
    row, column = px(surface, *MIDDLE)
    assert surface.cause[row, column] == Cause.USABLE
    assert surface.looks[row, column] == 3


def test_a_cloud_shadow_that_the_classification_missed_is_found():
    class Shadowed(World):
        def __call__(self, scene, band, grid):
            values = super().__call__(scene, band, grid)
            if scene.id != "b" or band == SCL_NAME:
                return values
            return (values * 0.4).astype(np.uint16)

    world = Shadowed(nowhere, {}, {}, {}, {})
    surface = compose(world, [*SCENES, scene("d", 12)])
    assert (surface.looks == 3).all()


def test_snow_on_all_dates_keeps_its_picture_and_is_called_snow():
    surface = compose(replace(PLAIN, snow=dict.fromkeys("abc", everywhere)), SCENES)
    assert (surface.cause == Cause.SNOW_OR_ICE).all()
    assert (surface.s2[s2_index("B03")] == SNOW["B03"]).all()


def test_snow_on_one_date_does_not_mix_with_clear_looks():
    surface = compose(replace(PLAIN, snow={"a": everywhere}), SCENES[:2])
    assert (surface.looks == 1).all()
    assert surface.s2[s2_index("B03")].max() < 1100


def test_mixed_baselines_give_the_surface_of_one_baseline():
    added = replace(PLAIN, offset={"b": 1000})
    mixed = compose(added, [SCENES[0], scene("b", 5, offset=1000), SCENES[2]])
    np.testing.assert_array_equal(mixed.s2, compose(PLAIN, SCENES).s2)


def test_a_dark_lake_of_950_to_1050_counts_with_offset_is_valid():
    class Dark(World):
        def __call__(self, scene, band, grid):
            values = super().__call__(scene, band, grid)
            if band == SCL_NAME:
                return values
            return np.where(values == WATER[band] + 1000, 950 + np.arange(values.size).reshape(values.shape) % 101, values).astype(
                np.uint16
            )

    surface = compose(Dark(LAKE, {}, {}, dict.fromkeys("abc", 1000), {}), [scene(name, 5 * i, 1000) for i, name in enumerate("abc")])
    row, column = px(surface, *MIDDLE)
    assert (surface.s2[:, row - 20 : row + 20, column - 20 : column + 20] >= 1).all()
    assert (surface.cause == Cause.USABLE).all()


def test_the_order_of_scenes_changes_nothing():
    world = replace(PLAIN, cloud={"b": disc(LEFT + 700, TOP - 900, 500)})
    first, second = compose(world, SCENES), compose(world, SCENES[::-1])
    for name in ("s2", "looks", "day", "cause"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


def hard_world():
    clouds = {"a": disc(LEFT + 2240, TOP - 1000, 700), "b": disc(LEFT + 1900, TOP - 2500, 800), "c": disc(LEFT + 100, TOP - 2240, 900)}
    tags = {"b": (disc(LEFT + 2300, TOP - 2200, 350), 3), "d": (disc(LEFT + 300, TOP - 300, 350), 8)}
    return World(disc(LEFT + 2240, TOP - 2240, 620), clouds, tags, {}, {"d": disc(LEFT + 3000, TOP - 3000, 700)})


def test_four_small_tiles_equal_one_large_tile():
    world, scenes = hard_world(), [*SCENES, scene("d", 12)]
    large_tile = Tile(EPSG, 100, 850, 2)
    assert large_tile.bounds_lbrt[0] == LEFT
    small_tiles = [[Tile(EPSG, 200 + column, 1701 - row, 1) for column in (0, 1)] for row in (0, 1)]
    large = compose_at(world, scenes, large_tile)
    for row in (0, 1):
        for column in (0, 1):
            small = compose_at(world, scenes, small_tiles[row][column])
            window = slice(row * CHIP_PX, (row + 1) * CHIP_PX), slice(column * CHIP_PX, (column + 1) * CHIP_PX)
            np.testing.assert_array_equal(small.s2, large.s2[(slice(None), *window)])
            for name in ("looks", "day", "cause"):
                np.testing.assert_array_equal(getattr(small, name), getattr(large, name)[window])


def compose_at(world, scenes, tile):
    options = SurfaceOptions()
    grid = terrain_grid(tile, options)
    east, north = np.meshgrid(grid.left + np.arange(grid.width) * 20.0 + 10, grid.top - np.arange(grid.height) * 20.0 - 10)
    heights = (3000 + 900 * np.sin(east / 700) * np.cos(north / 900)).astype(np.float32)
    return compose(world, scenes, tile, terrain=Terrain(heights, grid))


def test_only_the_wanted_chips_are_read_and_filled():
    asked = []

    def read(scene, band, grid):
        asked.append(grid)
        return PLAIN(scene, band, grid)

    tile = Tile(EPSG, 50, 425, 4)
    chips = np.zeros((4, 4), bool)
    chips[1, 1] = chips[2, 2] = True
    surface = compose_optical(SCENES[:1], read, tile, chips, None, SurfaceOptions())
    assert max(grid.width * grid.resolution_m for grid in asked) < 2 * 2240 + 600
    wanted = np.repeat(np.repeat(chips, CHIP_PX, axis=0), CHIP_PX, axis=1)
    np.testing.assert_array_equal(surface.cause == Cause.OUTSIDE_REGION, ~wanted)
    np.testing.assert_array_equal((surface.s2 > 0).all(axis=0), wanted)
    assert surface.measures["observed_share"] == 1.0


@pytest.mark.parametrize("band", [SCL_NAME, "B03", "B12", "B01"])
def test_a_scene_that_cannot_be_read_is_dropped_whole_and_named(band):
    surface = compose(replace(PLAIN, broken=frozenset({("b", band)}), offset={"b": 7}), SCENES)
    assert list(surface.failed) == ["b"]
    assert "cannot be decoded" in surface.failed["b"]
    without = compose(PLAIN, [SCENES[0], SCENES[2]])
    np.testing.assert_array_equal(surface.s2, without.s2)
    np.testing.assert_array_equal(surface.looks, without.looks)


def test_where_only_a_failed_scene_looked_the_cause_is_read_failed():
    surface = compose(replace(PLAIN, broken=frozenset({("a", "B03")})), SCENES[:1])
    assert (surface.cause == Cause.READ_FAILED).all()
    assert not surface.s2.any()


def test_without_scenes_the_cause_is_no_scene():
    surface = compose(PLAIN, [])
    assert (surface.cause == Cause.NO_SCENE).all()
    assert surface.measures["no_scene_share"] == 1.0


def test_an_unexpected_error_is_not_swallowed():
    def read(scene, band, grid):
        raise KeyError(band)

    with pytest.raises(KeyError):
        compose(read, SCENES)


def test_an_unavailable_source_counts_as_a_failed_scene():
    def read(scene, band, grid):
        if scene.id == "a":
            raise SourceUnavailable("a answered 503")
        return PLAIN(scene, band, grid)

    assert compose(read, SCENES).failed == {"a": "a answered 503"}


def test_a_band_that_one_scene_lacks_comes_from_the_others_and_one_that_all_lack_is_nodata():
    def without(scene, *bands):
        return replace(scene, assets={name: asset for name, asset in scene.assets.items() if name not in bands})

    surface = compose(PLAIN, [without(SCENES[0], "B09", "B05"), without(SCENES[1], "B09")])
    assert not surface.s2[s2_index("B09")].any()
    assert surface.s2[s2_index("B05")].all()
    assert (surface.looks == 2).all()


def test_a_scene_without_a_classification_is_judged_by_the_second_test_alone():
    cloud = disc(LEFT + 600, TOP - 600, 300)
    bare = [replace(one, assets={name: asset for name, asset in one.assets.items() if name != SCL_NAME}) for one in SCENES]
    surface = compose(replace(PLAIN, cloud={"b": cloud}), bare)
    row, column = px(surface, LEFT + 600, TOP - 600)
    assert not surface.failed
    assert surface.looks[row, column] == 2
    assert surface.looks[200, 200] == 3
