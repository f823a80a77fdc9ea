"""What the map colours features by: colour, dashes and symbol of every class, so that none is told by colour alone."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from catalog.facts.records import Target
from models.pictures.kinds import KINDS, lake_kind, slump_kind

# Okabe & Ito 2008: told apart with every common kind of colour blindness
_ORANGE, _SKY, _GREEN, _YELLOW = "#e69f00", "#56b4e9", "#009e73", "#f0e442"
_VERMILION, _PURPLE, _WHITE, _GREY = "#d55e00", "#cc79a7", "#ffffff", "#b9b4aa"


@dataclass(frozen=True, slots=True)
class Class:
    """One kind of feature on the map."""

    key: str
    words: str
    colour: str
    symbol: str
    """Where outlines are too small: `dot`, `up`, `down`, `square`, `diamond`, `cross`, `ring`."""
    dashes: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Colouring:
    """A way to colour the map: a column of words and what each word looks like; a word that has no class is of the last."""

    column: str
    title: str
    classes: tuple[Class, ...]

    def as_dict(self) -> dict[str, Any]:
        """The colouring as JSON."""
        return asdict(self)


FIRST: Final = "first"
"""Verdict of a feature that no earlier year can be compared with."""
VERDICTS: Final = (
    Class("grown", "grown", _SKY, "up"),
    Class("shrunk", "shrunk", _VERMILION, "down", (7, 3)),
    Class("within_error", "change within error", _YELLOW, "dot"),
    Class("not_comparable", "not comparable", _WHITE, "cross", (2, 2.5)),
    Class(FIRST, "no earlier year", _PURPLE, "ring", (5, 2, 1.5, 2)),
)
_TYPES: Final = (
    Class("ice_contact", "touches ice", _SKY, "square"),
    Class("glacier_fed", "fed by a glacier", _GREEN, "up", (7, 3)),
    Class("supraglacial", "on a glacier", _VERMILION, "diamond", (2, 2.5)),
    Class("unconnected", "unconnected", _YELLOW, "dot"),
    Class("unknown", "not known", _WHITE, "ring", (1.5, 2.5)),
)
_SYMBOLS: Final = {
    "lakes": {"mapped": ("dot", ()), "edge": ("square", (5, 2)), "poor": ("cross", (3, 2)), "small": ("ring", (1.5, 2))},
    "slumps": {
        "new": ("diamond", ()),
        "growing": ("up", ()),
        "stable": ("dot", ()),
        "stabilized": ("down", (7, 3)),
        "merged": ("square", (5, 2)),
        "split": ("cross", (2, 2.5)),
        "unknown": ("ring", (5, 2, 1.5, 2)),
        "small": ("ring", (1.5, 2)),
    },
}
QUALITY: Final = "seen"
"""Column of how a lake was seen, of a slump's status."""


def colourings_of(target: Target, columns: Collection[str]) -> tuple[Colouring, ...]:
    """The ways to colour that the columns at hand allow; the first is what the page opens with."""
    kinds = tuple(Class(key, kind.words, kind.colour, *_SYMBOLS[target][key]) for key, kind in KINDS[target].items())
    seen = Colouring(QUALITY, "how it was seen" if target == "lakes" else "status", kinds)
    verdicts = (Colouring("verdict", "change since the year before", VERDICTS),) if "verdict" in columns else ()
    types = (Colouring("lake_type", "type of lake", _TYPES),) if "lake_type" in columns else ()
    return (*verdicts, seen, *types) if target == "lakes" else (seen, *verdicts)


def qualities_of(target: Target, flags: Sequence[Sequence[str] | None], status: Sequence[str | None]) -> list[str]:
    """The kind of every feature by its flags and, of slumps, its status."""
    if target == "lakes":
        return [lake_kind(row or ()) for row in flags]
    return [slump_kind(word, row or ()) for word, row in zip(status, flags, strict=True)]
