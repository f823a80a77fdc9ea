"""A few answers to be looked at: what was asked, what was said clause by clause, and where lakes are and were drawn.

Which ones is decided before anything is answered, so that nobody picks the fine ones.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from models.describer.answering import Answer
from models.describer.evaluation import Question
from models.describer.phrasings import Family
from models.language.check import check
from models.language.sentences import SEG, read_clause
from models.language.verify import verified

State = Literal["true", "false", "unread", "silent"]
"""`unread`: tells a number, a size or a place and fits no wording; `silent`: tells none."""
EXAMPLES: Final = 8
_FAMILIES: Final[tuple[Family, ...]] = (
    "describe", "refer_quadrant", "refer_extreme", "list", "describe", "refer_nearest", "compare", "quadrant",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause of an answer, and whether it is true."""

    words: str
    state: State


@dataclass(frozen=True, slots=True)
class Example:
    """One answer to be looked at."""

    question: str
    clauses: tuple[Clause, ...]
    printed: str
    """What is left of it after verification."""
    reference: str
    lakes: int
    rgb: NDArray[np.uint16]
    """(3, y, x), reflectance x 10 000."""
    truth: NDArray[np.bool_]
    """(y, x), the lakes that the mask should show."""
    drawn: NDArray[np.bool_]
    """(y, x) of the encoder's size."""


def chosen(questions: Sequence[Question]) -> list[Question]:
    """The first scene of every number of lakes, each with a question of another family where the scene can answer it."""
    by_scene: dict[str, list[Question]] = {}
    for question in questions:
        by_scene.setdefault(question.scene.scene_id, []).append(question)
    first: dict[int, list[Question]] = {}
    for own in by_scene.values():
        first.setdefault(len(own[0].scene.lakes), own)
    found = []
    for (_, own), family in zip(sorted(first.items()), _FAMILIES, strict=False):
        found.append(next((question for question in own if question.pair.family == family), own[0]))
    return found


def example_of(question: Question, answer: Answer, rgb: NDArray[np.uint16]) -> Example:
    """Put together what is looked at."""
    facts, lakes = question.scene.facts(), question.scene.lakes
    return Example(
        question=question.pair.question,
        clauses=clauses(question, answer),
        printed=verified(answer.text, facts).text,
        reference=question.pair.answer,
        lakes=len(facts.lakes),
        rgb=rgb,
        truth=lakes.mask(question.pair.lakes),
        drawn=answer.mask(),
    )


def clauses(question: Question, answer: Answer) -> tuple[Clause, ...]:
    """Clauses of an answer as it was written, each judged."""
    checked = check(answer.text, question.scene.facts())
    judged, unread = iter(checked.judged), set(checked.reading.unread)
    pieces = [piece.strip() for piece in re.split(r"(?<=[.:;])(?=\s|$)", answer.text.replace(SEG, " ")) if piece.strip()]
    found = []
    for piece in pieces:
        clause = " ".join(piece.rstrip(".:;").lower().split())
        if read_clause(clause) is not None:
            found.append(Clause(piece, "true" if next(judged).true else "false"))
        else:
            found.append(Clause(piece, "unread" if clause in unread else "silent"))
    return tuple(found)
