"""Coarse pixels drawn onto 10 m: ramps stay ramps, nothing shifts, tiles have no seam."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.facts.errors import GridMismatch
from catalog.facts.pixel_grids import PixelGrid, covering_grid
from models.surface.upsample import upsample

EPSG = 32643


def grid_around(target: PixelGrid, size: float, halo: int = 1) -> PixelGrid:
    return covering_grid(target.epsg, target.bounds_lbrt, size, halo)


def centres(grid: PixelGrid) -> tuple[np.ndarray, np.ndarray]:
    east = grid.left + (np.arange(grid.width) + 0.5) * grid.resolution_m
    north = grid.top - (np.arange(grid.height) + 0.5) * grid.resolution_m
    return np.meshgrid(east, north)


@pytest.mark.parametrize("size", [20, 60])
@pytest.mark.parametrize("left", [448_000, 448_010, 448_020, 448_040])
def test_a_ramp_is_reproduced_within_one_count(size, left):
    target = PixelGrid(EPSG, left, 3_850_020, 10, 60, 70)
    source = grid_around(target, size)
    east, north = centres(source)
    counts = np.round(1000 + (east - left) * 0.9 + (3_850_020 - north) * 0.4).astype(np.uint16)
    east, north = centres(target)
    assert np.abs(upsample(counts, source, target) - (1000 + (east - left) * 0.9 + (3_850_020 - north) * 0.4)).max() <= 1


@given(st.sampled_from([20, 60]), st.integers(0, 10**6), st.integers(3, 57), st.floats(0, 0.5))
def test_two_tiles_equal_one(size, seed, cut, nodata_share):
    rng = np.random.default_rng(seed)
    whole = PixelGrid(EPSG, 22_400 * 20, 22_400 * 170, 10, 50, 60)
    source = grid_around(whole, size, 2)
    counts = rng.integers(1, 9000, source.shape).astype(np.uint16)
    counts[rng.random(source.shape) < nodata_share] = 0
    expected = upsample(counts, source, whole)
    for first, last in ((0, cut), (cut, 60)):
        part = PixelGrid(EPSG, whole.left + first * 10, whole.top, 10, 50, last - first)
        near = grid_around(part, size, 1)
        row, column = round((source.top - near.top) / size), round((near.left - source.left) / size)
        values = upsample(np.ascontiguousarray(counts[row : row + near.height, column : column + near.width]), near, part)
        np.testing.assert_array_equal(values, expected[:, first:last])


def test_a_pixel_is_nodata_exactly_where_its_native_pixel_is():
    target = PixelGrid(EPSG, 448_000, 3_850_000, 10, 40, 40)
    source = grid_around(target, 20)
    counts = np.full(source.shape, 700, np.uint16)
    counts[5, 7] = 0
    out = upsample(counts, source, target)
    assert (out == 0).sum() == 4
    assert (out[8:10, 12:14] == 0).all()
    assert set(np.unique(out)) == {0, 700}


def test_values_stay_between_their_neighbours():
    rng = np.random.default_rng(1)
    target = PixelGrid(EPSG, 448_000, 3_850_000, 10, 90, 90)
    source = grid_around(target, 60)
    counts = rng.integers(1, 65_535, source.shape).astype(np.uint16)
    out = upsample(counts, source, target)
    assert out.min() >= counts.min()
    assert out.max() <= counts.max()


def test_a_source_without_halo_is_refused():
    target = PixelGrid(EPSG, 448_000, 3_850_000, 10, 40, 40)
    source = grid_around(target, 20, 0)
    with pytest.raises(GridMismatch, match="halo"):
        upsample(np.ones(source.shape, np.uint16), source, target)
