"""Outlines as features, and what was drawn in many scenes as outlines of one place."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely.affinity import translate

from catalog.facts.pixel_grids import PixelGrid
from models.outlines.geodesy import to_degrees, to_metres
from models.referrer.meaning import meant
from models.referrer.outline_features import features_of_outlines
from models.referrer.sightings import Sighting, features_drawn, in_degrees, joined, sightings_of
from models.referrer.sources import features_of_inventories

EPSG = 32643
GRID = PixelGrid(EPSG, 500_000.0, 4_800_000.0, 10.0, 224, 448)
PHRASES = (
    *(
        "the largest lake",
        "the smallest lake",
        "the lake in the upper left",
        "all lakes on the right",
        "the lake closest to the largest lake",
    ),
    *(
        "the second lake from the left in the row",
        "the leftmost lake of the pair at the top",
        "all lakes",
        "the largest lake at the bottom",
    ),
    *("the lake second from the left in the row at the bottom", "the uppermost lake of the cluster on the left"),
)


def at(x, y, width, height):
    """A box by its upper left corner in metres from that of the grid."""
    return shapely.box(GRID.left + x, GRID.top - y - height, GRID.left + x + width, GRID.top - y)


@pytest.mark.parametrize("seed", range(8))
def test_outlines_mean_what_their_pixels_mean(seed):
    rng = np.random.default_rng(seed)
    places = rng.permutation([(x, y) for x in range(0, 4200, 600) for y in range(0, 1800, 500)])[:7]
    shapes = np.array([at(10 * (x // 10), 10 * (y // 10), *(10 * rng.integers(8, 40, 2))) for x, y in places], object)
    areas = shapely.area(shapes)
    names = [f"GL{number}" for number in range(len(shapes))]
    frame = gpd.GeoDataFrame({"lake_id": names, "area_m2": areas}, geometry=list(shapes), crs=EPSG)
    drawn = features_of_inventories(GRID, frame).features()
    told = features_of_outlines(GRID, shapes, areas.tolist(), names, "lake")
    assert [each.feature_id for each in told] == [each.feature_id for each in drawn] == names
    for one, other in zip(told, drawn, strict=True):
        assert (one.x, one.y, one.diameter) == pytest.approx((other.x, other.y, other.diameter), abs=0.003)
        assert one.bounds_lbrt == pytest.approx(other.bounds_lbrt, abs=1e-6)
    for phrase in PHRASES:
        assert meant(phrase, told).numbers == meant(phrase, drawn).numbers, phrase


def test_a_bent_lake_is_where_it_has_water():
    bent = shapely.union_all([at(0, 0, 1000, 50), at(0, 0, 50, 1000)])
    (feature,) = features_of_outlines(GRID, np.array([bent], object), [1.0], ["GL1"], "lake")
    point = shapely.Point(GRID.left + feature.x * 4480, GRID.top - feature.y * 2240)
    assert shapely.dwithin(bent, point, 1.0)


def test_ends_beyond_the_rectangle_count_as_at_its_edge():
    (feature,) = features_of_outlines(GRID, np.array([at(-500, 2200, 600, 200)], object), [1.0], ["GL1"], "lake")
    assert (feature.x, feature.y) == pytest.approx((0.0, 1.0))
    assert meant("the lake in the lower left", [feature]).outcome == "found"


def test_parts_of_a_mask_are_outlines_on_the_ground():
    mask = np.zeros(GRID.shape, bool)
    mask[10:20, 10:30], mask[100:110, 100:110] = True, True
    found = sightings_of(mask, GRID, 0.7)
    assert sorted(shapely.area(each.outline) for each in found) == [10_000, 20_000]
    assert {each.score for each in found} == {0.7}
    assert any(shapely.equals(each.outline, at(100, 100, 200, 100)) for each in found)
    assert sightings_of(np.zeros(GRID.shape, bool), GRID, 0.7) == ()


def test_what_meets_at_the_border_of_two_scenes_is_one_with_the_mean_score():
    halves = [Sighting(at(0, 0, 100, 100), 1.0), Sighting(at(100, 0, 300, 100), 0.6), Sighting(at(1000, 0, 100, 100), 0.2)]
    whole, other = sorted(joined(halves), key=lambda each: -shapely.area(each.outline))
    assert shapely.equals(whole.outline, at(0, 0, 400, 100))
    assert whole.score == pytest.approx(0.7)
    assert other.score == 0.2
    assert joined([]) == ()


def test_two_zones_that_drew_the_same_ground_drew_one_thing():
    (ground,) = to_degrees(np.array([shapely.box(737_000, 4_800_000, 737_200, 4_800_200)], object), EPSG)
    seen = {epsg: [Sighting(to_metres(np.array([ground], object), epsg)[0], 0.5)] for epsg in (32643, 32644)}
    assert len(in_degrees(seen)) == 1
    far = {32643: seen[32643], 32644: [Sighting(translate(seen[32644][0].outline, 5000), 0.5)]}
    assert len(in_degrees(far)) == 2
    assert in_degrees({}) == ()


@pytest.mark.parametrize(
    ("drawn", "rows"),
    [
        (at(0, 0, 200, 200), (0,)),
        (at(0, 0, 200, 120), (0,)),
        (at(0, 0, 200, 80), ()),
        (at(0, 0, 500, 200), (0, 1)),
        (at(0, 0, 2000, 2000), ()),
        (at(3000, 1000, 100, 100), ()),
    ],
)
def test_a_drawing_is_the_features_that_it_covers_and_fits(drawn, rows):
    lakes = to_degrees(np.array([at(0, 0, 200, 200), at(250, 0, 250, 200), at(3000, 0, 100, 100)], object), EPSG)
    (outline,) = to_degrees(np.array([drawn], object), EPSG)
    assert features_drawn(outline, lakes, EPSG) == rows
