"""What may be asked of a scene, with the true answer: masks, boxes, captions and facts that masks can prove."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from catalog.facts.feature_classes import CLASSES, covers, words_of
from catalog.facts.scene_facts import size_of
from models.language.slots import count_words
from models.referrer.features import LONG, Feature
from models.referrer.marks import negative, positive
from models.referrer.phrasings import TALKED, Task, listed
from models.referrer.pointing import Pointing, drawn
from models.referrer.references import CELLS, Reference, cell_of
from models.referrer.wording import cell_words, phrase_of

MOST_REFERENTS: Final = 4
_ROUND: Final = 1.5
"""Ratio of the axes up to which a feature is round; between this and `LONG` nobody is asked."""
_SETS: Final = 0.12
"""Share of phrases that mean several features together."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question as values."""

    task: Task
    values: Mapping[str, str]
    """Words that the phrasing leaves open."""
    answer: str
    targets: tuple[tuple[int, ...], ...] = ()
    """Features of each mask, in the order of the phrases."""
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class Asking:
    """A scene that is asked about."""

    features: Sequence[Feature]
    phrases: Pointing
    rng: np.random.Generator

    @property
    def told_apart(self) -> list[Feature]:
        """Features with a phrase of their own."""
        return [each for each in self.features if each.number in self.phrases.by_feature]

    def reference(self, feature: Feature) -> Reference:
        """Draw a phrase for a feature."""
        return drawn(self.phrases.by_feature[feature.number], self.rng)

    def one(self, choices: Sequence[Feature]) -> Feature:
        """Draw a feature."""
        return choices[int(self.rng.integers(len(choices)))]


def segment(scene: Asking, *, absent: bool, most: int = MOST_REFERENTS) -> Asked | None:
    """Ask for one to `most` masks, or for something that is not there; None where the scene has nothing of the kind."""
    if absent:
        if not scene.phrases.absent:
            return None
        missing = scene.phrases.absent[int(scene.rng.integers(len(scene.phrases.absent)))]
        phrase = phrase_of(missing)
        return Asked("segment", {"list": phrase}, negative(phrase), (), (missing,))
    pairs = _targets(scene, most)
    if not pairs:
        return None
    phrases = [phrase_of(reference) for reference, _ in pairs]
    return Asked(
        "segment", {"list": listed(phrases)}, positive(len(pairs)), tuple(numbers for _, numbers in pairs), tuple(r for r, _ in pairs)
    )


def talk(scene: Asking, task: Task) -> Asked | None:
    """Ask something whose answer is words; None where the scene cannot answer it."""
    choices = list(_TALK[task](scene))
    return choices[int(scene.rng.integers(len(choices)))] if choices else None


def answerable(scene: Asking) -> tuple[Task, ...]:
    """Tasks of words that a scene has an answer to."""
    return tuple(task for task in TALKED if next(iter(_TALK[task](scene)), None) is not None)


def _targets(scene: Asking, most: int) -> list[tuple[Reference, tuple[int, ...]]]:
    if scene.phrases.sets and scene.rng.random() < _SETS:
        reference, numbers = scene.phrases.sets[int(scene.rng.integers(len(scene.phrases.sets)))]
        return [(reference, tuple(sorted(numbers)))]
    choices = scene.told_apart
    count = min(int(scene.rng.integers(1, most + 1)), len(choices))
    chosen = [choices[int(place)] for place in scene.rng.permutation(len(choices))[:count]]
    return [(scene.reference(feature), (feature.number,)) for feature in chosen]


def _box(scene: Asking) -> Iterator[Asked]:
    for feature in scene.told_apart:
        reference = scene.reference(feature)
        left, bottom, right, top = (round(100 * share) for share in feature.bounds_lbrt)
        yield Asked("refer", {"list": phrase_of(reference)}, f"{{<{left}><{top}><{right}><{bottom}>}}", (), (reference,))


def _caption(scene: Asking) -> Iterator[Asked]:
    """Counts by class in the order of the classes."""
    if not scene.features:
        yield Asked("caption", {}, "There is nothing to point at.")
        return
    counts = [(kind, sum(each.kind == kind for each in scene.features)) for kind in CLASSES]
    told = [f"{count_words(count)} {words_of(kind).one if count == 1 else words_of(kind).many}" for kind, count in counts if count]
    verb = "is" if told[0].startswith("one ") else "are"
    yield Asked("caption", {}, f"There {verb} {listed(told)}.")


def _category(scene: Asking) -> Iterator[Asked]:
    for cell in CELLS:
        here = [each for each in scene.features if cell_of(each.x, each.y) == cell]
        if len(here) == 1:
            yield Asked("category", {"cell": cell_words(cell)}, f"A {here[0].kind}.")


def _presence(scene: Asking) -> Iterator[Asked]:
    for kind in CLASSES:
        there = any(covers(kind, each.kind) for each in scene.features)
        yield Asked("presence", {"noun": kind}, "Yes." if there else "No.")


def _quantity(scene: Asking) -> Iterator[Asked]:
    for kind in CLASSES:
        count = sum(covers(kind, each.kind) for each in scene.features)
        yield Asked("quantity", {"nouns": words_of(kind).many}, f"{count_words(count).capitalize()}.")


def _kind(scene: Asking) -> Iterator[Asked]:
    for feature in scene.told_apart:
        words = [each for each in scene.phrases.by_feature[feature.number] if each.noun == "lake"]
        if words and feature.kind != "lake":
            reference = drawn(words, scene.rng)
            yield Asked("kind", {"list": phrase_of(reference)}, f"{feature.kind.removesuffix(' lake').capitalize()}.", (), (reference,))


def _shape(scene: Asking) -> Iterator[Asked]:
    for feature in scene.told_apart:
        if not _ROUND < feature.elongation < LONG:
            reference = scene.reference(feature)
            yield Asked("shape", {"list": phrase_of(reference)}, "Long." if feature.elongation >= LONG else "Round.", (), (reference,))


def _size(scene: Asking) -> Iterator[Asked]:
    for feature in scene.told_apart:
        reference = scene.reference(feature)
        yield Asked("size", {"list": phrase_of(reference)}, f"{size_of(feature.area_m2).capitalize()}.", (), (reference,))


def _position(scene: Asking) -> Iterator[Asked]:
    """Where is what its phrase does not place."""
    for feature in scene.told_apart:
        words = [each for each in scene.phrases.by_feature[feature.number] if each.cell is None]
        if words:
            reference = drawn(words, scene.rng)
            answer = f"{cell_words(cell_of(feature.x, feature.y)).capitalize()}."
            yield Asked("position", {"list": phrase_of(reference)}, answer, (), (reference,))


_TALK: Final[Mapping[Task, Callable[[Asking], Iterator[Asked]]]] = MappingProxyType(
    {
        "refer": _box, "caption": _caption, "category": _category, "presence": _presence, "quantity": _quantity, "kind": _kind,
        "shape": _shape, "size": _size, "position": _position,
    }
)  # fmt: skip
