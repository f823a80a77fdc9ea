"""Where every name of a release went in the next one."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from catalog.facts.change_schemas import CROSSWALK
from models.outlines.crosswalk import crosswalk

LON, LAT = 86.9, 27.9


def box(x, width=10.0):
    return shapely.box(LON + x / 1000, LAT, LON + (x + width) / 1000, LAT + 0.01)


def walked(old, new):
    """(old, new) -> relation, of two releases given as {id: outline}."""

    def named(lakes):
        outlines = np.empty(len(lakes), dtype=object)
        outlines[:] = list(lakes.values())
        return list(lakes), outlines

    table = crosswalk(named(old), named(new), old_release="1", new_release="2")
    assert table.schema.equals(CROSSWALK)
    assert set(table.column("old_release").to_pylist()) <= {"1"}
    return {(row["old_id"], row["new_id"]): row["relation"] for row in table.to_pylist()}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"A": box(0)}, {"A": box(1)}, {("A", "A"): "kept"}),
        ({"A": box(0)}, {"A": box(50)}, {("A", "A"): "kept"}),
        ({"A": box(0)}, {"B": box(1)}, {("A", "B"): "renamed"}),
        ({"A": box(0)}, {"B": box(50)}, {("A", None): "gone", (None, "B"): "new"}),
        ({"A": box(0), "B": box(12)}, {"A": box(0, 22)}, {("A", "A"): "kept", ("B", "A"): "merged"}),
        ({"A": box(0, 22)}, {"A": box(0), "C": box(12)}, {("A", "A"): "kept", ("A", "C"): "split"}),
        ({"A": box(0), "B": box(12)}, {"C": box(0, 22)}, {("A", "C"): "merged", ("B", "C"): "merged"}),
        ({"A": box(0, 22)}, {"B": box(0), "C": box(12)}, {("A", "B"): "split", ("A", "C"): "split"}),
        ({"A": box(0), "B": box(9)}, {"A": box(0), "B": box(5)}, {("A", "A"): "kept", ("B", "B"): "kept"}),
        ({"A": box(0)}, {"B": box(9.5)}, {("A", None): "gone", (None, "B"): "new"}),
        ({}, {}, {}),
    ],
)
def test_every_name_is_said_where_it_went(old, new, expected):
    assert walked(old, new) == expected


def test_shared_ground_is_in_square_metres():
    table = crosswalk((["A"], np.array([box(0)])), (["B"], np.array([box(5)])), old_release="1", new_release="2")
    assert table.column("shared_m2").to_pylist() == [pytest.approx(5e-3 * 1e-2 * 111_194.93**2 * np.cos(np.radians(LAT + 0.005)), rel=1e-6)]


lakes = st.dictionaries(st.sampled_from("ABCDEFG"), st.tuples(st.integers(0, 60), st.integers(3, 30)), max_size=6)


@given(lakes, lakes)
def test_no_name_is_left_out_and_none_is_invented(old, new):
    rows = walked({name: box(*place) for name, place in old.items()}, {name: box(*place) for name, place in new.items()})
    assert {one for one, _ in rows if one} == set(old)
    assert {other for _, other in rows if other} == set(new)
    for (one, other), relation in rows.items():
        assert (relation == "kept") == (one == other)
        assert (relation == "gone") == (other is None)
        assert (relation == "new") == (one is None)
        assert relation != "renamed" or (one not in new and other not in old)
