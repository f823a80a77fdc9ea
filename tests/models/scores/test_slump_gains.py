import pytest

from models.scores.scorecard import Metric
from models.scores.slump_gains import slump_gains
from models.scores.slump_metrics import SlumpScores, scored
from tests.scored_slumps import CHIP_M, KM2, labels, scene, square

CORNERS = [CHIP_M * place for place in range(4)]
TRUTH = [square(x + 100, 100, 120) for x in CORNERS] + [square(x + 600, 600, 60) for x in CORNERS]


def scores(*places: int) -> SlumpScores:
    """A detector that finds the slumps of these places, and nothing else."""
    return scored([scene(labels(*TRUTH), [(TRUTH[place], 0.9 - 0.01 * place) for place in places])], 0.5, KM2)


def gains(ours: SlumpScores, theirs: SlumpScores) -> dict[str, Metric]:
    return {metric.metric: metric for metric in slump_gains(ours, theirs)}


def test_a_detector_is_not_ahead_of_itself():
    for metric in gains(scores(0, 1, 5), scores(0, 1, 5)).values():
        assert (metric.value, metric.low, metric.high) == (0.0, 0.0, 0.0)


def test_a_gain_that_every_block_shows_is_certain_though_blocks_differ():
    # with easy and hard blocks, both detectors' own intervals are wide and overlap
    ahead = gains(scores(0, 1, 2, 3, 4, 5, 6, 7), scores(0, 1, 2, 3))
    assert ahead["f1_gain"].value == pytest.approx(1 - 2 / 3)
    assert ahead["f1_gain"].low == pytest.approx(1 - 2 / 3)
    assert ahead["AP50_gain"].value == pytest.approx(1 - 51 / 101)
    assert ahead["AP50_gain"].low > 0.4


def test_a_gain_in_one_block_alone_is_not_certain():
    ahead = gains(scores(0, 1, 2, 3, 4), scores(0, 1, 2, 3))
    assert ahead["f1_gain"].value > 0
    assert ahead["f1_gain"].low == 0.0
    assert gains(scores(0, 1, 2, 3), scores(0, 1, 2, 3, 4))["f1_gain"].value == -ahead["f1_gain"].value
