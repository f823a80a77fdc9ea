import numpy as np
from scipy import ndimage

from simulator.chips import simulated_chip

CHIPS = [simulated_chip(seed) for seed in range(12)]


def test_the_same_seed_gives_the_same_chip_and_another_one_another():
    again = simulated_chip(3)
    assert all(np.array_equal(getattr(again, name), getattr(CHIPS[3], name)) for name in ("s2", "dem", "lakes", "before"))
    assert not np.array_equal(CHIPS[3].s2, CHIPS[4].s2)


def test_lakes_stand_alone_are_level_and_of_every_number():
    counts = set()
    for chip in CHIPS:
        _, parts = ndimage.label(chip.lakes > 0, np.ones((3, 3)))
        assert parts == chip.lakes.max()
        counts.add(int(chip.lakes.max()))
        for number in range(1, chip.lakes.max() + 1):
            assert chip.dem[chip.lakes == number].std() < 1
    assert {0} < counts
    assert len(counts) >= 5


def test_water_is_dark_in_the_near_infrared_unless_it_is_frozen():
    dark = [float(np.median(chip.s2[7][chip.lakes == n])) for chip in CHIPS for n in range(1, chip.lakes.max() + 1)]
    assert np.mean(np.array(dark) < 1300) > 0.8
    assert min(float(chip.s2.min()) for chip in CHIPS) >= 1


def test_most_lakes_grew_and_some_are_new():
    grown = new = 0
    for chip in CHIPS:
        for number in range(1, chip.lakes.max() + 1):
            before, now = (chip.before == number).sum(), (chip.lakes == number).sum()
            grown, new = grown + int(0 < before < now), new + int(before == 0)
    assert grown > 5
    assert new >= 1
