"""What people decided about features: one record per decision, and what became of it in a year."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

import pyarrow as pa
import shapely

Action = Literal["accept", "reject", "redraw", "draw", "note"]
ACTIONS: Final[tuple[str, ...]] = get_args(Action)
DRAWN: Final = ("redrawn", "drawn")
"""Values of the column `edit` of rows whose outline a person drew."""
VerdictState = Literal["applied", "conflict", "not_applicable"]


@dataclass(frozen=True, slots=True)
class Edit:
    """One decision about one feature; outlines as WKT in EPSG:4326, so that a record is a plain value."""

    number: int
    action: str
    """One of `ACTIONS`."""
    year: int | None = None
    """None: every year."""
    feature_id: str = ""
    """Empty for what is drawn."""
    reason: str = ""
    author: str = ""
    date: str = ""
    """ISO; of two edits that contradict each other the later stands."""
    geometry_wkt: str = ""
    """The new outline (redraw, draw), or a place; empty when there is none."""
    seen_area_m2: float | None = None
    """Area of the feature when the edit was made."""
    seen_outline_wkt: str = ""
    """Its outline then; empty when unknown, and then only the name tells whom the edit means."""

    @property
    def geometry(self) -> shapely.Geometry:
        """The new outline or place; an empty polygon when there is none."""
        return shapely.from_wkt(self.geometry_wkt) if self.geometry_wkt else shapely.Polygon()

    @property
    def seen_outline(self) -> shapely.Geometry:
        """The outline that the author saw; an empty polygon when unknown."""
        return shapely.from_wkt(self.seen_outline_wkt) if self.seen_outline_wkt else shapely.Polygon()

    @property
    def rank(self) -> tuple[str, int]:
        """Sorts edits by when they were made."""
        return self.date, self.number


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one edit in one year."""

    edit: int
    action: str
    feature_id: str
    state: VerdictState
    message: str
    seen_area_m2: float | None = None
    area_m2: float | None = None
    """Of the feature that the edit found, before the edit; None where it found none."""


EDITS_STATUS: Final = pa.schema(
    [
        ("edit", pa.int32()),
        ("action", pa.string()),
        ("feature_id", pa.string()),
        ("state", pa.string()),
        ("message", pa.string()),
        ("seen_area_m2", pa.float64()),
        ("area_m2", pa.float64()),
    ]
)
"""Columns of edits_status, one row per edit that speaks for the year.

`state`: `applied`, `conflict` (what the message says needs a person; it also says what was done meanwhile) or `not_applicable` (the year
has no such feature, or a more particular edit speaks for it).
"""


def edits_of_year(edits: Sequence[Edit], year: int) -> tuple[Edit, ...]:
    """Return the edits that speak for a year, in the order of their numbers."""
    return tuple(sorted((edit for edit in edits if edit.year in (None, year)), key=lambda edit: edit.number))
