"""A few answers to be looked at: what was asked, what was said, and where features are and were drawn.

Which ones is decided before anything is answered, so that nobody picks the fine ones.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.referrer.answering import Answer
from models.referrer.evaluation import Question
from models.referrer.measures import Measured
from models.referrer.pairs import Pair

_KINDS: Final[tuple[Callable[[Pair], bool], ...]] = (
    lambda pair: pair.arrangements == ("isolated",),
    lambda pair: len(pair.targets) == 2,
    lambda pair: pair.arrangements == ("pair",),
    lambda pair: len(pair.targets) == 3,
    lambda pair: pair.arrangements in (("clustered",), ("linear",)),
    lambda pair: pair.arrangements == (None,),
    lambda pair: len(pair.targets) > 3,
    lambda pair: pair.absent,
)
EXAMPLES: Final = len(_KINDS)


@dataclass(frozen=True, slots=True)
class ExampleMask:
    """One mask of an example."""

    phrase: str
    truth: NDArray[np.bool_]
    """(y, x); empty where the phrase means nothing."""
    drawn: NDArray[np.bool_]
    """(y, x)."""
    iou: float | None
    """None where nothing was to be drawn."""


@dataclass(frozen=True, slots=True)
class Example:
    """One answer to be looked at."""

    scene_id: str
    question: str
    text: str
    masks: tuple[ExampleMask, ...]
    rgb: NDArray[np.uint16]
    """(3, y, x), reflectance x 10 000."""


def chosen(questions: Sequence[Question]) -> list[Question]:
    """The first scene of every kind of question for masks, no scene twice."""
    found: list[Question] = []
    for kind in _KINDS:
        asked = (each for each in questions if each.pair.task == "segment" and all(each.scene is not other.scene for other in found))
        first = next((each for each in asked if kind(each.pair)), None)
        if first is not None:
            found.append(first)
    return found


def example_of(measured: Measured, answer: Answer, rgb: NDArray[np.uint16]) -> Example:
    """Put together what is looked at."""
    question, masks = measured.question, []
    for place, phrase in enumerate(question.pair.phrases):
        targets = question.pair.targets
        truth = question.scene.ground.instances.mask(targets[place] if place < len(targets) else ())
        drawn = answer.drawings[place].mask() if place < len(answer.drawings) else np.zeros_like(truth)
        masks.append(ExampleMask(phrase, truth, drawn, measured.masks[place].scored.iou if place < len(targets) else None))
    return Example(question.scene.scene_id, question.pair.question, answer.text, tuple(masks), rgb)
