"""What is known of the lakes of one scene, in the terms in which people ask: how many, where, how large, since when.

A scene is any rectangle of ground: a chip, a tile, the surroundings of one lake. Words, masks and bulletins are made from these
records and checked against them. Vocabulary and thresholds of positions follow the published system (GLACIA: quadrants and near or
far from the centre), applied to every lake and not to the box around all of them.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

Quadrant = Literal["top left", "top right", "bottom left", "bottom right", "center"]
QUADRANTS: Final[tuple[Quadrant, ...]] = ("top left", "top right", "bottom left", "bottom right", "center")
"""In the order in which lakes are mentioned."""
Verdict = Literal["grown", "shrunk", "within_error", "not_comparable"]
"""Whether a change is larger than its error, as the table of changes says."""
Size = Literal["small", "medium", "large"]
SIZES: Final[tuple[Size, ...]] = ("small", "medium", "large")
SMALL_BELOW_M2: Final = 50_000.0
LARGE_FROM_M2: Final = 500_000.0
CENTER_REACH: Final = 0.1
"""A lake is in the center when it is less than this share of width and of height away from it."""
NEAR_REACH: Final = 0.2
"""A lake is near the center when it is less than this share of the width away from it (published rule)."""
MANY: Final = 10
"""Counts from here on are told as `more than nine`."""
SAME_AREA: Final = 0.05
"""Areas that differ by less than this share are not told apart."""
CHANGED_AREA: Final = 0.10
"""A total area that changed by less than this share of the earlier one is told as hardly changed."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a scene something is, in words."""

    quadrant: Quadrant
    near: bool | None = None
    """Near or far from the center; None where only the quadrant is told, and in the center itself."""


@dataclass(frozen=True, slots=True)
class LakeFact:
    """One lake of a scene."""

    number: int
    """Its value in the scene's instance labels, from 1."""
    x: float
    """Of its point, share of the width from the left; the point is the centroid, or the lake's pixel nearest to it."""
    y: float
    """Share of the height from the top."""
    area_m2: float
    bounds_lbrt_px: tuple[int, int, int, int]
    """First column, last row + 1, last column + 1, first row, pixels of the scene."""
    lake_id: str = ""
    longitude: float | None = None
    latitude: float | None = None
    elevation_m: float | None = None
    area_before_m2: float | None = None
    """Of the same lake in the earlier year; None where nobody saw it well enough, 0 where it was looked for and not there."""
    year_before: int | None = None
    """Year of that area; None: the earlier year of the scene."""
    low_m2: float | None = None
    high_m2: float | None = None
    """95 % interval of the area."""
    seen_in_part: bool = False
    """Cloud or shadow hid a part of it, so that its outline may be incomplete."""
    verdict: Verdict | None = None
    """On the change between those years; None where there is no earlier year."""

    @property
    def place(self) -> Place:
        """Quadrant, and near or far from the center."""
        return place_of(self.x, self.y)

    @property
    def size(self) -> Size:
        """Word for the area."""
        return size_of(self.area_m2)

    @property
    def distance(self) -> float:
        """From the center of the scene, share of the width."""
        return math.hypot(self.x - 0.5, self.y - 0.5)


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where on Earth and when a scene is; None for what nobody knows."""

    longitude: float | None = None
    latitude: float | None = None
    elevation_m: float | None = None
    region: str = ""
    year: int | None = None


@dataclass(frozen=True, slots=True)
class Earlier:
    """The same scene in an earlier year."""

    year: int
    count: int
    area_m2: float


@dataclass(frozen=True, slots=True)
class EventFact:
    """Something that happened to a lake on the way to the year of the scene."""

    lake_id: str
    event: str
    """`appear`, `vanish`, `merge`, `split`, `reappear`, `drain` or `surge`."""
    year_from: int
    year_to: int
    alarm: bool = False


@dataclass(frozen=True, slots=True)
class MissedLake:
    """A lake that is known from other years and is not in the inventory of this one."""

    lake_id: str
    looked_for: bool
    """It was looked for and is not there; else nobody could see."""


@dataclass(frozen=True, slots=True)
class SceneFacts:
    """All that may be said of the lakes of a scene."""

    scene_id: str
    pixel_m: float
    lakes: tuple[LakeFact, ...]
    """In the order of mention: by quadrant, then the larger first."""
    whereabouts: Whereabouts = Whereabouts()
    earlier: Earlier | None = None
    incomparable_with: int | None = None
    """An earlier year that was mapped and cannot be compared with as a whole, because lakes were seen too badly in one of the two."""
    observed_share: float | None = None
    """Of the ground; None where nobody knows, as for a single image."""
    complete: bool = True
    """Whether all of the inventory that it was taken from is done."""
    missed: tuple[MissedLake, ...] = ()
    events: tuple[EventFact, ...] = ()

    @property
    def unseen(self) -> int:
        """Lakes known from other years that nobody could see."""
        return sum(not lake.looked_for for lake in self.missed)

    @property
    def seen_in_part(self) -> int:
        """Lakes that are listed and were only partly observed."""
        return sum(lake.seen_in_part for lake in self.lakes)

    @property
    def area_m2(self) -> float:
        """Of all lakes together."""
        return sum(lake.area_m2 for lake in self.lakes)

    def within(self, quadrant: Quadrant) -> tuple[LakeFact, ...]:
        """Lakes of one quadrant."""
        return tuple(lake for lake in self.lakes if lake.place.quadrant == quadrant)

    def at(self, place: Place) -> tuple[LakeFact, ...]:
        """Lakes of a place; near and far alike where the place does not tell them apart."""
        return tuple(lake for lake in self.within(place.quadrant) if place.near in (None, lake.place.near))

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready values, the words beside the numbers."""
        words = [{"quadrant": lake.place.quadrant, "near": lake.place.near, "size": lake.size} for lake in self.lakes]
        content = asdict(self)
        content["lakes"] = [asdict(lake) | own for lake, own in zip(self.lakes, words, strict=True)]
        return content | {"count": len(self.lakes), "area_m2": self.area_m2}


def place_of(x: float, y: float) -> Place:
    """Words for a point, shares of width and height from the upper left corner."""
    right, down = x - 0.5, y - 0.5
    if abs(right) < CENTER_REACH and abs(down) < CENTER_REACH:
        return Place("center")
    rows: dict[tuple[bool, bool], Quadrant] = {
        (True, True): "top left", (True, False): "top right", (False, True): "bottom left", (False, False): "bottom right",
    }  # fmt: skip
    return Place(rows[down < 0, right < 0], math.hypot(right, down) < NEAR_REACH)


def size_of(area_m2: float) -> Size:
    """Word for an area."""
    return "small" if area_m2 < SMALL_BELOW_M2 else "medium" if area_m2 < LARGE_FROM_M2 else "large"


def in_order(lakes: list[LakeFact]) -> tuple[LakeFact, ...]:
    """Lakes in the order of mention: the same scene is always told the same way."""
    return tuple(sorted(lakes, key=lambda lake: (QUADRANTS.index(lake.place.quadrant), -lake.area_m2, lake.y, lake.x)))
