"""What is said of two inventories laid beside each other."""

from collections.abc import Mapping
from dataclasses import dataclass

from catalog.facts.records import Target

RELATIONS = ("same", "split", "merged", "tangled", "only_ours", "only_theirs")
"""In the order in which they are told; what they mean stands at `change_schemas.MATCHES`."""


@dataclass(frozen=True, slots=True)
class MatchOptions:
    """How two inventories are matched."""

    min_overlap: float
    """Share of the smaller outline from which two are on the same ground."""
    min_observed: float = 0.8
    """Share of an outline that must have been observed before its absence from ours counts."""
    absence_looks: int = 2
    """Clear looks that a pixel needs for that."""


@dataclass(frozen=True, slots=True)
class RelationCount:
    """Features of one relation, and the ground they cover; a feature counts once however many partners it has."""

    ours: int
    theirs: int
    area_m2: float
    other_area_m2: float
    shared_m2: float


@dataclass(frozen=True, slots=True)
class MatchReport:
    """What `cryoatlas match` tells."""

    region: str
    year: int
    target: Target
    inventory: str
    """Name under which the table is stored."""
    id_column: str
    """Column of theirs that names features; empty where rows were numbered."""
    clipped_to: str
    """The ground on which both were compared."""
    left_out: int
    """Features of theirs elsewhere."""
    relations: Mapping[str, RelationCount]
    median_difference_percent: float | None
    """Ours against theirs, over pairs that are the same; None without any."""
    quartiles_percent: tuple[float, float] | None
    median_iou: float | None
    only_theirs_unobserved: int
    """Of `only_theirs`, how many lie on ground that our year did not observe: no evidence against either."""
    repeated: int
    """Features of theirs that lie on another of theirs by more than half of the smaller: several years or images in one file."""
    written: str
    """Path of the table."""
