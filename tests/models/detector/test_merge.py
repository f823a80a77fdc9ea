from dataclasses import replace

import numpy as np
import pytest
import shapely

from benchmarks.slump_views import Faults, masked, outlines, plain_nms, polygons, seen, slumps, verdict
from catalog.facts.errors import GridMismatch
from models.detector.merge import Detected, MergeOptions, merge
from models.detector.votes import VoteOptions

WINDOW, STRIDE = 112, 56
ORIGIN = (-760_032, 50_064)
"""Multiple of the stride, near 68.6 N."""
FAULTLESS = Faults(jitter_m=0.0, miss=0.0)


def windows(rows, columns, stride=STRIDE):
    return np.array([(ORIGIN[0] + y * stride, ORIGIN[1] + x * stride) for y in range(rows) for x in range(columns)])


def place(x_px, y_px):
    """Metres of a point given in 10 m pixels from the corner of the first window."""
    return (ORIGIN[1] + x_px) * 10.0, -(ORIGIN[0] + y_px) * 10.0


def disc(x_px, y_px, radius_m):
    return shapely.Point(place(x_px, y_px)).buffer(radius_m, quad_segs=32)


def detections(where, rows):
    """Detections from (window, outline in metres, score); what lies outside the window is cut off."""
    found = []
    for window, shape, score in rows:
        y, x = where[window]
        frame = shapely.box(x * 10.0, (-y - WINDOW) * 10.0, (x + WINDOW) * 10.0, -y * 10.0)
        box, mask = masked(shapely.intersection(shape, frame), x * 10.0, -y * 10.0)
        found.append((window, box, score, mask))
    columns = list(zip(*found, strict=True))
    return Detected(
        where, WINDOW, 2, np.array(columns[0]), np.array(columns[1]), np.array(columns[2], np.float32), np.array(columns[3], np.float32)
    )


def likeness(one, other):
    return shapely.area(one & other) / shapely.area(one | other)


def shuffled(detected, seed=0):
    rng = np.random.default_rng(seed)
    rows, order = rng.permutation(len(detected.scores)), rng.permutation(len(detected.windows_yx))
    return replace(
        detected,
        windows_yx=detected.windows_yx[order],
        window=np.argsort(order)[detected.window][rows],
        **{name: getattr(detected, name)[rows] for name in ("boxes", "scores", "masks")},
    )


@pytest.fixture(scope="module")
def scenes():
    """Check 14 of the specification: 4 scenes of 160 clustered slumps, 10 m of jitter, 5 % misses, windows of 2.56 km, a quarter shared."""
    truths = [slumps(seed) for seed in range(4)]
    return [(truth, seen(truth, window_px=256, stride_px=192, seed=seed)) for seed, truth in enumerate(truths)]


def test_slumps_in_clusters_come_out_once_each_with_their_area(scenes):
    verdicts = [verdict(polygons(merge(detected)), truth) for truth, detected in scenes]
    assert np.mean([v.extras for v in verdicts]) <= 0.03
    assert np.mean([v.duplicates / v.truth for v in verdicts]) <= 0.02
    assert abs(np.mean([v.area_bias for v in verdicts])) <= 0.04
    assert np.mean([v.matched / v.truth for v in verdicts]) >= 0.95


def test_plain_suppression_would_leave_pieces(scenes):
    assert np.mean([verdict(plain_nms(detected), truth).extras for truth, detected in scenes]) > 0.15


def test_a_shift_of_the_windows_by_half_a_stride_hardly_changes_the_count(scenes):
    truth, detected = scenes[0]
    moved = seen(truth, window_px=256, stride_px=192, shift_px=96, seed=0)
    counts = [len(merge(found)) for found in (detected, moved)]
    assert abs(counts[1] / counts[0] - 1) <= 0.03


def test_equal_detections_in_any_order_give_equal_bytes(scenes):
    _, detected = scenes[1]
    first = merge(detected)
    for seed in range(2):
        again = merge(shuffled(detected, seed))
        assert [shapely.to_wkb(slump.polygon) for slump in again] == [shapely.to_wkb(slump.polygon) for slump in first]
        assert [replace(slump, polygon=None) for slump in again] == [replace(slump, polygon=None) for slump in first]


def test_detections_that_differ_in_their_masks_only_have_one_order():
    where, shape = windows(1, 2), disc(84, 56, 60)
    base = detections(where, [(0, shape, 0.8), (0, shape, 0.8), (1, shape, 0.8)])
    base.masks[1] *= 0.6
    assert shapely.to_wkb(merge(base)[0].polygon) == shapely.to_wkb(merge(shuffled(base, 3))[0].polygon)


def test_fragments_and_overreaching_masks_do_not_make_duplicates():
    truth = slumps(7, count=80)
    faults = Faults(jitter_m=5.0, miss=0.1, overreach=0.1, fragments=0.3)
    found = verdict(polygons(merge(seen(truth, window_px=WINDOW, stride_px=STRIDE, seed=7, faults=faults))), truth)
    assert found.duplicates <= 0.02 * found.truth
    assert found.matched >= 0.95 * found.truth


def test_one_slump_seen_in_four_windows_is_one():
    where, shape = windows(2, 2), disc(84, 84, 50)
    (slump,) = merge(detections(where, [(window, shape, 0.6 + window / 10) for window in range(4)]))
    assert likeness(slump.polygon, shape) > 0.96
    assert slump.members == 4
    assert slump.score == pytest.approx(0.9)
    assert slump.votes_share > 0.95
    assert not slump.edge_cut
    assert not slump.conflict
    assert slump.mask_probability > 0.9
    assert 0 < slump.boundary_sd_m < 5


def test_windows_that_find_nothing_make_a_slump_less_sure_but_not_smaller():
    where, shape = windows(2, 2), disc(84, 84, 50)
    (slump,) = merge(detections(where, [(0, shape, 0.7), (3, shape, 0.9)]))
    assert slump.votes_share == pytest.approx(0.5, abs=0.03)
    assert likeness(slump.polygon, shape) > 0.96


def test_a_window_that_sees_a_sliver_has_no_vote_against():
    where = windows(1, 2)
    shape = disc(56, 56, 60)
    # the second window begins at the middle of the disc, so it sees half; shifted, it sees a tenth
    counts = {}
    for name, x_px in (("half", 56), ("sliver", 52)):
        shape = disc(x_px, 56, 60)
        (slump,) = merge(detections(where, [(0, shape, 0.9)]))
        counts[name] = slump.votes_share
    assert counts["half"] < 0.8
    assert counts["sliver"] > 0.95


def test_too_few_windows_make_no_slump():
    where, shape = windows(2, 2), disc(84, 84, 50)
    found = detections(where, [(1, shape, 0.9)])
    assert len(merge(found)) == 1
    assert merge(found, MergeOptions(votes=VoteOptions(min_votes=0.3))) == ()


def test_a_slump_larger_than_a_window_is_whole():
    where = windows(1, 6)
    shape = shapely.LineString([place(20, 56), place(370, 60)]).buffer(150)
    found = detections(where, [(window, shape, 0.5 + window / 100) for window in range(6)])
    (slump,) = merge(found)
    assert likeness(slump.polygon, shape) > 0.97
    assert slump.score == pytest.approx(0.55)
    assert not slump.edge_cut


def test_the_score_is_that_of_a_detection_that_no_window_cuts():
    where = windows(1, 2)
    shape = disc(56, 56, 80)
    (slump,) = merge(detections(where, [(0, shape, 0.6), (1, shape, 0.95)]))
    assert slump.score == pytest.approx(0.6)


def test_a_slump_at_the_end_of_the_looked_at_ground_says_so():
    where = windows(1, 2)
    inner, outer = disc(84, 50, 60), disc(84, 0, 60)
    found = merge(detections(where, [(0, inner, 0.9), (1, inner, 0.9), (0, outer, 0.9), (1, outer, 0.9)]))
    assert [slump.edge_cut for slump in found] == [True, False]


def test_neighbours_stay_two_though_a_mask_covers_both_and_the_conflict_is_told():
    where = windows(2, 2)
    left, right = disc(80, 84, 40), disc(90, 84, 40)
    rows = [(window, shape, 0.8) for window in (0, 1, 2) for shape in (left, right)]
    both = shapely.convex_hull(left | right)
    found = sorted(merge(detections(where, [*rows, (3, both, 0.9)])), key=lambda slump: slump.polygon.bounds)
    assert len(found) == 2
    assert all(slump.conflict for slump in found)
    assert min(likeness(found[0].polygon, left), likeness(found[1].polygon, right)) > 0.9


def test_two_detections_of_one_window_on_one_slump_become_one():
    where, shape = windows(1, 1), disc(56, 56, 90)
    part = shapely.intersection(shape, shapely.box(*place(46, 66), *place(56, 46)))
    (slump,) = merge(detections(where, [(0, shape, 0.7), (0, part, 0.9)]))
    assert likeness(slump.polygon, shape) > 0.95
    assert slump.members == 2


def test_windows_without_overlap_leave_no_gap_at_their_edges():
    where = windows(1, 2, stride=WINDOW)
    shape = disc(112, 56, 90)
    found = merge(detections(where, [(0, shape, 0.9), (1, shape, 0.9)]))
    # nothing sees both halves, so they stay two, but the rims of the windows are theirs
    assert sum(slump.polygon.area for slump in found) == pytest.approx(shape.area, rel=0.03)


def test_what_lies_elsewhere_changes_nothing(scenes):
    _, detected = scenes[2]
    left = detected.boxes[:, 0] + 2 * detected.windows_yx[detected.window, 1] < 2 * np.median(detected.windows_yx[:, 1])
    alone = replace(detected, **{name: getattr(detected, name)[left] for name in ("window", "boxes", "scores", "masks")})
    whole = {shapely.to_wkb(slump.polygon) for slump in merge(detected)}
    west = [slump for slump in merge(alone) if slump.polygon.bounds[2] < np.median(detected.windows_yx[:, 1]) * 10 - 3000]
    assert len(west) > 8
    assert {shapely.to_wkb(slump.polygon) for slump in west} <= whole


def test_nothing_found_is_no_slump():
    empty = Detected(windows(2, 2), WINDOW, 2, np.empty(0, np.int64), np.empty((0, 4)), np.empty(0), np.empty((0, 28, 28)))
    assert merge(empty) == ()


def test_a_box_without_ground_is_left_out():
    where, shape = windows(1, 1), disc(56, 56, 60)
    found = detections(where, [(0, shape, 0.9), (0, shape, 0.8)])
    found.boxes[1] = (10, 10, 10, 30)
    assert [slump.members for slump in merge(found)] == [1]


def test_arrays_that_do_not_fit_are_refused():
    where, shape = windows(1, 1), disc(56, 56, 60)
    found = detections(where, [(0, shape, 0.9)])
    with pytest.raises(GridMismatch, match="one row each"):
        replace(found, window=np.array([1]))
    with pytest.raises(GridMismatch, match="one row each"):
        replace(found, scores=np.zeros(2))


def test_the_view_of_one_window_is_the_outline_of_its_mask():
    where, shape = windows(1, 1), disc(56, 56, 60)
    found = detections(where, [(0, shape, 0.9)])
    assert likeness(merge(found)[0].polygon, outlines(found)[0]) > 0.95
