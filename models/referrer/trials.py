"""Trials beside the scores: phrases in another order, and what the memory changes in a mask."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.referrer.answering import Answer
from models.referrer.evaluation import Question
from models.referrer.measures import measure
from models.referrer.pairs import reordered
from models.referrer.scorecard import masks_of
from models.scores.scene_figures import Row, metric
from models.scores.scorecard import Metric

_SURE: Final = 1e-7
"""Probabilities nearer to 0 or 1 than that are taken for that: their logits would not be numbers."""


def in_other_order(questions: Sequence[Question]) -> list[Question]:
    """Questions for several masks, the first phrase moved to the end."""
    several = [each for each in questions if len(each.pair.targets) > 1]
    return [replace(each, pair=reordered(each.pair, [*range(1, len(each.pair.targets)), 0])) for each in several]


def unmoved(asked: Sequence[Question], moved: Sequence[tuple[Question, Answer]], size: int) -> Iterator[Metric]:
    """mIoU of masks in the other order against those that the first one asked for: high where nobody reads phrases one by one."""
    kept = {(each.scene.scene_id, each.pair.phrases): each for each in asked}
    measured = [measure(kept[question.scene.scene_id, _back(question.pair.phrases)], answer, size) for question, answer in moved]
    rows = [(scene, (mask.scored.iou, 1.0)) for scene, mask in masks_of(measured)]
    yield from metric(("several referents", "miou_unmoved", "1"), rows)


def memory_change(questions: Sequence[Question], own: Sequence[Answer], without: Sequence[Answer]) -> Iterator[Metric]:
    """Mean change of a pixel when the memory is emptied, of masks that both drew: of its probability, and of its logit."""
    changes = []
    for question, ours, theirs in zip(questions, own, without, strict=True):
        for mine, other in zip(ours.drawings, theirs.drawings, strict=False):
            first, second = mine.probability, other.probability
            changes.append((question.scene.scene_id, np.abs(first - second).mean(), np.abs(_logit(first) - _logit(second)).mean()))
    for place, (name, unit) in enumerate((("probability_change", "1"), ("logit_change", "1")), 1):
        rows: list[Row] = [(str(each[0]), (float(each[place]), 1.0)) for each in changes]
        yield from metric(("all", name, unit), rows)


def _back(phrases: Sequence[str]) -> tuple[str, ...]:
    return (phrases[-1], *phrases[:-1])


def _logit(probability: NDArray[np.float32]) -> NDArray[np.float64]:
    known = np.clip(probability.astype(np.float64), _SURE, 1 - _SURE)
    return np.asarray(np.log(known / (1 - known)))
