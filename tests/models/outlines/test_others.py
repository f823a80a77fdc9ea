"""Outlines that others drew, joined and followed: a script of births, losses, splits, merges and gaps, whatever the order."""

from collections import Counter

import numpy as np
import pytest
import shapely

from catalog.facts.options import TRACKING
from models.outlines.others import dissolved, observed_on_tiles
from models.outlines.track import tracks_from_polygons

SIDE = 0.01
SPAN = (2016, 2020)


def _box(column, *, west=0.0, east=1.0, north=1.0):
    left = 100.0 + 3 * SIDE * column
    return shapely.box(left + west * SIDE, 70.0, left + east * SIDE, 70.0 + north * SIDE)


def _array(shapes, rng=None):
    found = np.empty(len(shapes), dtype=object)
    found[:] = shapes
    return found if rng is None else found[rng.permutation(len(shapes))]


def _script(rng):
    """Columns: 0 goes on, 1 is born in 2018, 2 is lost after 2017, 3 splits in 2019, 4 merges in 2019, 5 is missed in 2018."""
    halves, whole = [_box(4, east=0.45), _box(4, west=0.5)], [_box(4)]
    pieces = [_box(3, east=0.45), _box(3, west=0.5)]
    years = {}
    for year in (2016, 2017, 2018, 2019):
        shapes = [_box(0)]
        shapes += [_box(1)] if year >= 2018 else []
        shapes += [_box(2)] if year <= 2017 else []
        shapes += pieces if year >= 2019 else [_box(3)]
        shapes += whole if year >= 2019 else halves
        shapes += [_box(5)] if year != 2018 else []
        years[year] = _array(shapes, rng)
    return years


def _told(outlines, observed=None):
    tracks, registry = tracks_from_polygons(outlines, SPAN, TRACKING["slumps"], pixel_m=10.0, prefix="RTS", observed=observed)
    return tracks.rows.to_pylist(), tracks.events.to_pylist(), registry


def test_the_script_is_told_again_exactly():
    rows, events, _ = _told(_script(np.random.default_rng(0)))
    assert Counter((event["event"], event["year_from"], event["year_to"]) for event in events) == {
        ("appear", 2017, 2018): 1,
        ("vanish", 2017, 2018): 2,
        ("reappear", 2018, 2019): 1,
        ("split", 2018, 2019): 1,
        ("merge", 2018, 2019): 1,
    }
    (split,) = [event for event in events if event["event"] == "split"]
    (merge,) = [event for event in events if event["event"] == "merge"]
    assert (len(split["parents"]), len(split["children"])) == (1, 2)
    assert (len(merge["parents"]), len(merge["children"])) == (2, 1)
    assert set(split["parents"]) <= set(split["children"])
    assert set(merge["children"]) <= set(merge["parents"])
    assert {row["state"] for row in rows if row["year"] == 2020} == {"unobserved"}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_of_rows_and_years_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    shuffled = _script(rng)
    shuffled = {year: shuffled[year] for year in rng.permutation(list(shuffled)).tolist()}
    assert _told(shuffled)[:2] == _told(_script(np.random.default_rng(0)))[:2]


def test_ground_whose_image_a_year_lacks_was_not_looked_at():
    outlines = {2016: _array([_box(0), _box(9)]), 2017: _array([_box(0)]), 2018: _array([_box(0), _box(9)])}
    tiles = {2016: ("a", "b"), 2017: ("a",), 2018: ("a", "b")}
    _, events, _ = _told(outlines, observed_on_tiles(outlines, tiles))
    assert events == []
    _, unaware, _ = _told(outlines)
    assert {event["event"] for event in unaware} == {"vanish", "reappear"}


def test_a_year_without_names_of_images_was_observed_everywhere():
    outlines = {2016: _array([_box(0)]), 2017: _array([_box(1)])}
    observed = observed_on_tiles(outlines, {2016: ("",), 2017: ("",)})
    assert observed(2017, outlines[2016]).tolist() == [1.0]


def test_a_slump_drawn_twice_in_a_year_is_one():
    twice = _array([_box(0), _box(0, west=0.1, east=1.1), _box(1), _box(2, east=0.5), _box(2, west=0.45)])
    joined = dissolved(twice, min_overlap=0.3)
    assert len(joined) == 4
    assert shapely.area(joined).max() == pytest.approx(1.1 * SIDE**2)
    again = dissolved(twice[::-1], min_overlap=0.3)
    assert [shape.normalize().wkb for shape in again] == [shape.normalize().wkb for shape in joined]


def test_nothing_drawn_is_nothing_joined():
    assert len(dissolved(np.empty(0, dtype=object), min_overlap=0.3)) == 0
