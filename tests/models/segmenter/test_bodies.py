"""Growing, distances and the relief that bodies of water are judged by."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import distance_transform_edt, gaussian_filter

from models.segmenter.bodies import distance_inside, grown, rivers, slender, steep
from models.segmenter.index_options import ShapeRule
from models.segmenter.relief import relief_of


@given(arrays(bool, (24, 31)))
@settings(max_examples=60, deadline=None)
def test_chamfer_distance_is_within_eight_percent_of_the_true_one(mask: np.ndarray) -> None:
    mask[3, 4] = False
    found, exact = distance_inside(mask), distance_transform_edt(mask)
    assert (found >= exact - 1e-4).all()
    assert (found <= 1.0824 * exact + 1e-4).all()


def test_beyond_the_window_everything_is_as_at_its_edge() -> None:
    assert distance_inside(np.ones((5, 5), bool)).min() > 1000


@given(arrays(bool, (12, 12)), arrays(bool, (12, 12)), st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_growing_keeps_allowed_ground_that_reaches_a_seed(seeds: np.ndarray, allowed: np.ndarray, least: int) -> None:
    kept = grown(seeds, allowed, min_px=least)
    assert not (kept & ~allowed).any()
    assert np.array_equal(grown(seeds, kept, min_px=least), kept)
    if least == 1:
        assert (kept | ~(seeds & allowed)).all()


def test_growing_does_not_pass_over_corners() -> None:
    allowed = np.eye(4, dtype=bool)
    seeds = np.zeros((4, 4), bool)
    seeds[0, 0] = True
    assert grown(seeds, allowed, min_px=1).sum() == 1


def _ellipse(long_px: float, wide_px: float, turn: float) -> np.ndarray:
    y, x = np.mgrid[:120, :120] - 60.0
    along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    return (along / long_px * 2) ** 2 + (across / wide_px * 2) ** 2 < 1


@pytest.mark.parametrize("size", [(40.0, 8.0), (60.0, 12.0), (15.0, 5.0), (100.0, 10.0)])
def test_level_lakes_survive_a_noisy_elevation_model(size: tuple[float, float]) -> None:
    refused = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        noise = gaussian_filter(rng.normal(size=(120, 120)), rng.choice([3, 6, 10]))
        refused += rivers(_ellipse(*size, rng.random() * np.pi), (2 * noise / noise.std()).astype(np.float32), ShapeRule()).any()
    assert refused <= 2


def test_without_an_elevation_model_only_long_narrow_water_is_a_river() -> None:
    assert not rivers(_ellipse(60, 6, 0.5), None, ShapeRule()).any()
    strip = np.zeros((300, 40), bool)
    strip[20:280, 15:19] = True
    assert rivers(strip, None, ShapeRule())[25:275].sum() == 1000


def test_only_bodies_on_steep_ground_are_refused() -> None:
    water = np.zeros((20, 40), bool)
    water[5:15, 5:15] = water[5:15, 25:35] = True
    slope = np.where(np.arange(40) < 20, 30.0, 2.0) * np.ones((20, 1))
    refused = steep(water, slope.astype(np.float32), max_slope_deg=15.0)
    assert refused[:, :20].sum() == 100
    assert refused[:, 20:].sum() == 0


@pytest.mark.parametrize("slope", [0.0, 5.0, 30.0])
def test_slope_of_a_plane(slope: float) -> None:
    plane = np.arange(64)[:, None] * 10 * np.tan(np.radians(slope)) * np.ones((1, 64))
    assert relief_of(plane.astype(np.float32), (64, 64)).slope_deg == pytest.approx(np.full((64, 64), slope), abs=0.05)


def test_the_horizon_below_a_wall_is_high_and_on_the_plain_it_is_not() -> None:
    dem = np.zeros((400, 400), np.float32)
    dem[:, :40] = 300.0
    horizon = relief_of(dem, dem.shape).horizon_deg
    assert horizon[200, 60] > 30
    assert horizon[200, 300] < 1
    assert horizon.shape == dem.shape


def test_unknown_heights_give_no_slope() -> None:
    dem = np.full((20, 20), np.nan, np.float32)
    dem[:, :10] = 5.0
    relief = relief_of(dem, dem.shape)
    assert np.isfinite(relief.slope_deg).all()
    assert np.isfinite(relief.horizon_deg).all()


def test_a_level_strip_twenty_times_as_long_as_wide_is_a_river_where_optics_saw_it() -> None:
    strip = np.zeros((300, 40), bool)
    strip[10:290, 15:23] = True
    seen, unseen = np.ones(strip.shape, bool), np.zeros(strip.shape, bool)
    assert slender(strip, seen, ShapeRule())[strip].all()
    assert not slender(strip, unseen, ShapeRule()).any()
    assert not slender(strip[:100], seen[:100], ShapeRule()).any()
