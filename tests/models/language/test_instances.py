import numpy as np
import pytest

from models.language.instances import InstanceOptions, instances_of_labels, instances_of_mask, turned

ANY = InstanceOptions(min_area_m2=0, min_px=1)


def drawn(*rectangles: tuple[int, int, int, int], size: int = 40) -> np.ndarray:
    mask = np.zeros((size, size), bool)
    for top, left, bottom, right in rectangles:
        mask[top:bottom, left:right] = True
    return mask


@pytest.mark.parametrize(("channel", "count"), [(0, 1), (2, 2)])
@pytest.mark.parametrize("width", [1, 2])
def test_two_lakes_joined_by_a_narrow_channel_are_cut_on_demand(channel, count, width):
    mask = drawn((5, 5, 15, 15), (5, 25, 15, 35), (9, 15, 9 + width, 25))
    found = instances_of_mask(mask, 10.0, InstanceOptions(channel_px=channel))
    assert len(found) == count
    assert (found.labels > 0).sum() == mask.sum()  # no pixel is lost
    if count == 2:
        assert found.labels[10, 6] != found.labels[10, 33]


def test_a_wide_arm_is_no_channel():
    mask = drawn((5, 5, 15, 15), (5, 25, 15, 35), (8, 15, 12, 25))
    assert len(instances_of_mask(mask, 10.0, InstanceOptions(channel_px=2))) == 1


def test_a_lake_that_is_narrow_everywhere_stays_one():
    assert len(instances_of_mask(drawn((10, 5, 12, 30)), 10.0, InstanceOptions(channel_px=2))) == 1


def test_two_diagonal_lakes_are_cut_into_their_own_components_only():
    mask = drawn((5, 5, 12, 12), (12, 12, 19, 19))
    assert len(instances_of_mask(mask, 10.0, InstanceOptions())) == 1
    assert len(instances_of_mask(mask, 10.0, InstanceOptions(connectivity=4))) == 2


def test_a_gap_of_one_pixel_is_healed_on_demand():
    mask = drawn((5, 5, 15, 10), (5, 11, 15, 16))
    assert [len(instances_of_mask(mask, 10.0, InstanceOptions(heal=heal))) for heal in (False, True)] == [2, 1]


def test_small_components_are_no_lakes_and_areas_are_those_of_the_pixels():
    found = instances_of_mask(drawn((0, 0, 4, 4), (10, 10, 15, 15), (20, 20, 22, 22)), 10.0)
    assert found.areas_m2 == (2500.0,)  # 16 px are 1600 m2, 4 px are 400 m2: both under 2000 m2
    assert found.mask([1]).sum() == 25
    assert not found.mask([]).any()


def test_lakes_of_an_inventory_keep_their_names_and_areas():
    labels = np.zeros((10, 10), np.int32)
    labels[:3, :3], labels[6:, 6:] = 1, 3
    found = instances_of_labels(labels, [9_000.0, 8_000.0, 12_345.0], ["a", "b", "c"])
    assert (found.ids, found.areas_m2) == (("a", "c"), (9_000.0, 12_345.0))
    assert set(np.unique(found.labels)) == {0, 1, 2}


def test_the_eight_turns_are_eight():
    array = np.arange(9).reshape(3, 3)
    assert len({turned(array, turn).tobytes() for turn in range(8)}) == 8
