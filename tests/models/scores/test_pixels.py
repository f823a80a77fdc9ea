import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays

from catalog.facts.errors import GridMismatch
from models.scores.pixels import count_pixels

masks = arrays(bool, (5, 7))


def test_scores_of_a_known_pair():
    predicted, truth = np.array([[1, 1, 1, 0, 0, 1]], bool), np.array([[1, 1, 0, 1, 0, 0]], bool)
    valid = np.array([[1, 1, 1, 1, 1, 0]], bool)
    counts = count_pixels(predicted, truth, valid)
    assert (counts.hit, counts.false, counts.missed, counts.correct_rejected) == (2, 1, 1, 1)
    assert counts.iou == pytest.approx(0.5)
    assert counts.f1 == counts.precision == counts.recall == pytest.approx(2 / 3)


@given(masks, masks, masks)
def test_counts_of_parts_add_up_and_invalid_pixels_do_not_count(predicted, truth, valid):
    whole = count_pixels(predicted, truth, valid)
    halves = count_pixels(predicted[:2], truth[:2], valid[:2]) + count_pixels(predicted[2:], truth[2:], valid[2:])
    assert whole == halves == count_pixels(predicted ^ ~valid, truth, valid)
    assert whole.hit + whole.false + whole.missed + whole.correct_rejected == valid.sum()


def test_two_empty_masks_have_no_score():
    nothing = np.zeros((2, 2), bool)
    assert math.isnan(count_pixels(nothing, nothing, ~nothing).iou)


def test_masks_of_different_shapes_are_refused():
    with pytest.raises(GridMismatch, match=r"\(2, 3\)"):
        count_pixels(np.zeros((2, 3), bool), np.zeros((3, 2), bool), np.zeros((2, 3), bool))
