import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import binary_dilation

from catalog.facts.causes import Cause
from models.outlines.agreement import agreement, agreement_window
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


def test_sensors_that_see_the_same_water_agree():
    assert agreement(BODY, scene()) > 0.9


def test_agreement_is_the_shared_part_of_the_water_that_either_sees():
    half = LAKE & (X >= 168)
    assert agreement(BODY, scene(radar=half)) == pytest.approx(0.5, abs=0.06)
    assert agreement(BODY, scene(radar=np.zeros_like(LAKE))) == 0, "wind, ice or wet snow"
    assert agreement(BODY, scene(optical=np.zeros_like(LAKE))) == 0


def test_water_beyond_the_lake_and_its_rim_does_not_count():
    assert agreement(BODY, scene(radar=LAKE | disc(168, 230, 25))) > 0.9


def test_it_is_measured_only_where_at_least_half_was_seen_by_both():
    cause = np.where(X < 160, Cause.CLOUD, Cause.USABLE).astype(np.uint8)
    assert agreement(BODY, scene(cause=cause)) > 0.9
    cause = np.where(X < 178, Cause.CLOUD, Cause.USABLE).astype(np.uint8)
    assert np.isnan(agreement(BODY, scene(cause=cause)))
    blind = np.where(X < 178, np.nan, scene().s1).astype(np.float32)
    assert np.isnan(agreement(BODY, scene(s1=blind)))


def test_with_one_sensor_or_without_any_water_there_is_no_agreement():
    assert np.isnan(agreement(BODY, scene(s1=None)))
    assert np.isnan(agreement(BODY, scene(s2=None)))
    nothing = np.zeros_like(LAKE)
    assert np.isnan(agreement(BODY, scene(optical=nothing, radar=nothing)))


@given(st.integers(-400_000, 0), st.integers(0, 80_000), st.integers(1, 600), st.integers(1, 600))
def test_windows_are_whole_blocks_of_the_lattice_with_one_around_the_lake(top, left, height, width):
    window = agreement_window((top, left, top + height, left + width))
    assert all(side % 112 == 0 for side in window)
    assert 112 <= top - window[0] < 224
    assert 112 <= left - window[1] < 224
    assert 112 <= window[2] - (top + height) < 224
    assert 112 <= window[3] - (left + width) < 224
