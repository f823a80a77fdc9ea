"""Questions and answers on the features of a scene, drawn from what is true of its pixels as they lie now.

Source: GeoPixInstruct. Its phrases were written by a language model; ours are made by rule, and kept only where reading them back gives
the feature that they were made for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final

import numpy as np

from catalog.facts.errors import RecipeWrong
from catalog.facts.feature_classes import FeatureClass
from models.language.reading import worn
from models.referrer.arrangement import Arrangement
from models.referrer.features import Feature, FeatureMap
from models.referrer.phrasings import PHRASINGS, TAGS, TALKED, TASKS, Task, known_phrasings, listed
from models.referrer.pointing import Pointing, pointing
from models.referrer.questions import Asked, Asking, answerable, segment, talk
from models.referrer.wording import phrase_of

GENERATOR_VERSION: Final = "1"
_TRIES: Final = 8


@dataclass(frozen=True, slots=True)
class PairOptions:
    """What is asked of a scene in training."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}
    segment: int = 3
    """Questions for masks about each scene of a batch: only their words tell them apart."""
    talk: int = 1
    """Questions for words about it."""
    absent: float = 0.1
    """Share of the questions for masks that ask for what is not there."""
    most: int = 4
    """Masks of a question."""
    holes: float = 0.0
    """Share of the words of phrasings that are left out, never of what they ask about: who learned from whole ones alone reads none that is new."""
    turns: bool = True
    """Turn and mirror scenes; words are made after."""
    tasks: tuple[Task, ...] = TALKED
    """Questions for words that are asked."""

    def __post_init__(self) -> None:
        """Raise RecipeWrong without questions, or for shares that are none."""
        shares = 0 <= self.absent <= 1 and 0 <= self.holes < 1
        if min(self.segment, self.talk) < 0 or self.segment + self.talk < 1 or not shares or self.most < 1:
            raise RecipeWrong(
                f"{self.segment} questions for masks (up to {self.most} each, {self.absent} of them absent) and {self.talk} for words, "
                f"{self.holes} of their words left out: ask one or more, with shares between 0 and 1."
            )


@dataclass(frozen=True, slots=True)
class Pair:
    """One question with its answer."""

    scene_id: str
    task: Task
    question: str
    answer: str
    """With a group of marks for each mask."""
    targets: tuple[tuple[int, ...], ...]
    """Features of each mask."""
    words: tuple[FeatureClass, ...]
    """Class that each phrase names; of an absent one, too."""
    phrases: tuple[str, ...]
    arrangements: tuple[Arrangement | None, ...]
    """How each target lies among its class; None for several features together."""
    phrasing: int
    held_out: bool
    """The phrasing is one that training never sees."""

    @property
    def absent(self) -> bool:
        """It asks for what is not there."""
        return self.task == "segment" and not self.targets

    def as_row(self, split: str) -> dict[str, Any]:
        """Row of a table of pairs."""
        return {
            "chip_id": self.scene_id, "task": self.task, "question": self.question, "answer": self.answer, "phrases": list(self.phrases),
            "targets": [list(numbers) for numbers in self.targets], "classes": list(self.words), "split": split,
            "template_id": f"{self.task}/{self.phrasing}", "generator_version": GENERATOR_VERSION,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """A scene with its features and phrases found."""

    scene_id: str
    features: tuple[Feature, ...]
    phrases: Pointing = field(repr=False)

    @classmethod
    def of(cls, scene_id: str, ground: FeatureMap) -> "Told":
        """Find them."""
        features = ground.features()
        return cls(scene_id, features, pointing(features))

    @classmethod
    def unasked(cls, scene_id: str, ground: FeatureMap) -> "Told":
        """Find features and no phrases, where nothing will be asked."""
        return cls(scene_id, ground.features(), Pointing({}, (), (), 0, {}))


def draw_pairs(told: Told, options: PairOptions, rng: np.random.Generator) -> tuple[Pair, ...]:
    """Draw training pairs of one scene, in phrasings that training may see; no question for masks twice as far as there are others."""
    scene = Asking(told.features, told.phrases, rng)
    pairs: list[Pair] = []
    for _ in range(options.segment * _TRIES):
        if len(pairs) == options.segment:
            break
        pair = _masks(told, scene, options, held_out=False)
        if pair is not None and all(sorted(pair.targets) != sorted(other.targets) or not pair.targets for other in pairs):
            pairs.append(pair)
    tasks = [task for task in answerable(scene) if task in options.tasks]
    for _ in range(options.talk if tasks else 0):
        asked = talk(scene, tasks[int(rng.integers(len(tasks)))])
        if asked is not None:
            pairs.append(_pair(told, asked, rng, held_out=False, holes=options.holes))
    return tuple(pairs)


def fixed_pairs(told: Told, seed: int, *, held_out: bool, options: PairOptions | None = None) -> tuple[Pair, ...]:
    """Pairs of a scene that are the same at every call: one, two and several masks, something absent, and each question for words."""
    rng = np.random.default_rng([seed, *told.scene_id.encode()])
    scene, rule = Asking(told.features, told.phrases, rng), options or PairOptions()
    masks = [segment(scene, absent=False, most=most) for most in range(1, rule.most + 1)] + [segment(scene, absent=True)]
    words = [talk(scene, task) for task in answerable(scene)]
    return tuple(_pair(told, asked, rng, held_out=held_out) for asked in (*masks, *words) if asked is not None)


def reordered(pair: Pair, order: Sequence[int]) -> Pair:
    """The same question for masks with its phrases in another order, and so its masks."""
    phrases = [pair.phrases[place] for place in order]
    return replace(
        pair,
        question=_worded("segment", pair.phrasing, {"list": listed(phrases)}),
        targets=tuple(pair.targets[place] for place in order),
        words=tuple(pair.words[place] for place in order),
        phrases=tuple(phrases),
        arrangements=tuple(pair.arrangements[place] for place in order),
    )


def corpus(scenes: Sequence[Told], seed: int = 0) -> list[str]:
    """Words that pairs of some scenes use, for a tokenizer; held-out phrasings included, as letters are no secret."""
    texts = []
    for told in scenes:
        for held_out in (False, True):
            for pair in fixed_pairs(told, seed, held_out=held_out):
                texts += [pair.question, pair.answer]
    return texts + [f"{TAGS[task]} {phrasing}" for task in TASKS for phrasing in PHRASINGS[task]]


def _masks(told: Told, scene: Asking, options: PairOptions, *, held_out: bool) -> Pair | None:
    absent = bool(scene.rng.random() < options.absent) or not told.phrases.by_feature
    asked = segment(scene, absent=absent, most=options.most)
    return None if asked is None else _pair(told, asked, scene.rng, held_out=held_out, holes=options.holes)


def _pair(told: Told, asked: Asked, rng: np.random.Generator, *, held_out: bool, holes: float = 0.0) -> Pair:
    known, count = known_phrasings(asked.task), len(PHRASINGS[asked.task])
    phrasing = int(rng.integers(known, count) if held_out else rng.integers(known))
    lies = told.phrases.arrangements
    return Pair(
        scene_id=told.scene_id,
        task=asked.task,
        question=_worded(asked.task, phrasing, asked.values, worn(PHRASINGS[asked.task][phrasing], rng, holes) if holes else ""),
        answer=asked.answer,
        targets=asked.targets,
        words=tuple(reference.noun for reference in asked.references),
        phrases=tuple(phrase_of(reference) for reference in asked.references),
        arrangements=tuple(lies[numbers[0]] if len(numbers) == 1 else None for numbers in asked.targets),
        phrasing=phrasing,
        held_out=held_out,
    )


def _worded(task: Task, phrasing: int, values: Mapping[str, str], said: str = "") -> str:
    """Put a question into words; `said` stands for the phrasing where it is given."""
    question = (said or PHRASINGS[task][phrasing]).format(**values)
    return f"{TAGS[task]} {question[0].upper()}{question[1:]}"
