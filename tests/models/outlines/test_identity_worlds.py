"""Names in simulated worlds of many lakes and years: what happens to the ground, and never how it was cut or ordered, decides them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.outlines.geodesy import representative_points, to_degrees
from models.outlines.identity import empty_registry, name_features
from models.outlines.join import join
from models.outlines.polygonize import polygons_of
from models.outlines.runs import runs_of

ZONE, ORIGIN = 32645, (-309_000, 29_000)
CELL_PX, SIDE = 40, 5
YEARS = tuple(range(2016, 2022))
MERGE, SPLIT, DRAIN, RETURN, BIRTH, U_SHAPE, ISLAND, PLAIN = range(8)
KINDS = (MERGE, SPLIT, DRAIN, RETURN, BIRTH, U_SHAPE, ISLAND, *[PLAIN] * (SIDE * SIDE - 7))
BIG, SMALL = (20, 12, 6), (20, 27, 5)
"""y, x and radius of two lakes that share a cell, px."""


def disc(y, x, radius, shift=(0.0, 0.0)):
    rows, columns = np.mgrid[:CELL_PX, :CELL_PX]
    return (rows - y - shift[0]) ** 2 + (columns - x - shift[1]) ** 2 <= radius**2


def lakes_of(kind, year, radius, shift):
    """The lakes of one cell in one year; in every year the first is the same lake, and so is the second."""
    late, grown = year >= 2019, radius * (1 + 0.02 * (year - YEARS[0]))
    two = [disc(*BIG, shift), disc(*SMALL, shift)]
    if kind in (MERGE, SPLIT) and late == (kind == MERGE):
        bridge = np.zeros_like(two[0])
        bridge[18:23, 12:27] = True
        return [two[0] | two[1] | bridge]
    if kind in (MERGE, SPLIT):
        return two
    if kind == BIRTH:
        return two if late else two[:1]
    if kind == U_SHAPE:
        # One arm withers and the other fills, so that the widest stretch, and the point that names a lake, changes sides.
        arms = np.zeros_like(two[0])
        arms[30:34, 6:34] = arms[8:31, 6 : 8 if late else 14] = arms[8:31, 26 if late else 32 : 34] = True
        return [arms, disc(15, 20, 3)]
    if kind == ISLAND:
        return [disc(20, 20, 16, shift) & ~disc(20, 20, 9, shift), disc(20, 20, 4, shift)]
    gone = (kind == DRAIN and late) or (kind == RETURN and 2017 <= year <= 2019)
    return [] if gone else [disc(20, 20, grown, shift)]


def world(seed):
    """Per year the number of the lake at every pixel, -1 outside. Shores move by up to 2 px from year to year, each lake's by itself."""
    rng = np.random.default_rng(seed)
    kinds, radii = rng.permutation(KINDS), rng.uniform(3, 13, SIDE * SIDE)
    years = {}
    for year in YEARS:
        ground = np.full((SIDE, CELL_PX, SIDE, CELL_PX), -1)
        common = rng.uniform(-0.5, 0.5, 2)
        for cell, kind in enumerate(kinds):
            shift = common + rng.uniform(-0.5, 0.5, 2)
            for number, mask in enumerate(lakes_of(kind, year, radii[cell], shift)):
                ground[cell // SIDE, :, cell % SIDE][mask] = 2 * cell + number
        years[year] = ground.reshape(SIDE * CELL_PX, SIDE * CELL_PX)
    return years


def outlined(ground, tile_px=(1000, 1000), rng=None):
    """Numbers and outlines (EPSG:4326) of the lakes of a year, mapped in tiles of a size and joined, in any order."""
    tiles = [(y, x) for y in range(0, len(ground), tile_px[0]) for x in range(0, len(ground), tile_px[1])]
    pieces = [runs_of(ground[y : y + tile_px[0], x : x + tile_px[1]] >= 0, (ORIGIN[0] + y, ORIGIN[1] + x)) for y, x in tiles]
    order = np.arange(len(pieces)) if rng is None else rng.permutation(len(pieces))
    runs = join([pieces[place] for place in order])
    _, polygons = polygons_of(runs)
    first = np.unique(runs.label, return_index=True)[1]
    numbers = ground[runs.y[first] - ORIGIN[0], runs.x0[first] - ORIGIN[1]]
    mixed = np.arange(len(numbers)) if rng is None else rng.permutation(len(numbers))
    return numbers[mixed], to_degrees(polygons[mixed], ZONE), representative_points(polygons[mixed], ZONE)


def named(grounds, registry=None, **mapped):
    """{(year, number): name} after naming the years in the order given, and the registry."""
    registry, names = registry or empty_registry(), {}
    for year, ground in grounds.items():
        numbers, outlines, points = outlined(ground, **mapped)
        ids, registry = name_features(year, outlines, points, registry, min_overlap=0.1)
        names |= {(year, number): name for number, name in zip(numbers.tolist(), ids, strict=True)}
    return names, registry


def assert_one_name_each(names):
    """A name for every lake, and a lake for every name, through all years."""
    pairs = {(number, name) for (_, number), name in names.items()}
    assert len({number for number, _ in pairs}) == len(pairs), "a lake has two names"
    assert len({name for _, name in pairs}) == len(pairs), "two lakes have one name"


@pytest.mark.parametrize("seed", range(4))
def test_every_lake_keeps_its_own_name_through_everything_that_happens_to_it(seed):
    names, _ = named(world(seed))
    assert_one_name_each(names)
    assert len(set(names.values())) == len({number for _, number in names}) >= SIDE * SIDE


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 1000), st.tuples(st.integers(7, 200), st.integers(7, 200)), st.permutations(YEARS))
def test_other_tiles_another_order_and_a_rerun_change_no_name(seed, tile_px, order):
    grounds = world(seed)
    names, registry = named(grounds)
    again, _ = named(grounds, tile_px=tile_px, rng=np.random.default_rng(seed))
    assert again == names
    rerun, kept = named({year: grounds[year] for year in order}, registry, tile_px=tile_px, rng=np.random.default_rng(seed))
    assert rerun == names
    assert (kept.ids, kept.years) == (registry.ids, registry.years)


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 1000), st.permutations(YEARS), st.integers(1, len(YEARS) - 1))
def test_years_added_in_any_order_keep_the_names_that_were_given(seed, order, first):
    grounds = world(seed)
    names, registry = named({year: grounds[year] for year in order[:first]})
    added, registry = named({year: grounds[year] for year in order[first:]}, registry)
    assert_one_name_each(names | added)
    rerun, _ = named(grounds, registry)
    assert rerun == names | added


@pytest.mark.parametrize("seed", range(3))
def test_a_neighbour_that_is_added_changes_no_name(seed):
    grounds = world(seed)
    names, registry = named(grounds)
    crowded = {year: ground.copy() for year, ground in grounds.items()}
    for ground in crowded.values():
        # a pond in a corner of every cell, closer to the lakes than these are to each other
        ground[np.ix_(*[[at for at in range(len(ground)) if at % CELL_PX < 2]] * 2)] = 10_000
    again, _ = named(crowded, registry)
    assert {key: name for key, name in again.items() if key[1] < 10_000} == names


def test_the_point_that_names_a_u_shaped_lake_moves_and_its_name_does_not():
    grounds = world(0)
    (number,) = {2 * cell for cell, kind in enumerate(np.random.default_rng(0).permutation(KINDS)) if kind == U_SHAPE}
    names, _ = named(grounds)
    early, late = (outlined(grounds[year]) for year in (YEARS[0], YEARS[-1]))
    moved = late[2][late[0] == number] - early[2][early[0] == number]
    assert np.abs(moved).max() > 10 * 1e-4, "the world is to move the point by more than ten pixels"
    assert names[YEARS[0], number] == names[YEARS[-1], number]
