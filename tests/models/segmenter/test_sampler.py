"""Chips with and without a lake come in a fixed ratio, and a resumed run draws what the undisturbed one would have."""

import json

import numpy as np
import pytest

from catalog.facts.errors import ChipsUnusable, RecipeWrong
from models.segmenter.sampler import ChipSampler, chip_weights


def sampler(chips: int = 50, seed: int = 7) -> ChipSampler:
    return ChipSampler(chip_weights(np.arange(chips) < chips // 5, 3.0), seed)


def test_three_to_one_gives_three_quarters_with_a_lake() -> None:
    positive = np.arange(20_000) < 800
    weights = chip_weights(positive, 3.0)
    assert weights[positive].sum() == pytest.approx(0.75)
    drawn = positive[ChipSampler(weights, 1).batch(20_000)]
    assert drawn.mean() == pytest.approx(0.75, abs=0.02)


@pytest.mark.parametrize("positive", [np.zeros(8, bool), np.ones(8, bool)])
def test_chips_of_one_kind_are_drawn_alike(positive: np.ndarray) -> None:
    assert chip_weights(positive, 3.0) == pytest.approx(np.full(8, 1 / 8))


@pytest.mark.parametrize("ratio", [0.0, -1.0, float("nan"), float("inf")])
def test_a_ratio_that_is_none_is_refused(ratio: float) -> None:
    with pytest.raises(RecipeWrong, match="ratio above 0"):
        chip_weights(np.ones(3, bool), ratio)


def test_no_chip_is_refused() -> None:
    with pytest.raises(ChipsUnusable, match="empty"):
        chip_weights(np.zeros(0, bool), 3.0)
    with pytest.raises(ChipsUnusable, match="empty"):
        ChipSampler(np.zeros(0), 1)


def test_the_seed_decides_the_draw_and_epochs_differ() -> None:
    first, again, other = sampler(), sampler(), sampler(seed=8)
    epochs = [np.concatenate(list(first.epoch_batches(10))) for _ in range(2)]
    assert (epochs[0] == np.concatenate(list(again.epoch_batches(10)))).all()
    assert (epochs[0] != np.concatenate(list(other.epoch_batches(10)))).any()
    assert (epochs[0] != epochs[1]).any()


@pytest.mark.parametrize("stop", [1, 3, 5, 6, 7, 12])
def test_a_resumed_draw_goes_on_where_it_stopped(stop: int) -> None:
    undisturbed = sampler()
    expected = [undisturbed.batch(8) for _ in range(20)]
    stopped = sampler()
    for _ in range(stop):
        stopped.batch(8)
    resumed = sampler(seed=99)
    resumed.restore(json.loads(json.dumps(stopped.state())))
    for batch in expected[stop:]:
        assert (resumed.batch(8) == batch).all()


def test_an_epoch_resumed_after_its_last_batch_is_a_whole_one() -> None:
    first = sampler()
    batches = first.epoch_batches(8)
    taken = [next(batches) for _ in range(6)]  # 48 of 50 draws: the last two do not fill a batch
    assert len(taken) == 6
    resumed = sampler()
    resumed.restore(first.state())
    assert resumed.epoch == 1
    assert len(list(resumed.epoch_batches(8))) == 6
    assert resumed.epoch == 2


def test_an_epoch_smaller_than_a_batch_is_one_batch() -> None:
    small = sampler(chips=5)
    assert [len(batch) for batch in small.epoch_batches(8)] == [5]
    assert small.epoch == 1


def test_a_state_of_other_chips_is_refused() -> None:
    with pytest.raises(ChipsUnusable, match="50 chips"):
        sampler(chips=40).restore(sampler().state())
