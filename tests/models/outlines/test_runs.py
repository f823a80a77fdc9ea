import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from catalog.facts.errors import GridMismatch
from models.outlines.runs import bounds_of, concatenate, empty_runs, from_table, pixel_counts, runs_of, select, to_labels, to_mask, to_table

masks = arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12)))
ORIGIN = (-415_000, 30_123)


def bbox_of(mask):
    return (*ORIGIN, ORIGIN[0] + mask.shape[0], ORIGIN[1] + mask.shape[1])


@given(masks)
def test_runs_painted_back_are_the_mask(mask):
    np.testing.assert_array_equal(to_mask(runs_of(mask, ORIGIN), bbox_of(mask)), mask)


@given(masks)
def test_labels_are_four_connected_components_in_order_of_first_pixel(mask):
    expected, count = ndimage.label(mask)
    runs = runs_of(mask, ORIGIN)
    painted = to_labels(runs, bbox_of(mask))
    assert runs.labels == count
    firsts = [np.flatnonzero(painted.ravel() == label)[0] for label in range(count)]
    assert firsts == sorted(firsts)
    pairs = set(zip(expected[mask].tolist(), painted[mask].tolist(), strict=True))
    assert len(pairs) == count


@given(masks)
def test_counts_and_bounds_agree_with_the_painted_labels(mask):
    runs = runs_of(mask, ORIGIN)
    painted = to_labels(runs, bbox_of(mask))
    for label, (count, (y0, x0, y1, x1)) in enumerate(zip(pixel_counts(runs), bounds_of(runs), strict=True)):
        rows, columns = np.nonzero(painted == label)
        assert count == rows.size
        assert (y0, x0) == (rows.min() + ORIGIN[0], columns.min() + ORIGIN[1])
        assert (y1, x1) == (rows.max() + 1 + ORIGIN[0], columns.max() + 1 + ORIGIN[1])


@given(masks, st.data())
def test_selection_keeps_exactly_the_chosen_components(mask, data):
    runs = runs_of(mask, ORIGIN)
    keep = data.draw(arrays(bool, runs.labels))
    chosen = select(runs, keep)
    painted = to_labels(runs, bbox_of(mask))
    np.testing.assert_array_equal(to_mask(chosen, bbox_of(mask)), np.isin(painted, np.flatnonzero(keep)))
    assert chosen.labels == keep.sum()


@given(masks)
def test_a_table_keeps_every_run(mask):
    runs = runs_of(mask, ORIGIN)
    back = from_table(to_table(runs))
    for name in ("y", "x0", "x1", "label"):
        np.testing.assert_array_equal(getattr(back, name), getattr(runs, name))
        assert getattr(back, name).dtype == np.int32


def test_runs_are_clipped_to_the_box():
    runs = runs_of(np.ones((4, 6), bool), (0, 0))
    np.testing.assert_array_equal(to_mask(runs, (2, 3, 6, 9)), np.pad(np.ones((2, 3), bool), ((0, 2), (0, 3))))


def test_concatenation_keeps_labels_apart():
    both = concatenate([runs_of(np.eye(3, dtype=bool), (0, 0)), runs_of(np.eye(2, dtype=bool), (9, 9))])
    assert both.label.tolist() == [0, 1, 2, 3, 4]
    assert concatenate([]).size == 0


def test_an_empty_mask_gives_empty_runs():
    runs = runs_of(np.zeros((3, 3), bool), (0, 0))
    assert (runs.size, runs.labels, pixel_counts(runs).size, bounds_of(runs).shape) == (0, 0, 0, (0, 4))
    assert empty_runs().labels == 0


def test_a_table_without_its_columns_is_refused():
    with pytest.raises(GridMismatch, match="lacks x1"):
        from_table(to_table(empty_runs()).drop_columns(["x1"]))


def test_a_choice_of_the_wrong_length_is_refused():
    with pytest.raises(GridMismatch, match="2 labels"):
        select(runs_of(np.eye(2, dtype=bool), (0, 0)), np.ones(3, bool))
