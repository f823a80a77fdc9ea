"""What is tried beside the list of questions: two quadrants of one scene, and true answers with a mistake put into them."""

from collections.abc import Iterator, Sequence

from models.describer.answering import Answer
from models.describer.answers import asks
from models.describer.evaluation import Question
from models.describer.pairs import pair_of
from models.describer.phrasings import known_phrasings
from models.describer.scenes import Scene
from models.language.mistakes import mistakes
from models.language.parse import read
from models.language.sentences import joined, write
from models.language.verify import verified
from models.scores.scene_figures import Row, metric
from models.scores.scorecard import Metric

CAUGHT = "caught"


def two_quadrants(scenes: Sequence[Scene]) -> list[Question]:
    """Two referring questions, one after the other, about each scene with lakes in two quadrants, in a phrasing that training never saw."""
    found = []
    for scene in scenes:
        facts = scene.facts()
        asked = [ask for ask in asks(facts) if ask.family == "refer_quadrant" and ask.lakes][:2]
        if len(asked) == 2:
            found += [Question(scene, pair_of(ask, facts, known_phrasings("refer_quadrant"), 0)) for ask in asked]
    return found


def overlaps(questions: Sequence[Question], answers: Sequence[Answer]) -> Iterator[Metric]:
    """How far the masks of two quadrants are the same, where both are drawn, and how often that is; `questions` of `two_quadrants`."""
    both: list[Row] = []
    shared: list[Row] = []
    for question, first, second in zip(questions[::2], answers[::2], answers[1::2], strict=True):
        masks = first.mask(), second.mask()
        drawn = bool(masks[0].any() and masks[1].any())
        both.append((question.scene.scene_id, (float(drawn), 1.0)))
        if drawn:
            iou = float((masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum())
            shared.append((question.scene.scene_id, (iou, 1.0)))
    yield from metric(("two quadrants", "overlap", "1"), shared)
    yield from metric(("two quadrants", "both_drawn", "1"), both)


def caught(questions: Sequence[Question]) -> Iterator[Metric]:
    """Share of mistakes that the check of words catches, all together and by kind, over every mistake in every true answer."""
    found: list[tuple[str, Row]] = []
    for question in questions:
        facts = question.scene.facts()
        for name, wrong in mistakes(read(question.pair.answer).claims):
            mended = verified(joined([write(claim) for claim in wrong]), facts)
            found.append((name, (facts.scene_id, (float(mended.corrected + mended.dropped > 0), 1.0))))
    yield from metric(("injected", CAUGHT, "1"), [row for _, row in found])
    for kind in sorted({name for name, _ in found}):
        yield from metric((f"injected {kind}", CAUGHT, "1"), [row for name, row in found if name == kind])
