"""What is asked of a store in plain words, and what comes back."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Way = Literal["attributes", "rule", "sight"]
Outcome = Literal["found", "none", "ambiguous", "unreadable", "unknown"]
"""`unknown`: the words are clear, but nobody who was asked knows of such things."""


@dataclass(frozen=True, slots=True)
class AskRequest:
    """A question to a store."""

    words: str
    region: str | None = None
    """With a tile: which of several regions that map it; None: the only one, or the first."""
    tile: str | None = None
    """None: the whole region."""
    year: int | None = None
    """None: the year that the words name, else the last that was mapped."""
    model: str | None = None
    """Weights of a referrer, which then tells what it sees beside the rule, too; `rule`: none is asked; None: the shipped one is, and only
    about what the inventory does not know."""
    device: str | None = None
    cache: str = ""
    """Folder of weights that were fetched."""


@dataclass(frozen=True, slots=True)
class AskItem:
    """One thing that an answer names."""

    feature_id: str
    """Name in the inventory; empty for what is not in it."""
    kind: str
    year: int
    """Of the outline: the year asked about, or the last with an outline of a feature that is gone."""
    area_m2: float
    longitude: float
    latitude: float
    geometry: Mapping[str, Any]
    """GeoJSON, EPSG:4326."""
    score: float = 1.0
    """0..1; 1 unless it was seen by a network."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """What else was asked about, by column."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a referrer saw, beside the rule."""

    model: str
    sha256: str
    text: str
    items: tuple[AskItem, ...]
    scenes: int
    """That it looked at."""


@dataclass(frozen=True, slots=True)
class AskAnswer:
    """What may be said of a question, and how it was found."""

    words: str
    region: str
    tile: str | None
    year: int
    outcome: Outcome
    way: Way
    text: str
    """For `ambiguous` and `unreadable`: the question back."""
    items: tuple[AskItem, ...] = ()
    read_as: str = ""
    """The question as it was understood, in words of the program."""
    number: float | None = None
    """The count, or the total in m2, where one was asked for."""
    sql: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    opinion: Opinion | None = None
    note: str = ""
    """Why no referrer was asked, where one was wanted."""

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return asdict(self)
