"""Slope, cast shadow and the place of the sun against geometry and almanac."""

from datetime import UTC, datetime

import numpy as np
import pytest
from scipy import ndimage

from catalog.facts.errors import GridMismatch
from catalog.facts.grids import Tile
from catalog.facts.options import SurfaceOptions
from catalog.facts.pixel_grids import PixelGrid, covering_grid
from models.surface.terrain import SUN_MARGIN_DEG, Sun, Terrain, grid_azimuth_deg, slope_deg, sun_position, terrain_grid, terrain_shadow

TILE = Tile(32643, 200, 1700, 1)
GRID = covering_grid(TILE.epsg, TILE.bounds_lbrt, 20, 12)
RANGE_M = 4480.0


def terrain_of(height) -> Terrain:
    grid = terrain_grid(TILE, SurfaceOptions())
    east = grid.left + (np.arange(grid.width) + 0.5) * 20
    north = grid.top - (np.arange(grid.height) + 0.5) * 20
    return Terrain(np.asarray(height(*np.meshgrid(east, north)), dtype=np.float32), grid)


@pytest.mark.parametrize("degrees", [0, 5, 30, 60])
@pytest.mark.parametrize("towards", [(1.0, 0.0), (0.0, 1.0), (0.6, -0.8)])
def test_the_slope_of_a_plane(degrees, towards):
    rise = np.tan(np.radians(degrees))
    east, north = np.meshgrid(np.arange(30) * 10.0, -np.arange(30) * 10.0)
    slope = slope_deg((rise * (towards[0] * east + towards[1] * north)).astype(np.float32), 10)
    np.testing.assert_allclose(slope[1:-1, 1:-1], degrees, atol=0.01)
    assert np.isnan(slope[0]).all()


def test_flat_ground_has_no_shadow():
    flat = terrain_of(lambda east, north: np.full(east.shape, 4000.0))
    assert not terrain_shadow(flat, Sun(15.0, 120.0), GRID, RANGE_M).any()


@pytest.mark.parametrize(("azimuth", "side"), [(180.0, "north"), (0.0, "south"), (90.0, "west"), (270.0, "east")])
def test_a_wall_casts_a_shadow_of_its_height_away_from_the_sun(azimuth, side):
    left, bottom, right, top = TILE.bounds_lbrt
    middle_east, middle_north = (left + right) / 2, (bottom + top) / 2

    def wall(east, north):
        across = north - middle_north if side in ("north", "south") else east - middle_east
        return np.where(np.abs(across) <= 20, 4400.0, 4000.0)

    shaded = terrain_shadow(terrain_of(wall), Sun(45.0, azimuth), GRID, RANGE_M)[12:-12, 12:-12]
    profile = shaded[:, 56] if side in ("north", "south") else shaded[56]
    lit_side = profile[62:] if side in ("north", "west") else profile[:50]
    dark_side = profile[:50][::-1] if side in ("north", "west") else profile[62:]
    assert not lit_side.any()
    # 400 m at 45 degrees less the margin: 429 m of shadow, 21 pixels of 20 m behind the wall, which is one pixel thick.
    assert 20 <= 6 + int(dark_side.argmin()) <= 23


def test_a_slope_that_turns_away_from_the_sun_is_dark_and_its_opposite_is_not():
    ridge = terrain_of(lambda east, north: 5000 - np.abs(north - (TILE.bounds_lbrt[1] + 1120)))
    shaded = terrain_shadow(ridge, Sun(30.0, 180.0), GRID, RANGE_M)[12:-12, 12:-12]
    assert shaded[:50].all()
    assert not shaded[62:].any()


def test_shadows_agree_with_walking_every_ray():
    hills = terrain_of(lambda east, north: 4000 + 300 * np.sin(east / 300) * np.cos(north / 400) + 200 * np.sin(east / 90 + north / 70))
    sun = Sun(24.0, 133.0)
    shaded = terrain_shadow(hills, sun, GRID, RANGE_M)
    azimuth, climb = np.radians(sun.azimuth_deg), np.tan(np.radians(sun.elevation_deg - SUN_MARGIN_DEG)) * 20
    first_row, first_column = round((hills.grid.top - GRID.top) / 20), round((GRID.left - hills.grid.left) / 20)
    for row, column in np.random.default_rng(0).integers(0, 136, (300, 2)):
        step = np.arange(1, 225)
        place = [first_row + row - np.cos(azimuth) * step, first_column + column + np.sin(azimuth) * step]
        ahead = ndimage.map_coordinates(hills.heights.astype(float), place, order=1)
        height = float(hills.heights[first_row + row, first_column + column])
        if (ahead > height + climb * step + 2).any():
            assert shaded[row, column]
        elif not (ahead > height + climb * step - 2).any():
            facing = slope_deg(hills.heights, 20)[first_row + row, first_column + column] > sun.elevation_deg - SUN_MARGIN_DEG
            assert not shaded[row, column] or facing


def test_unknown_heights_cast_no_shadow():
    unknown = terrain_of(lambda east, north: np.full(east.shape, np.nan))
    assert not terrain_shadow(unknown, Sun(20.0, 120.0), GRID, RANGE_M).any()


def test_heights_that_do_not_reach_far_enough_are_refused():
    grid = covering_grid(TILE.epsg, TILE.bounds_lbrt, 40, 0)
    with pytest.raises(GridMismatch, match="terrain_grid"):
        terrain_shadow(Terrain(np.zeros(grid.shape, np.float32), grid), Sun(30.0, 100.0), GRID, RANGE_M)


@pytest.mark.parametrize(
    ("instant", "place", "elevation", "azimuth"),
    [
        # Noon of the equinox on the equator, midsummer noon on the tropic, midnight sun at 80 N: known without an almanac.
        (datetime(2023, 3, 20, 12, 7, tzinfo=UTC), (0.0, 0.0), 90.0, None),
        (datetime(2023, 6, 21, 12, 2, tzinfo=UTC), (0.0, 23.437), 90.0, None),
        (datetime(2023, 6, 21, 0, 2, tzinfo=UTC), (0.0, 80.0), 13.44, 0.0),
        (datetime(2023, 12, 21, 11, 58, tzinfo=UTC), (0.0, 40.0), 26.56, 180.0),
    ],
)
def test_the_sun_stands_where_it_must(instant, place, elevation, azimuth):
    sun = sun_position(instant, *place)
    assert sun.elevation_deg == pytest.approx(elevation, abs=0.25)
    if azimuth is not None:
        assert (sun.azimuth_deg - azimuth + 180) % 360 - 180 == pytest.approx(0, abs=0.6)


def test_morning_sun_is_in_the_east():
    sun = sun_position(datetime(2023, 7, 1, 5, 30, tzinfo=UTC), 77.0, 35.0)
    assert 90 < sun.azimuth_deg < 180


def test_the_norths_differ_by_the_convergence_of_meridians():
    assert grid_azimuth_deg(150.0, 32643, 75.0, 35.0) == pytest.approx(150.0, abs=1e-6)
    expected = np.degrees(np.arctan(np.tan(np.radians(3.0)) * np.sin(np.radians(70.0))))
    assert grid_azimuth_deg(150.0, 32643, 78.0, 70.0) == pytest.approx(150.0 - expected, abs=0.01)
    assert grid_azimuth_deg(150.0, 32643, 72.0, 70.0) == pytest.approx(150.0 + expected, abs=0.01)


def test_a_smaller_grid_gives_the_same_shadow():
    hills = terrain_of(lambda east, north: 4000 + 800 * np.sin(east / 500) * np.cos(north / 700))
    whole = terrain_shadow(hills, Sun(25.0, 133.0), GRID, RANGE_M)
    part = PixelGrid(GRID.epsg, GRID.left + 400, GRID.top - 600, 20, 40, 50)
    np.testing.assert_array_equal(terrain_shadow(hills, Sun(25.0, 133.0), part, RANGE_M), whole[30:70, 20:70])
    assert whole.any()
