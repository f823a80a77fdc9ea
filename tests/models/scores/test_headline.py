import numpy as np
import pytest
import shapely

from models.scores.events import Event, score_events
from models.scores.features import ScoredFeatures
from models.scores.headline import headline


def squares(*sides_m: float):
    """Squares of given sides in metres, a kilometre apart on the equator."""
    degrees = [side / 111_320 for side in sides_m]
    shapes = [shapely.box(i * 0.01, 0.0, i * 0.01 + d, d) for i, d in enumerate(degrees)]
    return np.array(shapes, dtype=object), np.array(sides_m, np.float64) ** 2


def features(*sides_m: float, shift: int = 0):
    shapes, areas = squares(*sides_m)
    moved = np.array([shapely.transform(shape, lambda xy: np.add(xy, [0.01 * shift, 0.0])) for shape in shapes], dtype=object)
    return ScoredFeatures(moved, areas, areas * 0.9, areas * 1.1)


def test_the_same_features_score_one():
    figures, groups = headline(features(100, 200, 300), features(100, 200, 300), np.zeros(3, bool))
    assert (figures.true_count, figures.predicted_count) == (3, 3)
    assert figures.recall == figures.precision == figures.interval_coverage == 1.0
    assert figures.area_error == pytest.approx(0.0)
    assert groups[0].group == "all"


def test_a_missed_lake_costs_recall_and_an_invented_one_precision():
    figures, _ = headline(features(100, 200, 300), features(100, 200, 300, shift=1), np.zeros(3, bool))
    assert figures.recall == 0.0
    assert figures.precision == 0.0


def test_hard_and_small_truths_are_neither_asked_for_nor_held_against_who_finds_them():
    truth = features(40, 100, 200)  # 0.16, 1 and 4 ha
    hard = np.array([False, True, False])
    for found in (features(40, 100, 200), features(200, shift=2)):
        figures, _ = headline(found, truth, hard)
        assert (figures.true_count, figures.predicted_count) == (1, 1)
        assert figures.recall == figures.precision == 1.0


def test_events_pair_by_kind_feature_and_year():
    happened = [
        Event("drain", 2021, frozenset({"a"})),
        Event("merge", 2022, frozenset({"b", "c"})),
        Event("appear", 2020, frozenset({"d"})),
    ]
    reported = [Event("drain", 2022, frozenset({"a"})), Event("merge", 2022, frozenset({"c"})), Event("vanish", 2020, frozenset({"d"}))]
    scores = score_events(reported, happened)
    assert scores.found == {"drain": 1, "merge": 1}
    assert scores.happened == {"drain": 1, "merge": 1, "appear": 1}
    assert scores.reported == {"drain": 1, "merge": 1, "vanish": 1}


def test_one_report_does_not_answer_for_two_events_nor_one_of_the_past():
    happened = [Event("drain", 2020, frozenset({"a"})), Event("drain", 2021, frozenset({"a"}))]
    assert score_events([Event("drain", 2021, frozenset({"a"}))], happened).found == {"drain": 1}
    assert score_events([Event("drain", 2019, frozenset({"a"}))], happened).found == {}
