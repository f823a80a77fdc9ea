"""Shared ground against GEOS, for every kind of valid outline, and the same whatever the order of anything."""

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from models.outlines.edges import edges_of
from models.outlines.overlaps import components, links_of, overlaps_between, overlaps_of, spherical_area_m2
from models.outlines.polygonize import polygons_of
from models.outlines.runs import runs_of

LON, LAT = 86.9, 27.9
PIXEL_DEG = 1e-4


def array(shapes):
    found = np.empty(len(shapes), dtype=object)
    found[:] = shapes
    return found


def at_home(geometries, turn=0.003):
    """Shapes drawn in pixels, laid somewhere on the globe and turned a little, so that no edge is level by chance."""

    def move(corners):
        x, y = corners[:, 0] * PIXEL_DEG, corners[:, 1] * PIXEL_DEG
        return np.column_stack([LON + x - turn * y, LAT + y + turn * x])

    return shapely.transform(geometries, move)


def compare(left, right):
    """Ours beside GEOS: the same pairs, areas equal to 1e-9 of the smaller outline, and to the rounding of degrees along its shore."""
    ours = overlaps_of(left, right)
    one, other = (grid.ravel() for grid in np.meshgrid(np.arange(len(left)), np.arange(len(right)), indexing="ij"))
    shared = shapely.area(shapely.intersection(left[one], right[other]))
    smaller = np.minimum(shapely.area(left[one]), shapely.area(right[other]))
    # GEOS rounds every crossing to doubles of 87 degrees, which tells in slivers
    rounding = 3e-14 * np.minimum(shapely.length(left[one]), shapely.length(right[other])) / smaller
    share = shared / smaller
    found = np.zeros(share.shape)
    found[ours.left * len(right) + ours.right] = ours.share
    assert (np.abs(found - share) < 1e-9 + rounding).all()
    assert list(zip(*links_of(left, right), strict=True)) == list(zip(ours.left, ours.right, strict=True))
    return ours


shapes_px = st.lists(st.tuples(*[st.integers(0, 40)] * 2, *[st.integers(1, 20)] * 2), min_size=1, max_size=4)


def outline(drawn, holes):
    """A valid outline of one or more parts, with holes: boxes and what is cut out of them."""
    whole = shapely.union_all([shapely.box(x, y, x + w, y + h) for x, y, w, h in drawn])
    return shapely.difference(whole, shapely.union_all([shapely.box(x + 0.5, y + 0.5, x + w / 2, y + h / 2) for x, y, w, h in holes]))


outlines = st.builds(outline, shapes_px, st.lists(st.tuples(*[st.integers(0, 40)] * 2, *[st.integers(2, 30)] * 2), max_size=3))


@settings(max_examples=150, deadline=None)
@given(st.lists(outlines, min_size=1, max_size=4), st.lists(outlines, min_size=1, max_size=4), st.sampled_from([0.0, 0.003, 0.4]))
def test_boxes_with_holes_and_parts_share_what_geos_says(left, right, turn):
    left, right = (array([shape for shape in side if not shape.is_empty]) for side in (left, right))
    assume(len(left) and len(right))
    compare(at_home(left, turn), at_home(right, turn))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.3, 0.7))
def test_outlines_of_pixels_share_what_geos_says(seed, density):
    rng = np.random.default_rng(seed)
    sides = [_pixels(rng, density) for _ in range(2)]
    assume(all(len(side) for side in sides))
    ours = compare(*sides)
    pixels = np.round(ours.area_m2 / spherical_area_m2(at_home(array([shapely.box(0, 0, 1, 1)])))[0])
    assert pixels.min(initial=1) >= 1, "outlines that share only a corner or an edge share nothing"


def _pixels(rng, density):
    metres = polygons_of(runs_of(rng.random((24, 24)) < density, (0, 0)))[1]
    return at_home(shapely.transform(metres, lambda corners: corners / 10.0))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 60))
def test_stars_share_what_geos_says(seed, corners):
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, (8, corners)))
    radius = rng.uniform(5, 30, (8, corners))
    middle = rng.uniform(0, 30, (8, 2, 1))
    stars = shapely.polygons(np.stack([middle[:, 0] + radius * np.cos(angle), middle[:, 1] + radius * np.sin(angle)], axis=-1))
    stars = at_home(stars[shapely.is_valid(stars)])
    compare(stars[: len(stars) // 2], stars[len(stars) // 2 :])


def test_equal_and_contained_outlines_share_all_of_the_smaller():
    ring = at_home(array([shapely.Point(0, 0).buffer(30).difference(shapely.Point(3, 2).buffer(11)), shapely.Point(1, -20).buffer(7)]))
    own = compare(ring, ring)
    assert own.share.tolist() == [1.0, 1.0, 1.0, 1.0]
    assert own.likeness[[0, 3]].tolist() == [1.0, 1.0]
    assert own.area_m2[[0, 3]].tolist() == spherical_area_m2(ring).tolist()


def test_what_touches_shares_nothing():
    boxes = array([shapely.box(0, 0, 10, 10), shapely.box(10, 2, 20, 8), shapely.box(10, 10, 20, 20), shapely.box(0, 10, 10, 12)])
    for turn in (0.0, 0.003):
        laid = at_home(boxes, turn)
        found = overlaps_of(laid, laid)
        assert found.left.tolist() == found.right.tolist() == [0, 1, 2, 3]


def test_a_pond_on_an_island_shares_nothing_with_the_lake_around_it():
    lake = shapely.box(0, 0, 30, 30).difference(shapely.box(8, 8, 22, 22))
    assert overlaps_of(at_home(array([lake])), at_home(array([shapely.box(8, 8, 22, 22), shapely.box(10, 10, 12, 12)]))).left.size == 0


def test_a_lake_cut_at_the_antimeridian_is_found_on_both_sides():
    lake = shapely.MultiPolygon([shapely.box(179.9, 70, 180, 70.1), shapely.box(-180, 70, -179.9, 70.1)])
    found = overlaps_of(array([lake]), array([shapely.box(-179.95, 70, -179.9, 70.1), shapely.box(0, 70, 1, 70.1), lake]))
    assert found.right.tolist() == [0, 2]
    assert found.share.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("shape", [shapely.Polygon(), shapely.MultiPolygon(), shapely.GeometryCollection()])
def test_an_empty_outline_shares_nothing(shape):
    boxes = at_home(array([shapely.box(0, 0, 10, 10), shapely.box(5, 5, 12, 12)]))
    found = overlaps_of(array([shape, boxes[0], shape]), boxes)
    assert found.left.tolist() == [1, 1]
    assert len(overlaps_of(array([]), boxes).left) == len(links_of(boxes, array([]))[0]) == 0


def test_lines_and_points_beside_the_area_of_a_mended_outline_count_nothing():
    area = shapely.MultiPolygon([shapely.box(0, 0, 10, 10), shapely.box(12, 0, 20, 10)])
    mixed = shapely.GeometryCollection([area, shapely.LineString([(0, 5), (40, 5)]), shapely.Point(30, 5)])
    boxes = at_home(array([shapely.box(5, 0, 15, 10), shapely.box(25, 0, 40, 10)]))
    found = overlaps_of(at_home(array([mixed])), boxes)
    assert found.right.tolist() == [0]
    assert found.share[0] == pytest.approx(0.8, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(outlines, outlines, st.integers(0, 50), st.booleans())
def test_where_a_ring_starts_and_how_it_turns_changes_not_one_bit(one, other, start, turned):
    assume(not one.is_empty and not other.is_empty)
    one, other = at_home(array([one, other]))

    def redrawn(ring):
        corners = np.roll(shapely.get_coordinates(ring)[:-1], start, axis=0)
        return shapely.linearrings(corners[::-1] if turned else corners)

    parts = [shapely.Polygon(redrawn(part.exterior), [redrawn(hole) for hole in part.interiors]) for part in shapely.get_parts(one)[::-1]]
    again = shapely.MultiPolygon(parts)
    for first, second in ((one, other), (other, one)):
        plain = overlaps_of(array([first]), array([second]))
        swapped = overlaps_of(array([again if first is one else first]), array([again if second is one else second]))
        assert plain.share.tolist() == swapped.share.tolist()


def test_edges_of_some_outlines_are_those_edges():
    rng = np.random.default_rng(0)
    left, right = _pixels(rng, 0.5), _pixels(rng, 0.5)
    rows = rng.permutation(len(left))[: len(left) // 2]
    taken = overlaps_between(edges_of(left).take(rows), edges_of(right))
    plain = overlaps_of(left[rows], right)
    assert [getattr(taken, name).tolist() for name in ("left", "right", "share")] == [
        getattr(plain, name).tolist() for name in ("left", "right", "share")
    ]


def test_a_group_has_the_number_of_its_smallest_member():
    assert components(6, np.array([4, 2, 5]), np.array([2, 1, 5])).tolist() == [0, 1, 1, 3, 1, 5]
    assert components(0, np.array([], int), np.array([], int)).tolist() == []


def test_an_upright_shore_that_a_slanting_one_crosses_cuts_it_exactly():
    box = at_home(array([shapely.box(0, 0, 10, 10)]), turn=0.0)
    slanting = at_home(array([shapely.Polygon([(2, 1), (30, 3), (4, 9)]), shapely.Polygon([(5, -5), (25, 5), (5, 15)])]), turn=0.0)
    compare(box, slanting)
    compare(slanting, box)
