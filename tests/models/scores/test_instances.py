import contextlib
import io

import numpy as np
import pytest
from pycocotools import mask as rle
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from catalog.facts.errors import GridMismatch
from models.scores.instances import Unit, average_precision, average_precisions, coco_summary, dense_unit, match_units, recalls

SIDE = 64


def reference(units: list[dict], size: tuple[float, float] = (0, 1e10)) -> dict[str, float]:
    """What pycocotools says about images of masks."""
    images = [{"id": number + 1, "height": SIDE, "width": SIDE} for number in range(len(units))]
    truths, found = [], []
    for number, unit in enumerate(units):
        for mask, crowd in zip(unit["truths"], unit["ignore"], strict=True):
            coded = rle.encode(np.asfortranarray(mask.astype(np.uint8)))
            box = list(map(float, rle.toBbox(coded)))
            row = {"id": len(truths) + 1, "image_id": number + 1, "category_id": 1, "segmentation": coded, "iscrowd": int(crowd)}
            truths.append(row | {"area": float(mask.sum()), "bbox": box})
        for mask, score in zip(unit["found"], unit["scores"], strict=True):
            coded = rle.encode(np.asfortranarray(mask.astype(np.uint8)))
            found.append({"image_id": number + 1, "category_id": 1, "segmentation": coded, "score": float(score)})
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {"images": images, "annotations": truths, "categories": [{"id": 1, "name": "slump"}]}
        coco.createIndex()
        run = COCOeval(coco, coco.loadRes(found), "segm")
        run.params.areaRng, run.params.areaRngLbl = [list(size)], ["all"]
        run.evaluate()
        run.accumulate()
    precision, recall = run.eval["precision"][:, :, 0, 0, -1], run.eval["recall"][:, 0, 0, -1]
    return {"AP": precision.mean(), "AP50": precision[0].mean(), "AP75": precision[5].mean(), "AR": recall.mean()}


def ours(units: list[dict]) -> list[Unit]:
    return [unit_of(unit) for unit in units]


def unit_of(unit: dict) -> Unit:
    truths, found = (np.array(unit[name], bool).reshape(-1, SIDE * SIDE).astype(float) for name in ("truths", "found"))
    shared = found @ truths.T
    whole = np.where(unit["ignore"], found.sum(1)[:, None], found.sum(1)[:, None] + truths.sum(1) - shared)
    return dense_unit(shared / whole, np.array(unit["scores"]), np.array(unit["ignore"]), found.sum(1), truths.sum(1))


def block(top: int, left: int, height: int, width: int) -> np.ndarray:
    mask = np.zeros((SIDE, SIDE), bool)
    mask[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)] = True
    return mask


def hand_case() -> dict:
    """Four slumps: one found exactly, one at 0.625, one at 0.667, one missed; the second best detection is invented."""
    truths = [block(0, 0, 10, 10), block(20, 0, 10, 16), block(40, 0, 10, 15), block(0, 40, 10, 10)]
    found = [block(0, 0, 10, 10), block(50, 50, 10, 10), block(20, 0, 10, 10), block(40, 0, 10, 10)]
    return {"truths": truths, "ignore": [False] * 4, "found": found, "scores": [0.9, 0.8, 0.7, 0.6]}


def random_units(seed: int, *, crowds: float = 0.15, ties: bool = False) -> list[dict]:
    rng = np.random.default_rng(seed)
    units = []
    for _ in range(int(rng.integers(2, 6))):
        places = rng.integers(0, SIDE - 16, (int(rng.integers(1, 8)), 2))
        sizes = rng.integers(4, 16, (len(places), 2))
        truths = [block(*place, *size) for place, size in zip(places.tolist(), sizes.tolist(), strict=True)]
        found = []
        for place, size in zip(places.tolist(), sizes.tolist(), strict=True):
            for _ in range(int(rng.integers(0, 3))):
                moved = np.add(place, rng.integers(-3, 4, 2)).tolist()
                found.append(block(*moved, *np.maximum(np.add(size, rng.integers(-3, 4, 2)), 2).tolist()))
        found += [block(*rng.integers(0, SIDE - 10, 2).tolist(), *rng.integers(3, 10, 2).tolist()) for _ in range(3)]
        found = [mask for mask in found if mask.any()]
        scores = rng.random(len(found)).round(1 if ties else 9)
        units.append({"truths": truths, "ignore": (rng.random(len(truths)) < crowds).tolist(), "found": found, "scores": scores})
    return units


def test_the_hand_case_scores_what_was_reckoned_by_hand():
    summary = coco_summary(ours([hand_case()]))
    assert summary["AP50"] == pytest.approx(0.628713, abs=1e-6)
    assert summary["AP"] == pytest.approx(0.381188, abs=1e-6)
    assert summary["AR"] == pytest.approx(0.425, abs=1e-12)
    assert reference([hand_case()])["AP50"] == pytest.approx(summary["AP50"], abs=1e-12)


@pytest.mark.parametrize("ties", [False, True])
def test_random_cases_score_as_pycocotools_scores_them(ties: bool):
    compared = 0
    for seed in range(50):
        units = random_units(seed, ties=ties)
        expected, summary = reference(units), coco_summary(ours(units))
        compared += expected["AP"] > 0
        assert {name: summary[name] for name in expected} == pytest.approx(expected, abs=1e-9), seed
    assert compared > 45


def test_size_classes_score_as_pycocotools_scores_them():
    for seed in range(25):
        units = random_units(seed)
        expected = reference(units, (60.0, 130.0))
        outcome = match_units(ours(units), size=(60.0, 130.0))
        if outcome.counted.any():
            precision = average_precisions(outcome)
            assert [precision.mean(), precision[0], recalls(outcome).mean()] == pytest.approx(
                [expected["AP"], expected["AP50"], expected["AR"]], abs=1e-9
            )


def test_perfect_predictions_score_exactly_one():
    for seed in range(10):
        units = [
            {**unit, "ignore": [False] * len(truths), "truths": truths, "found": truths, "scores": [0.5] * len(truths)}
            for unit in random_units(seed)
            for truths in [apart(unit["truths"])]
        ]
        summary = coco_summary(ours(units))
        assert (summary["AP"], summary["AP50"], summary["AR"]) == (1.0, 1.0, 1.0)


def apart(masks: list[np.ndarray]) -> list[np.ndarray]:
    kept: list[np.ndarray] = []
    for mask in masks:
        if not any((mask & other).any() for other in kept):
            kept.append(mask)
    return kept


def test_every_detection_given_twice_lowers_the_score():
    # of truths that share ground, a second copy may find the other one
    parts = [
        [unit | {"truths": truths, "ignore": [False] * len(truths)} for unit in random_units(seed) for truths in [apart(unit["truths"])]]
        for seed in range(10)
    ]
    for units in [[hand_case()], *parts]:
        twice = [unit | {"found": [*unit["found"], *unit["found"]], "scores": [*unit["scores"], *unit["scores"]]} for unit in units]
        assert average_precision(ours(twice)) < average_precision(ours(units))


def test_a_detection_in_an_ignored_region_is_neither_right_nor_wrong():
    plain = hand_case()
    hidden = plain | {"truths": [*plain["truths"], block(45, 45, 19, 19)], "ignore": [False] * 4 + [True]}
    without = plain | {"found": [plain["found"][place] for place in (0, 2, 3)], "scores": [0.9, 0.7, 0.6]}
    assert coco_summary(ours([hidden])) == pytest.approx(coco_summary(ours([without])), nan_ok=True)
    assert average_precision(ours([hidden])) > average_precision(ours([plain]))


def test_detections_of_equal_score_rank_by_unit_and_place():
    right = {"truths": [block(0, 0, 10, 10)], "ignore": [False], "found": [block(0, 0, 10, 10)], "scores": [0.5]}
    wrong = {"truths": [], "ignore": [], "found": [block(30, 30, 5, 5)], "scores": [0.5]}
    assert average_precision(ours([right, wrong])) == 1.0
    assert average_precision(ours([wrong, right])) == 0.5


def test_nothing_to_find_is_not_a_score():
    nothing = {"truths": [], "ignore": [], "found": [block(30, 30, 5, 5)], "scores": [0.5]}
    assert np.isnan(average_precision(ours([nothing])))
    assert np.isnan(coco_summary([])["AP"])
    asked = {"truths": [block(0, 0, 5, 5)], "ignore": [False], "found": [], "scores": []}
    assert average_precision(ours([asked])) == 0.0


def test_weights_of_two_count_a_unit_twice():
    units = ours(random_units(3, crowds=0.0))
    double = [*units, units[0]]
    outcome = match_units(units)
    times = [np.repeat([2.0, *[1.0] * (len(units) - 1)], [len(getattr(unit, name)) for unit in units]) for name in ("scores", "ignore")]
    assert average_precisions(outcome, *times) == pytest.approx(average_precisions(match_units(double)), abs=1e-12)


def test_arrays_that_do_not_belong_together_are_refused():
    with pytest.raises(GridMismatch, match="each detection and truth once"):
        Unit(np.zeros(2), np.zeros(1), np.zeros(1), np.zeros(1, bool), *[np.zeros(0, np.int64)] * 2, np.zeros(0))
