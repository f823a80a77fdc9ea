"""The quick way to geodesic figures beside Karney's."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from models.outlines.geodesy import area_perimeter, to_degrees
from models.outlines.polygonize import polygons_of
from models.outlines.runs import runs_of
from models.outlines.short_edges import areas_perimeters

LEAST_M2 = 1e-4
"""What rounding of coordinates leaves of Karney's sums in pyproj."""


def agree(outlines):
    area, perimeter = areas_perimeters(outlines)
    expected_area, expected_perimeter = area_perimeter(outlines)
    np.testing.assert_allclose(area, expected_area, rtol=2e-9, atol=LEAST_M2)
    np.testing.assert_allclose(perimeter, expected_perimeter, rtol=2e-9)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([32645, 32601, 32718]), st.integers(-800_000, -1000), st.integers(25_000, 75_000))
def test_outlines_of_pixels_have_the_figures_of_karney(seed, epsg, row, column):
    mask = np.random.default_rng(seed).random((12, 12)) < 0.6
    agree(to_degrees(polygons_of(runs_of(mask, (row, column)))[1], epsg))


@pytest.mark.parametrize("latitude", [-89.9, -60, 0, 0.001, 28, 75, 89.9])
def test_holes_parts_and_long_edges_have_the_figures_of_karney(latitude):
    ring = shapely.box(86, latitude, 86.009, latitude + 0.009).difference(shapely.box(86.003, latitude + 0.002, 86.005, latitude + 0.006))
    parts = shapely.MultiPolygon([ring, shapely.box(86.02, latitude, 86.024, latitude + 0.001)])
    long = shapely.box(86, latitude, 86.5, latitude + 0.05)
    agree(np.array([ring, parts, long, shapely.Polygon()]))


def test_a_lake_cut_at_the_antimeridian_has_the_figures_of_karney():
    agree(np.array([shapely.MultiPolygon([shapely.box(179.995, 70, 180, 70.004), shapely.box(-180, 70, -179.996, 70.004)])]))


def test_no_outline_has_no_figures():
    assert [figures.size for figures in areas_perimeters(np.empty(0, dtype=object))] == [0, 0]
