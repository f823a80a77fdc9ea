"""Every feature of a scene to the phrases that mean it and nothing else; what no phrase can tell apart is dropped, and counted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from catalog.facts.feature_classes import CLASSES, FeatureClass, words_for
from models.referrer.arrangement import Arrangement, Group, arrange
from models.referrer.features import Feature, of_kind
from models.referrer.references import CELLS, ENDS, SLACK, Reference, Relation, cell_of, resolve
from models.referrer.wording import ORDINALS, phrase_of, reference_of


@dataclass(frozen=True, slots=True)
class Pointing:
    """Phrases of one scene."""

    by_feature: dict[int, tuple[Reference, ...]]
    """By number, the phrase that fits its arrangement best first; features that no phrase tells apart are missing."""
    sets: tuple[tuple[Reference, frozenset[int]], ...]
    """Phrases that mean two features or more together, with their numbers."""
    absent: tuple[Reference, ...]
    """Phrases that fit nothing in the scene, not nearly."""
    dropped: int
    """Features that no phrase tells apart."""
    arrangements: dict[int, Arrangement]
    """By number, among features of its own class."""


def pointing(features: Sequence[Feature]) -> Pointing:
    """Find the phrases of a scene, each checked by reading it back."""
    groups = {kind: arrange(of_kind(features, kind)) for kind in CLASSES}
    lies = {member.number: group.kind for each in features for group in groups[each.kind] for member in group.members if member is each}
    found = {each.number: tuple(_meaning(each, features, groups)) for each in features}
    kept = {number: references for number, references in found.items() if references}
    return Pointing(kept, tuple(_sets(features)), tuple(_absent(features)), len(found) - len(kept), lies)


def meant(phrase: str, features: Sequence[Feature], *, slack: float = 0.0) -> frozenset[int] | None:
    """Features that the words of a phrase may mean; None for words that cannot be read."""
    reference = reference_of(phrase)
    return None if reference is None else resolve(reference, features, slack=slack)


def drawn(references: Sequence[Reference], rng: np.random.Generator) -> Reference:
    """Draw a phrase: mostly the one that fits best, else any."""
    return references[0] if rng.random() < 0.4 else references[int(rng.integers(len(references)))]


def _meaning(feature: Feature, features: Sequence[Feature], groups: dict[FeatureClass, tuple[Group, ...]]) -> Iterator[Reference]:
    seen: set[Reference] = set()
    for word in words_for(feature.kind):
        for reference in _candidates(feature, word, groups[word]):
            if reference not in seen and _means(reference, features, frozenset({feature.number})):
                yield reference
            seen.add(reference)


def _means(reference: Reference, features: Sequence[Feature], numbers: frozenset[int]) -> bool:
    """Read the words back, in cells as they are and in wider ones."""
    phrase = phrase_of(reference)
    return meant(phrase, features) == numbers and meant(phrase, features, slack=SLACK) == numbers


def _candidates(feature: Feature, word: FeatureClass, groups: Sequence[Group]) -> Iterator[Reference]:
    """Phrases by the arrangement first, then by the place in the scene, then by size and by neighbors."""
    group = next(each for each in groups if any(member is feature for member in each.members))
    cell, place = cell_of(*group.point), [member is feature for member in group.members].index(True) + 1
    # a row of lakes of several kinds can be longer than people count
    if group.kind == "linear" and place <= len(ORDINALS):
        yield Reference(word, "ordinal", cell, place=place, axis=group.axis)
    if group.kind in ("pair", "clustered"):
        yield from (Reference(word, "end", cell, end=end, group=group.kind) for end in ENDS)
    own = cell_of(feature.x, feature.y)
    yield Reference(word, cell=own)
    sizes: tuple[Relation, ...] = ("largest", "smallest")
    if sum(len(each.members) for each in groups) == 1:
        yield Reference(word)
    else:
        yield from (Reference(word, size) for size in sizes)
        yield from (Reference(word, relation) for relation in ("closest", "farthest"))
        if any(member is not feature and cell_of(member.x, member.y) == own for each in groups for member in each.members):
            yield from (Reference(word, size, own) for size in sizes)


def _sets(features: Sequence[Feature]) -> Iterator[tuple[Reference, frozenset[int]]]:
    for word in CLASSES:
        for cell in (None, *CELLS):
            reference = Reference(word, "all", cell)
            numbers = resolve(reference, features)
            if len(numbers) > 1 and _means(reference, features, numbers):
                yield reference, numbers


def _absent(features: Sequence[Feature]) -> Iterator[Reference]:
    for word in CLASSES:
        for cell in (None, *CELLS):
            if not resolve(Reference(word, cell=cell), features, slack=SLACK):
                yield Reference(word, cell=cell)
