import numpy as np
import pytest
import shapely

from models.outlines.geodesy import to_degrees
from models.scores.lake_metrics import lake_metrics
from models.scores.lakes import TrueLakes, score_lakes, truth_of_label
from models.scores.mosaics import Mosaic
from models.segmenter.labels import coverage_of

EPSG = 32645
ORIGIN = (-310_000, 48_000)
SHAPE = (300, 300)


def disc(x, y, radius):
    """A lake around a pixel of the mosaic, metres of the zone."""
    return shapely.Point((ORIGIN[1] + x) * 10.0, -(ORIGIN[0] + y) * 10.0).buffer(radius * 10.0)


def held(*shapes):
    array = np.empty(len(shapes), object)
    array[:] = shapes
    return array


def mosaic_of(predicted, truth=(), *, seen=None, label=None):
    owner = np.zeros(SHAPE, np.int32)
    owner[:, 150:] = 1
    probability = np.where(coverage_of(held(*predicted), ORIGIN, SHAPE) >= 0.5, 0.9, 0.02).astype(np.float32)
    label = np.rint(250 * coverage_of(held(*truth), ORIGIN, SHAPE)).astype(np.uint8) if label is None else label
    cause = np.zeros(SHAPE, np.uint8)
    seen = np.ones(SHAPE, bool) if seen is None else seen
    return Mosaic(np.array([7, 9]), ORIGIN, probability, np.zeros(SHAPE, np.float32), label, cause, seen, owner)


def truth_of(*shapes, kinds=None, reasons=None, asked=None):
    count = len(shapes)
    return TrueLakes(
        [f"lake-{i}" for i in range(count)],
        to_degrees(held(*shapes), EPSG),
        kinds or ["clear"] * count,
        reasons or [""] * count,
        np.ones(count, bool) if asked is None else np.array(asked),
    )


def figure(rows, group, name):
    blocks, regions = np.arange(10), np.array(["r"] * 10, object)
    return next(m.value for m in lake_metrics(rows, blocks, regions) if (m.group, m.metric) == (group, name))


def test_lakes_are_found_missed_and_invented_once_each():
    truth = (disc(60, 60, 8), disc(200, 60, 20), disc(60, 200, 12))
    predicted = (disc(61, 60, 8), disc(200, 60, 20), disc(200, 200, 10))
    scored = score_lakes(
        mosaic_of(predicted, truth), truth_of(*truth, kinds=["clear", "turbid", "frozen"], reasons=["", "", "frozen"]), EPSG
    )
    assert sorted((row.lake_id, row.found) for row in scored.rows) == [("", False), ("lake-0", True), ("lake-1", True), ("lake-2", False)]
    assert figure(scored.rows, "all", "object_recall") == pytest.approx(2 / 3)
    assert figure(scored.rows, "all", "object_precision") == pytest.approx(2 / 3)
    assert figure(scored.rows, "size >10 ha", "object_recall") == 1
    assert figure(scored.rows, "hard frozen", "object_recall") == 0
    # class F1: recall 1 of turbid lakes, precision 2/3 over all
    assert figure(scored.rows, "class turbid", "object_f1") == pytest.approx(0.8)
    assert {row.chip for row in scored.rows} == {7, 9}


def test_areas_are_geodesic_and_their_interval_holds_the_truth():
    lake = disc(150, 150, 25)
    (row,) = score_lakes(mosaic_of([lake], [lake]), truth_of(lake), EPSG).rows
    assert row.true_area_m2 == pytest.approx(np.pi * 250**2, rel=0.01)
    assert row.area_m2 == pytest.approx(row.true_area_m2, rel=0.01)
    assert row.area_low_m2 < row.true_area_m2 < row.area_high_m2
    assert figure([row], "all", "interval_coverage") == 1
    assert figure([row], "all", "area_mae") == pytest.approx(abs(row.area_m2 - row.true_area_m2))


def test_a_lake_cut_by_the_edge_of_the_chips_is_neither_asked_for_nor_held_against_anyone():
    lake = disc(295, 150, 20)
    scored = score_lakes(mosaic_of([lake], [lake]), truth_of(lake), EPSG)
    assert scored.rows == ()
    assert scored.excused == 1


def test_a_sliver_beyond_the_edge_is_cut_off_and_the_lake_still_counts():
    lake = disc(282, 150, 20)
    (row,) = score_lakes(mosaic_of([lake], [lake]), truth_of(lake), EPSG).rows
    assert row.found
    assert row.true_area_m2 < 0.99 * np.pi * 200**2
    assert row.area_m2 == pytest.approx(row.true_area_m2, rel=0.02)


def test_lakes_of_another_split_tiny_lakes_and_unseen_lakes_are_excused_both_ways():
    seen = np.ones(SHAPE, bool)
    seen[180:, :120] = False
    shapes = (disc(60, 60, 10), disc(200, 60, 1.5), disc(60, 220, 10))
    scored = score_lakes(mosaic_of((shapes[0], disc(200, 60, 2.2)), shapes, seen=seen), truth_of(*shapes, asked=[False, True, True]), EPSG)
    assert scored.rows == ()
    assert scored.excused == 3


def test_a_prediction_where_the_label_is_unknown_is_excused():
    label = np.full(SHAPE, 255, np.uint8)
    assert score_lakes(mosaic_of([disc(100, 100, 10)], label=label), truth_of(), EPSG).rows == ()
    assert len(score_lakes(mosaic_of([disc(100, 100, 10)]), truth_of(), EPSG).rows) == 1


def test_a_mask_without_outlines_gives_its_own():
    lake = disc(100, 100, 10)
    mosaic = mosaic_of([lake], [lake])
    truth = truth_of_label(mosaic, EPSG)
    (row,) = score_lakes(mosaic, truth, EPSG).rows
    assert row.iou == pytest.approx(1, abs=1e-6)


def test_no_lakes_at_all_is_no_error():
    assert score_lakes(mosaic_of([]), truth_of(), EPSG).rows == ()
    assert lake_metrics((), np.arange(3), np.array(["r"] * 3, object)) == ()
