import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.outlines.contours import ContourOptions, outline_of

ORIGIN = (-1_520_000, 100_000)
ANY_SIZE = ContourOptions(min_area_m2=0.0, min_hole_m2=0.0, simplify_m=0.0)


def covered(shape, size_px=80, steps=8):
    """Share (y, x) of each pixel of 5 m inside a shape; the field's upper left corner is (0, 0) m, y upward."""
    at = (np.arange(size_px * steps) + 0.5) * 5 / steps
    x, y = np.meshgrid(at, -at)
    shapely.prepare(shape)
    return shapely.contains_xy(shape, x, y).reshape(size_px, steps, size_px, steps).mean((1, 3))


@pytest.mark.parametrize(
    ("radius_m", "least_iou", "most_area_bias"), [(20, 0.93, 0.03), (30, 0.95, 0.015), (45, 0.97, 0.01), (60, 0.98, 0.01)]
)
def test_a_disc_keeps_its_ground_area_and_perimeter(radius_m, least_iou, most_area_bias):
    # stair-steps at 10 m make the perimeter of a disc of 30 m a quarter longer
    rng = np.random.default_rng(3)
    figures = []
    for _ in range(12):
        disc = shapely.Point(200 + rng.uniform(-5, 5), -200 + rng.uniform(-5, 5)).buffer(radius_m, quad_segs=32)
        found = outline_of(covered(disc), (0, 0), pixel_m=5.0, options=ContourOptions())
        shared = shapely.area(found & disc)
        figures.append((shared / shapely.area(found | disc), found.area / disc.area - 1, found.length / disc.length - 1))
    iou, area, perimeter = np.mean(figures, axis=0)
    assert iou >= least_iou
    assert abs(area) <= most_area_bias
    assert abs(perimeter) <= 0.05


def test_two_metres_of_simplifying_would_take_a_tenth_of_the_allowance_of_area():
    disc = shapely.Point(200, -200).buffer(30, quad_segs=32)
    areas = [outline_of(covered(disc), (0, 0), pixel_m=5.0, options=ContourOptions(simplify_m=metres)).area for metres in (0.5, 2.0)]
    assert areas[1] < areas[0] * 0.98


def test_values_hold_at_pixel_centres_so_a_block_ends_at_its_pixels_edges():
    field = np.zeros((60, 60))
    field[10:30, 20:50] = 1.0
    left, bottom, right, top = outline_of(field, ORIGIN, pixel_m=5.0, options=ContourOptions()).bounds
    assert (left, right) == ((ORIGIN[1] + 20) * 5.0, (ORIGIN[1] + 50) * 5.0)
    assert (top, bottom) == (-(ORIGIN[0] + 10) * 5.0, -(ORIGIN[0] + 30) * 5.0)


def test_ground_at_the_edge_of_the_field_is_closed():
    found = outline_of(np.ones((20, 20)), (0, 0), pixel_m=5.0, options=ContourOptions())
    assert found.area == pytest.approx(100 * 100, rel=0.01)
    assert found.geom_type == "Polygon"


def test_small_parts_are_dropped_and_small_holes_filled_and_large_ones_kept():
    field = np.zeros((80, 80))
    field[5:45, 5:45] = 1.0
    field[10:12, 10:12] = 0.0  # 100 m2
    field[20:30, 20:30] = 0.0  # 2500 m2
    field[60:63, 60:63] = 1.0  # 225 m2
    field[60:70, 10:20] = 1.0  # 2500 m2
    found = outline_of(field, (0, 0), pixel_m=5.0, options=ContourOptions())
    parts = sorted(shapely.get_parts(found), key=shapely.area)
    assert [round(shapely.area(part), -2) for part in parts] == pytest.approx([2500, 40_000 - 2500], rel=0.02)
    assert [len(part.interiors) for part in parts] == [0, 1]


def test_nothing_above_the_level_is_an_empty_polygon():
    assert outline_of(np.zeros((9, 9)), (0, 0), pixel_m=5.0, options=ANY_SIZE).is_empty
    assert outline_of(np.zeros((0, 0)), (0, 0), pixel_m=5.0, options=ANY_SIZE).is_empty


@settings(max_examples=60)
@given(arrays(np.uint8, (9, 11), elements=st.integers(0, 2)))
def test_a_tie_is_outside_and_breaks_nothing(votes):
    found = outline_of(votes / 2, (0, 0), pixel_m=5.0, options=ContourOptions(min_area_m2=1.0, min_hole_m2=1.0, simplify_m=0.0))
    full = outline_of(
        np.where(votes == 1, 0.499, votes / 2),
        (0, 0),
        pixel_m=5.0,
        options=ContourOptions(min_area_m2=1.0, min_hole_m2=1.0, simplify_m=0.0),
    )
    assert shapely.is_valid(found)
    assert found.area == pytest.approx(full.area, rel=0.01, abs=2.0)


@settings(max_examples=150)
@given(arrays(np.uint8, (9, 11), elements=st.integers(0, 4)), st.sampled_from([0.0, 0.5, 6.0]))
def test_any_field_gives_a_valid_outline_that_holds_the_centres_above_the_level(votes, simplify_m):
    field = votes / 4
    options = ContourOptions(level=0.45, min_area_m2=0.0, min_hole_m2=0.0, simplify_m=simplify_m)
    found = outline_of(field, (7, -3), pixel_m=5.0, options=options)
    assert shapely.is_valid(found)
    if simplify_m == 0.0:
        rows, columns = np.mgrid[7:16, -3:8]
        inside = shapely.contains_xy(found, (columns + 0.5) * 5.0, -(rows + 0.5) * 5.0)
        assert (inside == (field > 0.45)).all()
