"""Questions answered: words are generated first, and masks are drawn from the groups of marks in them, never from true answers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from catalog.facts.feature_classes import CLASSES, FeatureClass
from models.language.dialogue import Dialogue, Tokens
from models.referrer.marks import NONE, whole_groups
from models.referrer.network import Referrer, Seen


@dataclass(frozen=True, slots=True)
class Drawing:
    """One mask of an answer."""

    probability: NDArray[np.float32]
    """(y, x)."""
    kind: FeatureClass
    """Class that the network takes it for."""
    row: int
    """Of the memory, that was read for it."""
    expected: float
    """Overlap with the truth that the mask expects of itself."""

    def mask(self, threshold: float = 0.5) -> NDArray[np.bool_]:
        """Pixels of the mask."""
        return self.probability >= threshold

    def score(self, threshold: float = 0.5) -> float:
        """Mean probability inside the mask times its expected overlap; 0 for an empty mask."""
        inside = self.probability[self.mask(threshold)]
        return float(inside.mean()) * self.expected if inside.size else 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the network answers to one question."""

    text: str
    drawings: tuple[Drawing, ...]
    """One for each whole group of marks, in order."""
    broken: bool
    """There are marks that belong to no whole group."""
    path: str
    """`generated`, or `teacher_forced` where the text was given and only the masks are the network's."""

    @property
    def none(self) -> bool:
        """It says that there is nothing of the kind."""
        return not self.drawings and self.text.startswith(NONE)


@torch.inference_mode()
def answer(
    network: Referrer,
    dialogue: Dialogue,
    images: Tensor,
    questions: Sequence[tuple[int, str]],
    *,
    kinds: Sequence[FeatureClass | None] | None = None,
    longest: int = 96,
) -> list[Answer]:
    """Answer questions (number of the scene first), always with the likeliest word, at most `longest` tokens.

    `kinds` names the class of each question's masks where the caller knows it; the memory of that class is read then.
    """
    network.eval()
    device = next(network.parameters()).device
    of_scene = torch.tensor([number for number, _ in questions], device=device)
    asked = dialogue.asked([question for _, question in questions]).to(device)
    seen = network.see(images.to(device))
    made = network.llava.generate(
        inputs_embeds=network.embedded(seen, of_scene, asked),
        attention_mask=asked.attention,
        max_new_tokens=longest,
        do_sample=False,
        pad_token_id=dialogue.ids.pad,
        eos_token_id=dialogue.ids.end,
    )
    answers = [_ended(row, dialogue) for row in made.tolist()]
    rows = [[*dialogue.prompt(question), *own] for (_, question), own in zip(questions, answers, strict=True)]
    return _with_masks(network, seen, of_scene, dialogue.padded(rows).to(device), _Said(dialogue, answers, kinds, "generated"))


@torch.inference_mode()
def drawn_from(
    network: Referrer, dialogue: Dialogue, images: Tensor, questions: Sequence[tuple[int, str]], texts: Sequence[str]
) -> list[Answer]:
    """Draw masks for texts that are given; scores of true texts are teacher-forced ones, and are reported as such."""
    network.eval()
    device = next(network.parameters()).device
    of_scene = torch.tensor([number for number, _ in questions], device=device)
    tokens = dialogue.learned([question for _, question in questions], texts).to(device)
    answers = [dialogue.answer(text) for text in texts]
    return _with_masks(network, network.see(images.to(device)), of_scene, tokens, _Said(dialogue, answers, None, "teacher_forced"))


@dataclass(frozen=True, slots=True)
class _Said:
    dialogue: Dialogue
    answers: Sequence[Sequence[int]]
    kinds: Sequence[FeatureClass | None] | None
    path: str


def _with_masks(network: Referrer, seen: Seen, of_scene: Tensor, tokens: Tokens, said: _Said) -> list[Answer]:
    groups = network.groups(network.states(seen, of_scene, tokens), tokens)
    query = network.query(groups.classes, _given(said, groups.of_text))
    drawings: dict[int, list[Drawing]] = {}
    if len(groups.of_text):
        drawn = network.draw(seen, of_scene[groups.of_text], groups.prompts, query)
        for place, number in enumerate(groups.of_text.tolist()):
            probability = drawn.masks[place, 0].sigmoid().float().cpu().numpy()
            kind = CLASSES[int(groups.classes[place].argmax())]
            drawings.setdefault(number, []).append(Drawing(probability, kind, int(query.rows[place]), float(drawn.agreement[place])))
    marks = said.dialogue.mark_ids
    return [
        Answer(said.dialogue.text(own), tuple(drawings.get(number, ())), whole_groups(own, marks)[1], said.path)
        for number, own in enumerate(said.answers)
    ]


def _given(said: _Said, of_text: Tensor) -> Tensor | None:
    if said.kinds is None:
        return None
    rows = torch.tensor([-1 if kind is None else CLASSES.index(kind) for kind in said.kinds], device=of_text.device)
    return rows[of_text]


def _ended(row: list[int], dialogue: Dialogue) -> list[int]:
    """Cut a generated row at its end, so that nothing is read behind it; an image cannot be said."""
    ids = dialogue.ids
    kept = row[: row.index(ids.end) + 1] if ids.end in row else row
    return [number for number in kept if number not in (ids.pad, ids.image)]
