"""Everything that is counted in one answer of a referrer."""

import re
from dataclasses import dataclass
from typing import Final

from catalog.facts.feature_classes import FeatureClass
from models.referrer.answering import Answer
from models.referrer.evaluation import Question, Scored, ScoredMask, score

Box = tuple[int, int, int, int]
"""Left, top, right, bottom, hundredths of the scene."""
_BOX: Final = re.compile(r"<\s*(\d+)\s*>\s*" * 4)


@dataclass(frozen=True, slots=True)
class MeasuredMask:
    """One mask that was asked for, beside what was drawn for it."""

    scored: ScoredMask
    phrase: str
    word: FeatureClass
    """Class that the phrase names."""
    seen_as: FeatureClass | None
    """Class that the network took it for; None where nothing was drawn."""
    expected: float | None
    """Overlap with the truth that the mask expects of itself."""
    score: float | None
    """The same times the mean probability inside the mask, as answers to phrases carry it."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One answered question."""

    question: Question
    scored: Scored
    masks: tuple[MeasuredMask, ...]
    box_iou: float | None
    """Of the box that was said with the true one, 0 where none can be read; None where no box was asked for."""

    @property
    def scene(self) -> str:
        """Its scene."""
        return self.question.scene.scene_id

    @property
    def task(self) -> str:
        """What is asked for."""
        return self.question.pair.task

    @property
    def asks_masks(self) -> bool:
        """It asks for masks of what is there."""
        return bool(self.question.pair.targets)

    @property
    def says_lakes(self) -> bool:
        """It asks for masks, and its phrases say `lake` and nothing else."""
        return self.task == "segment" and set(self.question.pair.words) == {"lake"}

    @property
    def frozen(self) -> bool:
        """There are frozen lakes in its scene."""
        return "frozen lake" in self.question.scene.ground.kinds

    @property
    def counted(self) -> bool:
        """There are as many masks as referents, and no marks besides."""
        return self.scored.drawn == len(self.question.pair.targets) and not self.scored.broken


def measure(question: Question, own: Answer, size: int) -> Measured:
    """Measure one answer against the pair that it belongs to; `size` are the pixels of a side of the masks."""
    pair, scored = question.pair, score(question, own, size)
    masks = []
    for place, mask in enumerate(scored.masks):
        drawing = own.drawings[place] if place < len(own.drawings) else None
        told = (None, None, None) if drawing is None else (drawing.kind, drawing.expected, drawing.score())
        masks.append(MeasuredMask(mask, pair.phrases[place], pair.words[place], *told))
    box_iou = overlap_of(box_in(own.text), box_in(pair.answer)) if pair.task == "refer" else None
    return Measured(question, scored, tuple(masks), box_iou)


def box_in(text: str) -> Box | None:
    """The first box that a text says; None without one."""
    found = _BOX.search(text)
    if found is None:
        return None
    left, top, right, bottom = (int(number) for number in found.groups())
    return left, top, right, bottom


def overlap_of(first: Box | None, second: Box | None) -> float:
    """IoU of two boxes; 0 where one is missing or has no area."""
    if first is None or second is None:
        return 0.0
    across = min(first[2], second[2]) - max(first[0], second[0])
    down = min(first[3], second[3]) - max(first[1], second[1])
    shared = across * down if min(across, down) > 0 else 0
    whole = _area(first) + _area(second) - shared
    return shared / whole if whole else 0.0


def _area(box: Box) -> int:
    return max(box[2] - box[0], 0) * max(box[3] - box[1], 0)
