"""Edits survive what reruns do to outlines; what cannot survive is reported."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from catalog.facts.edits import Edit
from catalog.facts.schemas import LAKES
from models.outlines.geodesy import area_perimeter
from models.outlines.identity import empty_registry, name_features
from models.review.drawings import Lattice
from models.review.edited import Features, with_edits

YEAR, LON, LAT = 2021, 78.0, 44.3
LAKES_AT = ((0, 0), (10, 0), (20, 0))
"""Corners, thousandths of degrees."""


def lake(x, y, size=4.0, height=None):
    """A square whose corner lies x, y thousandths of a degree from the test's corner; 4 thousandths are 0.14 km2."""
    return shapely.box(LON + x / 1000, LAT + y / 1000, LON + (x + size) / 1000, LAT + (y + (height or size)) / 1000)


def features(outlines):
    held = np.array(outlines, dtype=object)
    points = shapely.get_coordinates(shapely.point_on_surface(held)).reshape(-1, 2)
    area, perimeter = area_perimeter(held)
    columns = {name: [None] * len(held) for name in LAKES.names}
    columns |= {"longitude": points[:, 0].tolist(), "latitude": points[:, 1].tolist(), "area_m2": area.tolist()}
    columns |= {"perimeter_m": perimeter.tolist(), "probability": [0.9] * len(held), "flags": [["few_looks"] for _ in held]}
    columns |= {"utm_epsg": [32644] * len(held), "observed_share": [1.0] * len(held), "area_probability_m2": area.tolist()}
    return Features(held, columns)


def edited(outlines, edits, registry=None, year=YEAR):
    naming = partial(name_features, year, registry=registry or empty_registry(), min_overlap=0.1)
    return with_edits(year, features(outlines), edits, naming, Lattice())


def first_run():
    found = edited([lake(*at) for at in LAKES_AT], [])
    return found.ids, found.registry


def edit(number, action, feature_id="", seen=None, **more):
    wkt = shapely.to_wkt(seen, rounding_precision=-1) if seen is not None else ""
    drawn = more.pop("drawn", None)
    geometry = shapely.to_wkt(drawn, rounding_precision=-1) if drawn is not None else ""
    more = {"year": YEAR, "reason": "because", "author": "a", "date": f"2026-01-{number:02d}"} | more
    return Edit(number, action, feature_id=feature_id, seen_outline_wkt=wkt, geometry_wkt=geometry, seen_area_m2=1000.0, **more)


def states(found):
    return {verdict.edit: verdict.state for verdict in found.verdicts}


def test_without_edits_nothing_but_names_is_added():
    found = edited([lake(*at) for at in LAKES_AT], [edit(1, "reject", "GL0", year=2019)])
    assert len(set(found.ids)) == 3
    assert found.verdicts == ()
    assert found.columns["edit"] == [None] * 3
    assert found.columns["flags"] == [["few_looks"]] * 3


def test_a_rejected_lake_leaves_the_inventory_and_its_name_stays_taken():
    ids, registry = first_run()
    found = edited([lake(*at) for at in LAKES_AT], [edit(1, "reject", ids[0], lake(0, 0))], registry)
    assert found.ids == ids[1:]
    assert ids[0] in found.registry.ids
    assert states(found) == {1: "applied"}


@given(st.floats(-0.8, 0.8), st.floats(-0.8, 0.8), st.floats(3.6, 4.4))
def test_a_rejected_lake_stays_rejected_when_its_shore_moves_by_a_fifth(dx, dy, size):
    ids, registry = first_run()
    rerun = [lake(dx, dy, size), *(lake(*at) for at in LAKES_AT[1:])]
    found = edited(rerun, [edit(1, "reject", ids[0], lake(0, 0))], registry)
    assert set(found.ids) == set(ids[1:])


def test_a_rejected_lake_is_found_by_its_ground_when_its_name_is_gone():
    found = edited([lake(*at) for at in LAKES_AT], [edit(1, "reject", "GL999999E99999N", lake(0, 0))])
    assert len(found.ids) == 2
    assert "is named GL0780" in found.verdicts[0].message


def test_what_was_rejected_comes_back_with_a_conflict_when_it_is_mostly_other_ground():
    ids, registry = first_run()
    found = edited([lake(0, 0, 9.0), *(lake(*at) for at in LAKES_AT[1:])], [edit(1, "reject", ids[0], lake(0, 0))], registry)
    assert set(found.ids) == set(ids)
    assert states(found) == {1: "conflict"}


def test_a_rejected_lake_of_which_a_piece_is_left_stays_out_and_is_reported():
    ids, registry = first_run()
    found = edited([lake(0, 0, 4, 1), *(lake(*at) for at in LAKES_AT[1:])], [edit(1, "reject", ids[0], lake(0, 0))], registry)
    assert set(found.ids) == set(ids[1:])
    assert states(found) == {1: "conflict"}


def test_a_redrawn_lake_has_the_figures_of_its_new_outline_and_keeps_its_name():
    ids, registry = first_run()
    new = lake(0, 0, 2.0)
    found = edited([lake(*at) for at in LAKES_AT], [edit(1, "redraw", ids[0], lake(0, 0), drawn=new)], registry)
    row = found.ids.index(ids[0])
    area, perimeter = area_perimeter(np.array([new], object))
    assert found.columns["area_m2"][row] == pytest.approx(area[0])
    assert found.columns["perimeter_m"][row] == pytest.approx(perimeter[0])
    assert found.columns["area_low_m2"][row] < area[0] < found.columns["area_high_m2"][row]
    assert found.columns["flags"][row] == ["few_looks", "edited"]
    assert (found.columns["edit"][row], found.columns["edit_note"][row]) == ("redrawn", "because")
    assert found.columns["area_probability_m2"][row] is None
    assert found.columns["probability"][row] == 0.9
    assert new.contains(shapely.Point(found.columns["longitude"][row], found.columns["latitude"][row]))


def test_a_lake_redrawn_below_the_minimum_is_flagged_as_small():
    ids, registry = first_run()
    found = edited([lake(*at) for at in LAKES_AT], [edit(1, "redraw", ids[0], lake(0, 0), drawn=lake(0, 0, 0.5))], registry)
    assert found.columns["flags"][0] == ["few_looks", "below_minimum_area", "edited"]


def test_a_drawn_lake_is_named_once_and_keeps_its_name_in_the_next_run():
    _, registry = first_run()
    draw = edit(1, "draw", drawn=lake(30, 0))
    once = edited([lake(*at) for at in LAKES_AT], [draw], registry)
    again = edited([lake(*at) for at in LAKES_AT], [draw], once.registry)
    assert again.ids == once.ids
    assert len(set(once.ids)) == 4
    assert once.columns["edit"][-1] == "drawn"
    assert once.columns["probability"][-1] is None
    assert once.columns["tile"][-1].startswith("32644-")
    assert states(once) == {1: "applied"}


def test_a_drawn_lake_that_a_rerun_maps_too_is_listed_once_under_its_name():
    _, registry = first_run()
    draw = edit(1, "draw", drawn=lake(30, 0))
    once = edited([lake(*at) for at in LAKES_AT], [draw], registry)
    found = edited([*(lake(*at) for at in LAKES_AT), lake(30.3, 0)], [draw], once.registry)
    assert sorted(found.ids) == sorted(once.ids)
    assert shapely.equals(found.outlines[found.ids.index(once.ids[-1])], lake(30, 0))
    assert states(found) == {1: "conflict"}


@pytest.mark.parametrize(("action", "state"), [("accept", "conflict"), ("note", "conflict"), ("reject", "not_applicable")])
def test_an_edit_of_a_lake_that_a_rerun_lost_is_told_with_its_area(action, state):
    ids, registry = first_run()
    found = edited([lake(*at) for at in LAKES_AT[1:]], [edit(1, action, ids[0], lake(0, 0))], registry)
    assert states(found) == {1: state}
    assert "1,000 m2" in found.verdicts[0].message


def test_a_redrawing_of_a_lost_lake_stands_alone_under_its_old_name_and_is_reported():
    ids, registry = first_run()
    found = edited([lake(*at) for at in LAKES_AT[1:]], [edit(1, "redraw", ids[0], lake(0, 0), drawn=lake(0, 0, 3.0))], registry)
    assert set(found.ids) == set(ids)
    assert states(found) == {1: "conflict"}


def test_a_redrawing_for_every_year_draws_nothing_in_a_year_without_the_lake():
    ids, registry = first_run()
    every = edit(1, "redraw", ids[0], lake(0, 0), drawn=lake(0, 0, 3.0), year=None)
    found = edited([lake(*at) for at in LAKES_AT[1:]], [every], registry)
    assert set(found.ids) == set(ids[1:])
    assert states(found) == {1: "not_applicable"}


def test_of_two_edits_that_contradict_the_later_stands_and_the_earlier_is_reported():
    ids, registry = first_run()
    edits = [edit(1, "reject", ids[0], lake(0, 0)), edit(2, "accept", ids[0], lake(0, 0))]
    kept = edited([lake(*at) for at in LAKES_AT], edits, registry)
    assert ids[0] in kept.ids
    assert states(kept) == {1: "conflict", 2: "applied"}
    gone = edited([lake(*at) for at in LAKES_AT], [replace(edits[0], date="2026-02-01"), edits[1]], registry)
    assert ids[0] not in gone.ids
    assert states(gone) == {1: "applied", 2: "conflict"}


def test_an_edit_of_one_year_goes_before_that_of_every_year():
    ids, registry = first_run()
    edits = [edit(1, "accept", ids[0], lake(0, 0)), edit(2, "reject", ids[0], lake(0, 0), year=None)]
    found = edited([lake(*at) for at in LAKES_AT], edits, registry)
    assert ids[0] in found.ids
    assert states(found) == {1: "applied", 2: "not_applicable"}


def test_a_redrawing_over_a_neighbour_is_reported_with_the_ground_it_shares():
    ids, registry = first_run()
    found = edited([lake(*at) for at in LAKES_AT], [edit(1, "redraw", ids[0], lake(0, 0), drawn=lake(0, 0, 11.0, 4.0))], registry)
    assert states(found) == {1: "conflict"}
    assert ids[1] in found.verdicts[0].message


def test_an_outline_that_was_accepted_and_changed_is_not_marked_as_accepted():
    ids, registry = first_run()
    accept = edit(1, "accept", ids[0], lake(0, 0))
    assert edited([lake(*at) for at in LAKES_AT], [accept], registry).columns["edit"][0] == "accepted"
    changed = edited([lake(0, 0, 1.5), *(lake(*at) for at in LAKES_AT[1:])], [accept], registry)
    assert changed.columns["edit"][0] is None
    assert states(changed) == {1: "conflict"}


def test_notes_join_what_others_wrote():
    ids, registry = first_run()
    edits = [edit(1, "note", ids[0], lake(0, 0), reason="turbid"), edit(2, "accept", ids[0], lake(0, 0), reason="seen in the field")]
    found = edited([lake(*at) for at in LAKES_AT], edits, registry)
    assert found.columns["edit_note"][0] == "seen in the field; turbid"


@given(st.permutations(range(5)))
def test_the_order_of_edits_in_the_file_does_not_matter(order):
    ids, registry = first_run()
    edits = [
        edit(1, "reject", ids[0], lake(0, 0)),
        edit(2, "accept", ids[0], lake(0, 0)),
        edit(3, "redraw", ids[1], lake(10, 0), drawn=lake(10, 0, 3.0)),
        edit(4, "draw", drawn=lake(30, 0)),
        edit(5, "note", ids[2], lake(20, 0)),
    ]
    straight = edited([lake(*at) for at in LAKES_AT], edits, registry)
    mixed = edited([lake(*at) for at in LAKES_AT], [edits[place] for place in order], registry)
    assert (mixed.ids, mixed.columns, mixed.verdicts) == (straight.ids, straight.columns, straight.verdicts)
