import numpy as np
import pytest
import shapely
from affine import Affine
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from rasterio.features import rasterize, shapes

from models.outlines.polygonize import polygons_of
from models.outlines.runs import runs_of

ORIGIN = (-20, 5)
TRANSFORM = Affine(10, 0, 50, 0, -10, 200)
RING_IN_RING = np.array([[max(abs(y - 4), abs(x - 4)) % 2 == 0 for x in range(9)] for y in range(9)])
TOUCHES_ITSELF = np.array([[1, 1, 1, 0], [1, 0, 1, 1], [1, 1, 0, 1], [0, 1, 1, 1]], bool)
masks = arrays(bool, st.tuples(st.integers(1, 14), st.integers(1, 14)), elements=st.booleans(), fill=st.nothing())


def gdal_polygons(mask):
    found = shapes(mask.astype(np.uint8), mask=mask, connectivity=4, transform=TRANSFORM)
    return [shapely.geometry.shape(geometry) for geometry, _ in found]


def normalised(polygons):
    return sorted(shapely.to_wkb(shapely.normalize(np.asarray(polygons, dtype=object))).tolist())


@settings(max_examples=300)
@given(masks)
@example(RING_IN_RING)
@example(TOUCHES_ITSELF)
@example(TOUCHES_ITSELF[:, ::-1])
def test_polygons_equal_those_of_gdal_and_are_valid(mask):
    _, polygons = polygons_of(runs_of(mask, ORIGIN))
    assert normalised(polygons) == normalised(gdal_polygons(mask))
    assert shapely.is_valid(polygons).all()


@given(masks.filter(lambda mask: bool(mask.any())))
def test_rasterizing_the_polygons_gives_the_mask_back(mask):
    labels, polygons = polygons_of(runs_of(mask, ORIGIN))
    burnt = rasterize(zip(polygons, labels + 1, strict=True), out_shape=mask.shape, transform=TRANSFORM, dtype="int32")
    np.testing.assert_array_equal(burnt > 0, mask)


@given(masks)
def test_rings_are_canonical(mask):
    _, polygons = polygons_of(runs_of(mask, ORIGIN))
    for polygon in polygons:
        assert polygon.exterior.is_ccw
        assert not any(hole.is_ccw for hole in polygon.interiors)
        for ring in (polygon.exterior, *polygon.interiors):
            corners = np.asarray(ring.coords)
            steps = np.diff(np.vstack([corners, corners[1:2]]), axis=0)
            assert ((steps == 0).sum(axis=1) == 1).all(), "sides are axis-parallel and not empty"
            assert ((steps[1:] == 0) != (steps[:-1] == 0)).all(), "no vertex lies on a straight line"
        starts = [ring.coords[0] for ring in polygon.interiors]
        assert starts == sorted(starts, key=lambda corner: (-corner[1], corner[0]))


def test_a_single_pixel_starts_at_its_upper_left_corner_and_turns_counter_clockwise():
    _, (polygon,) = polygons_of(runs_of(np.ones((1, 1), bool), (-500_000, 40_000)))
    assert list(polygon.exterior.coords) == [
        (400_000.0, 5_000_000.0), (400_000.0, 4_999_990.0), (400_010.0, 4_999_990.0), (400_010.0, 5_000_000.0), (400_000.0, 5_000_000.0),
    ]  # fmt: skip


def test_an_island_with_a_lake_with_an_island_gives_nested_polygons():
    _, polygons = polygons_of(runs_of(RING_IN_RING, ORIGIN))
    assert [polygon.area for polygon in polygons] == [3200.0, 1600.0, 100.0]
    assert [len(polygon.interiors) for polygon in polygons] == [1, 1, 0]


def test_a_lake_that_touches_itself_at_a_corner_keeps_its_holes_and_is_valid():
    _, (polygon,) = polygons_of(runs_of(TOUCHES_ITSELF, ORIGIN))
    assert polygon.is_valid
    assert polygon.area == 100.0 * TOUCHES_ITSELF.sum()
    assert len(polygon.interiors) == 2


def test_no_runs_give_no_polygons():
    labels, polygons = polygons_of(runs_of(np.zeros((2, 3), bool), ORIGIN))
    assert labels.size == polygons.size == 0


@pytest.mark.parametrize("shape", [(1, 400), (400, 1), (200, 200)])
def test_large_rectangles_have_four_corners(shape):
    _, (polygon,) = polygons_of(runs_of(np.ones(shape, bool), ORIGIN))
    assert len(polygon.exterior.coords) == 5
    assert polygon.area == 100.0 * shape[0] * shape[1]
