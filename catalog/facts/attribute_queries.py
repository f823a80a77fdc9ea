"""Questions about attributes as values: what a table of features is asked, without its words and without its SQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from catalog.facts.records import Target

Asks = Literal["list", "count", "total_area"]
Comparison = Literal["above", "at least", "below", "at most", "between"]
Quantity = Literal["area", "length", "volume", "share"]
Trend = Literal["grew", "shrank", "stayed the same", "cannot be compared"]
Happening = Literal["appeared", "vanished", "reappeared", "drained", "merged", "split", "surged", "raised an alarm"]
Seen = Literal["observed in part", "unobserved", "absent"]
NAMES: Final[Mapping[Target, str]] = MappingProxyType({"lakes": "lake_id", "slumps": "slump_id"})
"""Columns of the names of features."""
BY_CHANGE: Final = "change"
"""Attribute of a ranking by what a feature gained or lost in the years asked about."""
EVENTS_OF: Final[Mapping[Happening, str]] = MappingProxyType(
    {
        "appeared": "appear",
        "vanished": "vanish",
        "reappeared": "reappear",
        "drained": "drain",
        "merged": "merge",
        "split": "split",
        "surged": "surge",
        "raised an alarm": "alarm",
    }
)
"""Events of the lineage by the words for them; an alarm is a mark on an event of any kind."""
STATES: Final[Mapping[Seen, str]] = MappingProxyType(
    {"observed in part": "partly_observed", "unobserved": "unobserved", "absent": "absent"}
)


@dataclass(frozen=True, slots=True)
class Attribute:
    """A number that the inventory has of each feature, and what it may be asked about it."""

    name: str
    """As words say it."""
    column: str
    quantity: Quantity
    targets: tuple[Target, ...]


_BOTH: Final[tuple[Target, ...]] = ("lakes", "slumps")
ATTRIBUTES: Final = (
    Attribute("area", "area_m2", "area", _BOTH),
    Attribute("elevation", "elevation_m", "length", _BOTH),
    Attribute("perimeter", "perimeter_m", "length", _BOTH),
    Attribute("distance to a glacier", "glacier_distance_m", "length", ("lakes",)),
    Attribute("headwall length", "headwall_length_m", "length", ("slumps",)),
    Attribute("headwall retreat", "headwall_retreat_m", "length", ("slumps",)),
    Attribute("volume", "volume_m3", "volume", ("slumps",)),
    Attribute("probability", "probability", "share", _BOTH),
    Attribute("observed share", "observed_share", "share", _BOTH),
)
CLASSES_OF_LAKES: Final[Mapping[str, str]] = MappingProxyType(
    {"ice-contact": "ice_contact", "glacier-fed": "glacier_fed", "unconnected": "unconnected", "supraglacial": "supraglacial"}
)
"""Words -> `lake_type`."""
STATUS_OF_SLUMPS: Final = ("new", "growing", "stable", "stabilized", "merged", "split", "unknown")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a number must be; in m2, m, m3, percent, or 0..1 for shares."""

    comparison: Comparison
    values: tuple[float, ...]
    """Two, in order, for `between`, which holds both ends; else one."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What an attribute must be."""

    attribute: str
    """Name of one of `ATTRIBUTES`."""
    limits: Limits


@dataclass(frozen=True, slots=True)
class Change:
    """What must have become of a feature's area."""

    trend: Trend
    limits: Limits | None = None
    """Of what was gained or lost, as a positive number."""
    percent: bool = False
    """Limits are percent of the area at first, not m2."""


@dataclass(frozen=True, slots=True)
class Rank:
    """Some features by the order of a number."""

    by: str
    """Name of one of `ATTRIBUTES`, or `change`."""
    highest: bool
    count: int = 1
    place: int = 1
    """Of the first of them, from 1."""


@dataclass(frozen=True, slots=True)
class AttributeQuery:
    """A question about attributes of the features of one region."""

    target: Target
    asks: Asks = "list"
    conditions: tuple[Condition, ...] = ()
    kind: str | None = None
    """Word of a type of lakes, or the status of slumps."""
    flag: str | None = None
    change: Change | None = None
    happening: Happening | None = None
    direction: Literal["growing", "shrinking"] | None = None
    """Of the trend through all years."""
    seen: Seen | None = None
    rank: Rank | None = None
    since: int | None = None
    """First of the years between which something changed or happened; None: the first of all."""
    until: int | None = None
    """Last of them; None: the year of the inventory."""
    year: int | None = None
    """Of the inventory, where the words name one."""
    small: bool = False
    """Features below the minimum area count, too."""


@dataclass(frozen=True, slots=True)
class Unread:
    """Words that are asked back."""

    ambiguous: bool
    """They may mean several things; else nothing that is known."""
    text: str
    """The question back."""


def attribute(name: str) -> Attribute:
    """An attribute by its name."""
    return next(each for each in ATTRIBUTES if each.name == name)
