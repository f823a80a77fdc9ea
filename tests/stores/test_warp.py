"""Warped pixels do not depend on the window that was asked for, and lie where they should."""

import numpy as np
import pytest
from affine import Affine
from pyproj import Transformer
from rasterio.crs import CRS
from scipy import ndimage

from catalog.facts.pixel_grids import PixelGrid
from catalog.stores.warp import finer, mean_of_parts, nodes_of, parts_per_pixel, sample

SOURCE = CRS.from_epsg(32643)
CORNER = Affine(10, 0, 799_980, 0, -10, 3_900_000)
SHAPE = (700, 700)


def counts(nodata_share=0.02):
    rng = np.random.default_rng(5)
    smooth = np.add.outer(np.sin(np.arange(SHAPE[0]) / 9), np.cos(np.arange(SHAPE[1]) / 7)) * 900 + 3000
    values = (smooth + rng.normal(0, 30, SHAPE)).astype(np.uint16)
    values[rng.random(SHAPE) < nodata_share] = 0
    return values


def grid(row=0, column=0, height=300, width=320) -> PixelGrid:
    return PixelGrid(32644, 254_600.0 + 10 * column, 3_898_200.0 - 10 * row, 10, height, width)


def warp(values, target, *, nearest=False, nodata=0, transform=CORNER):
    nodes = nodes_of(target, SOURCE, transform)
    top, bottom, left, right = nodes.window
    padded = np.full((bottom - top, right - left), nodata, values.dtype)
    rows, columns = slice(max(top, 0), min(bottom, SHAPE[0])), slice(max(left, 0), min(right, SHAPE[1]))
    padded[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = values[rows, columns]
    return sample(padded, nodes, target.shape, nearest=nearest, nodata=nodata)


@pytest.mark.parametrize("nearest", [False, True])
@pytest.mark.parametrize(("row", "column", "height", "width"), [(0, 0, 100, 320), (37, 111, 61, 7), (299, 0, 1, 1), (100, 200, 200, 120)])
def test_a_part_is_bit_for_bit_the_part_of_the_whole(nearest, row, column, height, width):
    values = counts()
    whole = warp(values, grid(), nearest=nearest)
    assert (whole > 0).mean() > 0.5
    part = warp(values, grid(row, column, height, width), nearest=nearest)
    np.testing.assert_array_equal(part, whole[row : row + height, column : column + width])


def test_heights_agree_bit_for_bit_too():
    values = counts(0).astype(np.float32) * np.float32(1.37)
    whole = warp(values, grid(), nodata=np.nan)
    np.testing.assert_array_equal(warp(values, grid(50, 60, 70, 80), nodata=np.nan), whole[50:120, 60:140])


def test_every_pixel_has_the_value_at_its_exact_place():
    values, target = counts(0), grid()
    east = target.left + (np.arange(target.width) + 0.5) * 10
    north = target.top - (np.arange(target.height) + 0.5) * 10
    x, y = Transformer.from_crs(target.epsg, 32643, always_xy=True).transform(*np.meshgrid(east, north))
    place = [(CORNER.f - y) / 10 - 0.5, (x - CORNER.c) / 10 - 0.5]
    expected = ndimage.map_coordinates(values.astype(float), place, order=1)
    inside = (place[0] > 0) & (place[0] < SHAPE[0] - 1) & (place[1] > 0) & (place[1] < SHAPE[1] - 1)
    assert inside.mean() > 0.5
    assert np.abs(warp(values, target) - expected)[inside].max() <= 0.51


def test_nodata_has_no_weight_and_no_spread():
    values = np.full(SHAPE, 1000, np.uint16)
    values[300:310, 300:310] = 0
    out = warp(values, PixelGrid(32643, 799_980.0 + 5, 3_900_000.0 - 5, 10, 600, 600))
    assert set(np.unique(out)) == {0, 1000}
    assert 81 <= (out == 0).sum() <= 121


def test_a_finer_raster_is_averaged_and_not_skipped():
    values = counts(0)
    coarse = PixelGrid(32643, 799_980.0, 3_900_000.0, 60, 50, 60)
    parts = parts_per_pixel(coarse, SOURCE, CORNER)
    assert parts == 6
    fine = finer(coarse, parts)
    out = mean_of_parts(warp(values, fine), parts, 0)
    expected = values[:300, :360].reshape(50, 6, 60, 6).mean(axis=(1, 3))
    assert np.abs(out - expected).max() <= 0.51


def test_a_mean_of_parts_needs_half_of_them():
    values = np.array([[4, 0, 0, 0], [8, 0, 0, 6]], np.uint16)
    assert mean_of_parts(values, 2, 0).tolist() == [[6, 0]]


def test_degrees_are_continuous_over_the_antimeridian():
    target = PixelGrid(32601, 250_000.0, 7_500_000.0, 40, 300, 1400)
    nodes = nodes_of(target, CRS.from_epsg(4326), Affine(1 / 1200, 0, -180, 0, -1 / 3600, 69))
    assert np.abs(np.diff(nodes.columns, axis=1)).max() < 200
