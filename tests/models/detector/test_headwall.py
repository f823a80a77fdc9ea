"""Headwalls on planes whose upslope side is known."""

import numpy as np
import pytest
import rasterio.features
import shapely
from affine import Affine

from catalog.facts.errors import GridMismatch
from models.detector.headwall import MARGIN_PX, SlumpGround, headwall_of, headwall_retreat_m, ndvi_of

EAST, NORTH, SIDE = 500_000.0, 7_500_000.0, 60


def _disc(radius_m=80.0, east=0.0, north=0.0):
    return shapely.Point(EAST + 300 + east, NORTH - 300 + north).buffer(radius_m, quad_segs=64)


def _ground(polygon, *, downslope_deg=180.0, slope=0.1, depth_m=0.0, ndvi_inside=0.1, others=None):
    rows, columns = np.mgrid[:SIDE, :SIDE]
    x, y = columns * 10.0, -rows * 10.0
    direction = np.radians(downslope_deg)
    dem = 100 - slope * (x * np.sin(direction) + y * np.cos(direction))
    transform = Affine(10, 0, EAST, 0, -10, NORTH)
    inside = rasterio.features.rasterize([polygon], (SIDE, SIDE), transform=transform, dtype="uint8").astype(bool)
    other = np.zeros_like(inside) if others is None else others
    ndvi = np.where(inside, ndvi_inside, np.where(other, -1.0, 0.5))
    return SlumpGround(inside, other, (dem - depth_m * inside).astype(np.float32), ndvi.astype(np.float32))


@pytest.mark.parametrize("downslope_deg", [0.0, 37.0, 90.0, 180.0, 300.0])
def test_aspect_and_a_third_of_a_round_outline(downslope_deg):
    found = headwall_of(_disc(), _ground(_disc(), downslope_deg=downslope_deg))
    assert found.aspect_deg == pytest.approx(downslope_deg, abs=1) or found.aspect_deg == pytest.approx(downslope_deg + 360, abs=1)
    assert found.headwall_length_m == pytest.approx(2 * np.pi * 80 / 3, rel=0.05)


def test_steps_of_pixels_do_not_lengthen_the_headwall():
    disc = _disc()
    stairs = shapely.union_all([shapely.box(x, y, x + 10, y + 10) for x, y in _cells(disc)])
    smooth, stepped = (headwall_of(shape, _ground(disc)).headwall_length_m for shape in (disc, stairs))
    assert stepped == pytest.approx(smooth, rel=0.2)
    assert stairs.length > 1.2 * disc.length


def _cells(disc):
    west, south, east, north = disc.bounds
    for x in np.arange(np.floor(west / 10) * 10, east, 10):
        for y in np.arange(np.floor(south / 10) * 10, north, 10):
            if disc.contains(shapely.Point(x + 5, y + 5)):
                yield x, y


def test_retreat_is_the_way_upslope():
    before = _disc(80.0)
    now = shapely.union(before, _disc(80.0, north=25.0))
    found = headwall_of(now, _ground(now, downslope_deg=180.0), before)
    assert found.headwall_retreat_m == pytest.approx(25, abs=1.5)
    assert headwall_retreat_m(now, before, found.aspect_deg) == pytest.approx(found.headwall_retreat_m)
    assert headwall_of(before, _ground(before), now).headwall_retreat_m == pytest.approx(-25, abs=1.5)


def test_a_tongue_that_runs_further_down_is_no_retreat():
    before = _disc(80.0)
    now = shapely.union(before, _disc(60.0, north=-90.0))
    assert headwall_of(now, _ground(now), before).headwall_retreat_m == pytest.approx(0, abs=0.5)


def test_an_outline_elsewhere_says_nothing_of_retreat():
    assert np.isnan(headwall_of(_disc(), _ground(_disc()), _disc(east=5_000.0)).headwall_retreat_m)
    assert np.isnan(headwall_of(_disc(), _ground(_disc())).headwall_retreat_m)
    assert np.isnan(headwall_retreat_m(_disc(), _disc(), float("nan")))


def test_flat_ground_has_no_headwall_but_a_contrast():
    found = headwall_of(_disc(), _ground(_disc(), slope=0.001))
    assert np.isnan([found.headwall_length_m, found.aspect_deg]).all()
    assert found.ndvi_contrast == pytest.approx(-0.4)


def test_depth_and_contrast_leave_other_slumps_out():
    others = np.zeros((SIDE, SIDE), bool)
    others[:, 40:] = True
    found = headwall_of(_disc(), _ground(_disc(), depth_m=4.0, others=others, slope=0.0))
    assert found.relative_elevation_m == pytest.approx(-4, abs=0.01)
    assert found.ndvi_contrast == pytest.approx(-0.4)


def test_unknown_ground_is_left_out():
    ground = _ground(_disc())
    holes = np.random.default_rng(0).random((SIDE, SIDE)) < 0.4
    dem, ndvi = (np.where(holes, np.nan, values).astype(np.float32) for values in (ground.dem, ground.ndvi))
    found = headwall_of(_disc(), SlumpGround(ground.inside, ground.others, dem, ndvi))
    assert found.aspect_deg == pytest.approx(180, abs=1)
    assert found.ndvi_contrast == pytest.approx(-0.4, abs=1e-6)
    nothing = np.full((SIDE, SIDE), np.nan, np.float32)
    assert np.isnan(headwall_of(_disc(), SlumpGround(ground.inside, ground.others, nothing, nothing)).aspect_deg)


def test_arrays_of_other_shapes_are_refused():
    ground = _ground(_disc())
    with pytest.raises(GridMismatch, match="read all over one window"):
        SlumpGround(ground.inside, ground.others, ground.dem[1:], ground.ndvi)
    assert MARGIN_PX == 11


def test_ndvi_of_counts_is_nothing_without_data_or_light():
    red, near = np.array([1_000, 0, 1, 3_000], np.uint16), np.array([3_000, 500, 1, 1_000], np.uint16)
    assert ndvi_of(red, near) == pytest.approx([0.5, np.nan, np.nan, -0.5], nan_ok=True)
