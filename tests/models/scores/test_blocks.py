import numpy as np

from models.scores.blocks import ENOUGH, score_blocks


def test_blocks_of_the_split_are_used_when_there_are_enough():
    names = [f"{i}|0" for i in range(ENOUGH)] * 2
    numbers, words = score_blocks(["earth"] * len(names), names, np.zeros(len(names)), np.zeros(len(names)))
    assert len(set(numbers.tolist())) == ENOUGH
    assert words == "blocks of the split"


def test_few_blocks_become_cells_and_worlds_stay_apart():
    numbers, words = score_blocks(["a", "a", "b", "a"], ["0|0"] * 4, np.array([86.01, 86.06, 86.01, 86.02]), np.full(4, 28.01))
    assert numbers[0] == numbers[3]
    assert len({numbers[0], numbers[1], numbers[2]}) == 3
    assert "0.05" in words


def test_chips_without_a_place_stand_alone():
    numbers, _ = score_blocks(["earth"] * 3, [""] * 3, np.full(3, np.nan), np.full(3, np.nan))
    assert len(set(numbers.tolist())) == 3
