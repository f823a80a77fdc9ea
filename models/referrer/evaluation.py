"""How good a referrer is: masks drawn from generated words, each against the feature that its phrase means.

Source: GeoPix reports mIoU over instances and cIoU over pixels. Scores of true texts carry the name `teacher_forced` and hold masks alone.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
import torch

from models.language.dialogue import Dialogue
from models.referrer.answering import Answer, answer, drawn_from
from models.referrer.marks import plain
from models.referrer.network import Referrer
from models.referrer.pairs import Pair, fixed_pairs
from models.referrer.scenes import Scene, images_together
from models.scores.pixels import PixelCounts, count_pixels

Path = Literal["generated", "teacher_forced"]
Control = Literal["none", "other_question", "no_memory", "other_rows"]
"""What is taken away: the question (another scene's), the memory (zeros), or the order of its rows."""
AT_ONCE: Final = 24
_SIZE: Final = 64
"""Pixels on which a truth is measured that nothing was drawn for."""


@dataclass(frozen=True, slots=True)
class Question:
    """One pair of a scene to be answered."""

    scene: Scene
    pair: Pair


@dataclass(frozen=True, slots=True)
class ScoredMask:
    """One mask that was asked for."""

    pixels: PixelCounts
    arrangement: str
    """`together` for several features at once."""
    referents: int
    """Masks of its question."""
    share: float
    """Of the scene, that the truth covers."""
    class_right: bool | None
    """None where no mask was drawn."""

    @property
    def iou(self) -> float:
        """0 where nothing was drawn."""
        return self.pixels.iou if self.pixels.hit else 0.0


@dataclass(frozen=True, slots=True)
class Scored:
    """One answered question."""

    pair: Pair
    text: str
    masks: tuple[ScoredMask, ...]
    drawn: int
    broken: bool
    refused: bool
    exact: bool
    """The words are those of the truth, masks aside."""


@dataclass(frozen=True, slots=True)
class Scores:
    """What a referrer is worth on some questions; all of one path. NaN where nothing of a kind was asked."""

    path: Path
    miou: float
    """Mean over the masks that were asked for."""
    ciou: float
    """Of all their pixels together."""
    counted: float
    """Share of questions for masks with as many masks as referents."""
    refused: float
    """Share of questions for what is not there that are answered with `there is none`."""
    refused_wrongly: float
    """Share of the others that are, too."""
    class_right: float
    exact: dict[str, float] = field(default_factory=dict)
    """Share of exact answers of each task of words."""
    subsets: dict[str, float] = field(default_factory=dict)
    """mIoU by arrangement, number of referents and tercile of size."""
    questions: int = 0


def questions_of(scenes: Sequence[Scene], seed: int, *, held_out: bool) -> tuple[Question, ...]:
    """The fixed list of questions about some scenes."""
    return tuple(Question(scene, pair) for scene in scenes for pair in fixed_pairs(scene.told(), seed, held_out=held_out))


def evaluate(
    network: Referrer,
    dialogue: Dialogue,
    questions: Sequence[Question],
    *,
    path: Path = "generated",
    control: Control = "none",
    longest: int = 96,
) -> Scores:
    """Answer questions and score all answers."""
    return summary(list(scored(network, dialogue, questions, path=path, control=control, longest=longest)), path)


def scored(
    network: Referrer,
    dialogue: Dialogue,
    questions: Sequence[Question],
    *,
    path: Path = "generated",
    control: Control = "none",
    longest: int = 96,
) -> Iterator[Scored]:
    """Answer questions in order and score each."""
    answers = answered(network, dialogue, questions, path=path, control=control, longest=longest)
    return (score(each, own, network.mask_px) for each, own in zip(questions, answers, strict=True))


def answered(
    network: Referrer,
    dialogue: Dialogue,
    questions: Sequence[Question],
    *,
    path: Path = "generated",
    control: Control = "none",
    longest: int = 96,
) -> Iterator[Answer]:
    """Answer questions in order, a few at once."""
    with _without(network, control):
        for start in range(0, len(questions), AT_ONCE):
            some = questions[start : start + AT_ONCE]
            images = images_together([each.scene for each in some])
            texts = [
                questions[_other(questions, start + place)] if control == "other_question" else each for place, each in enumerate(some)
            ]
            asked = [(place, each.pair.question) for place, each in enumerate(texts)]
            if path == "teacher_forced":
                yield from drawn_from(network, dialogue, images, asked, [each.pair.answer for each in some])
            else:
                yield from answer(network, dialogue, images, asked, longest=longest)


def score(question: Question, own: Answer, size: int = _SIZE) -> Scored:
    """Score one answer, the n-th mask against the n-th referent; where nothing was drawn, the truth is measured on `size` pixels a side."""
    pair, masks = question.pair, []
    for place, numbers in enumerate(pair.targets):
        drawing = own.drawings[place] if place < len(own.drawings) else None
        truth = question.scene.target(numbers, size if drawing is None else len(drawing.probability))[0].numpy() >= 0.5
        mask = np.zeros_like(truth) if drawing is None else drawing.mask()
        pixels = count_pixels(mask, truth, np.ones_like(truth))
        right = None if drawing is None else drawing.kind == pair.words[place]
        lies = pair.arrangements[place] or "together"
        masks.append(ScoredMask(pixels, lies, len(pair.targets), float(truth.mean()), right))
    exact = plain(own.text) == plain(pair.answer)
    return Scored(pair, own.text, tuple(masks), len(own.drawings), own.broken, own.none, exact)


def summary(results: Sequence[Scored], path: Path) -> Scores:
    """Put single scores together."""
    masks = [mask for each in results for mask in each.masks]
    asked = [each for each in results if each.pair.task == "segment"]
    there, absent = [each for each in asked if not each.pair.absent], [each for each in asked if each.pair.absent]
    tasks = sorted({each.pair.task for each in results} - {"segment"})
    return Scores(
        path=path,
        miou=_mean([mask.iou for mask in masks]),
        ciou=sum((mask.pixels for mask in masks), PixelCounts(0, 0, 0, 0)).iou if masks else float("nan"),
        counted=_mean([each.drawn == len(each.pair.targets) and not each.broken for each in there]),
        refused=_mean([each.refused for each in absent]),
        refused_wrongly=_mean([each.refused for each in there]),
        class_right=_mean([mask.class_right for mask in masks if mask.class_right is not None]),
        exact={task: _mean([each.exact for each in results if each.pair.task == task]) for task in tasks},
        subsets=_subsets(masks),
        questions=len(results),
    )


def figures(scores: Scores, prefix: str) -> dict[str, float]:
    """Numbers of a card or a table; the path is part of every name, so that nobody takes one for the other."""
    numbers = {"miou": scores.miou, "ciou": scores.ciou, "class_right": scores.class_right} | {
        f"miou_{name}": value for name, value in scores.subsets.items()
    }
    if scores.path == "generated":
        numbers |= {"counted": scores.counted, "refused": scores.refused, "refused_wrongly": scores.refused_wrongly}
        numbers |= {f"exact_{task}": value for task, value in scores.exact.items()}
    return {f"{prefix}_{scores.path}_{name}": round(float(value), 4) for name, value in numbers.items() if np.isfinite(value)}


def _subsets(masks: Sequence[ScoredMask]) -> dict[str, float]:
    if not masks:
        return {}
    low, high = np.quantile([mask.share for mask in masks], (1 / 3, 2 / 3))
    parts = {lies: [mask for mask in masks if mask.arrangement == lies] for lies in sorted({mask.arrangement for mask in masks})}
    parts |= {
        f"{name}_referents": [mask for mask in masks if min(mask.referents, 3) == count]
        for count, name in ((1, "1"), (2, "2"), (3, "3_or_more"))
    }
    parts |= {
        "small": [mask for mask in masks if mask.share <= low],
        "medium": [mask for mask in masks if low < mask.share <= high],
        "large": [mask for mask in masks if mask.share > high],
    }
    return {name: _mean([mask.iou for mask in some]) for name, some in parts.items() if some}


def _other(questions: Sequence[Question], place: int) -> int:
    """The next question with as many masks that another scene is asked, in other words where there are such."""
    mine = questions[place]
    order = [*range(place + 1, len(questions)), *range(place)]
    same = [
        other
        for other in order
        if questions[other].pair.task == mine.pair.task
        and len(questions[other].pair.targets) == len(mine.pair.targets)
        and questions[other].scene is not mine.scene
    ]
    differing = [other for other in same if questions[other].pair.phrases != mine.pair.phrases]
    choices: list[int] = [*differing, *same, place]
    return choices[0]


@contextmanager
def _without(network: Referrer, control: Control) -> Iterator[None]:
    """Take the memory away, or exchange its rows, and put it back."""
    if network.memory is None or control not in ("no_memory", "other_rows"):
        yield
        return
    bank, kept = network.memory.bank, network.memory.bank.detach().clone()
    with torch.no_grad():
        bank.copy_(torch.zeros_like(kept) if control == "no_memory" else kept.roll(1, dims=0))
    try:
        yield
    finally:
        with torch.no_grad():
            bank.copy_(kept)


def _mean(values: Sequence[float | bool | None]) -> float:
    return float(np.mean([float(value or 0) for value in values])) if values else float("nan")
