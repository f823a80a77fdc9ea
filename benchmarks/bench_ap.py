"""Average precision over sparse pairs: CPU seconds beside pycocotools on one input, and of a whole region in one unit.

    python -m benchmarks.bench_ap

The region (20 000 slumps, 32 000 detections) is beyond pycocotools, whose table of overlaps and loops grow with their product.
"""

import contextlib
import io
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely
from pycocotools import mask as rle
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from models.scores.instances import Unit, average_precisions, coco_summary, match_units
from models.scores.slump_scenes import shared_areas

SIDE = 512


@dataclass(frozen=True)
class Input:
    """Outlines in units of pixels, by image."""

    truths: list[np.ndarray]
    found: list[np.ndarray]
    scores: list[np.ndarray]


def discs(rng: np.random.Generator, count: int, side: float) -> np.ndarray:
    centres, radii = rng.uniform(0, side, (count, 2)), rng.gamma(3.0, 3.0, count) + 3
    return np.asarray(shapely.buffer(shapely.points(centres), radii, quad_segs=8), object)


def shifted(shapes: np.ndarray, by: np.ndarray) -> np.ndarray:
    corners = np.repeat(by, shapely.get_num_coordinates(shapes), axis=0)
    return np.asarray(shapely.set_coordinates(shapes.copy(), shapely.get_coordinates(shapes) + corners), object)


def made(images: int, truths: int, detections: int, side: float) -> Input:
    """Slumps, most of them found with a shifted outline, some twice, and false ones."""
    rng, parts = np.random.default_rng(0), []
    for _ in range(images):
        true = discs(rng, truths, side)
        chosen = rng.integers(0, truths, int(0.7 * detections))
        moved = shifted(true[chosen], rng.normal(0, 2, (len(chosen), 2)))
        found = np.concatenate([moved, discs(rng, detections - len(chosen), side)])
        parts.append((true, found, rng.random(len(found))))
    return Input(*map(list, zip(*parts, strict=True)))


def units(given: Input) -> list[Unit]:
    result = []
    for true, found, scores in zip(given.truths, given.found, given.scores, strict=True):
        one, other, shared = shared_areas(found, true)
        own, its = shapely.area(found), shapely.area(true)
        result.append(Unit(scores, own, its, np.zeros(len(true), bool), one, other, shared / (own[one] + its[other] - shared)))
    return result


def coco(given: Input) -> COCOeval:
    truths, found = [], []
    for image, (true, detected, scores) in enumerate(zip(given.truths, given.found, given.scores, strict=True), start=1):
        for shape in true:
            coded = encoded(shape)
            box = list(map(float, rle.toBbox(coded)))
            row = {"id": len(truths) + 1, "image_id": image, "category_id": 1, "segmentation": coded, "iscrowd": 0}
            truths.append(row | {"area": float(rle.area(coded)), "bbox": box})
        for shape, score in zip(detected, scores, strict=True):
            found.append({"image_id": image, "category_id": 1, "segmentation": encoded(shape), "score": float(score)})
    images = [{"id": place + 1, "height": SIDE, "width": SIDE} for place in range(len(given.truths))]
    with contextlib.redirect_stdout(io.StringIO()):
        dataset = COCO()
        dataset.dataset = {"images": images, "annotations": truths, "categories": [{"id": 1, "name": "slump"}]}
        dataset.createIndex()
        run = COCOeval(dataset, dataset.loadRes(found), "segm")
    run.params.areaRng, run.params.areaRngLbl, run.params.maxDets = [[0, 1e10]], ["all"], [1000]
    return run


def encoded(shape: shapely.Geometry) -> dict:
    return rle.frPyObjects([shapely.get_coordinates(shape).ravel().tolist()], SIDE, SIDE)[0]


def seconds(call: Callable[[], object]) -> tuple[float, object]:
    started = time.process_time()
    result = call()
    return time.process_time() - started, result


def evaluated(run: COCOeval) -> float:
    with contextlib.redirect_stdout(io.StringIO()):
        run.evaluate()
        run.accumulate()
    return float(run.eval["precision"].mean())


def main() -> None:
    coco_summary(units(made(1, 20, 30, SIDE)))  # compiles
    given = made(20, 100, 160, SIDE)
    run = coco(given)
    theirs, their_ap = seconds(lambda: evaluated(run))
    ours, our_ap = seconds(lambda: float(average_precisions(match_units(units(given), most=1000)).mean()))
    print(f"20 images, 2 000 slumps, 3 200 detections, AP of every size: pycocotools {theirs:.2f} CPU s (AP {their_ap:.4f} of masks),")
    print(f"ours {ours:.2f} CPU s (AP {our_ap:.4f} of outlines): {theirs / ours:.1f} times faster")
    region = made(1, 20_000, 32_000, 8_000.0)
    pairs, one = seconds(lambda: units(region))
    scored, summary = seconds(lambda: coco_summary(one, most=None))
    assert isinstance(summary, dict)
    print(f"one region, 20 000 slumps, 32 000 detections: overlaps {pairs:.2f}, all figures {scored:.2f} CPU s (AP {summary['AP']:.4f})")


if __name__ == "__main__":
    main()
