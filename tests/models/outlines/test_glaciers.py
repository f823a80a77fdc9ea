import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import box

from catalog.facts.glaciers import GLACIER_REACH_M, Glaciers
from models.outlines.geodesy import to_degrees
from models.outlines.glaciers import GlacierLinks, Ice, ice_near, links, together

EPSG = 32645
EAST, NORTH = 480_000.0, 3_090_000.0


def moved(shape, right, up):
    return shapely.affinity.translate(shape, right, up)


def at(right, up, side=100.0):
    return box(EAST + right, NORTH + up, EAST + right + side, NORTH + up + side)


def ice(**outlines):
    return Ice(np.array(list(outlines), object), np.array(list(outlines.values()), object))


def linked(lakes, found, scale=1.0):
    return links(np.array(lakes, object), found, np.full(len(lakes), scale))


def test_the_nearest_margin_is_measured_to_the_shore_on_the_ground():
    found = linked([at(0, 0), at(0, 5000)], ice(far=at(2000, 0, 500), near=at(400, 0, 900)), scale=0.9996)
    assert found.ids.tolist() == ["near", "near"]
    assert found.distance_m.tolist() == pytest.approx([300 / 0.9996, np.hypot(300, 4100) / 0.9996])
    assert found.overlap_share.tolist() == [0, 0]


def test_a_lake_that_touches_is_in_contact_and_a_lake_on_the_ice_is_at_no_distance():
    glacier = at(0, 0, 4000)
    found = linked([at(4000, 100), at(1000, 1000), at(-50, 500)], ice(g=glacier))
    assert found.distance_m.tolist() == [0, 0, 0]
    assert found.overlap_share.tolist() == pytest.approx([0, 1, 0.5])


def test_a_lake_in_a_hole_of_the_ice_is_not_on_it():
    nunatak = at(0, 0, 4000).difference(at(1000, 1000, 2000))
    found = linked([at(1400, 1400)], ice(g=nunatak))
    assert found.distance_m.tolist() == pytest.approx([400])
    assert found.overlap_share.tolist() == [0]


def test_ties_go_to_the_larger_overlap_and_then_to_the_first_name():
    left, right = at(-1000, -500, 1000), at(70, -500, 1000)
    assert linked([at(0, 0)], ice(b=left, a=right)).ids.tolist() == ["a"], "70 of the 100 m lie on the left"
    same = at(300, 0, 500)
    assert linked([at(0, 0)], ice(z=same, m=moved(same, 0, 0), q=same)).ids.tolist() == ["m"]


def test_outlines_that_lie_on_each_other_count_once():
    twice = ice(a=at(0, 0, 60), b=at(0, 0, 60), c=at(0, 0, 30))
    assert linked([at(0, 0)], twice).overlap_share.tolist() == pytest.approx([0.36])


def test_beyond_the_reach_there_is_no_nearest_glacier():
    found = linked([at(0, 0), at(0, 200)], ice(g=at(GLACIER_REACH_M + 110, 0, 100)))
    assert found.ids.tolist() == [None, None]
    assert np.isnan(found.distance_m).all()
    nothing = linked([at(0, 0)], ice())
    assert nothing.ids.tolist() == [None]
    assert linked([], ice(g=at(0, 0))).ids.tolist() == []


@given(st.integers(0, 10**6))
def test_distances_and_shares_are_those_of_every_pair(seed):
    """Against shapely, outline by outline; margins of more corners than a piece has, lakes on and off the ice."""
    rng = np.random.default_rng(seed)
    lakes = np.array([blob(rng, 80, 30) for _ in range(8)], object)
    outlines = np.array([blob(rng, 700, 90) for _ in range(5)], object)
    found = links(lakes, Ice(np.array([f"G{n}" for n in range(5)], object), outlines), np.ones(8))
    for lake, name, distance, share in zip(lakes, found.ids, found.distance_m, found.overlap_share, strict=True):
        apart = shapely.distance(lake, outlines)
        assert distance == pytest.approx(apart.min(), abs=1e-6)
        assert apart[int(name[1:])] == pytest.approx(apart.min(), abs=1e-6)
        assert share == pytest.approx(shapely.area(shapely.intersection(lake, shapely.union_all(outlines))) / lake.area, abs=1e-9)


@given(st.permutations(range(5)), st.permutations(range(8)))
def test_the_order_of_lakes_and_glaciers_changes_nothing(glacier_order, lake_order):
    rng = np.random.default_rng(7)
    lakes = np.array([blob(rng, 80, 30) for _ in range(8)], object)
    outlines, names = np.array([blob(rng, 700, 90) for _ in range(5)], object), np.array(list("abcde"), object)
    plain = links(lakes, Ice(names, outlines), np.ones(8))
    shuffled = links(lakes[lake_order], Ice(names[glacier_order], outlines[glacier_order]), np.ones(8))
    for field in ("ids", "distance_m", "overlap_share"):
        assert getattr(shuffled, field).tolist() == getattr(plain, field)[lake_order].tolist()


def blob(rng, radius_m, corners):
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    radius = radius_m * (1 + 0.3 * np.sin(3 * angles + rng.uniform(0, 6)))
    centre = np.array([EAST, NORTH]) + rng.uniform(-2500, 2500, 2)
    return shapely.make_valid(shapely.Polygon(centre + radius[:, None] * np.column_stack([np.cos(angles), np.sin(angles)])))


def given_by_user(names, years, shapes):
    return Glaciers(np.array(names, object), np.full(len(names), None, object), np.array(years, float), np.array(shapes, object), "x.gpkg")


def test_of_each_glacier_the_outlines_nearest_in_time_are_taken():
    shapes = to_degrees(np.array([at(0, 0), at(0, 10), at(0, 20), at(0, 30)], object), EPSG)
    glaciers = given_by_user(["a", "a", "a", "undated"], [1990, 2005, 2020, np.nan], shapes)
    for year, area in ((1985, 0), (2006, 10), (2030, 20)):
        near = ice_near(glaciers, EPSG, np.array([[86.9, 27.9]]), year)
        assert near.ids.tolist() == ["a", "undated"]
        assert near.outlines[0].bounds[1] - NORTH == pytest.approx(area, abs=1e-3)


def test_only_outlines_around_the_lakes_are_looked_at_also_across_the_date_line():
    places = {"here": 179.9, "beyond the line": -179.8, "far": 170.0, "farther": -20.0}
    shapes = [box(east, 66.0, east + 0.05, 66.1) for east in places.values()]
    wide = shapely.MultiPolygon([box(179.95, 66, 180, 66.1), box(-180, 66, -179.9, 66.1)])
    glaciers = given_by_user([*places, "wide"], [np.nan] * 5, [*shapes, wide])
    found = ice_near(glaciers, 32660, np.array([[179.95, 66.0], [-179.99, 66.1]]), 2020)
    assert sorted(found.ids) == ["beyond the line", "here", "wide"]


def test_parts_come_together_in_the_places_of_their_lakes():
    part = GlacierLinks(np.array(["g"], object), np.array([3.0]), np.array([0.2]))
    whole = together([(np.array([2]), part)], 3)
    assert whole.ids.tolist() == [None, None, "g"]
    assert whole.overlap_share.tolist() == [0, 0, 0.2]
    assert np.isnan(whole.distance_m[:2]).all()
