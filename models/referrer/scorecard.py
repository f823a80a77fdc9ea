"""Measured answers to figures with 90 % intervals by scene, as rows of the long table of scores."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from catalog.facts.feature_classes import CLASSES
from catalog.facts.referrer_evaluation import LAKE_PHRASES, WITHOUT_ICE
from catalog.facts.spoken_evaluation import BY_RULE, TEACHER_FORCED
from models.referrer.measures import Measured, MeasuredMask
from models.referrer.phrasings import TALKED
from models.scores.intervals import SumStatistic, ratio
from models.scores.scene_figures import Row, metric
from models.scores.scorecard import Metric

Floats = NDArray[np.float64]
Mask = tuple[str, MeasuredMask]
"""Scene, and one mask that it was asked for."""
LIES: Final = ("isolated", "pair", "linear", "clustered", "together")
REFERENTS: Final = ("1 referent", "2 referents", "3 or more referents")
SIZES: Final = ("small", "medium", "large")
"""Terciles of the share of the scene that the true masks cover."""
HALF: Final = 0.5


@dataclass(frozen=True, slots=True)
class Figure:
    """What one figure is made of."""

    names: tuple[str, str, str]
    """Group, metric and unit."""
    rows: tuple[Row, ...]
    statistic: SumStatistic = ratio

    def told(self) -> Iterator[Metric]:
        """The figure with its interval; nothing without rows."""
        return metric(self.names, self.rows, self.statistic)


@dataclass(frozen=True, slots=True)
class ReferredPass:
    """One way of answering all questions."""

    model: str
    subset: str
    """`generated`, `other_order`, a control, `teacher_forced` or `by_rule`."""
    metrics: tuple[Metric, ...]
    measured: tuple[Measured, ...]

    def get(self, group: str, metric: str) -> Metric | None:
        """A figure by name."""
        return next((each for each in self.metrics if (each.group, each.metric) == (group, metric)), None)


def pass_of(model: str, subset: str, measured: Sequence[Measured], further: Sequence[Metric] = ()) -> ReferredPass:
    """Score one pass; masks alone where the words are no merit of the network."""
    every = [found for figure in figures(measured, subset) for found in figure.told()]
    return ReferredPass(model, subset, (*every, *further), tuple(measured))


def gain(ours: Sequence[Measured], theirs: Sequence[Measured], *, subset: str) -> Iterator[Metric]:
    """Every figure that both have, ours minus theirs (`..._gain`), scenes drawn for both at once; `n` is ours."""
    others = {figure.names: figure for figure in figures(theirs, subset)}
    for own in figures(ours, subset):
        other = others.get(own.names)
        if other is None or not (own.rows and other.rows):
            continue
        width = len(own.rows[0][1])
        nothing = (0.0,) * width
        rows = [*((scene, (*parts, *nothing)) for scene, parts in own.rows), *((scene, (*nothing, *parts)) for scene, parts in other.rows)]
        for found in metric(own.names, rows, _difference(own.statistic, width)):
            yield replace(found, metric=f"{found.metric}_gain", n=len(own.rows))


def figures(measured: Sequence[Measured], subset: str) -> Iterator[Figure]:
    """What every figure of a pass is made of."""
    if subset != BY_RULE:
        yield from _masks(masks_of(measured))
        yield from _expected(masks_of(measured))
    if subset not in (BY_RULE, TEACHER_FORCED):
        yield from _answers("all", measured)
        yield from _words(measured)
    lakes = [each for each in measured if each.says_lakes]
    for group, some in ((LAKE_PHRASES, lakes), (WITHOUT_ICE, [each for each in lakes if not each.frozen])):
        yield from _overlaps(group, masks_of(some), accuracy=True)
        yield from _refusals(group, some) if subset != TEACHER_FORCED else ()


def masks_of(measured: Sequence[Measured]) -> list[Mask]:
    """All masks that were asked for."""
    return [(each.scene, mask) for each in measured for mask in each.masks]


def groups_of(masks: Sequence[Mask]) -> dict[str, list[Mask]]:
    """Masks by arrangement, number of referents, size and class of their phrase; groups may be empty."""
    shares = [mask.scored.share for _, mask in masks]
    low, high = np.quantile(shares, (1 / 3, 2 / 3)) if shares else (0.0, 0.0)
    tests: dict[str, Callable[[MeasuredMask], bool]] = {
        REFERENTS[0]: lambda mask: mask.scored.referents == 1,
        REFERENTS[1]: lambda mask: mask.scored.referents == 2,
        REFERENTS[2]: lambda mask: mask.scored.referents > 2,
        "several referents": lambda mask: mask.scored.referents > 1,
        SIZES[0]: lambda mask: mask.scored.share <= low,
        SIZES[1]: lambda mask: low < mask.scored.share <= high,
        SIZES[2]: lambda mask: mask.scored.share > high,
    }
    found = {lies: [each for each in masks if each[1].scored.arrangement == lies] for lies in LIES}
    found |= {name: [each for each in masks if test(each[1])] for name, test in tests.items()}
    return found | {f"class {word}": [each for each in masks if each[1].word == word] for word in CLASSES}


def _masks(masks: Sequence[Mask]) -> Iterator[Figure]:
    yield from _overlaps("all", masks, accuracy=True)
    for group, some in groups_of(masks).items():
        yield from _overlaps(group, some)


def _overlaps(group: str, masks: Sequence[Mask], *, accuracy: bool = False) -> Iterator[Figure]:
    yield _shares((group, "miou", "1"), [(scene, mask.scored.iou) for scene, mask in masks])
    pixels = [(scene, mask.scored.pixels) for scene, mask in masks]
    yield Figure(
        (group, "ciou", "1"), tuple((scene, (float(each.hit), float(each.hit + each.false + each.missed))) for scene, each in pixels)
    )
    for percent in (50, 70) if accuracy else ():
        yield _shares((group, f"accuracy_{percent}", "1"), [(scene, mask.scored.iou >= percent / 100) for scene, mask in masks])


def _expected(masks: Sequence[Mask]) -> Iterator[Figure]:
    """Of masks that were drawn: the class they were taken for, and the overlap that they expected of themselves."""
    drawn = [(scene, mask) for scene, mask in masks if mask.seen_as is not None]
    yield _shares(("all", "class_right", "1"), [(scene, mask.seen_as == mask.word) for scene, mask in drawn])
    expected = [(scene, (mask.expected or 0.0) - mask.scored.iou) for scene, mask in drawn]
    yield _shares(("all", "expected_error", "1"), [(scene, abs(off)) for scene, off in expected])
    yield _shares(("all", "expected_bias", "1"), expected)
    yield _shares(("all", "score_error", "1"), [(scene, abs((mask.score or 0.0) - mask.scored.iou)) for scene, mask in drawn])


def _answers(group: str, measured: Sequence[Measured]) -> Iterator[Figure]:
    there = [each for each in measured if each.asks_masks]
    yield _shares((group, "counted", "1"), [(each.scene, each.counted) for each in there])
    yield _shares((group, "whole", "1"), [(each.scene, not each.scored.broken) for each in there])
    yield from _refusals(group, measured)


def _refusals(group: str, measured: Sequence[Measured]) -> Iterator[Figure]:
    absent = [each for each in measured if each.question.pair.absent]
    yield _shares((group, "refused", "1"), [(each.scene, each.scored.refused) for each in absent])
    yield _shares((group, "refused_wrongly", "1"), [(each.scene, each.scored.refused) for each in measured if each.asks_masks])


def _words(measured: Sequence[Measured]) -> Iterator[Figure]:
    talked = [each for each in measured if each.task in TALKED]
    yield _shares(("words", "exact", "1"), [(each.scene, each.scored.exact) for each in talked])
    yield _shares(("words", "exact_commonest", "1"), [row for task in TALKED for row in _commonest(talked, task)])
    for task in TALKED:
        own = [each for each in talked if each.task == task]
        yield _shares((f"task {task}", "exact", "1"), [(each.scene, each.scored.exact) for each in own])
        yield _shares((f"task {task}", "exact_commonest", "1"), _commonest(talked, task))
    boxes = [(each.scene, each.box_iou) for each in talked if each.box_iou is not None]
    yield _shares(("boxes", "miou", "1"), boxes)
    yield _shares(("boxes", "accuracy_50", "1"), [(scene, iou >= HALF) for scene, iou in boxes])


def _commonest(talked: Sequence[Measured], task: str) -> list[tuple[str, bool]]:
    """What whoever always gives the commonest answer to a task would get."""
    answers = [(each.scene, each.question.pair.answer) for each in talked if each.task == task]
    counts: Mapping[str, int] = {answer: [other for _, other in answers].count(answer) for _, answer in answers}
    most = max(sorted(counts), key=lambda answer: counts[answer]) if counts else ""
    return [(scene, answer == most) for scene, answer in answers]


def _shares(names: tuple[str, str, str], values: Sequence[tuple[str, float | bool]]) -> Figure:
    """A mean of values by scene."""
    return Figure(names, tuple((scene, (float(value), 1.0)) for scene, value in values))


def _difference(statistic: SumStatistic, width: int) -> SumStatistic:
    def difference(sums: Floats) -> Floats:
        less: Floats = statistic(sums[..., :width]) - statistic(sums[..., width:])
        return less

    return difference
