"""Frames, shores, light and clouds."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from simulator.frames import Frame, locate
from simulator.ground import stand_on
from simulator.mountains import mountains
from simulator.noise import fractal, generator
from simulator.schedule import optical_passes, radar_passes
from simulator.sky import Sun, cast_shadow, direct_light, sun_at
from simulator.worlds import HMA

SMALL = replace(HMA, chips=(1, 1, 1, 1), scattered=4)


@given(column=st.integers(0, 99), row=st.integers(0, 89))
def test_positions_agree_with_an_exact_reprojection(column: int, row: int) -> None:
    base, frame = Frame(32643, 737_000, 4_908_000, 500, 500), Frame(32644, 258_600, 4_907_400, 100, 90)
    places = locate(frame, base)
    x, y = Transformer.from_crs(32644, 32643, always_xy=True).transform(258_600 + 10 * column + 5, 4_907_400 - 10 * row - 5)
    assert places.columns[row, column] == pytest.approx((x - base.left) / 10 - 0.5, abs=2e-3)
    assert places.rows[row, column] == pytest.approx((base.top - y) / 10 - 0.5, abs=2e-3)


def test_water_shares_add_up_to_the_lakes_in_both_zones() -> None:
    scenery = mountains(SMALL, 7)
    cover = np.zeros((14, *SMALL.base.shape), dtype=np.float32)
    lake = next(state.shape for state in scenery.lakes.states(2022) if state.name == "corner")
    totals = []
    for epsg in SMALL.epsgs:
        ground = stand_on(scenery, cover, SMALL.scene_frame(epsg), 2022)
        places = ground.positions
        x = SMALL.base.left + (places.columns + 0.5) * 10
        y = SMALL.base.top - (places.rows + 0.5) * 10
        left, bottom, right, top = lake.buffer(40).bounds
        near = (x > left) & (x < right) & (y > bottom) & (y < top)
        totals.append(float(ground.water[near].sum()) * 100)
        assert ((ground.water > 0.02) & (ground.water < 0.98) & near).sum() > 50
    assert totals[0] == pytest.approx(lake.area, rel=0.005)
    assert totals[1] == pytest.approx(totals[0], rel=0.01)


def test_lakes_are_level_and_lower_than_their_banks() -> None:
    scenery = mountains(SMALL, 7)
    base = SMALL.base
    x, y = (int((SMALL.corner[0] - base.left) / 10), int((base.top - SMALL.corner[1]) / 10))
    assert np.ptp(scenery.elevation[y - 8 : y + 8, x - 8 : x + 8]) == 0
    assert scenery.elevation[y - 60 : y + 60, x - 45 : x + 45].min() >= scenery.elevation[y, x] - 40


def test_the_sun_stands_where_the_almanac_says() -> None:
    # Local noon at the equator of Greenwich at the March equinox of 2021: within half a degree of the zenith, allowing for the equation of time.
    noon = sun_at(datetime(2021, 3, 20, 12, 7, tzinfo=UTC), 0.0, 0.0)
    assert noon.zenith_deg < 0.7
    morning = sun_at(datetime(2021, 7, 10, 5, 26, tzinfo=UTC), 78.0, 44.2)
    assert morning.zenith_deg == pytest.approx(27, abs=3)
    assert 120 < morning.azimuth_deg < 160


def test_a_wall_casts_its_shadow_away_from_the_sun_by_its_height() -> None:
    ground = np.zeros((80, 80), dtype=np.float32)
    ground[:, 40] = 200.0
    shadow = cast_shadow(ground, Sun(45.0, 90.0), 0.0)
    assert shadow[40, 41:].max() == 0
    assert shadow[40, 31:39].min() == 1
    assert shadow[40, :28].max() == 0


def test_slopes_that_face_the_sun_are_brighter() -> None:
    flat, rising = np.zeros((1, 1), dtype=np.float32), np.full((1, 1), 0.5, dtype=np.float32)
    sun = Sun(40.0, 90.0)
    assert direct_light(flat, flat, sun, 0.0)[0, 0] == pytest.approx(1.0)
    assert direct_light(-rising, flat, sun, 0.0)[0, 0] > 1.2
    assert direct_light(rising, flat, sun, 0.0)[0, 0] < 0.6


def test_draws_depend_on_their_keys_alone() -> None:
    first = fractal((40, 50), generator(7, "a", 1))
    generator(7, "b").random(100)
    np.testing.assert_array_equal(first, fractal((40, 50), generator(7, "a", 1)))
    assert not np.array_equal(first, fractal((40, 50), generator(7, "a", 2)))


@pytest.mark.parametrize("year", [2016, 2018, 2021, 2023, 2030])
def test_a_season_has_one_date_in_june_and_the_right_baselines(year: int) -> None:
    passes = optical_passes(HMA, 7, year)
    assert [pass_.when.month for pass_ in passes].count(6) == 1
    assert len(passes) == 6
    for pass_ in passes:
        for delivery in pass_.deliveries:
            assert (delivery.offset == 1000) == (delivery.baseline >= "04.00")
    assert all((delivery.baseline >= "04.00") == (year >= 2022) for p in passes for delivery in p.deliveries) or year == 2021


def test_2020_has_too_few_looks_and_2022_no_sentinel_1b() -> None:
    assert len(optical_passes(HMA, 7, 2020)) == 3
    assert {pass_.satellite for pass_ in radar_passes(HMA, 7, 2022)} == {"S1A"}
    assert {pass_.satellite for pass_ in radar_passes(HMA, 7, 2021)} == {"S1A", "S1B"}
    assert [pass_.ascending for pass_ in radar_passes(HMA, 7, 2021)].count(True) == 4
