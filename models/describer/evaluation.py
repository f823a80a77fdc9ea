"""How good a describer is: masks drawn from generated words, and every number, position and size of the words.

GLACIA reports mIoU, ROUGE and METEOR. Its validation feeds the true answer to the network that draws the mask; here such scores carry
the name `teacher_forced`, and all others come from words that the network said itself. Its mIoU fits the mean of background and lake
IoU; both are given.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from catalog.facts.scene_facts import MANY
from models.describer.answering import Answer, answer, drawn_from
from models.describer.network import Describer, Views
from models.describer.pairs import Pair, fixed_pairs
from models.describer.phrasings import REFERRING
from models.describer.scenes import Scene, views_together
from models.language.check import Checked, check
from models.language.dialogue import Dialogue
from models.language.metrics import TextScores, score_texts
from models.scores.pixels import PixelCounts, count_pixels

Path = Literal["generated", "teacher_forced"]
Control = Literal["none", "other_question", "constant_question", "blind"]
"""What is taken away: the question (another scene's, or one for all), or the image of the language path."""
CONSTANT: Final = "Describe the glacial lakes."
AT_ONCE: Final = 32


@dataclass(frozen=True, slots=True)
class Question:
    """One pair of a scene to be answered."""

    scene: Scene
    pair: Pair


@dataclass(frozen=True, slots=True)
class Scored:
    """One answered question."""

    family: str
    count: int
    """Lakes of the scene."""
    pixels: PixelCounts
    checked: Checked
    text: str
    reference: str
    count_exact: bool | None
    """Whether the number of lakes that the text states for the scene is right; None where the true answer states none."""

    @property
    def referring(self) -> bool:
        """The mask is a part of the lakes that only the question tells."""
        return self.family in REFERRING


@dataclass(frozen=True, slots=True)
class Scores:
    """What a describer is worth on some questions; all of one path."""

    path: Path
    lake_iou: float
    """Of all pixels together."""
    mean_iou: float
    """Mean of lake and background IoU, the published mIoU."""
    referring_iou: float
    """Lake IoU of referring questions alone, the mean of their single IoU."""
    count_exact: float
    """Share of right counts, of answers that have to state the count of the scene."""
    positions: float
    """Share of claims of a place that are true."""
    factual: float
    """Share of claims that are true; clauses that cannot be read are not."""
    hallucinated: float
    """Described lakes that are not there, share of those described."""
    hallucinated_by_count: dict[int, float]
    """The same by the number of lakes in the scene."""
    omitted: float
    """Lakes that descriptions leave out, share of those there."""
    text: TextScores
    questions: int
    by_family: dict[str, float] = field(default_factory=dict)
    """Mean IoU of a question, by family; 1 where both masks are empty."""


def questions_of(scenes: Sequence[Scene], seed: int, *, held_out: bool, families: Sequence[str] | None = None) -> list[Question]:
    """The fixed list: one question of every family that a scene can answer."""
    return [
        Question(scene, pair)
        for scene in scenes
        for pair in fixed_pairs(scene.facts(), seed, held_out=held_out)
        if families is None or pair.family in families
    ]


def evaluate(
    network: Describer,
    dialogue: Dialogue,
    questions: Sequence[Question],
    *,
    path: Path = "generated",
    control: Control = "none",
    longest: int = 96,
) -> Scores:
    """Answer all questions and score the answers."""
    return summary(list(scored(network, dialogue, questions, path=path, control=control, longest=longest)), path)


def scored(
    network: Describer,
    dialogue: Dialogue,
    questions: Sequence[Question],
    *,
    path: Path = "generated",
    control: Control = "none",
    longest: int = 96,
) -> Iterator[Scored]:
    """Answer questions in order and score each."""
    answers = answered(network, dialogue, questions, path=path, control=control, longest=longest)
    return (score(question, own) for question, own in zip(questions, answers, strict=True))


def answered(
    network: Describer,
    dialogue: Dialogue,
    questions: Sequence[Question],
    *,
    path: Path = "generated",
    control: Control = "none",
    longest: int = 96,
) -> Iterator[Answer]:
    """Answer questions in order, some at once."""
    network.eval()
    for start in range(0, len(questions), AT_ONCE):
        some = questions[start : start + AT_ONCE]
        views = views_together([each.scene for each in some])
        asked = _asked(questions, start, len(some), control)
        if control == "blind":
            views = Views(views.channels, torch.zeros_like(views.rgb))
        if path == "teacher_forced":
            yield from drawn_from(network, dialogue, views, asked, [each.pair.answer for each in some])
        else:
            yield from answer(network, dialogue, views, asked, longest=longest)


def score(question: Question, own: Answer) -> Scored:
    """Score one answer against the facts of its scene and the mask of its pair."""
    scene, pair = question.scene, question.pair
    facts = scene.facts()
    truth = scene.target(pair.lakes)[0].numpy() >= 0.5
    mask: NDArray[np.bool_] = own.mask()
    checked = check(own.text, facts)
    states_count = check(pair.answer, facts).reading.count is not None
    exact = checked.reading.count == min(len(facts.lakes), MANY) if states_count else None
    pixels = count_pixels(mask, truth, np.ones_like(truth))
    return Scored(pair.family, len(facts.lakes), pixels, checked, own.text, pair.answer, exact)


def summary(results: Sequence[Scored], path: Path) -> Scores:
    """Put single scores together; NaN where nothing of a kind was asked."""
    total = sum((each.pixels for each in results), PixelCounts(0, 0, 0, 0))
    background = PixelCounts(total.correct_rejected, total.missed, total.false, total.hit)
    described = [each for each in results if each.checked.described]
    counts = sorted({each.count for each in described})
    return Scores(
        path=path,
        lake_iou=total.iou,
        mean_iou=(total.iou + background.iou) / 2,
        referring_iou=_mean([_iou(each.pixels) for each in results if each.referring]),
        count_exact=_mean([float(each.count_exact) for each in results if each.count_exact is not None]),
        positions=_share(results, lambda each: each.checked.positions),
        factual=_share(results, lambda each: (each.checked.true, each.checked.total)),
        hallucinated=_share(described, _hallucinated),
        hallucinated_by_count={count: _share([each for each in described if each.count == count], _hallucinated) for count in counts},
        omitted=_share(described, lambda each: (each.checked.omitted, each.count)),
        text=score_texts([each.text for each in results], [each.reference for each in results]),
        questions=len(results),
        by_family={
            family: _mean([_iou(each.pixels) for each in results if each.family == family])
            for family in sorted({e.family for e in results})
        },
    )


def figures(scores: Scores, prefix: str) -> dict[str, float]:
    """Numbers of a card or a table; the path is part of every name, so that nobody takes one for the other."""
    text = scores.text
    numbers: dict[str, Any] = {
        "lake_iou": scores.lake_iou, "mean_iou": scores.mean_iou, "referring_iou": scores.referring_iou, "count_exact": scores.count_exact,
        "positions": scores.positions, "factual": scores.factual, "hallucinated": scores.hallucinated, "omitted": scores.omitted,
        "rouge_1": text.rouge_1, "rouge_2": text.rouge_2, "rouge_l": text.rouge_l, "meteor_exact_stem": text.meteor, "text_exact": text.exact,
    }  # fmt: skip
    if scores.path == "teacher_forced":
        # its words were given, so that they are right is no merit
        numbers = {name: value for name, value in numbers.items() if name.endswith("iou")}
    return {f"{prefix}_{scores.path}_{name}": round(float(value), 4) for name, value in numbers.items() if np.isfinite(value)}


def overlap_of_quadrants(network: Describer, dialogue: Dialogue, scene: Scene, questions: tuple[str, str]) -> float:
    """IoU of the masks that two questions about one scene give; 0 where either is empty."""
    network.eval()
    first, second = (own.mask() for own in answer(network, dialogue, views_together([scene, scene]), questions))
    either = (first | second).sum()
    return float((first & second).sum() / either) if first.any() and second.any() else 0.0


def _asked(questions: Sequence[Question], start: int, count: int, control: Control) -> list[str]:
    if control == "constant_question":
        return [CONSTANT] * count
    own = list(range(start, start + count))
    if control == "other_question":
        own = [_other(questions, place) for place in own]
    return [questions[place].pair.question for place in own]


def _other(questions: Sequence[Question], place: int) -> int:
    """The next question of the same family that another scene is asked, in other words where there are such."""
    mine = questions[place]
    order = [*range(place + 1, len(questions)), *range(place)]
    same = [other for other in order if questions[other].pair.family == mine.pair.family and questions[other].scene is not mine.scene]
    differing = [other for other in same if questions[other].pair.question != mine.pair.question]
    choices: list[int] = [*differing, *same, place]
    return choices[0]


def _iou(pixels: PixelCounts) -> float:
    return 1.0 if pixels.hit + pixels.false + pixels.missed == 0 else pixels.iou


def _hallucinated(each: Scored) -> tuple[int, int]:
    return each.checked.hallucinated, each.checked.described


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


def _share(results: Sequence[Scored], parts: Callable[[Scored], tuple[int, int]]) -> float:
    pairs = [parts(each) for each in results]
    whole = sum(total for _, total in pairs)
    return sum(part for part, _ in pairs) / whole if whole else float("nan")
