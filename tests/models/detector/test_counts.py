"""Counts with a range: what they are worth where the truth is known, and what they say where nothing is known."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from benchmarks.slump_counts import calibration_of, ground, verdict
from catalog.facts.detector_cards import Calibration
from catalog.facts.slump_schemas import SLUMP_COUNTS
from models.detector.counts import CountingRule, count_row, region_count, represent, total

QUICK = CountingRule(draws=40)
BLOCKS = 40


@pytest.fixture(scope="module")
def known():
    return calibration_of(ground(np.random.default_rng(3), BLOCKS, 1.0), BLOCKS)


@pytest.fixture(scope="module")
def region():
    there = ground(np.random.default_rng(4), 30, 1.0)
    return there.score, there.predicted_m2


@pytest.mark.parametrize("density", [0.5, 2.0])
def test_ranges_hold_the_truth_at_another_density_and_only_with_the_prior_shift(density):
    moved, unmoved = (verdict(density, regions, CountingRule(draws=20, prior_shift=shift)) for regions, shift in ((24, True), (12, False)))
    assert moved.coverage >= 0.82
    assert abs(moved.bias) < 0.1
    assert unmoved.coverage < 0.6
    assert abs(unmoved.bias) > 0.1


@pytest.mark.slow
@pytest.mark.parametrize("density", [0.4, 0.5, 1.0, 2.0])
def test_ranges_of_counts_and_areas_hold_the_truth_in_sixty_region_years(density):
    found = verdict(density, 60, CountingRule())
    assert found.coverage >= 0.82
    assert found.area_coverage >= 0.82
    assert abs(found.bias) < 0.1
    assert abs(found.area_bias) < 0.1


@pytest.mark.slow
@pytest.mark.parametrize("density", [0.4, 0.5, 2.0])
def test_without_the_prior_shift_sixty_region_years_fail(density):
    found = verdict(density, 60, CountingRule(prior_shift=False))
    assert found.coverage < 0.82


def test_the_order_of_detections_does_not_matter(known, region):
    scores, areas = region
    order = np.random.default_rng(5).permutation(len(scores))
    one, other = region_count(scores, areas, known, 150.0, rule=QUICK), region_count(scores[order], areas[order], known, 150.0, rule=QUICK)
    for name in ("count", "count_low", "count_high", "area_m2", "area_low_m2", "area_high_m2"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-9)


def test_parts_of_a_region_add_up_to_it(known, region):
    scores, areas = region
    stands_for = represent(scores, areas, known, rule=QUICK)
    whole = total(stands_for, 150.0)
    half = np.arange(len(scores)) % 2 == 0
    parts = [total(stands_for, 75.0, np.flatnonzero(chosen), number=number + 1) for number, chosen in enumerate((half, ~half))]
    assert sum(part.count for part in parts) == pytest.approx(whole.count)
    assert sum(part.area_m2 for part in parts) == pytest.approx(whole.area_m2)
    assert sum(part.detections for part in parts) == whole.detections


def test_density_is_told_per_observed_ground_only(known, region):
    half, whole = (region_count(*region, known, km2, rule=QUICK) for km2 in (75.0, 150.0))
    assert half.count == whole.count
    assert half.per_100_km2() == pytest.approx(tuple(2 * value for value in whole.per_100_km2()))
    assert whole.per_100_km2()[0] == pytest.approx(whole.count / 1.5)


def test_finding_nothing_is_not_proof_of_nothing(known):
    found = region_count(np.empty(0), np.empty(0), known, 100.0, rule=CountingRule(draws=100))
    assert (found.count, found.count_low, found.detections) == (0.0, 0.0, 0)
    assert 1 <= found.count_high <= 6


def test_ground_that_nobody_saw_holds_an_unknown_number(known):
    found = region_count(np.empty(0), np.empty(0), known, 0.0, rule=QUICK)
    assert np.isnan(found.count)
    assert found.range_missing_because == "no ground was observed"


def test_without_calibration_the_count_is_plain_and_has_no_range():
    found = region_count(np.array([0.9, 0.6, 0.4, 0.9]), np.array([5e3, 5e3, 5e3, 100.0]), Calibration("none"), 100.0)
    assert (found.count, found.area_m2, found.detections) == (2.0, 1e4, 2)
    assert np.isnan([found.count_low, found.count_high, found.area_low_m2, found.detector_recall]).all()
    assert found.range_missing_because == "the model has no calibration"


def test_one_piece_of_calibration_ground_gives_a_count_but_no_range(known, region):
    one = replace(
        known,
        detection_block=(0,) * len(known.score),
        truth_block=(0,) * len(known.truth_m2),
        observed_km2=(300.0,),
    )
    found, usual = (region_count(*region, calibration, 150.0, rule=QUICK) for calibration in (one, known))
    assert found.count == pytest.approx(usual.count, rel=0.1)
    assert np.isnan(found.count_low)
    assert "one piece" in found.range_missing_because


def test_a_calibration_that_found_nothing_is_no_calibration():
    missed = Calibration("bad", truth_block=(0, 1), truth_m2=(5e3, 5e3), truth_score=(-1.0, -1.0), observed_km2=(1.0, 1.0))
    found = region_count(np.array([0.9]), np.array([5e3]), missed, 10.0)
    assert found.count == 1.0
    assert "found no slump" in found.range_missing_because


def test_more_slumps_among_equal_detections_when_recall_is_lower(known, region):
    kept = [score if place % 2 else -1.0 for place, score in enumerate(known.truth_score)]
    worse = replace(known, truth_score=tuple(kept))
    assert region_count(*region, worse, 150.0, rule=QUICK).count > 1.5 * region_count(*region, known, 150.0, rule=QUICK).count


def test_small_detections_do_not_count(known, region):
    scores, areas = region
    found = region_count(np.append(scores, 0.99), np.append(areas, 399.0), known, 150.0, rule=QUICK)
    assert found.count == region_count(scores, areas, known, 150.0, rule=QUICK).count


def test_rows_fit_their_schema_and_say_null_where_nothing_is_known(known, region):
    place = {"region": "peel", "year": 2021, "observed_share": 0.7, "model": "slumps-tiny 1"}
    rows = [count_row(region_count(*region, calibration, 150.0, rule=QUICK), QUICK, place) for calibration in (known, Calibration("none"))]
    table = pa.Table.from_pylist(rows, schema=SLUMP_COUNTS)
    assert table.column("count_low").null_count == 1
    assert table.column("range_missing_because").to_pylist() == [None, "the model has no calibration"]
    assert rows[0]["counting_rule"] != rows[1]["counting_rule"]
    assert set(rows[0]) == set(SLUMP_COUNTS.names)
