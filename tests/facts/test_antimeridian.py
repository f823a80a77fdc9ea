"""Longitudes around +-180."""

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Polygon, box

from catalog.facts.antimeridian import near, split, split_bounds, unwrapped


def crossing_box(west: float, width: float, south: float, height: float) -> Polygon:
    """A box as catalogs write it: longitudes jump from 180 to -180 within one ring."""
    east = west + width if west + width <= 180 else west + width - 360
    return Polygon([(west, south), (east, south), (east, south + height), (west, south + height)])


@given(st.floats(-180, 179.9), st.floats(0.1, 40), st.floats(-80, 70), st.floats(0.1, 10))
def test_a_footprint_keeps_its_size_wherever_it_lies(west: float, width: float, south: float, height: float) -> None:
    ground = split(unwrapped(crossing_box(west, width, south, height)))
    assert ground.area == pytest.approx(width * height, rel=1e-6)
    assert ground.bounds[0] >= -180
    assert ground.bounds[2] <= 180


def test_a_hole_stays_in_its_ring_across_the_line() -> None:
    ring = Polygon([(178, 60), (-178, 60), (-178, 64), (178, 64)], [[(-179.5, 61), (179.5, 61), (179.5, 62), (-179.5, 62)]])
    assert split(unwrapped(ring)).area == pytest.approx(4 * 4 - 1)


def test_a_wide_box_that_does_not_jump_stays() -> None:
    assert unwrapped(box(60, 20, 110, 50)).equals(box(60, 20, 110, 50))


def test_longitudes_beyond_the_line_are_brought_back() -> None:
    ground = split(box(170, 60, 190, 61))
    assert ground.geom_type == "MultiPolygon"
    assert sorted(part.bounds for part in shapely.get_parts(ground)) == [(-180, 60, -170, 61), (170, 60, 180, 61)]


def test_pieces_are_joined_beside_a_meridian() -> None:
    joined = near(split(box(170, 60, 190, 61)), 177.0, 5.0)
    assert joined.geom_type == "Polygon"
    assert joined.bounds == (172, 60, 182, 61)


def test_a_box_across_the_line_becomes_two() -> None:
    assert split_bounds((170, 60, -170, 61)) == ((170, 60, 180, 61), (-180, 60, -170, 61))
    assert split_bounds((-170, 60, 170, 61)) == ((-170, 60, 170, 61),)
