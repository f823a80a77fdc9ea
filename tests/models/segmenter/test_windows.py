"""Windows lie on the global lattice, cover every wanted pixel, and their weights sum to one exactly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.facts.errors import GridMismatch
from catalog.facts.grids import Tile
from models.segmenter.windows import AXIS_UNITY, UNITY, Profile, axis_weights, blend_weights, windows_over


@st.composite
def geometries(draw: st.DrawFn, least_stride: int = 3) -> tuple[int, int, int]:
    stride = draw(st.integers(least_stride, 120))
    margin = draw(st.integers(0, 30))
    return stride + 2 * margin + draw(st.integers(0, 200)), stride, margin


@given(geometries(), st.sampled_from(["linear", "hann"]))
@settings(max_examples=150, deadline=None)
def test_axis_weights_sum_to_unity_at_every_pixel(geometry: tuple[int, int, int], profile: Profile) -> None:
    window, stride, margin = geometry
    weights = axis_weights(window, stride, margin, profile)
    sums = np.zeros(stride, np.int64)
    np.add.at(sums, np.arange(window) % stride, weights)
    assert (sums == AXIS_UNITY).all()
    assert (weights[:margin] == 0).all()
    assert (weights[window - margin :] == 0).all()


def test_weights_fall_linearly_from_the_middle_to_the_edge() -> None:
    weights = axis_weights(1120, 896, 48).astype(int)
    assert (weights[176:944] == AXIS_UNITY).all()
    assert (np.diff(weights[944:1072]) <= 0).all()
    assert weights[48] <= 1


def test_a_hann_ramp_leaves_and_arrives_more_gently_than_a_linear_one() -> None:
    hann, linear = axis_weights(224, 160, 0, "hann").astype(int), axis_weights(224, 160, 0).astype(int)
    np.testing.assert_allclose(hann[:64], AXIS_UNITY * np.sin((np.arange(64) + 0.5) / 64 * np.pi / 2) ** 2, atol=1)
    assert (hann[2:24] < linear[2:24]).all()
    assert (hann[40:62] > linear[40:62]).all()
    assert (hann[64:160] == AXIS_UNITY).all()


@given(geometries(least_stride=60), st.sampled_from([1, 2]), st.integers(-3, 3), st.integers(-3, 3))
@settings(max_examples=20, deadline=None)
def test_every_pixel_of_every_wanted_tile_gets_exactly_one_in_weights(
    geometry: tuple[int, int, int], chips: int, column: int, row: int
) -> None:
    window_px, stride, margin = geometry
    tiles = [Tile(32643, column, row, chips), Tile(32643, column + 2, row - 1, chips)]
    axis = axis_weights(window_px, stride, margin).astype(np.int64)
    sums = {tile: np.zeros((tile.size_px, tile.size_px), np.int64) for tile in tiles}
    for window in windows_over(tiles, window_px=window_px, stride_px=stride, margin_px=margin):
        for tile in window.tiles:
            overlap = window.overlap(tile)
            sums[tile][overlap.tile] += np.multiply.outer(axis[overlap.window[0]], axis[overlap.window[1]])
    assert all((total == UNITY).all() for total in sums.values())


def test_origins_are_multiples_of_the_stride_whatever_the_tiles() -> None:
    plan = windows_over([Tile(32643, 29, 214)], window_px=1120, stride_px=896, margin_px=48)
    assert all(part % 896 == 0 for window in plan for part in window.origin_yx)


def test_a_window_shared_by_tiles_is_planned_once() -> None:
    tiles = [Tile(32643, 29, 214), Tile(32643, 30, 214)]
    together = windows_over(tiles, window_px=448, stride_px=320)
    apart = [window for tile in tiles for window in windows_over([tile], window_px=448, stride_px=320)]
    assert len({window.origin_yx for window in together}) == len(together)
    assert {window.origin_yx for window in together} == {window.origin_yx for window in apart}
    assert any(len(window.tiles) == 2 for window in together)


def test_the_order_of_the_plan_does_not_depend_on_the_order_of_the_tiles() -> None:
    tiles = [Tile(32643, column, row) for column in (4, 5) for row in (7, 8)]
    assert windows_over(tiles, window_px=448, stride_px=320) == windows_over(reversed(tiles), window_px=448, stride_px=320)


def test_tiles_of_two_zones_are_refused() -> None:
    with pytest.raises(GridMismatch, match="one zone at a time"):
        windows_over([Tile(32643, 1, 1), Tile(32644, 1, 1)], window_px=448, stride_px=320)


def test_two_dimensional_weights_are_the_product_of_the_axes() -> None:
    weights = blend_weights(448, 320, 16)
    assert weights.max() == UNITY
    assert weights[100, 224] == AXIS_UNITY * axis_weights(448, 320, 16)[100]
