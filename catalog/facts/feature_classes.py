"""Classes of what people point at in a scene, their words, and which word covers which class."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

FeatureClass = Literal["lake", "clear lake", "milky lake", "frozen lake", "snow patch", "glacier", "thaw slump"]
CLASSES: Final[tuple[FeatureClass, ...]] = ("lake", "clear lake", "milky lake", "frozen lake", "snow patch", "glacier", "thaw slump")
"""In the order of their rows in a memory; new ones go to the end. `lake` is one whose kind nobody knows, as those of an inventory."""
_KINDS_OF: Final[Mapping[str, tuple[FeatureClass, ...]]] = MappingProxyType({"lake": ("lake", "clear lake", "milky lake", "frozen lake")})
CLASS_OF_TARGET: Final[Mapping[str, FeatureClass]] = MappingProxyType({"lakes": "lake", "slumps": "thaw slump"})
"""Of chips that know one target alone."""
MOST_OF_A_CLASS: Final = 4
"""Scenes with five or more of a class are left out (GeoPixInstruct's rule)."""
MOST_FEATURES: Final = 11
"""So are scenes with more in all."""


@dataclass(frozen=True, slots=True)
class ClassWords:
    """How a class is called."""

    one: str
    many: str


def covers(word: str, kind: str) -> bool:
    """Say whether a class is meant by the word of another: every kind of lake is a lake."""
    return word == kind or kind in _KINDS_OF.get(word, ())


def words_for(kind: FeatureClass) -> tuple[FeatureClass, ...]:
    """Words that cover a class, its own first."""
    return (kind, *(word for word in CLASSES if word != kind and covers(word, kind)))


def words_of(kind: FeatureClass) -> ClassWords:
    """Singular and plural."""
    many = {"snow patch": "snow patches"}.get(kind, f"{kind}s")
    return ClassWords(kind, many)


def fit_to_refer(kinds: tuple[str, ...]) -> bool:
    """Say whether a scene of these classes has few enough to be told apart: under five of every class, eleven in all."""
    return len(kinds) <= MOST_FEATURES and all(kinds.count(kind) <= MOST_OF_A_CLASS for kind in set(kinds))
