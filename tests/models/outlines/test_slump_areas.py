import numpy as np
import pytest
import shapely
from pyproj import Geod, Transformer

from catalog.facts.grids import zone_epsg
from models.outlines.contours import ContourOptions, outline_of
from models.outlines.geodesy import area_perimeter, to_degrees

SIDE_M = 300.0


def square(latitude, longitude=-134.5):
    """Corners of 300 m on the ellipsoid, laid out by geodesics of 300 m along the meridian and the parallel."""
    geod = Geod(ellps="WGS84")
    east = geod.fwd(longitude, latitude, 90, SIDE_M)[:2]
    north = geod.fwd(longitude, latitude, 0, SIDE_M)[:2]
    corner = geod.fwd(*east, 0, SIDE_M)[:2]
    return shapely.Polygon([(longitude, latitude), east, corner, north])


@pytest.mark.parametrize("latitude", [60.0, 70.0, 80.0])
def test_the_geodesic_area_of_a_known_square_is_right(latitude):
    (area,), (perimeter,) = area_perimeter(np.array([square(latitude)], dtype=object))
    assert area == pytest.approx(SIDE_M**2, rel=2e-3)
    assert perimeter == pytest.approx(4 * SIDE_M, rel=2e-3)


@pytest.mark.parametrize("latitude", [60.0, 80.0])
def test_the_polar_projection_of_the_arctic_would_be_off_by_three_percent(latitude):
    project = Transformer.from_crs(4326, 3413, always_xy=True)
    planar = shapely.transform(square(latitude), lambda corners: np.column_stack(project.transform(corners[:, 0], corners[:, 1])))
    assert abs(planar.area / SIDE_M**2 - 1) > 0.03


@pytest.mark.parametrize("latitude", [60.0, 70.0, 80.0])
def test_a_slump_drawn_on_the_lattice_has_its_geodesic_area(latitude):
    epsg = zone_epsg(-134.5, latitude)
    project = Transformer.from_crs(4326, epsg, always_xy=True)
    x, y = project.transform(-134.5, latitude)
    origin_yx = (round(-y / 5), round(x / 5))
    field = np.zeros((100, 100))
    field[20:80, 20:80] = 1.0
    outline = outline_of(field, origin_yx, pixel_m=5.0, options=ContourOptions())
    (area,), _ = area_perimeter(to_degrees(np.array([outline], dtype=object), epsg))
    assert area == pytest.approx(SIDE_M**2, rel=2e-3)
