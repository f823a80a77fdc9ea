"""Which looks make a value, and the name of what is missing."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.facts.causes import Cause
from models.surface.verdicts import coarsen, weigh

U, N, C, S, T, I = Cause.USABLE, Cause.NO_SCENE, Cause.CLOUD, Cause.CLOUD_SHADOW, Cause.TERRAIN_SHADOW, Cause.SNOW_OR_ICE  # noqa: E741
START = datetime(2023, 7, 1, 5, tzinfo=UTC)


def weigh_one(reasons, failed=0, step_days=1, start=START):
    stack = np.array(reasons, np.uint8).reshape(-1, 1, 1)
    acquired = [start + timedelta(days=step_days * t) for t in range(len(reasons))]
    return weigh(stack, acquired, np.full((1, 1), failed, np.uint8))


@pytest.mark.parametrize(
    ("reasons", "failed", "cause", "used"),
    [
        ([U, C, I], 0, U, [1, 0, 0]),
        ([I, C, I, T], 0, I, [1, 0, 1, 0]),
        ([T, C, C], 0, C, [1, 0, 0]),
        ([T, T, C], 0, T, [1, 1, 0]),
        ([C, S], 0, C, [0, 0]),
        ([S, T], 0, S, [0, 1]),
        ([N, N, N, S], 0, S, [0, 0, 0, 0]),
        ([N, N], 0, N, [0, 0]),
        ([C], 1, Cause.READ_FAILED, [0]),
        ([C, C], 1, C, [0, 0]),
        ([N], 1, Cause.READ_FAILED, [0]),
        ([U], 3, U, [1]),
    ],
)
def test_the_best_looks_are_used_and_the_most_frequent_reason_is_named(reasons, failed, cause, used):
    verdict = weigh_one(reasons, failed)
    assert verdict.cause[0, 0] == cause
    assert verdict.use[:, 0, 0].tolist() == used
    assert verdict.looks[0, 0] == reasons.count(U)


@given(st.lists(st.sampled_from([U, N, C, S, T, I]), min_size=1, max_size=12), st.integers(0, 2))
def test_the_order_of_dates_does_not_change_the_cause(reasons, failed):
    first, second = weigh_one(reasons, failed), weigh_one(reasons[::-1], failed)
    assert first.cause[0, 0] == second.cause[0, 0]
    assert (first.cause[0, 0] == U) == (first.looks[0, 0] > 0)
    assert (first.day[0, 0] > 0) == (first.looks[0, 0] > 0)


def test_the_day_is_the_median_of_the_clear_days():
    assert weigh_one([U, C, U, U], step_days=10).day[0, 0] == 182 + 20
    assert weigh_one([U, C, C, U], step_days=10).day[0, 0] == 182 + 15


def test_a_season_over_new_year_has_a_day_within_it():
    start = datetime(2023, 12, 20, 5, tzinfo=UTC)
    assert weigh_one([U, C, U], step_days=10, start=start).day[0, 0] == 364
    assert weigh_one([C, C, U], step_days=10, start=start).day[0, 0] == 9


def test_dates_out_of_order_are_refused():
    with pytest.raises(ValueError, match="order"):
        weigh(np.zeros((2, 1, 1), np.uint8), [START, START - timedelta(days=3)], np.zeros((1, 1), np.uint8))


@pytest.mark.parametrize(
    ("parts", "used"),
    [
        ([[U] * 9, [C] * 9], [1, 0]),
        ([[U] * 5 + [C] * 4, [U] * 9], [1, 1]),
        ([[U] * 4 + [C] * 5, [U] * 9], [0, 1]),
        ([[U] * 4 + [C] * 5, [C] * 9], [1, 0]),
        ([[I] * 9, [U] + [C] * 8], [1, 0]),
        ([[C] * 9, [N] * 9], [0, 0]),
    ],
)
def test_a_60_m_pixel_takes_the_dates_on_which_most_of_it_is_clear(parts, used):
    reasons = np.array(parts, np.uint8).reshape(len(parts), 3, 3)
    zero = np.zeros(1, np.int64)
    assert coarsen(reasons, zero, zero)[:, 0, 0].tolist() == used
