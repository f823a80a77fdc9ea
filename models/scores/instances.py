"""Average precision of instances as COCO counts it, over sparse pairs: an image or a whole region is one unit.

The rules are those of pycocotools (Lin et al. 2014): greedy by score, 101 steps of recall, ignored truths neither asked for nor held
against a detection. Detections of equal score are ranked by (unit, place in the unit), so that the same input gives the same figure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from catalog.facts.errors import GridMismatch
from models.scores.greedy import match_greedily

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]
Range = tuple[float, float]
_T = TypeVar("_T", bound=np.generic)

THRESHOLDS: Final = tuple(np.linspace(0.5, 0.95, 10).tolist())
"""AP is the mean over these overlaps."""
RECALLS: Final = np.linspace(0.0, 1.0, 101)
EVERY_SIZE: Final[Range] = (0.0, float("inf"))
SIZES: Final[Mapping[str, Range]] = {
    "<0.5 ha": (0.0, 5e3),
    "0.5-1 ha": (5e3, 1e4),
    "1-5 ha": (1e4, 5e4),
    ">5 ha": (5e4, float("inf")),
}
"""Area classes of slumps, m²; ends belong to both neighbours, as in COCO."""
MOST: Final = 100
"""Detections of an image that count, best first."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Detections and truths that may match each other: those of one window, or of one zone and year."""

    scores: Floats
    """(detections,)."""
    detection_area: Floats
    """(detections,), m²."""
    truth_area: Floats
    """(truths,), m²."""
    ignore: Flags
    """(truths,), regions that are neither asked for nor held against a detection; any number of detections may lie in one."""
    detection: Indices
    """(pairs,), of every pair that shares ground."""
    truth: Indices
    """(pairs,)."""
    likeness: Floats
    """(pairs,), shared area over that of the union; over that of the detection where the truth is ignored."""

    def __post_init__(self) -> None:
        """Raise GridMismatch when arrays that belong together differ in length."""
        lengths = (len(self.scores), len(self.detection_area)), (len(self.truth_area), len(self.ignore))
        pairs = (len(self.detection), len(self.truth), len(self.likeness))
        if any(len(set(each)) > 1 for each in (*lengths, pairs)):
            raise GridMismatch(f"A unit to score has arrays of lengths {lengths} and pairs {pairs}: give each detection and truth once.")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the detections of all units, best score first; places count through the units in their order."""

    detection: Indices
    """(detections,), place of each among all detections."""
    score: Floats
    matched: Indices
    """(thresholds, detections), place among all truths; -1 for none."""
    ignored: Flags
    """(thresholds, detections), neither right nor wrong."""
    counted: Flags
    """(truths,), asked for."""


def dense_unit(overlap: Floats, scores: Floats, ignore: Flags, detection_area: Floats, truth_area: Floats) -> Unit:
    """Unit of a whole table of overlaps (detections, truths)."""
    detection, truth = np.nonzero(np.asarray(overlap) > 0)
    values = np.asarray(overlap, np.float64)[detection, truth]
    areas = np.asarray(detection_area, np.float64), np.asarray(truth_area, np.float64)
    return Unit(np.asarray(scores, np.float64), *areas, np.asarray(ignore, bool), detection, truth, values)


def match_units(
    units: Sequence[Unit], thresholds: Sequence[float] = THRESHOLDS, size: Range = EVERY_SIZE, most: int | None = MOST
) -> Outcome:
    """Match the detections of each unit with its truths at every threshold of overlap.

    Truths outside `size` (m²) are ignored, and so are detections outside it that match nothing. `most`: detections of a unit that
    count; None for all, as whole regions hold more than an image.
    """
    crowd, area = _joined([unit.ignore for unit in units], np.bool_), _joined([unit.truth_area for unit in units], np.float64)
    ignored = crowd | (area < size[0]) | (area > size[1])
    kept = [np.argsort(-unit.scores, kind="stable")[:most] for unit in units]
    start, truth, likeness = _pairs(units, kept)
    matched = match_greedily(start, truth, likeness, ignored, crowd, np.asarray(thresholds, np.float64))
    own = _joined([unit.detection_area[order] for unit, order in zip(units, kept, strict=True)], np.float64)
    free = matched < 0
    unasked = np.where(free, (own < size[0]) | (own > size[1]), np.append(ignored, False)[matched])
    score = _joined([unit.scores[order] for unit, order in zip(units, kept, strict=True)], np.float64)
    offsets = _offsets([len(unit.scores) for unit in units])
    place = _joined([order + offset for order, offset in zip(kept, offsets, strict=True)], np.int64)
    ranked = np.argsort(-score, kind="stable")
    return Outcome(place[ranked], score[ranked], matched[:, ranked], unasked[:, ranked], ~ignored)


def precision_curve(outcome: Outcome, detection_times: Floats | None = None, truth_times: Floats | None = None) -> Floats:
    """Precision at 0, 1 ... 100 % recall per threshold, (thresholds, 101), as good as at any higher recall; NaN where nothing is asked for.

    `detection_times` and `truth_times` say how often each of all detections and truths counts: how a draw of blocks looks.
    """
    asked = outcome.counted if truth_times is None else outcome.counted * truth_times
    times = np.ones(len(outcome.detection)) if detection_times is None else detection_times[outcome.detection]
    total = float(asked.sum())
    if not total:
        return np.full((len(outcome.matched), len(RECALLS)), np.nan)
    right = np.cumsum((outcome.matched >= 0) * ~outcome.ignored * times, axis=1, dtype=np.float64)
    wrong = np.cumsum((outcome.matched < 0) * ~outcome.ignored * times, axis=1, dtype=np.float64)
    precision = np.divide(right, right + wrong, out=np.zeros(right.shape), where=right > 0)
    precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    reached = [np.searchsorted(recall, RECALLS, side="left") for recall in right / total]
    return np.array([np.append(line, 0.0)[place] for line, place in zip(precision, reached, strict=True)])


def average_precisions(outcome: Outcome, detection_times: Floats | None = None, truth_times: Floats | None = None) -> Floats:
    """AP per threshold, 0 to 1, the mean of `precision_curve`; NaN where no truth is asked for."""
    return np.asarray(precision_curve(outcome, detection_times, truth_times).mean(axis=1), np.float64)


def recalls(outcome: Outcome, truth_times: Floats | None = None) -> Floats:
    """Share of the truths that were found, per threshold; NaN where none is asked for. `truth_times` as for `precision_curve`."""
    times = outcome.counted.astype(np.float64) if truth_times is None else outcome.counted * truth_times
    total = float(times.sum())
    right = (outcome.matched >= 0) & ~outcome.ignored
    found = np.where(right, np.append(times, 0.0)[outcome.matched], 0.0).sum(axis=1)
    return np.asarray(found / total, np.float64) if total else np.full(len(found), np.nan)


def average_precision(units: Sequence[Unit], iou: float = 0.5, *, size: Range = EVERY_SIZE, most: int | None = MOST) -> float:
    """AP at one threshold of overlap, 0 to 1; NaN without a truth."""
    return float(average_precisions(match_units(units, (iou,), size, most))[0])


def coco_summary(units: Sequence[Unit], sizes: Mapping[str, Range] = SIZES, *, most: int | None = MOST) -> dict[str, float]:
    """AP, AP50, AP75, AR, and AP, AP50 and AR of every size class; NaN where a class has no truth."""
    outcome = match_units(units, most=most)
    precision = average_precisions(outcome)
    found = {"AP": _mean(precision), "AP50": precision[0], "AP75": precision[5], "AR": _mean(recalls(outcome))}
    for label, size in sizes.items():
        sized = match_units(units, size=size, most=most)
        precision = average_precisions(sized)
        found |= {f"AP {label}": _mean(precision), f"AP50 {label}": precision[0], f"AR {label}": _mean(recalls(sized))}
    return {name: float(value) for name, value in found.items()}


def _pairs(units: Sequence[Unit], kept: Sequence[Indices]) -> tuple[Indices, Indices, Floats]:
    """Pairs of the kept detections, detection by detection, in the order of the truths; the first pair of each detection."""
    first_truth = _offsets([len(unit.ignore) for unit in units])
    first_kept = _offsets([len(order) for order in kept])
    detection, truth, likeness = [], [], []
    for unit, order, truth_offset, offset in zip(units, kept, first_truth, first_kept, strict=True):
        rank = np.full(len(unit.scores), -1, np.int64)
        rank[order] = np.arange(len(order))
        there = rank[unit.detection] >= 0
        detection.append(rank[unit.detection[there]] + offset)
        truth.append(unit.truth[there] + truth_offset)
        likeness.append(unit.likeness[there])
    owner, other, values = _joined(detection, np.int64), _joined(truth, np.int64), _joined(likeness, np.float64)
    order = np.lexsort((other, owner))
    count = sum(len(each) for each in kept)
    start = np.searchsorted(owner[order], np.arange(count + 1)).astype(np.int64)
    return start, other[order], values[order]


def _offsets(lengths: Sequence[int]) -> Indices:
    return np.cumsum([0, *lengths])[:-1].astype(np.int64)


def _joined(parts: Sequence[NDArray[_T]], dtype: type[_T]) -> NDArray[_T]:
    joined: NDArray[_T] = np.concatenate([np.zeros(0, dtype), *parts]).astype(dtype)
    return joined


def _mean(values: Floats) -> float:
    return float(values.mean())
