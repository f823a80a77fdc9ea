import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from models.outlines.polygonize import polygons_of
from models.outlines.runs import runs_of
from models.outlines.shape import shape_indices

Y, X = np.mgrid[:420, :420] - 210.0


def outline(mask):
    """The largest outline of a mask on the pixel lattice, metres."""
    _, polygons = polygons_of(runs_of(mask, (-300_000, 40_000)))
    return polygons[np.argmax(shapely.area(polygons))]


def of(*polygons):
    return shape_indices(np.array(polygons, object))


def turned_box(length_px, width_px, degrees):
    along, across = (np.cos(np.radians(degrees)), np.sin(np.radians(degrees)))
    return (abs(X * along + Y * across + 0.2) <= length_px / 2) & (abs(Y * along - X * across + 0.1) <= width_px / 2)


@given(st.floats(2.6, 60.0), st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
def test_a_disc_is_round_at_any_size_from_twenty_pixels(radius, down, right):
    disc = outline((Y - down) ** 2 + (X - right) ** 2 <= radius**2)
    found = of(disc)
    assert found.circularity[0] == pytest.approx(0.985, abs=0.015)
    assert found.shore_development[0] == pytest.approx(1.008, abs=0.008)
    assert found.elongation[0] < 1.25
    stairs = 4 * np.pi * disc.area / disc.length**2
    assert stairs < 0.78, "what the stairs alone would say"


@pytest.mark.parametrize("degrees", [0, 10, 22, 45, 70])
@pytest.mark.parametrize(("length", "width"), [(100, 100), (300, 100), (300, 20)])
def test_large_boxes_have_the_indices_of_plane_geometry_in_every_direction(length, width, degrees):
    found = of(outline(turned_box(length, width, degrees)))
    exact = 4 * np.pi * length * width / (2 * (length + width)) ** 2
    assert found.circularity[0] == pytest.approx(exact, rel=0.05)
    assert found.shore_development[0] == pytest.approx(1 / np.sqrt(exact), rel=0.03)
    assert found.elongation[0] == pytest.approx(length / width, rel=0.08)


def test_a_long_valley_lake_is_neither_round_nor_short():
    winding = outline(abs(Y - 30 * np.sin(X / 40)) <= 6)
    found = of(winding)
    assert found.circularity[0] < 0.12
    assert found.shore_development[0] > 2.8
    assert found.elongation[0] > 4


def test_an_island_winds_the_shore_and_leaves_the_outer_shape_alone():
    disc = (Y**2 + X**2) <= 50**2
    plain, with_island = of(outline(disc)), of(outline(disc & ((Y - 5) ** 2 + (X + 9) ** 2 > 15**2)))
    assert with_island.circularity[0] == plain.circularity[0]
    assert with_island.shore_development[0] > 1.3
    assert with_island.elongation[0] == plain.elongation[0]


def test_parts_of_one_lake_count_together():
    half = outline(Y**2 + X**2 <= 20**2)
    two = shapely.MultiPolygon([half, shapely.affinity.translate(half, 900.0, 0.0)])
    assert of(two).circularity[0] == pytest.approx(of(half).circularity[0] / 2)
    assert of(two).elongation[0] == pytest.approx((410 + 900) / 410, rel=0.01)


@given(st.integers(-50_000, 50_000), st.integers(-900_000, 0))
def test_the_place_of_a_lake_does_not_matter(right, up):
    mask = turned_box(40, 15, 30)
    here, there = outline(mask), shapely.affinity.translate(outline(mask), 10.0 * right, 10.0 * up)
    assert of(here).circularity[0] == pytest.approx(of(there).circularity[0], rel=1e-6)


def test_every_lake_gets_its_own_row_and_none_gives_none():
    small, large = outline(Y**2 + X**2 <= 9), outline(turned_box(60, 12, 0))
    both = of(small, large, small)
    assert both.elongation.tolist() == [of(small).elongation[0], of(large).elongation[0], of(small).elongation[0]]
    assert [len(values) for values in (both.circularity, both.shore_development)] == [3, 3]
    assert shape_indices(np.empty(0, object)).circularity.size == 0
    assert 0 < of(shapely.box(0, 0, 10, 10)).circularity[0] <= 1, "one pixel"
