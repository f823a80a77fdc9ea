import numpy as np
import pytest
import shapely
from pyproj import Geod

from catalog.facts.grids import from_lonlat
from models.outlines.geodesy import area_perimeter, pixel_area_m2, representative_points, to_degrees, to_metres, zone_area_perimeter
from models.outlines.polygonize import polygons_of
from models.outlines.runs import pixel_counts, runs_of

GEOD = Geod(ellps="WGS84")
EPSG, ORIGIN = 32645, (-309_000, 29_000)


def disc(radius_px):
    y, x = np.mgrid[-radius_px : radius_px + 1, -radius_px : radius_px + 1]
    return y * y + x * x <= radius_px * radius_px


def held(*geometries):
    array = np.empty(len(geometries), dtype=object)
    array[:] = geometries
    return array


def test_area_and_perimeter_of_a_ring_leave_the_hole_out_and_count_its_shore():
    ring = disc(40) & ~np.pad(disc(15), 25)
    _, polygons = polygons_of(runs_of(ring, ORIGIN))
    area, perimeter = area_perimeter(to_degrees(polygons, EPSG))
    scale = pixel_area_m2(EPSG, *representative_points(polygons, EPSG)[0]) / 100
    assert area[0] == pytest.approx(ring.sum() * 100 * scale, rel=1e-5)
    assert perimeter[0] == pytest.approx(polygons[0].length * scale**0.5, rel=1e-5)


def test_areas_agree_with_pyproj_for_polygons_and_multipolygons():
    square = shapely.box(86.9, 27.8, 86.95, 27.85).difference(shapely.box(86.91, 27.81, 86.92, 27.82))
    far = shapely.box(10, 70, 10.1, 70.1)
    both = shapely.MultiPolygon([square, far])
    area, _ = area_perimeter(held(square, both, far))
    expected = [abs(GEOD.geometry_area_perimeter(shapely.orient_polygons(each))[0]) for each in (square, both, far)]
    np.testing.assert_allclose(area, expected, rtol=1e-12)


@pytest.mark.parametrize("longitude", [500_000, 200_000, 833_000])
def test_pixel_areas_add_up_to_the_geodesic_area_anywhere_in_the_zone(longitude):
    runs = runs_of(disc(60), (ORIGIN[0], longitude // 10))
    _, polygons = polygons_of(runs)
    area, _ = area_perimeter(to_degrees(polygons, EPSG))
    point = representative_points(polygons, EPSG)[0]
    assert pixel_counts(runs)[0] * pixel_area_m2(EPSG, *point) == pytest.approx(area[0], rel=2e-5)


def test_a_lake_across_the_antimeridian_is_cut_and_keeps_its_area_and_shore():
    easting, northing = from_lonlat(32601).transform(-180, 68.5)
    runs = runs_of(disc(50), (-round(northing / 10) - 50, round(easting / 10) - 50))
    _, polygons = polygons_of(runs)
    (cut,) = to_degrees(polygons, 32601)
    assert cut.geom_type == "MultiPolygon"
    assert cut.is_valid
    assert sorted(round(part.centroid.x) for part in cut.geoms) == [-180, 180]
    area, perimeter = zone_area_perimeter(polygons, 32601)
    assert area[0] == pytest.approx(disc(50).sum() * pixel_area_m2(32601, -180, 68.5), rel=1e-4)
    assert area_perimeter(held(cut))[0][0] == pytest.approx(area[0], rel=1e-7)
    assert perimeter[0] == pytest.approx(8 * 505, rel=0.01)


def test_degrees_and_back_keep_a_corner_within_a_tenth_of_a_millimetre():
    _, polygons = polygons_of(runs_of(disc(5), ORIGIN))
    back = to_metres(to_degrees(polygons, EPSG), EPSG)
    np.testing.assert_allclose(shapely.get_coordinates(back), shapely.get_coordinates(polygons), atol=1e-4)


def test_the_representative_point_of_a_crescent_lies_inside():
    crescent = disc(40) & ~np.pad(disc(35), ((5, 5), (10, 0)))
    labels, polygons = polygons_of(runs_of(crescent, ORIGIN))
    points = to_metres(shapely.points(representative_points(polygons, EPSG)), EPSG)
    assert shapely.contains(polygons, points).all()
    assert len(labels)


def test_no_polygons_have_no_areas():
    area, perimeter = area_perimeter(np.empty(0, dtype=object))
    assert area.size == perimeter.size == 0
