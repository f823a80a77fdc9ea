"""How outlines on a map are drawn and called, by what an inventory says of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from shapely.geometry.base import BaseGeometry

from models.pictures.canvas import GREEN, ORANGE, PURPLE, SKY, VERMILION, YELLOW

_POORLY_SEEN: Final = frozenset({"few_looks", "cloud_share", "lake_ice", "terrain_shadow"})


class Outline(NamedTuple):
    """A polygon in the CRS of the map, and how it is drawn."""

    shape: BaseGeometry
    kind: str
    """Key of the kinds of the map's target."""
    score: float | None = None
    """How sure a detector is, 0 to 1; None for features that have no score."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of outline is drawn and called."""

    words: str
    colour: str
    dashes: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Sureness:
    """A step of scores and the dashes of their outlines."""

    least: float
    words: str
    dashes: tuple[float, ...]


LAKE_KINDS: Final[Mapping[str, Kind]] = {
    "mapped": Kind("mapped", YELLOW),
    "edge": Kind("cut by the region's edge", SKY, (5, 2)),
    "poor": Kind("poorly seen", ORANGE, (3, 2)),
    "small": Kind("below the minimum area", PURPLE, (1.2, 1.2)),
}
SLUMP_KINDS: Final[Mapping[str, Kind]] = {
    "new": Kind("new", VERMILION),
    "growing": Kind("growing", ORANGE),
    "stable": Kind("stable", YELLOW),
    "stabilized": Kind("stabilized", GREEN),
    "merged": Kind("merged", PURPLE),
    "split": Kind("split", SKY),
    "unknown": Kind("status not known", "#ffffff"),
    "small": Kind("below the minimum area", "#b9b4aa"),
}
KINDS: Final[Mapping[str, Mapping[str, Kind]]] = {"lakes": LAKE_KINDS, "slumps": SLUMP_KINDS}
"""By target, in the order of the legend."""
SURENESS: Final = (
    Sureness(0.7, "score 0.7 and above", ()),
    Sureness(0.5, "score 0.5 to 0.7", (4, 1.6)),
    Sureness(0.0, "score below 0.5", (1.2, 1.4)),
)
"""From the surest down."""


def lake_kind(flags: Sequence[str]) -> str:
    """The kind of outline that a lake's flags make; the gravest wins."""
    if "below_minimum_area" in flags:
        return "small"
    if _POORLY_SEEN.intersection(flags):
        return "poor"
    return "edge" if "region_edge" in flags else "mapped"


def slump_kind(status: str | None, flags: Sequence[str]) -> str:
    """The kind of outline of a slump: its status among the years, null and unheard-of ones as `unknown`."""
    if "below_minimum_area" in flags:
        return "small"
    return status if status is not None and status in SLUMP_KINDS else "unknown"


def sureness_of(score: float | None) -> Sureness | None:
    """The step that a score belongs to; None without one. A score that is not a number is of the lowest step."""
    if score is None:
        return None
    return next((step for step in SURENESS if score >= step.least), SURENESS[-1])
