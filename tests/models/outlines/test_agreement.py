import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import binary_dilation

from catalog.facts.causes import Cause
from models.outlines.agreement import agreement, parts_of, shared_water
from models.segmenter.contract import WindowArrays

SIDE = 336
Y, X = np.mgrid[:SIDE, :SIDE]
WATER = np.array([900, 900, 800, 500, 300, 200, 180, 150, 140, 130, 90, 80], np.float32)[:, None, None]
LAND = np.array([600, 700, 900, 1200, 1500, 1700, 1900, 2100, 2200, 2300, 2500, 2200], np.float32)[:, None, None]


def disc(row, column, radius):
    return (Y - row) ** 2 + (X - column) ** 2 < radius**2


LAKE = disc(168, 168, 20)
BODY = binary_dilation(LAKE, np.ones((3, 3), bool), iterations=2)


def scene(optical=LAKE, radar=LAKE, **changes):
    noise = np.random.default_rng(3).normal(1, 0.03, (SIDE, SIDE)).astype(np.float32)
    s2 = (np.where(optical, WATER, LAND) * noise).astype(np.uint16)
    s1 = np.where(radar, np.array([-21, -27], np.float32)[:, None, None], np.array([-10, -16], np.float32)[:, None, None])
    arrays = {"cause": np.zeros((SIDE, SIDE), np.uint8), "s2": s2, "s1": (s1 + 10 * np.log10(noise)).astype(np.float32)}
    return WindowArrays(**(arrays | {"dem": np.full((SIDE, SIDE), 4000, np.float32)} | changes))


def agreed(window):
    return agreement([shared_water(BODY, window)], int(BODY.sum()))


def test_sensors_that_see_the_same_water_agree():
    assert agreed(scene()) > 0.9


def test_agreement_is_the_shared_part_of_the_water_that_either_sees():
    half = LAKE & (X >= 168)
    assert agreed(scene(radar=half)) == pytest.approx(0.5, abs=0.06)
    assert agreed(scene(radar=np.zeros_like(LAKE))) == 0, "wind, ice or wet snow"
    assert agreed(scene(optical=np.zeros_like(LAKE))) == 0


def test_water_beyond_the_lake_and_its_rim_does_not_count():
    assert agreed(scene(radar=LAKE | disc(168, 230, 25))) > 0.9


def test_it_is_measured_only_where_at_least_half_was_seen_by_both():
    cause = np.where(X < 160, Cause.CLOUD, Cause.USABLE).astype(np.uint8)
    assert agreed(scene(cause=cause)) > 0.9
    cause = np.where(X < 178, Cause.CLOUD, Cause.USABLE).astype(np.uint8)
    assert np.isnan(agreed(scene(cause=cause)))
    blind = np.where(X < 178, np.nan, scene().s1).astype(np.float32)
    assert np.isnan(agreed(scene(s1=blind)))


def test_with_one_sensor_or_without_any_water_there_is_no_agreement():
    assert np.isnan(agreed(scene(s1=None)))
    assert np.isnan(agreed(scene(s2=None)))
    nothing = np.zeros_like(LAKE)
    assert np.isnan(agreed(scene(optical=nothing, radar=nothing)))


def test_a_lake_in_parts_agrees_as_a_whole():
    window = scene(radar=LAKE & (X >= 168))
    west, east = (shared_water(BODY & side, window) for side in (X < 160, X >= 160))
    assert agreement([west, east], int(BODY.sum())) == agreed(window)
    assert west.both_wet == 0 < east.both_wet


@given(st.integers(-400_000, 0), st.integers(0, 80_000), st.integers(1, 3000), st.integers(1, 3000))
def test_parts_hold_every_pixel_once_and_windows_a_block_around_them(top, left, height, width):
    parts = parts_of((top, left, top + height, left + width))
    cores = [part.core for part in parts]
    assert sum((y1 - y0) * (x1 - x0) for y0, x0, y1, x1 in cores) == height * width
    assert min(core[0] for core in cores) == top and max(core[3] for core in cores) == left + width
    for part in parts:
        assert all(side % 112 == 0 for side in part.window)
        assert all(112 <= core - side < 224 for core, side in zip(part.core[:2], part.window[:2], strict=True))
        assert all(112 <= side - core < 224 for core, side in zip(part.core[2:], part.window[2:], strict=True))
        assert max(part.window[2] - part.window[0], part.window[3] - part.window[1]) <= 896 + 224
