import numpy as np
import pytest
import shapely

from models.scores.chip_pixels import count_chips
from models.scores.gains import gains
from models.scores.lakes import LakeRow
from models.scores.scorecard import ScoredChips
from models.scores.scoring import SplitScores
from models.scores.shores import ShoreCounts

CHIPS = 12


def lakes(found, invented=0, kind="turbid"):
    """One lake of 2 ha per chip; `found` says on which it is found."""
    nothing = float("nan")
    true = [
        LakeRow(f"lake {c}", 2e4, 2e4 if hit else nothing, 1e4, 3e4, 0.9, 0.8 * hit, kind, (), c, shapely.Point(0, 0))
        for c, hit in enumerate(found)
    ]
    return [*true, *(LakeRow("", nothing, 2e4, 1e4, 3e4, 0.9, 0.0, "", (), c, shapely.Point(0, 0)) for c in range(invented))]


def split(found, invented=0):
    label = np.full((CHIPS, 1, 4), 250, np.uint8)
    probability = np.where(np.array(found)[:, None, None], 0.9, 0.1) * np.ones((CHIPS, 1, 4))
    shores = ShoreCounts(*(np.zeros(shape, np.int64) for shape in ((CHIPS,), (CHIPS,), (CHIPS, 2), (CHIPS, 2))))
    pixels = count_chips(probability.astype(np.float32), label, np.ones(label.shape, bool))
    return SplitScores(ScoredChips(pixels, shores, np.arange(CHIPS), np.array(["r"] * CHIPS, object)), tuple(lakes(found, invented)), 0, ())


def by_name(ours, theirs):
    return {(each.group, each.metric): each for each in gains(ours, theirs)}


def test_a_gain_is_the_difference_of_both_scores():
    good, poor = [True] * 10 + [False] * 2, [True] * 4 + [False] * 8
    found = by_name(split(good), split(poor, invented=4))
    assert found["wet", "iou_gain"].value == pytest.approx(10 / 12 - 4 / 12)
    assert found["all", "object_f1_gain"].value == pytest.approx(20 / 22 - 8 / 20)
    assert found["class turbid", "object_f1_gain"].value == pytest.approx(20 / 22 - 8 / 20)
    assert found["all", "object_f1_gain"].n == CHIPS
    assert found["all", "object_f1_gain"].low > 0


def test_the_same_model_is_never_told_apart_from_itself():
    half = [True, False] * 6
    for each in gains(split(half), split(half)):
        assert (each.value, each.low, each.high) == (0, 0, 0)


def test_hard_blocks_that_both_miss_do_not_widen_the_difference():
    ours, theirs = [True] * 6 + [False] * 6, [True] * 5 + [False] * 7
    gain = by_name(split(ours), split(theirs))["wet", "iou_gain"]
    assert gain.value == pytest.approx(1 / 12)
    assert gain.low >= 0
    assert gain.high < 0.3
