"""Phrases: what a reference says in words, and the words back to the reference."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, cast

from catalog.facts.feature_classes import CLASSES, FeatureClass, words_of
from models.referrer.arrangement import Arrangement, Axis
from models.referrer.references import CELLS, ENDS, Cell, End, Reference, Relation

_PREPOSITIONS: Final[Mapping[str, str]] = MappingProxyType({"top": "at", "bottom": "at", "left": "on", "right": "on"})
ORDINALS: Final = ("first", "second", "third", "fourth")
_GROUPS: Final[Mapping[Arrangement, str]] = MappingProxyType({"pair": "pair", "clustered": "cluster"})
_FROM: Final[Mapping[str, str]] = MappingProxyType({"closest": "closest to", "farthest": "farthest from"})
_SAME: Final[Mapping[str, str]] = MappingProxyType(
    {"top left": "upper left", "top right": "upper right", "bottom left": "lower left", "bottom right": "lower right", "center": "middle",
     "centre": "middle", "biggest": "largest", "tiniest": "smallest", "nearest to": "closest to", "furthest": "farthest"}
)  # fmt: skip
"""Words of users, and those that phrases use for them."""
_ONE: Final = "|".join(sorted((words_of(kind).one for kind in CLASSES), key=len, reverse=True))
_MANY: Final = "|".join(sorted((words_of(kind).many for kind in CLASSES), key=len, reverse=True))
_CELL: Final = rf"(?: (?:in|at|on) the (?P<cell>{'|'.join(sorted(CELLS, key=len, reverse=True))}))"
_PATTERNS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?:the )?(?P<relation>largest|smallest)? ?(?P<noun>{_ONE}){_CELL}?",
        rf"(?:the )?(?P<noun>{_ONE}) (?P<place>{'|'.join(ORDINALS)}) from the (?P<axis>left|top) in the row{_CELL}",
        rf"(?:the )?(?P<end>{'|'.join(ENDS)}) (?P<noun>{_ONE}) of the (?P<group>pair|cluster){_CELL}",
        rf"(?:the )?(?P<noun>{_ONE}) (?P<relation>closest to|farthest from) the largest (?P<same>{_ONE})",
        rf"(?P<relation>all)(?: the)? (?P<nouns>{_MANY}){_CELL}?",
    )
)


def phrase_of(reference: Reference) -> str:
    """`the largest clear lake in the upper left`."""
    noun, cell = words_of(reference.noun).one, "" if reference.cell is None else f" {cell_words(reference.cell)}"
    match reference.relation:
        case "largest" | "smallest":
            return f"the {reference.relation} {noun}{cell}"
        case "ordinal":
            return f"the {noun} {ORDINALS[reference.place - 1]} from the {reference.axis} in the row{cell}"
        case "end":
            return f"the {reference.end} {noun} of the {_GROUPS[reference.group or 'clustered']}{cell}"
        case "closest" | "farthest":
            return f"the {noun} {_FROM[reference.relation]} the largest {noun}"
        case "all":
            return f"all {words_of(reference.noun).many}{cell}"
        case _:
            return f"the {noun}{cell}"


def cell_words(cell: Cell) -> str:
    """`in the upper left`, `at the top`, `on the left`."""
    return f"{_PREPOSITIONS.get(cell, 'in')} the {cell}"


def without_cell(phrase: str) -> tuple[str, Cell | None]:
    """Take words for a third of the scene from the end of a phrase: `lakes larger than 1 ha on the left`."""
    words = _our_words(phrase)
    found = re.search(rf"{_CELL}$", words)
    return (words, None) if found is None else (words[: found.start()], cast("Cell", found["cell"]))


def reference_of(phrase: str) -> Reference | None:
    """Read a phrase; None for one that says something else than phrases can say."""
    words = _our_words(phrase)
    for pattern in _PATTERNS:
        found = pattern.fullmatch(words)
        if found:
            return _reference(found.groupdict())
    return None


def _our_words(phrase: str) -> str:
    words = " ".join(phrase.lower().strip(" .?!").split())
    for given, ours in _SAME.items():
        words = re.sub(rf"\b{given}\b", ours, words)
    return words


def _reference(said: Mapping[str, str | None]) -> Reference | None:
    noun = said.get("noun") or _singular(said.get("nouns") or "")
    if said.get("same") not in (None, noun):
        return None
    relation = (said.get("relation") or ("ordinal" if said.get("place") else "end" if said.get("end") else "only")).split()[0]
    group = {"pair": "pair", "cluster": "clustered"}.get(said.get("group") or "")
    return Reference(
        noun=cast("FeatureClass", noun),
        relation=cast("Relation", relation),
        cell=cast("Cell | None", said.get("cell")),
        place=ORDINALS.index(said["place"] or "") + 1 if said.get("place") else 0,
        axis=cast("Axis | None", said.get("axis")),
        end=cast("End | None", said.get("end")),
        group=cast("Arrangement | None", group),
    )


def _singular(many: str) -> FeatureClass:
    return next(kind for kind in CLASSES if words_of(kind).many == many)
