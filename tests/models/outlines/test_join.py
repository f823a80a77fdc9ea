from itertools import pairwise

import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.outlines.join import join
from models.outlines.polygonize import polygons_of
from models.outlines.runs import pixel_counts, runs_of, select

ORIGIN = (-37, 1200)
masks = arrays(bool, st.tuples(st.integers(1, 16), st.integers(1, 16)))
cuts = st.lists(st.integers(1, 15), max_size=4)


def tiled(mask, row_cuts, column_cuts, halo=0):
    """Runs of the tiles that the cuts make of a mask, each grown by a halo."""
    rows = [0, *sorted({cut for cut in row_cuts if cut < mask.shape[0]}), mask.shape[0]]
    columns = [0, *sorted({cut for cut in column_cuts if cut < mask.shape[1]}), mask.shape[1]]
    pieces = []
    for top, bottom in pairwise(rows):
        for left, right in pairwise(columns):
            y, x = max(top - halo, 0), max(left - halo, 0)
            pieces.append(runs_of(mask[y : bottom + halo, x : right + halo], (ORIGIN[0] + y, ORIGIN[1] + x)))
    return pieces


def assert_same(joined, whole):
    for name in ("y", "x0", "x1", "label"):
        np.testing.assert_array_equal(getattr(joined, name), getattr(whole, name), err_msg=name)


@given(masks, cuts, cuts, st.integers(0, 3), st.randoms(use_true_random=False))
def test_joined_tiles_are_the_whole_whatever_the_tiling_halo_and_order(mask, row_cuts, column_cuts, halo, random):
    pieces = tiled(mask, row_cuts, column_cuts, halo)
    random.shuffle(pieces)
    joined, whole = join(pieces), runs_of(mask, ORIGIN)
    assert_same(joined, whole)
    ours, theirs = (shapely.to_wkb(polygons_of(runs)[1]).tolist() for runs in (joined, whole))
    assert ours == theirs


@given(masks, cuts, cuts)
def test_joining_in_two_steps_equals_joining_at_once(mask, row_cuts, column_cuts):
    pieces = tiled(mask, row_cuts, column_cuts)
    half = len(pieces) // 2
    assert_same(join([join(pieces[:half]), join(pieces[half:])]), join(pieces))


def test_a_lake_over_the_corner_of_four_tiles_is_one():
    y, x = np.mgrid[-20:20, -20:20]
    disc = y * y + x * x <= 15 * 15
    joined = join(tiled(disc, [20], [20]))
    assert joined.labels == 1
    assert pixel_counts(joined).tolist() == [disc.sum()]


def test_a_c_whose_arms_meet_only_in_another_tile_is_one():
    mask = np.zeros((6, 12), bool)
    mask[1, 1:10] = mask[4, 1:10] = mask[1:5, 9] = True
    left, right = tiled(mask, [], [6])
    assert left.labels == 2
    assert join([left, right]).labels == 1


def test_three_small_pieces_on_a_seam_survive_a_filter_that_each_alone_would_not():
    mask = np.zeros((9, 9), bool)
    mask[4, 1:4] = mask[4:6, 4] = mask[3:5, 5] = True
    pieces = tiled(mask, [5], [4])
    assert max(pixel_counts(piece).max(initial=0) for piece in pieces) < 6
    joined = join(pieces)
    assert select(joined, pixel_counts(joined) >= 6).labels == 1


def test_pixels_that_touch_only_at_a_tile_corner_stay_apart():
    assert join(tiled(np.eye(2, dtype=bool), [1], [1])).labels == 2


def test_nothing_joined_is_nothing():
    assert join([]).size == join([runs_of(np.zeros((2, 2), bool), (0, 0))]).size == 0
