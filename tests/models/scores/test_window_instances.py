from dataclasses import dataclass

import numpy as np
import pytest

from catalog.facts.errors import GridMismatch
from models.scores.instances import average_precision
from models.scores.window_instances import window_scores, window_units

SIDE = 96


@dataclass
class Found:
    boxes: np.ndarray
    scores: np.ndarray
    masks: np.ndarray


@dataclass
class Target:
    masks: np.ndarray
    ignore: np.ndarray


def found(*boxes: tuple[float, float, float, float], scores: list[float] | None = None) -> Found:
    count = len(boxes)
    marks = np.linspace(0.9, 0.5, count) if scores is None else np.array(scores)
    return Found(np.array(boxes, np.float32).reshape(-1, 4), marks, np.ones((count, 28, 28), np.float32))


def target(*boxes: tuple[int, int, int, int], ignore: tuple[int, int, int, int] | None = None) -> Target:
    masks = np.zeros((len(boxes), SIDE, SIDE), np.float32)
    for mask, (x0, y0, x1, y1) in zip(masks, boxes, strict=True):
        mask[y0:y1, x0:x1] = 1
    hidden = np.zeros((SIDE, SIDE), bool)
    if ignore:
        hidden[ignore[1] : ignore[3], ignore[0] : ignore[2]] = True
    return Target(masks, hidden)


def test_masks_in_their_boxes_are_compared_pixel_by_pixel():
    scores = window_scores([found((10, 20, 30, 40), (50, 50, 60, 58))], [target((10, 20, 30, 40), (50, 50, 60, 58))])
    assert (scores["AP"], scores["AP50"], scores["AR"]) == (1.0, 1.0, 1.0)
    half = window_units([found((10, 20, 30, 30))], [target((10, 20, 30, 40))])[0]
    assert half.likeness == pytest.approx([0.5])


def test_sizes_are_those_of_the_ground():
    unit = window_units([found((0, 0, 20, 20))], [target((0, 0, 20, 20))], up=2)[0]
    assert (unit.truth_area, unit.detection_area) == (pytest.approx([10_000]), pytest.approx([10_000]))
    assert window_units([found((0, 0, 20, 20))], [target((0, 0, 20, 20))], up=1)[0].truth_area == pytest.approx([40_000])


def test_a_pixel_that_half_of_the_labelers_drew_belongs_to_the_slump():
    soft = target((10, 10, 30, 30))
    soft.masks[0, 10:30, 20:30] = 0.4
    assert window_units([found((10, 10, 20, 30))], [soft])[0].likeness == pytest.approx([1.0])


def test_detections_where_nobody_is_asked_cost_nothing():
    wanted, stray = (10, 20, 30, 40), (60, 60, 80, 80)
    best_is_stray = found(stray, wanted)
    assert window_scores([best_is_stray], [target(wanted)])["AP50"] == 0.5
    assert window_scores([best_is_stray], [target(wanted, ignore=(55, 55, 90, 90))])["AP50"] == 1.0


def test_windows_without_slumps_count_through_what_is_invented_there():
    right = window_units([found((10, 20, 30, 40), scores=[0.5])], [target((10, 20, 30, 40))])
    empty = window_units([found(), found((0, 0, 9, 9), scores=[0.9])], [target(), target()])
    assert average_precision(right) == 1.0
    assert average_precision([*right, empty[0]]) == 1.0
    assert average_precision([*right, *empty]) == 0.5


def test_a_window_without_target_is_refused():
    with pytest.raises(GridMismatch, match="one target per window"):
        window_scores([found()], [])
