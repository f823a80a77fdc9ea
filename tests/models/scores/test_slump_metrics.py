import numpy as np
import pytest

from catalog.facts.detector_cards import Calibration
from models.detector.precision import evidence_of, learn
from models.scores.scorecard import Metric
from models.scores.slump_calibration import best_threshold, calibrate
from models.scores.slump_metrics import scored, slump_metrics
from models.scores.slump_scenes import SlumpScene
from tests.scored_slumps import CHIP_M, KM2, labels, scene, square


def figures(*scenes: SlumpScene, threshold: float = 0.5) -> dict[tuple[str, str], Metric]:
    return {(each.group, each.metric): each for each in slump_metrics(scored(scenes, threshold, KM2))}


def mixed() -> SlumpScene:
    """In each of four blocks a large slump that is found, a small one that is missed; invented ones in two, a duplicate in one."""
    corners = [CHIP_M * place for place in range(4)]
    truth = labels(*(square(x + 100, 100, 120) for x in corners), *(square(x + 600, 600, 50) for x in corners))
    found = [(square(x + 100, 100, 110), 0.9 - 0.01 * place) for place, x in enumerate(corners)]
    return scene(truth, [*found, *((square(x + 1_000, 1_000, 80), 0.6) for x in corners[:2]), (square(110, 110, 60), 0.55)])


def test_figures_are_those_reckoned_by_hand():
    found = figures(mixed())
    assert found["all", "recall"].value == 0.5
    assert found["all", "precision"].value == pytest.approx(4 / 7)
    assert found["all", "f1"].value == pytest.approx(2 * 4 / (8 + 7))
    assert found["size 1-5 ha", "recall"].value == 1.0
    assert found["size <0.5 ha", "recall"].value == 0.0
    assert found["all", "duplicates_share"].value == 0.25
    assert found["all", "count_error"].value == pytest.approx(-1 / 8)
    true, listed = 4 * 120**2 + 4 * 50**2, 4 * 110**2 + 2 * 80**2 + 60**2
    assert found["all", "total_area_error"].value == pytest.approx((listed - true) / true, rel=1e-3)
    assert found["all", "area_bias_share"].value == pytest.approx(110**2 / 120**2 - 1, rel=1e-3)
    assert found["all", "invented_per_100km2"].value == pytest.approx(3 / KM2.sum() * 100)
    # at 0.5 to 0.8 the four best detections are right: half of the slumps
    assert found["all", "AP50"].value == pytest.approx(51 / 101)
    assert found["all", "AP"].value == pytest.approx(0.7 * 51 / 101)
    assert found["all", "recall"].n == 8


def test_intervals_hold_the_figure_and_come_out_the_same_again():
    first, again = figures(mixed()), figures(mixed())
    for name in [("all", "AP50"), ("all", "AR"), ("all", "f1"), ("all", "precision"), ("all", "boundary_f_10m")]:
        metric = first[name]
        assert metric.low <= metric.value <= metric.high, name
        assert (metric.low, metric.high) == (again[name].low, again[name].high)
    assert first["all", "precision"].low < first["all", "precision"].high


def test_perfect_detections_score_one_everywhere():
    shapes = [square(200 + CHIP_M * place, 300, 40 + 30 * place) for place in range(4)]
    found = figures(scene(labels(*shapes), [(shape, 0.9) for shape in shapes]))
    for name in ("AP", "AP50", "AP75", "AP30", "AR", "recall", "precision", "f1", "f1_iou30", "boundary_f_10m", "boundary_f_20m"):
        assert found["all", name].value == 1.0, name
    for name in ("duplicates_share", "count_error", "total_area_error", "invented_per_100km2"):
        assert found["all", name].value == pytest.approx(0.0, abs=1e-12), name


def test_no_slump_and_no_detection_is_no_score():
    assert "recall" not in {name for _, name in figures(scene(labels(), []))}
    only_invented = figures(scene(labels(), [(square(100, 100, 50), 0.9)]))
    assert only_invented["all", "precision"].value == 0.0
    assert ("all", "recall") not in only_invented


def test_the_threshold_is_where_f1_is_best():
    threshold, f1 = best_threshold([mixed()])
    assert threshold == pytest.approx(0.87)
    assert f1 == pytest.approx(2 * 4 / (8 + 4))
    assert figures(mixed(), threshold=threshold)["all", "f1"].value == pytest.approx(f1)
    assert best_threshold([scene(labels(square(0, 0, 50)), [])]) == (0.5, 0.0)


def test_the_threshold_lets_no_part_of_equal_scores_in():
    one, other = square(100, 100, 100), square(600, 600, 100)
    equal = scene(labels(one, other), [(one, 0.7), (square(1_000, 1_000, 80), 0.7), (other, 0.6)])
    threshold, f1 = best_threshold([equal])
    assert threshold == pytest.approx(0.6)
    assert f1 == pytest.approx(2 * 2 / (2 + 3))


def test_a_calibration_tells_what_was_found_and_missed_and_where():
    calibration = calibrate([mixed()], KM2, "four blocks")
    assert isinstance(calibration, Calibration)
    assert calibration.true == (True,) * 4 + (False,) * 3
    assert calibration.detection_block == (0, 1, 2, 3, 0, 1, 0)
    assert sorted(calibration.truth_block) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert calibration.truth_score == pytest.approx((0.9, 0.89, 0.88, 0.87, -1, -1, -1, -1))
    assert calibration.matched_m2[:4] == pytest.approx([14_400] * 4, rel=2e-3)
    assert calibration.matched_m2[4:] == (0.0,) * 3
    assert calibration.observed_km2 == pytest.approx(KM2, abs=1e-4)


def test_precision_and_recall_can_be_learned_from_a_calibration():
    evidence = evidence_of(calibrate([mixed()], KM2, "four blocks"), least_score=0.3, minimum_area_m2=400)
    performance = learn(evidence, np.ones(evidence.blocks))
    assert performance is not None
    assert evidence.blocks == 4
    assert performance.precision == pytest.approx(4 / 7)
    assert performance.overall_recall == 0.5
    assert performance.area_recall == pytest.approx(120**2 / (120**2 + 50**2), rel=1e-3)
    assert performance.area_ratio == pytest.approx(110**2 / 120**2, rel=1e-3)


def test_what_nobody_is_asked_about_is_not_in_a_calibration():
    hidden = square(100, 100, 100)
    calibration = calibrate([scene(labels(hidden, reasons=["recovering"]), [(hidden, 0.9), (square(700, 700, 50), 0.4)])], KM2, "x")
    assert (calibration.score, calibration.true, calibration.truth_m2) == ((0.4,), (False,), ())
    assert np.isfinite(calibration.predicted_m2).all()
