"""What is said of scenes and of their features: true by rule, and nothing that two readers would count otherwise."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from catalog.facts.feature_classes import CLASSES, FeatureClass, words_of
from catalog.facts.scene_facts import size_of
from models.language.slots import count_words
from models.referrer.features import Feature
from models.referrer.pointing import Pointing
from models.referrer.questions import Asking, talk
from models.referrer.references import SAME_AREA, cell_of
from models.referrer.wording import cell_words

LABELS: Final = ("{nouns}", "An image of {nouns}.", "Mostly {nouns}.", "It shows {nouns}.", "A scene of {nouns}.", "Most of it is {nouns}.")
"""A class in words, several times: the mean of their vectors is less of an accident than any of them."""
_UNTOLD: Final = Pointing({}, (), (), 0, {})


def caption_of(features: Sequence[Feature]) -> str:
    """`There are two clear lakes and one glacier. The largest is a large glacier at the top.`; the largest only where one is."""
    largest = largest_of(features)
    counts = counts_of(features)
    if largest is None:
        return counts
    return f"{counts} The largest is a {size_of(largest.area_m2)} {largest.kind} {cell_words(cell_of(largest.x, largest.y))}."


def counts_of(features: Sequence[Feature]) -> str:
    """`There are two clear lakes and one glacier.`."""
    asked = talk(Asking(features, _UNTOLD, np.random.default_rng(0)), "caption")
    assert asked is not None
    return asked.answer


def region_caption(feature: Feature, features: Sequence[Feature]) -> str | None:
    """`The largest of three clear lakes.`; None where its place among them is not sure.

    Size and place in the scene are not said: they can be read off the box, without a look at the image.
    """
    alike = [each for each in features if each.kind == feature.kind]
    if len(alike) == 1:
        return f"The only {feature.kind}."
    group = f"{count_words(len(alike))} {words_of(feature.kind).many}"
    if largest_of(alike) is feature:
        return f"The largest of {group}."
    if _smallest_of(alike) is feature:
        return f"The smallest of {group}."
    middle = len(alike) > 2 and largest_of(alike) is not None and _smallest_of(alike) is not None
    return f"Neither the largest nor the smallest of {group}." if middle else None


def class_of(features: Sequence[Feature]) -> FeatureClass | None:
    """Class that covers most of what there is; None where two cover about as much, or nothing is there."""
    covered = {kind: sum(each.area_m2 for each in features if each.kind == kind) for kind in CLASSES}
    first, second = sorted(CLASSES, key=lambda kind: -covered[kind])[:2]
    return first if covered[first] > 0 and covered[second] <= covered[first] * (1 - SAME_AREA) else None


def label_words(kind: FeatureClass) -> tuple[str, ...]:
    """A class in all the words for it."""
    said = (label.format(nouns=words_of(kind).many) for label in LABELS)
    return tuple(f"{words[0].upper()}{words[1:]}" for words in said)


def largest_of(features: Sequence[Feature]) -> Feature | None:
    """The largest of some features; None where two are about as large."""
    ranked = sorted(features, key=lambda each: -each.area_m2)
    if not ranked or (len(ranked) > 1 and ranked[1].area_m2 > ranked[0].area_m2 * (1 - SAME_AREA)):
        return None
    return ranked[0]


def _smallest_of(features: Sequence[Feature]) -> Feature | None:
    ranked = sorted(features, key=lambda each: each.area_m2)
    return None if len(ranked) > 1 and ranked[1].area_m2 * (1 - SAME_AREA) < ranked[0].area_m2 else ranked[0]
