"""GLake-Pos: questions and answers on the lakes of a scene, drawn from its facts, with the mask that each answer points at.

Source: GLACIA's GLake-Pos (template questions over connected components). Every word is made from the facts of the pixels as they lie
now: turn the pixels first, and `top left` turns with them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from catalog.facts.scene_facts import SceneFacts
from models.describer.answers import Ask, asks
from models.describer.phrasings import PHRASINGS, Family, known_phrasings
from models.language.instances import Instances
from models.language.reading import worn
from models.language.sentences import SEG, joined, write
from models.language.slots import SLOTS

GENERATOR_VERSION: Final = "2"
WORDINGS: Final = 4
"""Of an answer, at most."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One question with its answer."""

    scene_id: str
    family: Family
    question: str
    """With what the answer needs and no image shows, in brackets before it."""
    answer: str
    """Ends in the mark of segmentation where a mask belongs to it."""
    lakes: tuple[int, ...]
    """Numbers of the lakes of the mask."""
    phrasing: int
    frame: int
    held_out: bool
    """The phrasing is one that training never sees."""

    def as_row(self, instances: Instances, split: str) -> dict[str, Any]:
        """Row of a table of pairs, the mask as runs."""
        return {
            "chip_id": self.scene_id,
            "question": self.question,
            "answer": self.answer,
            "family": self.family,
            "instance_ids": list(self.lakes),
            "mask_runs": runs_of(instances.mask(self.lakes)),
            "n_instances": len(instances),
            "split": split,
            "template_id": f"{self.family}/{self.phrasing}/{self.frame}",
            "generator_version": GENERATOR_VERSION,
        }


def pair_of(ask: Ask, facts: SceneFacts, phrasing: int, frame: int, said: str = "") -> Pair:
    """Put a question and its answer into words; `frame` chooses the wording of the answer, `said` stands for the phrasing where it is given."""
    words = {name: SLOTS[name].write(value) for name, value in ask.values.items()}
    question = (said or PHRASINGS[ask.family][phrasing]).format(**words)
    clauses = [write(claim, frame) for claim in ask.claims]
    answer = joined(clauses, list_after_first=ask.family == "describe" and frame % 2 == 1)
    return Pair(
        scene_id=facts.scene_id,
        family=ask.family,
        question=f"{ask.context} {question}".strip(),
        answer=f"{answer} {SEG}" if ask.lakes else answer,
        lakes=ask.lakes,
        phrasing=phrasing,
        frame=frame,
        held_out=phrasing >= known_phrasings(ask.family),
    )


def draw_pairs(
    facts: SceneFacts,
    count: int,
    rng: np.random.Generator,
    weights: Mapping[Family, float] | None = None,
    holes: float = 0.0,
    wordings: int = 1,
) -> tuple[Pair, ...]:
    """Draw training pairs of one scene: families by weight (1 where none is given), phrasings from those that training may see.

    No question is drawn twice as long as there are others; of its words a share is left out (`holes`). Where answers have several
    `wordings`, that of an answer goes with the phrasing of its question, so that nothing is left to chance.
    """
    if count < 1:
        return ()
    by_family: dict[Family, list[Ask]] = {}
    for ask in asks(facts):
        by_family.setdefault(ask.family, []).append(ask)
    chances = {family: (weights or {}).get(family, 1.0) for family in by_family}
    drawn: list[Pair] = []
    while len(drawn) < count and by_family:
        names = [family for family in by_family if chances[family] > 0]
        if not names:
            break
        shares = np.array([chances[family] for family in names])
        family = names[int(rng.choice(len(names), p=shares / shares.sum()))]
        ask = by_family[family].pop(int(rng.integers(len(by_family[family]))))
        phrasing = int(rng.integers(known_phrasings(family)))
        said = worn(PHRASINGS[family][phrasing], rng, holes) if holes else ""
        drawn.append(pair_of(ask, facts, phrasing, phrasing % wordings, said))
        if not by_family[family]:
            del by_family[family]
    return tuple(drawn)


def fixed_pairs(facts: SceneFacts, seed: int, *, held_out: bool, wordings: int = 1) -> tuple[Pair, ...]:
    """One pair of every family that the scene can answer, the same at every call: the list that weights are chosen and scored by.

    Answers are in the first wording unless there are several `wordings`: which of them goes with a phrasing that is new, nobody could know.
    """
    rng = np.random.default_rng([seed, *facts.scene_id.encode()])
    by_family: dict[Family, list[Ask]] = {}
    for ask in asks(facts):
        by_family.setdefault(ask.family, []).append(ask)
    found = []
    for family, own in by_family.items():
        known = known_phrasings(family)
        low, high = (known, len(PHRASINGS[family])) if held_out else (0, known)
        phrasing = int(rng.integers(low, high))
        found.append(pair_of(own[int(rng.integers(len(own)))], facts, phrasing, phrasing % wordings))
    return tuple(found)


def corpus(scenes: Sequence[SceneFacts]) -> list[str]:
    """All words that pairs of some scenes can use, for a tokenizer; held-out phrasings included, as letters are no secret."""
    texts = []
    for facts in scenes:
        for ask in asks(facts):
            for phrasing in range(len(PHRASINGS[ask.family])):
                pair = pair_of(ask, facts, phrasing, phrasing % WORDINGS)
                texts += [pair.question, pair.answer]
    return texts


def runs_of(mask: NDArray[np.bool_]) -> list[int]:
    """Lengths of runs of a mask (y, x), row by row, beginning with dry pixels."""
    flat = np.concatenate([[False], mask.ravel(), [not mask.ravel()[-1]]])
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    return [int(length) for length in np.diff(np.concatenate([[0], edges]))]


def mask_of(runs: Sequence[int], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """The mask that runs were taken from."""
    return np.repeat(np.arange(len(runs)) % 2 == 1, list(runs)).reshape(shape)
