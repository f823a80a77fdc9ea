"""One pass over overlapping chips: perfect answers score perfectly, whatever the batch, and every lake counts once."""

import numpy as np
import pytest
import shapely

from catalog.facts.chips import CHIP_PX, ChipBatch
from models.outlines.geodesy import to_degrees
from models.scores.disagreements import Ground
from models.scores.lake_metrics import lake_metrics
from models.scores.results import worst_places
from models.scores.scorecard import chip_metrics
from models.scores.scoring import Chips, SplitScores, score_split
from models.scores.true_lakes import LabelTable
from models.segmenter.labels import label_of

EPSG, ROOT = 32645, (-310_016, 48_160)
LAKES = [(112, 112, 20), (224, 224, 30), (40, 300, 9), (300, 40, 12), (224, 336, 25)]
"""Row, column, radius; the second lies on all corners, the last on the edge between two chips side by side."""


def lake(row, column, radius):
    return shapely.Point((ROOT[1] + column) * 10.0, -(ROOT[0] + row) * 10.0).buffer(radius * 10.0)


SHAPES = np.array([lake(*each) for each in LAKES], object)
GRID = np.array([[ROOT[0] + y, ROOT[1] + x] for y in (0, 112, 224) for x in (0, 112, 336)])


def chips_of(years=(2021,), epsg=EPSG, split="test"):
    shows = [Ground("earth", "hills", year, epsg) for year in years for _ in GRID]
    origins = np.concatenate([GRID] * len(years))
    count = len(origins)
    return Chips(origins, shows, [f"chip {place}" for place in range(count)], np.ones(count, bool), np.arange(count) % 4, split)


def labels_of(years=(2021,), split="test"):
    count = len(SHAPES) * len(years)

    def column(value):
        return np.array([value] * count, object)

    ids = np.array([f"lake {place}" for _ in years for place in range(len(SHAPES))], object)
    outlines = np.concatenate([to_degrees(SHAPES, EPSG)] * len(years))
    by_year = np.repeat(np.array(years), len(SHAPES))
    return LabelTable(outlines, ids, column("earth"), column("hills"), by_year, column(split), column("clear"), column(""))


def reader(chips):
    def read(places):
        label = np.stack([label_of(SHAPES, tuple(chips.origins_yx[place].tolist())) for place in places])
        count = len(label)
        s2 = np.full((count, 12, CHIP_PX, CHIP_PX), 1000, np.uint16)
        s1 = np.full((count, 2, CHIP_PX, CHIP_PX), np.nan, np.float32)
        return ChipBatch(s2, s1, s1[:, 0], np.zeros(label.shape, np.uint8), label, np.ones(count, np.float32))

    return read


def oracle(batch, origins_yx):
    probability = (batch.label / 250).astype(np.float32)
    return probability, np.zeros_like(probability)


def blind(batch, origins_yx):
    nothing = np.zeros(batch.label.shape, np.float32)
    return nothing, nothing


def run(answer, chips=None, labels=None, **how):
    chips = chips or chips_of()
    *told, scores = score_split(chips, reader(chips), answer, (labels or labels_of()).near, **how)
    assert isinstance(scores, SplitScores)
    assert told[-1] == len(chips)
    return chips, scores


def figures(chips, scores):
    found = chip_metrics(scores.chips, {}) + lake_metrics(scores.rows, chips.blocks, chips.regions)
    return {(each.group, each.metric): each for each in found}


def test_perfect_answers_score_perfectly_and_every_lake_counts_once():
    found = figures(*run(oracle))
    for metric in ("iou", "f1", "boundary_f_10m", "object_recall", "object_precision", "object_f1", "interval_coverage"):
        assert found["all", metric].value == 1, metric
    assert found["all", "object_recall"].n == len(LAKES)
    assert found["all", "ece"].value == pytest.approx(0, abs=1e-6)
    assert abs(found["all", "area_bias_share"].value) < 0.01


def test_every_year_has_its_lakes():
    chips, scores = run(oracle, chips_of((2018, 2021)), labels_of((2018, 2021)))
    assert figures(chips, scores)["all", "object_recall"].n == 2 * len(LAKES)


def test_the_size_of_a_batch_changes_nothing():
    one, many = (figures(*run(oracle, batch_size=size)) for size in (1, 16))
    assert {key: each.value for key, each in one.items()} == pytest.approx({key: each.value for key, each in many.items()}, nan_ok=True)


def test_blindness_misses_every_lake_and_each_is_one_disagreement():
    chips, scores = run(blind)
    found = figures(chips, scores)
    assert found["all", "object_recall"].value == 0
    assert found["wet", "tail_share"].value == 1
    assert len(scores.disagreements) == len(LAKES)
    assert {each.lake_ids for each in scores.disagreements} == {(f"lake {place}",) for place in range(len(LAKES))}


def test_lakes_of_another_split_are_not_asked_for():
    _, scores = run(oracle, labels=labels_of(split="train"))
    assert scores.rows == ()
    assert scores.excused == len(LAKES)


def test_chips_without_a_place_are_scored_by_pixel_only():
    chips, scores = run(oracle, chips_of(epsg=0))
    assert scores.rows == ()
    assert figures(chips, scores)["all", "iou"].value == 1
    assert np.isnan(figures(chips, scores)["all", "boundary_f_10m"].value)


def test_a_mask_without_outlines_is_scored_by_its_own_lakes():
    chips = chips_of()
    masked = Chips(chips.origins_yx, chips.shows, chips.names, np.zeros(len(chips), bool), chips.blocks, chips.split)
    assert figures(*run(oracle, masked))["all", "object_recall"].n == len(LAKES)


def test_choosing_a_threshold_needs_no_lakes():
    chips = chips_of()
    *_, scores = score_split(chips, reader(chips), oracle, None)
    assert scores.rows == ()
    assert scores.chips.pixels.true.sum() > 0


def test_worst_places_are_apart_and_only_those_with_errors():
    chips, scores = run(blind, chips_of((2018, 2021)), labels_of((2018, 2021)))
    worst = worst_places(chips, scores, 6, CHIP_PX)
    origins = chips.origins_yx[worst]
    assert 1 < len(worst) <= 6
    gaps = np.abs(origins[:, None] - origins[None]).max(-1)[~np.eye(len(worst), dtype=bool)]
    assert gaps.min() >= CHIP_PX
    assert worst_places(*run(oracle), 6, CHIP_PX) == []
