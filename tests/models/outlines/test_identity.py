import re

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from models.outlines.identity import base_name, empty_registry, name_features

LON, LAT = 86.925, 27.898


def square(x, y, size=10.0):
    """A square (or a rectangle) whose lower left corner lies x, y thousandths of a degree from the test's corner."""
    width, height = size if isinstance(size, tuple) else (size, size)
    return shapely.box(LON + x / 1000, LAT + y / 1000, LON + (x + width) / 1000, LAT + (y + height) / 1000)


def named(year, outlines, registry):
    held = np.empty(len(outlines), dtype=object)
    held[:] = outlines
    points = shapely.get_coordinates(shapely.point_on_surface(held)) if outlines else np.empty((0, 2))
    return name_features(year, held, points, registry, min_overlap=0.1)


def named_years(*years):
    registry, ids = empty_registry(), []
    for year, outlines in years:
        found, registry = named(year, outlines, registry)
        ids.append(found)
    return ids, registry


@pytest.mark.parametrize(
    ("longitude", "latitude", "name"),
    [
        (86.925, 27.898, "GL086925E27898N"),
        (-16.35, 64.07, "GL016350W64070N"),
        (-73.0004, -49.5, "GL073000W49500S"),
        (179.9999, 5.0, "GL180000E05000N"),
    ],
)
def test_names_tell_the_point_in_thousandths_of_degrees(longitude, latitude, name):
    assert base_name(longitude, latitude) == name


def test_a_name_never_changes_while_the_lake_grows():
    (first, second, third), _ = named_years((2018, [square(0, 0, 10)]), (2019, [square(-4, -4, 18)]), (2020, [square(-9, -9, 30)]))
    assert first == second == third


def test_a_merged_lake_keeps_the_name_of_the_parent_that_gave_most_and_a_split_gives_it_to_the_largest_child():
    parents = [square(0, 0, (10, 10)), square(12, 0, (20, 10))]
    (before, merged, after), _ = named_years(
        (2018, parents), (2019, [square(0, 0, (32, 10))]), (2020, [square(0, 0, (6, 10)), square(9, 0, (23, 10))])
    )
    assert merged == (before[1],)
    assert after[1] == before[1]
    assert after[0] == before[0], "the other parent comes back under its own name"


def test_the_smaller_child_of_a_split_gets_a_new_name():
    (before, after), _ = named_years((2018, [square(0, 0, (32, 10))]), (2019, [square(0, 0, (6, 10)), square(9, 0, (23, 10))]))
    assert after[1] == before[0]
    assert after[0] not in before


def test_years_added_before_or_between_do_not_change_any_name():
    late = [square(0, 0, 10), square(40, 0, 10)]
    (ids,), registry = named_years((2020, late))
    earlier, registry = named(2015, [square(2, 2, 6), square(80, 0, 5)], registry)
    assert earlier[0] == ids[0]
    assert earlier[1] not in ids
    between, registry = named(2018, [square(79, 0, 8), *late], registry)
    assert between == (earlier[1], *ids)
    again, _ = named(2020, late, registry)
    assert again == ids


def test_the_nearest_year_decides():
    (_, second, third), _ = named_years((2010, [square(0, 0, 10)]), (2019, [square(30, 0, 10)]), (2020, [square(0, 0, (40, 10))]))
    assert third == second


def test_a_neighbour_that_appears_does_not_change_others():
    alone, registry = named(2018, [square(0, 0, 10)], empty_registry())
    both, _ = named(2019, [square(11, 0, 10), square(0, 0, 10)], registry)
    assert both[1] == alone[0]
    assert both[0] != alone[0]


def test_two_lakes_on_one_thousandth_of_a_degree_get_letters():
    ponds = [square(0.0, 0.0, 0.2), square(0.3, 0.0, 0.2), square(0.0, -0.3, 0.2)]
    ids, registry = named(2018, ponds, empty_registry())
    assert sorted(name[len("GL086925E27898N") :] for name in ids) == ["", "a", "b"]
    assert named(2018, ponds[::-1], empty_registry())[0] == ids[::-1]
    assert named(2018, ponds, registry)[0] == ids


def test_a_name_is_not_given_twice_after_its_lake_is_gone():
    first, registry = named(2018, [square(0, 0, 1)], empty_registry())
    _, registry = named(2018, [], registry)
    again, registry = named(2018, [square(0, 0, 1)], registry)
    assert again == first
    assert set(registry.ids) == set(first)


def test_a_name_that_a_rerun_dropped_is_not_given_to_another_lake():
    (first,), registry = named(2018, [square(0, 0, 0.2)], empty_registry())
    _, registry = named(2018, [], registry)
    (other,), _ = named(2018, [square(0.3, 0, 0.2)], registry)
    assert other == first + "a"


def test_a_u_shaped_lake_and_the_pond_between_its_arms_are_two():
    u_shape = square(0, 0, 30).difference(square(10, 10, (10, 20)))
    pond = square(12, 14, 6)
    (first, second), _ = named_years((2018, [u_shape, pond]), (2019, [pond, u_shape]))
    assert len(set(first)) == 2
    assert second == first[::-1]


def test_a_pond_on_an_island_keeps_its_own_name():
    ring = square(0, 0, 30).difference(square(8, 8, 14))
    (first, second), _ = named_years((2018, [ring, square(12, 12, 4)]), (2019, [square(11, 11, 6), ring]))
    assert second == first[::-1]


def test_the_remnant_of_a_drained_lake_keeps_its_name():
    (before, after), _ = named_years((2018, [square(0, 0, 40)]), (2019, [square(3, 3, 3)]))
    assert after == before


def test_a_drifting_thermokarst_lake_keeps_its_name_although_it_left_its_first_ground():
    years = [(2000 + step, [square(4 * step, 0, 10)]) for step in range(10)]
    ids, _ = named_years(*years)
    assert len(set(ids)) == 1


def test_a_corner_shared_with_a_vanished_lake_is_not_enough():
    (before, after), _ = named_years((2018, [square(0, 0, 10)]), (2019, [square(9, 9, 10)]))
    assert before != after


cells = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(3, 9)), unique_by=lambda cell: cell[:2], max_size=10)


def lakes(drawn):
    return [square(10 * x, 10 * y, size) for x, y, size in drawn]


@given(cells, cells, cells, st.randoms(use_true_random=False))
def test_reruns_repeat_every_name_in_any_order(first, second, third, random):
    years = [(2018, lakes(first)), (2020, lakes(second)), (2019, lakes(third))]
    ids, registry = named_years(*years)
    random.shuffle(years)
    expected = dict(zip((2018, 2020, 2019), ids, strict=True))
    for year, outlines in years:
        order = list(range(len(outlines)))
        random.shuffle(order)
        again, registry = named(year, [outlines[place] for place in order], registry)
        assert again == tuple(expected[year][place] for place in order)


@given(cells, cells)
def test_names_are_unique_within_a_year_and_well_formed(first, second):
    ids, registry = named_years((2018, lakes(first)), (2019, lakes(second)))
    for found in ids:
        assert len(set(found)) == len(found)
        assert all(re.fullmatch(r"GL\d{6}E\d{5}N[a-z]{0,2}", name) for name in found)
    assert len(set(zip(registry.ids, registry.years, strict=True))) == len(registry.ids)
