"""Radar composites: median of power, border noise gone, one orbit direction, failed scenes named."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from catalog.facts.errors import SourceBroken
from catalog.facts.grids import Tile
from catalog.facts.options import SurfaceOptions
from catalog.facts.records import Asset, Scene
from models.surface.radar import compose_radar, to_db, without_border

TILE = Tile(32643, 200, 1700, 1)
ALL = np.ones((1, 1), bool)


def scene(name, day=0, orbit="ascending", polarizations=("VV", "VH")):
    assets = {polarization: Asset(name) for polarization in polarizations}
    return Scene(name, "s1", "f", "rtc", datetime(2023, 7, 1, tzinfo=UTC) + timedelta(days=day), assets, "", orbit_state=orbit)


def read(scene, band, grid):
    power = np.full(grid.shape, {"a": 0.1, "b": 0.2, "c": 1.0}[scene.id] * (1 if band == "VV" else 0.1), np.float32)
    if scene.id == "c":
        power[:, : grid.width // 2] = 0.0
        power[:, grid.width // 2] = 1e-9
    return power


def test_the_median_is_taken_of_power_and_told_in_db():
    surface = compose_radar([scene("a"), scene("b", 6), scene("c", 12)], read, TILE, ALL, SurfaceOptions())
    assert surface.s1[0, 100, 200] == pytest.approx(10 * np.log10(0.2), abs=1e-4)
    assert surface.s1[0, 100, 20] == pytest.approx(10 * np.log10(0.15), abs=1e-4)
    assert surface.s1[1, 100, 200] == pytest.approx(10 * np.log10(0.02), abs=1e-4)


def test_border_noise_beside_the_swath_edge_is_removed():
    surface = compose_radar([scene("c")], read, TILE, ALL, SurfaceOptions(radar_border_px=3))
    edge = 112
    assert np.isnan(surface.s1[:, :, : edge + 2]).all()
    assert (surface.s1[0, :, edge + 4 :] == 0.0).all()


def test_borders_grow_by_what_was_asked():
    power = np.ones((20, 20), np.float32)
    power[10, 10] = -1
    assert np.isnan(without_border(power, 2)).sum() == 25
    assert np.isnan(without_border(power, 0)).sum() == 1


def test_db_of_nothing_is_nothing():
    assert np.isnan(to_db(np.array([[np.nan]], np.float32))).all()


def test_mixed_orbit_directions_are_refused():
    with pytest.raises(ValueError, match="ascending"):
        compose_radar([scene("a"), scene("b", orbit="descending")], read, TILE, ALL, SurfaceOptions())


def test_a_scene_that_fails_in_one_polarization_is_dropped_from_both():
    def failing(one, band, grid):
        if one.id == "b" and band == "VH":
            raise SourceBroken("b VH cannot be decoded")
        return read(one, band, grid)

    surface = compose_radar([scene("a"), scene("b", 6)], failing, TILE, ALL, SurfaceOptions())
    assert list(surface.failed) == ["b"]
    assert surface.s1[0, 5, 5] == pytest.approx(-10.0, abs=1e-4)


def test_no_scene_and_a_missing_polarization_are_nan():
    assert np.isnan(compose_radar([], read, TILE, ALL, SurfaceOptions()).s1).all()
    surface = compose_radar([scene("a", polarizations=("VV",))], read, TILE, ALL, SurfaceOptions())
    assert np.isfinite(surface.s1[0]).all()
    assert np.isnan(surface.s1[1]).all()


def test_four_small_tiles_equal_one_large():
    rng = np.random.default_rng(2)
    power = rng.random((600, 600)).astype(np.float32)
    power[rng.random(power.shape) < 0.01] = 0

    def world(one, band, grid):
        row, column = round((3_808_500 - grid.top) / 10), round((grid.left - 447_000) / 10)
        return power[row : row + grid.height, column : column + grid.width].copy()

    large = compose_radar([scene("a")], world, Tile(32643, 100, 849, 2), np.ones((2, 2), bool), SurfaceOptions())
    for row in (0, 1):
        for column in (0, 1):
            small = compose_radar([scene("a")], world, Tile(32643, 200 + column, 1699 - row, 1), ALL, SurfaceOptions())
            window = slice(row * 224, row * 224 + 224), slice(column * 224, column * 224 + 224)
            np.testing.assert_array_equal(small.s1, large.s1[(slice(None), *window)])
