"""Measured answers to figures with 90 % intervals by scene, as rows of the long table of scores."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from catalog.facts.describer_evaluation import CONSTANT_PROMPT
from catalog.facts.scene_facts import MANY
from catalog.facts.spoken_evaluation import TEACHER_FORCED
from models.describer.answers import LISTED
from models.describer.measures import Measured
from models.scores.intervals import SumStatistic, ratio
from models.scores.scene_figures import Row, metric
from models.scores.scorecard import Metric

Floats = NDArray[np.float64]
SIZES_KM2: Final = {"<0.1": (0.0, 0.1), "0.1-0.5": (0.1, 0.5), ">0.5": (0.5, float("inf"))}
MASKS_ALONE: Final = (TEACHER_FORCED, CONSTANT_PROMPT)
"""Passes whose words were given, or mean nothing."""


@dataclass(frozen=True, slots=True)
class DescribedPass:
    """One way of answering all questions."""

    model: str
    subset: str
    """`generated`, a control, `teacher_forced`, `constant_prompt` or `by_rule`."""
    metrics: tuple[Metric, ...]
    measured: tuple[Measured, ...]

    def get(self, group: str, metric: str) -> Metric | None:
        """A figure by name."""
        return next((each for each in self.metrics if (each.group, each.metric) == (group, metric)), None)


def pass_of(model: str, subset: str, measured: Sequence[Measured], further: Sequence[Metric] = ()) -> DescribedPass:
    """Score one pass; masks alone where the words are no merit of the network."""
    every = list(_masks(measured, subset))
    if subset not in MASKS_ALONE:
        every += [*_counts(measured), *_claims(measured), *_texts(measured)]
    return DescribedPass(model, subset, (*every, *further), tuple(measured))


def gain(ours: DescribedPass, theirs: DescribedPass) -> Iterator[Metric]:
    """Lake IoU of whole-scene questions, ours minus theirs, scenes drawn for both at once."""
    sides = ([(_scene(each), _pixels(each)) for each in side.measured if each.whole] for side in (ours, theirs))
    nothing = (0.0,) * 4
    first, second = sides
    rows = [*((scene, (*parts, *nothing)) for scene, parts in first), *((scene, (*nothing, *parts)) for scene, parts in second)]
    for found in metric(("whole", "lake_iou_gain", "1"), rows, lambda sums: _lake_iou(sums[..., :4]) - _lake_iou(sums[..., 4:])):
        yield Metric(found.group, found.metric, found.unit, found.value, found.low, found.high, found.blocks, len(first))


def _masks(measured: Sequence[Measured], subset: str) -> Iterator[Metric]:
    groups = {"whole": [each for each in measured if each.whole]}
    if subset != CONSTANT_PROMPT:
        referring = [each for each in measured if each.scored.referring]
        # a network that draws nothing is right about every quadrant without a lake
        with_lakes = [each for each in referring if each.question.pair.lakes]
        groups = {"all": list(measured), **groups, "referring": referring, "referring to lakes": with_lakes}
    for group, some in groups.items():
        rows: list[Row] = [(_scene(each), _pixels(each)) for each in some]
        yield from metric((group, "lake_iou", "1"), rows, _lake_iou)
        yield from metric((group, "mean_iou", "1"), rows, _mean_iou)
        yield from metric((group, "f1", "1"), rows, _f1)
        yield from metric((group, "f1_per_answer", "1"), [(scene, (_alone(parts, _f1), 1.0)) for scene, parts in rows])
        yield from metric((group, "iou_per_answer", "1"), [(scene, (_alone(parts, _lake_iou), 1.0)) for scene, parts in rows])
    for family in sorted({each.scored.family for each in measured}) if subset != CONSTANT_PROMPT else ():
        own = [(_scene(each), (_alone(_pixels(each), _lake_iou), 1.0)) for each in measured if each.scored.family == family]
        yield from metric((f"family {family}", "iou_per_answer", "1"), own)
    lakes = [(_scene(each), area, found) for each in measured if each.scored.family == "describe" for area, found in each.found]
    for name, (low, high) in SIZES_KM2.items():
        yield from metric(
            (f"size {name} km2", "recall", "1"), [(scene, (float(found), 1.0)) for scene, area, found in lakes if low <= area / 1e6 < high]
        )


def _counts(measured: Sequence[Measured]) -> Iterator[Metric]:
    asked = [each for each in measured if each.scored.count_exact is not None]
    few = [each for each in asked if len(each.facts.lakes) <= LISTED]
    for group, some in {"all": asked, f"up to {LISTED} lakes": few}.items():
        yield from metric((group, "count_exact", "1"), [(_scene(each), (float(bool(each.scored.count_exact)), 1.0)) for each in some])
    off = [(_scene(each), (abs(each.stated - min(len(each.facts.lakes), MANY)), 1.0)) for each in asked if each.stated is not None]
    yield from metric(("all", "count_mae", "lakes"), off)
    yield from metric(("all", "count_majority", "1"), _majority(asked))
    listed = [(_scene(each), _as_floats(each.quadrants)) for each in measured if each.listing]
    yield from metric(("all", "quadrant_f1", "1"), listed, _shared)
    agreeing = [(_scene(each), (float(min(each.drawn, MANY) == each.meant), 1.0)) for each in measured if each.meant is not None]
    yield from metric(("all", "agreement", "1"), agreeing)


def _claims(measured: Sequence[Measured]) -> Iterator[Metric]:
    parts: dict[tuple[str, str], Callable[[Measured], tuple[float, float]]] = {
        ("all", "positions_right"): lambda each: each.scored.checked.positions,
        ("verified", "positions_right"): lambda each: each.after.positions,
        ("all", "factual"): lambda each: (each.scored.checked.true, each.scored.checked.total),
        ("verified", "factual"): lambda each: (each.after.true, each.after.total),
        ("all", "claims_kept"): lambda each: (each.verified.kept, _claimed(each)),
        ("all", "claims_corrected"): lambda each: (each.verified.corrected, _claimed(each)),
        ("all", "claims_dropped"): lambda each: (each.verified.dropped, _claimed(each)),
    }
    for (group, name), of in parts.items():
        yield from metric((group, name, "1"), [(_scene(each), of(each)) for each in measured], counted=True)
    groups: dict[str, list[Measured]] = {"all": list(measured)}
    for each in sorted(measured, key=lambda each: len(each.facts.lakes)):
        groups.setdefault(lakes_group(len(each.facts.lakes)), []).append(each)
    for group, some in groups.items():
        described = [(_scene(each), (float(each.scored.checked.hallucinated), float(each.scored.checked.described))) for each in some]
        yield from metric((group, "hallucinated", "1"), [row for row in described if row[1][1]], counted=True)
        omitted = [(_scene(each), each.omitted) for each in some]
        yield from metric((group, "omitted", "1"), [(scene, parts) for scene, parts in omitted if parts is not None], counted=True)


def _texts(measured: Sequence[Measured]) -> Iterator[Metric]:
    names = ("rouge_1", "rouge_2", "rouge_l", "meteor_exact_stem")
    for place, name in enumerate(names):
        yield from metric(("all", name, "1"), [(_scene(each), ((*each.rouges, each.meteor)[place], 1.0)) for each in measured])


def lakes_group(count: int) -> str:
    """Group of scenes with that many lakes."""
    return f"{count} lakes" if count < MANY else ">9 lakes"


def _majority(asked: Sequence[Measured]) -> list[Row]:
    """What whoever always states the commonest count would get."""
    counts = [min(len(each.facts.lakes), MANY) for each in asked]
    most = max(set(counts), key=lambda count: (counts.count(count), -count)) if counts else 0
    return [(_scene(each), (float(count == most), 1.0)) for each, count in zip(asked, counts, strict=True)]


def _claimed(each: Measured) -> int:
    return each.verified.kept + each.verified.corrected + each.verified.dropped


def _scene(each: Measured) -> str:
    return each.question.scene.scene_id


def _pixels(each: Measured) -> tuple[float, float, float, float]:
    pixels = each.scored.pixels
    return float(pixels.hit), float(pixels.false), float(pixels.missed), float(pixels.correct_rejected)


def _alone(parts: Sequence[float], statistic: SumStatistic) -> float:
    """A figure of one answer, 1 where both masks are empty."""
    return float(statistic(np.array([parts]))[0]) if sum(parts[:3]) else 1.0


def _lake_iou(sums: Floats) -> Floats:
    return ratio(np.stack([sums[..., 0], sums[..., :3].sum(axis=-1)], axis=-1))


def _mean_iou(sums: Floats) -> Floats:
    """Mean of lake and background IoU, the published mIoU."""
    return (_lake_iou(sums) + _lake_iou(sums[..., [3, 1, 2, 0]])) / 2


def _f1(sums: Floats) -> Floats:
    return ratio(np.stack([2 * sums[..., 0], 2 * sums[..., 0] + sums[..., 1] + sums[..., 2]], axis=-1))


def _shared(sums: Floats) -> Floats:
    """F1 of two multisets from said, true and shared counts."""
    return ratio(np.stack([2 * sums[..., 2], sums[..., 0] + sums[..., 1]], axis=-1))


def _as_floats(parts: Sequence[int]) -> tuple[float, ...]:
    return tuple(float(part) for part in parts)
