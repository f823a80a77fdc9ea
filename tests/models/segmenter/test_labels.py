"""Labels hold areas, not touched pixels."""

import numpy as np
import pytest
import shapely

from catalog.facts.chips import LABEL_IGNORE
from models.segmenter.labels import coverage_of, label_of, weight_of

ORIGIN = (-480_000, 50_000)
"""y, x of a window at 4 800 km north, 500 km east."""


def disc(pixels: float, x: float = 60.3, y: float = 71.8) -> shapely.Geometry:
    """A disc of that area; centre in pixels from the window's upper left corner."""
    radius_m = 10 * np.sqrt(pixels / np.pi)
    return shapely.Point((ORIGIN[1] + x) * 10, -(ORIGIN[0] + y) * 10).buffer(radius_m, quad_segs=64)


@pytest.mark.parametrize("pixels", [50, 100, 1000])
def test_a_disc_keeps_its_area_wherever_it_lies(pixels):
    rng = np.random.default_rng(pixels)
    for x, y in rng.uniform(30, 190, (8, 2)):
        label = label_of(np.array([disc(pixels, x, y)]), ORIGIN)
        assert label.sum() / 250 == pytest.approx(pixels, rel=0.01)
        assert (label >= 125).sum() == pytest.approx(pixels, rel=0.12)
        touched = (label > 0).sum()
        assert touched > 1.05 * pixels, "burning all touched pixels would inflate it"


def test_coverage_is_that_of_geometry_pixel_by_pixel():
    rng = np.random.default_rng(1)
    spiky = shapely.Polygon(
        np.stack([3e5 + 100 + rng.uniform(40, 80, 24) * np.cos(t := np.linspace(0, 6.2, 24)), 4e6 + 60 * np.sin(t)], -1)
    )
    island = spiky.buffer(0).difference(shapely.Point(3e5 + 100, 4e6).buffer(17))
    origin = (-400_010, 29_998)
    got = coverage_of(np.array([island]), origin, (20, 30))
    for row in range(20):
        for column in range(30):
            left, top = (origin[1] + column) * 10, -(origin[0] + row) * 10
            pixel = shapely.box(left, top - 10, left + 10, top)
            assert got[row, column] == pytest.approx(island.intersection(pixel).area / 100, abs=1e-9)


def test_an_aligned_square_is_exact_and_at_its_place():
    square = shapely.box((ORIGIN[1] + 3) * 10, -(ORIGIN[0] + 9) * 10, (ORIGIN[1] + 7) * 10, -(ORIGIN[0] + 4) * 10)
    label = label_of(np.array([square]), ORIGIN)
    assert (label[4:9, 3:7] == 250).all()
    assert label.sum() == 250 * 20


def test_overlapping_outlines_count_once():
    twice = np.array([disc(300), disc(300)])
    assert coverage_of(twice, ORIGIN, (224, 224)).sum() == pytest.approx(300, rel=0.01)


def test_a_lake_over_the_edge_is_cut_by_it():
    lake = disc(1000, x=0.0, y=100.0)
    left = label_of(np.array([lake]), ORIGIN).sum() / 250
    assert left == pytest.approx(500, rel=0.01)


def test_a_window_without_outlines_is_dry():
    assert not label_of(np.empty(0, object), ORIGIN).any()
    assert not label_of(np.array([disc(100, x=-200)]), ORIGIN).any()


def test_the_band_ignores_both_sides_of_a_shore_and_nothing_else():
    label = label_of(np.array([disc(1000)]), ORIGIN, ignore_band_px=1)
    soft = label_of(np.array([disc(1000)]), ORIGIN)
    ignored = label == LABEL_IGNORE
    assert 100 < ignored.sum() < 260  # a shore of 112 px, one pixel on either side
    assert (label[~ignored] == soft[~ignored]).all()
    assert np.isin(label[~ignored], (0, 250)).all(), "no soft pixel is left beside the band"


def test_the_band_of_a_lake_beyond_the_edge_reaches_in():
    lake = shapely.box((ORIGIN[1] - 40) * 10, -(ORIGIN[0] + 90) * 10, ORIGIN[1] * 10, -(ORIGIN[0] + 50) * 10)
    label = label_of(np.array([lake]), ORIGIN, ignore_band_px=1)
    assert (label[50:90, 0] == LABEL_IGNORE).all()
    assert not label[:, 1:].any()


def test_a_lake_that_fills_the_window_has_no_shore_there():
    lake = shapely.box((ORIGIN[1] - 40) * 10, -(ORIGIN[0] + 300) * 10, (ORIGIN[1] + 300) * 10, -(ORIGIN[0] - 40) * 10)
    assert (label_of(np.array([lake]), ORIGIN, ignore_band_px=2) == 250).all()


def test_labels_of_other_years_weigh_less():
    assert weight_of(2022, 2022) == 1.0
    assert weight_of(2019, 2022) == weight_of(2022, 2019) == pytest.approx(0.5)
    falling = [weight_of(2022, 2022 - gap) for gap in range(12)]
    assert falling == sorted(falling, reverse=True)
    assert falling[-1] == pytest.approx(0.1)
