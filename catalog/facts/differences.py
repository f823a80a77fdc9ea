"""What differs between two inventories, feature by feature, and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import pyarrow as pa

from catalog.facts.records import Outcome

Kind = Literal["same", "changed", "renamed", "added", "lost"]
KINDS: Final[tuple[Kind, ...]] = ("same", "changed", "renamed", "added", "lost")
CauseOfDifference = Literal["data", "model", "options", "code", "edits", "neighbourhood", "year", "history", "unknown", "unexplained"]
CAUSES_OF_DIFFERENCE: Final[Mapping[str, str]] = {
    "data": "other scenes, baselines, offsets or reads",
    "model": "another model, version or weights",
    "options": "other options, region or tiling",
    "code": "another version of a stage",
    "edits": "people decided otherwise",
    "neighbourhood": "the tile itself is equal, a neighbour's surface is not",
    "year": "two years are compared: other scenes and other ground",
    "history": "equal ground that was named at another first sight",
    "unknown": "a store keeps no records that could tell",
    "unexplained": "all records are equal, and yet it differs",
}
"""Cause -> what it says; the order is that of reports."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs on the road to a feature."""

    stage: str
    cause: CauseOfDifference
    detail: str


@dataclass(frozen=True, slots=True)
class Road:
    """How a region-year came about, as its store tells."""

    label: str
    """`A` or `B`, with which people tell them apart."""
    year: int
    chips: int
    """Chips along one side of the store's tiles: tiles of equal name are only equal ground when this is equal."""
    records: Mapping[tuple[str, str], Outcome]
    """(stage, tile) -> last record, whether or not its products are still there."""
    territory: str = ""
    """Digest of the region's geometry and rules."""
    model: str = ""
    """Of the inventory's metadata; the last resort where there are no records."""
    edits: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Feature -> actions of people that are in force (reject, redraw, draw)."""
    first_seen: Mapping[str, int] = field(default_factory=dict)
    """Feature -> year in which it was named."""


DIFFERENCES: Final = pa.schema(
    [
        ("kind", pa.string()),
        ("feature_id", pa.string()),
        ("other_id", pa.string()),
        ("area_a_m2", pa.float64()),
        ("area_b_m2", pa.float64()),
        ("change_m2", pa.float64()),
        ("iou", pa.float64()),
        ("cause", pa.string()),
        ("stage", pa.string()),
        ("because", pa.list_(pa.string())),
        ("overlaps", pa.list_(pa.string())),
        ("tiles", pa.list_(pa.string())),
    ]
)
"""One row per feature of either inventory, with `geometry`: its outline in B, or in A where B has none.

`feature_id` is the name in B (in A where lost), `other_id` the name in A where that is another. `change_m2`: area in B less area in A, with
0 for what is not there; its sum is the difference of the totals. `cause` and `stage`: the first thing that differs on the road from scenes
to inventory; `because` tells everything that differs. `overlaps`: other features of the other inventory on the same ground.
"""


@dataclass(frozen=True, slots=True)
class DiffReport:
    """Two inventories compared."""

    region: str
    stores: tuple[str, str]
    years: tuple[int, int]
    totals_m2: tuple[float, float]
    kinds: Mapping[str, Mapping[str, float]]
    """Kind -> features, area_a_m2, area_b_m2, change_m2."""
    causes: Mapping[str, Mapping[str, float]]
    """Cause -> features, change_m2, and absolute_m2, the sum without signs; without `same`."""
    details: Mapping[str, int]
    """What differs -> features it touches, the most first."""
    largest: tuple[Mapping[str, Any], ...]
    """Rows of the largest differences, geometry left out."""
    unexplained_residual_m2: float
    """Difference of the totals less the sum of changes: zero but for rounding."""
    written: str = ""
    """File with all rows, when asked for."""
