"""One answered question in numbers: every figure of a describer is a sum of these."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from catalog.facts.scene_facts import MANY, QUADRANTS, SceneFacts
from models.describer.answering import Answer, lakes_drawn
from models.describer.answers import LISTED
from models.describer.evaluation import Question, Scored, score
from models.language.check import Checked, check
from models.language.metrics import meteor, rouge
from models.language.parse import Reading
from models.language.verify import Verified, verified

WHOLE: Final = ("count", "list", "presence", "describe", "change")
"""Families whose mask shows all lakes, whatever the question."""
_LISTING: Final = ("list", "describe")
_POINTING: Final = {"extreme": 1, "nearest": 1, "point": 1, "larger": 2, "equal": 2}
"""Lakes that one claim means."""
_FOUND: Final = 0.5
"""Share of its pixels that must be drawn for a lake to be found."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One answer, measured."""

    question: Question
    facts: SceneFacts
    """What is true of the scene."""
    scored: Scored
    verified: Verified
    after: Checked
    """The verified text, read and checked again."""
    rouges: tuple[float, float, float]
    meteor: float
    drawn: int
    """Lakes in the drawn mask."""
    found: tuple[tuple[float, bool], ...]
    """Area (m2) of each lake that a description should show, and whether most of it was drawn; empty for other families."""

    @property
    def whole(self) -> bool:
        """The mask should show all lakes."""
        return self.scored.family in WHOLE

    @property
    def listing(self) -> bool:
        """The answer should tell every lake, or every quadrant where they are too many."""
        return self.scored.family in _LISTING

    @property
    def stated(self) -> int | None:
        """Count that the text states for the scene."""
        return self.scored.checked.reading.count

    @property
    def meant(self) -> int | None:
        """Lakes that the mask has to show if it shows what the text says; None where the text tells no number."""
        return lakes_meant(self.scored.checked.reading)

    @property
    def quadrants(self) -> tuple[int, int, int]:
        """Lakes that the text puts into quadrants, lakes that are there, and how many of both agree."""
        said = lakes_by_quadrant(self.scored.checked.reading)
        there = Counter({str(quadrant): len(self.facts.within(quadrant)) for quadrant in QUADRANTS})
        return said.total(), there.total(), (said & there).total()

    @property
    def omitted(self) -> tuple[int, int] | None:
        """Lakes that the text leaves out, and lakes that it had to tell one by one; None where it need not."""
        count = len(self.facts.lakes)
        if not self.listing or not 0 < count <= LISTED:
            return None
        # nothing described is everything left out
        return self.scored.checked.omitted if self.scored.checked.described else count, count


def measure(question: Question, answer: Answer) -> Measured:
    """Measure one answer against its scene."""
    scored, facts = score(question, answer), question.scene.facts()
    mended = verified(answer.text, facts)
    return Measured(
        question=question,
        facts=facts,
        scored=scored,
        verified=mended,
        after=check(mended.text, facts),
        rouges=rouge(answer.text, question.pair.answer),
        meteor=meteor(answer.text, question.pair.answer),
        drawn=lakes_drawn(answer.mask()),
        found=_found(question, answer.mask()) if question.pair.family == "describe" else (),
    )


def lakes_meant(reading: Reading) -> int | None:
    """How many lakes a text is about: its count, or those of the quadrants, or those that it names one by one."""
    if reading.count is not None:
        return reading.count
    quadrants = [int(claim.number("lakes")) for claim in reading.claims if claim.kind == "count_in"]
    if quadrants:
        return min(sum(quadrants), MANY)
    if reading.places:
        return min(len(reading.places), MANY)
    return next((_POINTING[claim.kind] for claim in reading.claims if claim.kind in _POINTING), None)


def lakes_by_quadrant(reading: Reading) -> Counter[str]:
    """Lakes of each quadrant as a text tells them, one by one or by number."""
    said = Counter(str(place.quadrant) for place in reading.places)
    for claim in reading.claims:
        if claim.kind == "count_in":
            said[str(claim.place("quadrant").quadrant)] += int(claim.number("lakes"))
    return said


def _found(question: Question, mask: NDArray[np.bool_]) -> tuple[tuple[float, bool], ...]:
    covers = [(number, question.scene.target((number,))[0].numpy()) for number in question.pair.lakes]
    areas = question.scene.lakes.areas_m2
    return tuple((areas[number - 1], bool((cover * mask).sum() >= _FOUND * cover.sum())) for number, cover in covers)
