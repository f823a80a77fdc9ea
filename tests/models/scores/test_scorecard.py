import numpy as np
import pytest

from models.scores.chip_pixels import count_chips
from models.scores.scorecard import ScoredChips, chip_metrics
from models.scores.shores import ShoreCounts


def scored(probability, label, blocks, regions):
    count = len(label)
    shores = ShoreCounts(np.full(count, 10), np.full(count, 20), np.tile([4, 5], (count, 1)), np.tile([10, 16], (count, 1)))
    pixels = count_chips(np.asarray(probability, np.float32), np.asarray(label, np.uint8), np.ones(np.shape(label), bool))
    return ScoredChips(pixels, shores, np.array(blocks), np.array(regions, object))


@pytest.fixture
def metrics():
    probability = [[[0.9, 0.9, 0.1]], [[0.9, 0.1, 0.1]], [[0.1, 0.1, 0.1]], [[0.6, 0.1, 0.1]]]
    label = [[[250, 250, 0]], [[250, 250, 0]], [[0, 0, 0]], [[0, 0, 0]]]
    chips = scored(probability, label, [0, 1, 2, 3], ["a", "a", "b", "b"])
    return {(m.group, m.metric): m for m in chip_metrics(chips, {"best_on_val": 0.7})}


def test_global_iou_is_of_sums_and_wet_chips_are_apart(metrics):
    assert metrics["all", "iou"].value == pytest.approx(3 / 5)
    assert metrics["wet", "iou"].value == pytest.approx(3 / 4)
    assert metrics["all", "iou_best_on_val"].value == pytest.approx(3 / 4)
    assert metrics["region a", "iou"].value == pytest.approx(3 / 4)
    assert metrics["threshold 0.60", "iou"].value == pytest.approx(3 / 5)
    assert metrics["wet threshold 0.60", "iou"].value == pytest.approx(3 / 4)


def test_dry_chips_do_not_flatter_the_mean_over_chips(metrics):
    assert metrics["wet", "chip_iou"].value == pytest.approx(0.75)
    assert metrics["dry", "stays_dry_share"].value == pytest.approx(0.5)
    assert metrics["all", "chip_iou_as_published"].value == pytest.approx((1 + 2 / 3 + 1 + 1 / 2) / 4)
    assert metrics["wet", "tail_count"].value == 0


def test_intervals_hold_the_value_and_count_blocks(metrics):
    iou = metrics["all", "iou"]
    assert iou.low <= iou.value <= iou.high
    assert iou.blocks == 4
    assert iou.low < iou.high


def test_boundary_f_sums_before_it_divides(metrics):
    assert metrics["all", "boundary_f_10m"].value == pytest.approx(2 * 0.4 * 0.5 / 0.9)
    assert metrics["all", "boundary_f_20m"].value == pytest.approx(2 * 0.5 * 0.8 / 1.3)
