"""Targets lie where their slumps lie, however a window is shown; what cannot be told is ignored, and nothing at all is legal."""

import numpy as np
import pytest
import shapely
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.detector.slumps import Slumps, no_slumps
from models.detector.targets import Frame, TargetOptions, burnt, target_of
from tests.slump_chips import ORIGIN, blob, slumps

WINDOW, UP = 56, 2
PLAIN = Frame((float(ORIGIN[0]), float(ORIGIN[1])), WINDOW, UP)
EASY = TargetOptions()


def shown(frame: Frame, array: torch.Tensor) -> torch.Tensor:
    return torch.rot90(array.flip(-1) if frame.mirrored else array, frame.turns, (-2, -1))


def test_a_slump_becomes_its_box_and_its_area():
    target = target_of(slumps(blob(20, 30, 6)), PLAIN, EASY)
    assert target.boxes.tolist() == [[28, 48, 52, 72]]
    assert float(target.masks.sum()) == pytest.approx(np.pi * 12**2, rel=0.01)
    assert target.masks.shape == (1, 112, 112)
    assert target.weights.tolist() == [1]
    assert not target.ignore.any()
    assert target.ignore_boxes.shape == (0, 4)


def test_a_pixel_counts_when_its_centre_does():
    # 5 m pixels: centres at 2.5, 7.5 ... metres
    square = shapely.box(ORIGIN[1] * 10 + 2.4, -ORIGIN[0] * 10 - 32.4, ORIGIN[1] * 10 + 32.6, -ORIGIN[0] * 10 - 2.6)
    target = target_of(slumps(square), PLAIN, EASY)
    assert target.boxes.tolist() == [[0, 1, 7, 6]]
    assert target.masks.sum() == 35


def test_a_window_without_slumps_is_legal():
    for own in (no_slumps(), slumps(blob(500, 500, 9))):
        target = target_of(own, PLAIN, EASY)
        assert len(target) == 0
        assert target.boxes.shape == (0, 4)
        assert target.masks.shape == (0, 112, 112)
        assert target.weights.shape == (0,)
        assert target.ignore.shape == (112, 112)
        assert target.ignore_boxes.shape == (0, 4)


def test_a_window_may_be_all_ignored():
    target = target_of(slumps(blob(28, 28, 60), ignored=[True]), PLAIN, EASY)
    assert len(target) == 0
    assert bool(target.ignore.all())
    assert target.ignore_boxes.tolist() == [[0, 0, 112, 112]]


@pytest.mark.parametrize(
    ("shape", "found"),
    [
        (blob(20, 20, 1.2), True),  # 452 m2
        (blob(20, 20, 1.1), False),  # 380 m2
        (blob(0, 20, 6), True),  # half of it
        (blob(-3, 20, 6), False),  # a fifth
        (blob(-5.3, 20, 6), False),  # a sliver
    ],
)
def test_pieces_that_are_too_small_or_cut_are_ignored(shape, found):
    target = target_of(slumps(shape), PLAIN, EASY)
    assert len(target) == int(found)
    assert len(target.ignore_boxes) == int(not found)
    assert bool(target.ignore.any()) is not found


def test_every_pixel_that_an_ignored_slump_touches_is_ignored_but_not_a_slumps_own():
    sure, doubted = blob(20, 20, 5), blob(27, 20, 5)
    target = target_of(slumps(sure, doubted, ignored=[False, True]), PLAIN, EASY)
    own = target.masks[0] > 0
    assert not (target.ignore & own).any()
    covered = torch.from_numpy(burnt(PLAIN.placed(np.array([doubted], object))[0], 112))
    assert bool((target.ignore | own)[covered].all())
    assert len(target) == len(target.ignore_boxes) == 1


def test_a_slump_that_optics_did_not_see_is_ignored():
    seen = torch.ones((WINDOW, WINDOW), dtype=torch.bool)
    seen[:, :21] = False
    hidden, half_seen = blob(14, 20, 5), blob(22, 40, 5)
    target = target_of(slumps(hidden, half_seen), PLAIN, EASY, seen)
    assert target.boxes[:, 0].tolist() == [34]
    assert target.ignore_boxes.shape == (1, 4)


def test_labelers_who_disagree_leave_a_soft_mask_and_the_box_of_the_majority():
    small, large = blob(20, 20, 4), blob(20, 20, 8)
    voices = np.array([small, small, large], object)
    own = Slumps(np.array([small], object), np.array([False]), np.array([0.75], np.float32), (voices,), np.empty(0, object))
    target = target_of(own, PLAIN, EASY)
    assert target.masks.unique().tolist() == pytest.approx([0, 1 / 3, 1])
    assert target.boxes.tolist() == [[32, 32, 48, 48]]
    assert target.weights.tolist() == [0.75]


places = st.tuples(st.floats(-4, 60), st.floats(-4, 60), st.floats(1.3, 14), st.floats(0.5, 2))
# odd fractions, so that no edge runs through the centre of a pixel, where rounding decides
many = st.lists(places, max_size=4).map(
    lambda found: slumps(*(blob(x + 0.0123457, y + 0.0234571, r + 0.00345719, aspect=a) for x, y, r, a in found))
)


@settings(max_examples=40)
@given(many, st.booleans(), st.integers(0, 3))
def test_turning_the_window_turns_its_targets(own, mirrored, turns):
    plain = target_of(own, PLAIN, EASY)
    frame = Frame(PLAIN.origin_yx, WINDOW, UP, 1.0, mirrored, turns)
    target = target_of(own, frame, EASY)
    assert len(target) == len(plain)
    assert torch.equal(shown(frame, plain.masks), target.masks)
    assert torch.equal(shown(frame, plain.ignore), target.ignore)
    for mask, box in zip(target.masks, target.boxes.int().tolist(), strict=True):
        inside = mask >= 0.5
        assert bool(inside[box[1] : box[3], box[0] : box[2]].any(0).all() if len(plain) else True)
        assert int(inside.sum()) == int(inside[box[1] : box[3], box[0] : box[2]].sum())


@settings(max_examples=25)
@given(many, st.integers(-30, 30), st.integers(-30, 30))
def test_moving_window_and_slumps_together_changes_nothing(own, dy, dx):
    moved = np.array([shapely.affinity.translate(shape, dx * 10, -dy * 10) for shape in own.shapes] or [], object)
    there = slumps(*moved)
    frame = Frame((ORIGIN[0] + dy, ORIGIN[1] + dx), WINDOW, UP)
    first, second = target_of(own, PLAIN, EASY), target_of(there, frame, EASY)
    assert len(first) == len(second)
    assert torch.equal(first.masks, second.masks)
    assert torch.equal(first.boxes, second.boxes)


def test_scaling_the_window_scales_areas_and_the_least_size_with_it():
    frame = Frame((ORIGIN[0] + 0.0, ORIGIN[1] + 0.0), WINDOW, UP, scale=1.33)
    own = slumps(blob(20, 20, 6), blob(35, 20, 1.1))
    plain, larger = target_of(own, PLAIN, EASY), target_of(own, frame, EASY)
    assert float(larger.masks[0].sum() / plain.masks[0].sum()) == pytest.approx(1.33**2, rel=0.02)
    assert (len(plain), len(larger)) == (1, 2)


def test_holes_stay_holes():
    ring = blob(20, 20, 10).difference(blob(20, 20, 5))
    target = target_of(slumps(ring), PLAIN, EASY)
    assert target.masks[0, 40, 40] == 0
    assert float(target.masks.sum()) == pytest.approx(np.pi * (20**2 - 10**2), rel=0.02)
