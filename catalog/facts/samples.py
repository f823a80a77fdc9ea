"""A sample of an inventory for people to check: what is drawn, what they answer, what it says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import pyarrow as pa

CaseKind = Literal["feature", "cell"]
VERDICTS: Final = ("correct", "wrong", "merged", "split", "unsure")
"""Of a listed feature: right; not there; several as one; one as several; cannot be told."""
REAL: Final = frozenset({"correct", "merged", "split"})
"""Verdicts that say that there is such a feature, however it was outlined."""
CHECKED: Final = ("yes", "unsure")
"""Of a cell: looked at whole, or cannot be told."""

SAMPLE_KEY: Final = pa.schema(
    [
        ("case", pa.string()),
        ("kind", pa.string()),
        ("feature_id", pa.string()),
        ("stratum", pa.string()),
        ("population", pa.int32()),
        ("sampled", pa.int32()),
        ("inclusion_probability", pa.float64()),
        ("weight", pa.float64()),
        ("area_m2", pa.float64()),
    ]
)
"""Columns of key.parquet, one row per case, with `geometry`: the listed outline, or the cell.

`population` and `sampled` are those of the stratum; their quotient is the inclusion probability, and `weight` one over it. `area_m2`: listed
area of a feature, observed ground of a cell.
"""


@dataclass(frozen=True, slots=True)
class SampleOptions:
    """How a sample is drawn."""

    size: int = 200
    """Listed features."""
    cells: int = 50
    """Cells of ground, for what the inventory misses."""
    seed: int = 1
    small: bool = False
    """Draw from features below the minimum area, too."""
    pictures: bool = True


@dataclass(frozen=True, slots=True)
class SampleReport:
    """What was drawn."""

    folder: str
    strata: tuple[Mapping[str, Any], ...]
    """Kind, stratum, population, sampled, inclusion_probability."""
    pictures: int


@dataclass(frozen=True, slots=True)
class Figure:
    """An estimate with its 95 % interval; NaN where the sample cannot tell."""

    value: float
    low: float
    high: float
    standard_error: float


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How right an inventory is, by a sample that people checked; areas in m2."""

    region: str
    year: int
    target: str
    listed_features: int
    listed_area_m2: float
    figures: Mapping[str, Figure]
    """users_accuracy_count, users_accuracy_area, producers_accuracy_count, producers_accuracy_area, f1_count, f1_area, true_area_m2,
    true_count, missed_count, missed_area_m2."""
    answered: Mapping[str, int]
    """features, features_unsure, features_unanswered, and the same of cells."""
    verdicts: Mapping[str, int]
    notes: tuple[str, ...] = ()
    """What a reader must know: strata that were joined, answers that are missing."""
    statement: str = ""
    """A sentence to cite."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """Seed, checksum of the inventory, strata."""
