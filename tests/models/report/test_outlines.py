"""Outlines keep their place and their rings, within the tolerance that is said."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from catalog.facts.grids import Tile
from models.report.outlines import TOLERANCES_M, fitted, outline_streams, plane_epsg, tile_outlines, to_plane


def lake(x, y, radius, hole=0.0):
    disc = shapely.buffer(shapely.Point(x, y), radius, quad_segs=32)
    return shapely.difference(disc, shapely.buffer(shapely.Point(x, y), hole, quad_segs=8)) if hole else disc


def objects(shapes):
    result = np.empty(len(shapes), object)
    result[:] = shapes
    return result


def decoded(content):
    values, value, scale = [], 0, 1
    for octet in content:
        value, scale = value + (octet & 127) * scale, scale * 128
        if octet < 128:
            values.append(-(value + 1) // 2 if value % 2 else value // 2)
            value, scale = 0, 1
    return values


def redrawn(outlines, plane):
    """The shapes that the page would draw, from the bytes it gets."""
    rings, points, dx, dy = map(decoded, outline_streams(outlines, plane))
    x = np.cumsum(dx) * plane.quantum_m + plane.left_m
    y = plane.top_m - np.cumsum(dy) * plane.quantum_m
    shapes, ring, point = [], 0, 0
    for count in rings:
        parts = []
        for length in points[ring : ring + count]:
            parts.append(shapely.Polygon(np.column_stack([x[point : point + length], y[point : point + length]])))
            point += length
        ring += count
        # rings are filled by the even-odd rule
        shape = shapely.Polygon()
        for part in parts:
            shape = shapely.symmetric_difference(shape, part)
        shapes.append(shape)
    return shapes


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(40, 300), st.booleans()), min_size=1, max_size=5))
def test_what_is_drawn_lies_within_the_tolerance_of_what_was_found(lakes):
    outlines = objects([lake(500_000 + 700 * x, 3_400_000 + 700 * y, r, 0.4 * r if hole else 0.0) for x, y, r, hole in lakes])
    drawn = fitted([outlines], outlines[:1], 32644, budget_bytes=10**6)
    assert drawn.tolerance_m == TOLERANCES_M[0]
    for true, seen in zip(outlines, redrawn(drawn.years[0], drawn.plane), strict=True):
        assert shapely.hausdorff_distance(true.boundary, seen.boundary, 0.05) <= drawn.tolerance_m + drawn.plane.quantum_m
        assert abs(seen.area - true.area) <= drawn.tolerance_m * true.length


def test_a_small_budget_makes_outlines_coarser_and_loses_none():
    rng = np.random.default_rng(3)
    outlines = objects(
        [lake(500_000 + 900 * n + rng.uniform(0, 300), 3_400_000 + rng.uniform(0, 9000), rng.uniform(80, 250)) for n in range(300)]
    )
    wide, narrow = (fitted([outlines], outlines[:1], 32644, budget_bytes=budget) for budget in (10**6, 5_000))
    assert narrow.tolerance_m > wide.tolerance_m
    sizes = [sum(map(len, outline_streams(drawn.years[0], drawn.plane))) for drawn in (wide, narrow)]
    assert sizes[1] < sizes[0]
    assert decoded(outline_streams(narrow.years[0], narrow.plane)[0]) == [1] * 300


def test_a_year_without_outlines_has_none():
    drawn = fitted([objects([])], objects([lake(500_000, 3_400_000, 100)]), 32644, budget_bytes=10**6)
    assert outline_streams(drawn.years[0], drawn.plane) == (b"", b"", b"", b"")


def test_a_tile_comes_back_to_its_corners():
    tile = Tile(32644, 22, 151)
    assert shapely.bounds(to_plane(tile_outlines([tile]), 32644)[0]) == pytest.approx(tile.bounds_lbrt, abs=1e-3)


@pytest.mark.parametrize(
    ("bounds", "epsg"), [((78, 30, 80, 31), 32644), ((-180, 60, 179, 75), 3413), ((170, 60, -170, 70), 32644), ((0, -10, 90, 20), 3857)]
)
def test_a_region_too_wide_for_a_zone_has_a_plane_of_its_own(bounds, epsg):
    assert plane_epsg(bounds, 32644) == epsg
