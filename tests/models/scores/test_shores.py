import numpy as np
import pytest

from models.scores.shores import count_shores, shore_f


def square(shift=0, size=20):
    mask = np.zeros((60, 60), bool)
    mask[20 + shift : 20 + shift + size, 20:40] = True
    return mask


def f_of(predicted, truth, seen=None):
    seen = np.ones(truth.shape, bool) if seen is None else seen
    counts = count_shores(predicted, truth, seen, np.zeros(truth.shape, np.int32), 1)
    sums = np.stack([counts.near_predicted[0], np.repeat(counts.predicted, 2), counts.near_true[0], np.repeat(counts.true, 2)], axis=-1)
    return shore_f(sums.astype(float))


def test_equal_masks_have_perfect_shores():
    assert f_of(square(), square()).tolist() == [1, 1]


def test_a_shift_is_forgiven_up_to_the_tolerance():
    one, two, three = (f_of(square(shift), square()) for shift in (1, 2, 3))
    assert one.tolist() == [1, 1]
    assert two[0] < 1
    assert two[1] == 1
    assert three[1] < 1


def test_the_edge_of_what_was_seen_is_no_shore():
    seen = np.zeros((60, 60), bool)
    seen[:30] = True
    counts = count_shores(square(), square(), seen, np.zeros((60, 60), np.int32), 1)
    assert counts.true[0] == 20 + 2 * 9


def test_missing_everything_scores_zero_and_nothing_to_find_is_no_score():
    nothing = np.zeros((60, 60), bool)
    assert f_of(nothing, square()).tolist() == [0, 0]
    assert np.isnan(f_of(nothing, nothing)).all()


def test_every_shore_pixel_has_one_owner():
    owner = np.zeros((60, 60), np.int32)
    owner[:, 30:] = 1
    owner[:, 38:] = -1
    counts = count_shores(square(), square(), np.ones((60, 60), bool), owner, 2)
    whole = count_shores(square(), square(), np.ones((60, 60), bool), np.zeros((60, 60), np.int32), 1)
    assert counts.true[0] == pytest.approx(whole.true[0] / 2)
    assert counts.true[1] == 2 * 8
