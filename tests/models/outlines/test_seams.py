import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from models.outlines.geodesy import area_perimeter, to_degrees, to_metres
from models.outlines.polygonize import polygons_of
from models.outlines.runs import runs_of
from models.outlines.seams import ZoneFeatures, own

WEST, EAST = 32644, 32645
SEAM = (84.0, 28.0)
REACH_M = 8_000
"""How far each zone's ground reaches beyond the seam."""


def ground(epsg, reach_m=REACH_M):
    """20 km of a zone up to the seam, and `reach_m` beyond it."""
    ((x, y),) = shapely.get_coordinates(to_metres(np.array([shapely.Point(SEAM)], dtype=object), epsg)).tolist()
    x, y = round(x, -2), round(y, -2)
    left, right = (x - 20_000, x + reach_m) if epsg == WEST else (x - reach_m, x + 20_000)
    return shapely.box(left, y - 12_000, right, y + 12_000)


def seen_by(epsg, lakes, reach_m=REACH_M):
    """What a zone outlines of lakes given as discs (metres east and north of the seam, radius) on its own lattice."""
    extent = ground(epsg, reach_m)
    left, bottom, right, top = extent.bounds
    ((x0, y0),) = shapely.get_coordinates(to_metres(np.array([shapely.Point(SEAM)], dtype=object), WEST)).tolist()
    discs = np.array([shapely.Point(x0 + x, y0 + y).buffer(radius) for x, y, radius in lakes], dtype=object)
    discs = to_metres(to_degrees(discs, WEST), epsg)
    columns, rows = np.arange(left + 5, right, 10), np.arange(top - 5, bottom, -10)
    mask = np.zeros((rows.size, columns.size), bool)
    for disc in discs:
        near_y = np.flatnonzero((rows > disc.bounds[1]) & (rows < disc.bounds[3]))
        near_x = np.flatnonzero((columns > disc.bounds[0]) & (columns < disc.bounds[2]))
        if near_x.size and near_y.size:
            mask[np.ix_(near_y, near_x)] |= shapely.contains_xy(disc, columns[near_x][None, :], rows[near_y][:, None])
    _, polygons = polygons_of(runs_of(mask, (round(-top / 10), round(left / 10))))
    return ZoneFeatures(epsg, polygons, extent)


def areas(features):
    polygons = np.concatenate([to_degrees(np.array([feature.polygon], dtype=object), feature.epsg) for feature in features])
    return area_perimeter(polygons)[0]


@pytest.mark.parametrize(("east_m", "owner"), [(-1500, WEST), (1500, EAST)])
def test_a_lake_that_both_zones_see_belongs_to_the_zone_of_its_point(east_m, owner):
    lakes = [(east_m, 0, 400)]
    (feature,) = own([seen_by(WEST, lakes), seen_by(EAST, lakes)])
    assert feature.epsg == owner


def test_a_lake_on_the_seam_is_there_once_and_whole():
    lakes = [(0, 0, 600)]
    (feature,) = own([seen_by(WEST, lakes), seen_by(EAST, lakes)])
    assert areas([feature])[0] == pytest.approx(np.pi * 600**2, rel=0.01)


def test_a_lake_cut_by_the_end_of_one_zone_is_taken_whole_from_the_other():
    lakes = [(1000, 0, 900)]
    (feature,) = own([seen_by(WEST, lakes, reach_m=1200), seen_by(EAST, lakes, reach_m=1200)])
    assert feature.epsg == EAST
    assert areas([feature])[0] == pytest.approx(np.pi * 900**2, rel=0.01)


def test_a_whole_outline_stands_even_where_the_zone_of_its_point_has_a_cut_one():
    lakes = [(300, 0, 900)]
    (feature,) = own([seen_by(WEST, lakes), seen_by(EAST, lakes, reach_m=200)])
    assert feature.pieces == ((WEST, 0),)
    assert areas([feature])[0] == pytest.approx(np.pi * 900**2, rel=0.01)


def test_a_lake_that_both_zones_cut_is_united():
    lakes = [(0, 0, 3000)]
    (feature,) = own([seen_by(WEST, lakes, reach_m=1000), seen_by(EAST, lakes, reach_m=1000)])
    assert feature.polygon.is_valid
    assert areas([feature])[0] == pytest.approx(np.pi * 3000**2, rel=0.01)
    assert {epsg for epsg, _ in feature.pieces} == {WEST, EAST}


def test_a_lake_beyond_the_ground_of_its_owner_is_kept():
    west = seen_by(WEST, [(1500, 0, 300)])
    assert len(own([west])) == 1


def test_a_lake_that_its_owner_looked_for_and_did_not_find_is_dropped():
    assert own([seen_by(WEST, [(1500, 0, 300)]), seen_by(EAST, [])]) == ()
    assert len(own([seen_by(WEST, [(-1500, 0, 300)]), seen_by(EAST, [])])) == 1


@settings(max_examples=15)
@given(st.lists(st.tuples(st.integers(-14, 14), st.integers(-9, 9)), unique=True, max_size=8), st.integers(60, 400))
def test_every_lake_is_there_exactly_once_whatever_the_order_of_zones(cells, radius):
    lakes = [(1000 * x, 1000 * y, radius) for x, y in cells]
    zones = [seen_by(WEST, lakes), seen_by(EAST, lakes)]
    features = own(zones)
    assert len(features) == len(lakes)
    assert areas(features).sum() == pytest.approx(len(lakes) * np.pi * radius**2, rel=0.03) if features else True
    assert features == own(zones[::-1])


def test_no_zones_no_features():
    assert own([]) == ()
