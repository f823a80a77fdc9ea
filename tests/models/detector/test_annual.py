from dataclasses import replace
from datetime import date

import geopandas as gpd
import numpy as np
import pytest
import shapely

from catalog.facts.errors import SchemaError
from models.detector.annual import ImageSlumps, annual, coverage_of
from models.detector.middle import middle_of
from models.outlines.contours import ContourOptions

X, Y = 500_000.0, 7_600_000.0
GROUND = shapely.box(X, Y, X + 2000, Y + 2000)


def disc(x_m, y_m, radius_m):
    return shapely.Point(X + x_m, Y + y_m).buffer(radius_m, quad_segs=32)


def image(name, day, *shapes, observed=GROUND, scores=None):
    scores = np.ones(len(shapes)) if scores is None else np.array(scores, float)
    return ImageSlumps(name, date(2021, 7, day), np.array(shapes, dtype=object), scores, observed)


def likeness(one, other):
    return shapely.area(one & other) / shapely.area(one | other)


def test_three_looks_at_one_slump_are_one_slump_where_most_say_it_is():
    images = [image("a", 1, disc(500, 500, 60)), image("b", 9, disc(500, 500, 60)), image("c", 20, disc(500, 500, 90))]
    (slump,) = annual(images).slumps
    assert likeness(slump.polygon, disc(500, 500, 60)) > 0.97
    assert (slump.images, slump.looks, slump.members, slump.votes_share) == (("a", "b", "c"), 3, 3, 1.0)
    assert (slump.day_first, slump.day_last) == (date(2021, 7, 1), date(2021, 7, 20))


def test_of_two_outlines_the_middle_stands_neither_union_nor_intersection():
    (slump,) = annual([image("a", 1, disc(500, 500, 60)), image("b", 9, disc(500, 500, 80))]).slumps
    assert likeness(slump.polygon, disc(500, 500, 70)) > 0.97


def test_an_image_that_saw_the_ground_and_shows_nothing_makes_it_less_sure_but_keeps_it():
    (slump,) = annual([image("a", 1, disc(500, 500, 60)), image("b", 9)]).slumps
    assert (slump.looks, slump.votes_share) == (2, 0.5)
    assert likeness(slump.polygon, disc(500, 500, 60)) > 0.999


def test_an_image_that_did_not_see_the_ground_says_nothing():
    west = shapely.box(X, Y, X + 300, Y + 2000)
    (slump,) = annual([image("a", 1, disc(500, 500, 60)), image("cloudy", 9, observed=west)]).slumps
    assert (slump.looks, slump.votes_share) == (1, 1.0)


def test_an_image_of_unknown_footprint_never_votes_against():
    (slump,) = annual([image("a", 1, disc(500, 500, 60)), image("b", 9, observed=None)]).slumps
    assert slump.looks == 1


def test_a_slump_that_an_image_cuts_is_completed_by_those_that_see_the_rest():
    whole, half = disc(500, 500, 80), shapely.box(X, Y, X + 500, Y + 2000)
    images = [
        image("a", 1, shapely.intersection(whole, half), observed=half),
        image("b", 9, shapely.intersection(whole, half), observed=half),
        image("c", 20, whole),
    ]
    (slump,) = annual(images).slumps
    # two images do not show the eastern half, which is no vote against it
    assert likeness(slump.polygon, whole) > 0.97
    assert slump.looks == 3


def test_neighbours_that_one_image_tells_apart_stay_two():
    left, right = disc(400, 500, 40), disc(500, 500, 40)
    images = [image("a", 1, left, right), image("b", 9, left, right), image("c", 20, shapely.convex_hull(left | right))]
    slumps = annual(images).slumps
    assert len(slumps) == 2
    assert all(slump.conflict for slump in slumps)


def test_an_outline_drawn_twice_in_one_image_is_dissolved():
    (slump,) = annual([image("a", 1, disc(500, 500, 60), disc(510, 500, 60))]).slumps
    assert slump.members == 2
    assert slump.looks == 1
    assert likeness(slump.polygon, disc(500, 500, 60) | disc(510, 500, 60)) > 0.99


def test_more_images_do_not_make_a_slump_surer():
    images = [image(str(number), number, disc(500, 500, 60), scores=[score]) for number, score in enumerate((0.4, 0.9, 0.5), start=1)]
    (slump,) = annual(images).slumps
    assert slump.score == pytest.approx(0.6)


def test_coverage_counts_how_often_ground_was_seen():
    left, right = shapely.box(X, Y, X + 600, Y + 100), shapely.box(X + 400, Y, X + 1000, Y + 100)
    seen = coverage_of(
        [image("a", 3, observed=left), image("b", 1, observed=right), image("c", 2, observed=left), image("d", 4, observed=None)]
    )
    assert [round(ground.area) for ground in seen.seen] == [100_000, 60_000, 20_000]
    assert seen.observed.equals(left | right)
    assert seen.images == ("b", "c", "a", "d")
    assert seen.days == (date(2021, 7, 1), date(2021, 7, 4))


def test_nothing_in_nothing_out():
    assert annual([]).slumps == ()
    assert annual([]).coverage.observed.is_empty
    assert annual([image("a", 1)]).slumps == ()


def test_order_of_images_and_outlines_does_not_matter():
    rng = np.random.default_rng(5)
    images = [
        image(
            str(number),
            number + 1,
            *(disc(*(place + rng.normal(0, 6, 2)), rng.uniform(40, 70)) for place in rng.uniform(100, 1900, (25, 2))),
            scores=rng.random(25),
        )
        for number in range(4)
    ]
    first = annual(images)
    order = rng.permutation(25)
    turned = [replace(one, polygons=one.polygons[order], scores=one.scores[order]) for one in reversed(images)]
    again = annual(turned)
    assert [shapely.to_wkb(slump.polygon) for slump in again.slumps] == [shapely.to_wkb(slump.polygon) for slump in first.slumps]
    assert [replace(slump, polygon=None) for slump in again.slumps] == [replace(slump, polygon=None) for slump in first.slumps]


def test_an_image_twice_or_a_score_too_few_is_refused():
    one = image("a", 1, disc(500, 500, 60))
    with pytest.raises(SchemaError, match="twice"):
        annual([one, one])
    with pytest.raises(SchemaError, match="1 outlines and 0 scores"):
        annual([replace(one, scores=np.empty(0))])


def test_the_middle_of_equal_outlines_is_that_outline():
    shape = disc(500, 500, 60)
    assert likeness(middle_of([shape] * 4, [None] * 4, ContourOptions()), shape) > 0.985


def test_slumps_by_date_become_one_set_per_year(shared_data):
    path = shared_data / "rts" / "inventories" / "runge2022_chukotka_coast_by_date.gpkg"
    if not path.is_file():
        pytest.skip("the inventory by date is not here")
    table = gpd.read_file(path)
    table = table[table.geometry.notna()].to_crs(32660)
    table["geometry"] = shapely.make_valid(table.geometry.to_numpy())
    years = {}
    for (name, day), rows in table.groupby(["source_file", "image_date"]):
        shapes = rows.geometry.to_numpy()
        years.setdefault(day[:4], []).append(ImageSlumps(name, date.fromisoformat(day), shapes, np.ones(len(shapes))))
    found = {year: annual(images).slumps for year, images in years.items()}
    counts = {year: (sum(len(one.polygons) for one in years[year]), len(slumps)) for year, slumps in found.items()}
    assert all(0 < after <= before for before, after in counts.values())
    # two dates of one coast in one year; all other years have one image
    assert counts["2017"][0] == 110
    assert 55 <= counts["2017"][1] <= 65
    for slumps in found.values():
        shapes = np.array([slump.polygon for slump in slumps], dtype=object)
        assert shapely.is_valid(shapes).all()
        one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
        shared = shapely.area(shapely.intersection(shapes[one], shapes[other]))[one < other]
        smaller = np.minimum(shapely.area(shapes[one]), shapely.area(shapes[other]))[one < other]
        assert (shared / smaller > 0.5).mean() < 0.02 if shared.size else True
