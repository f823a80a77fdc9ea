"""What is to be scored, on which chips, and where the scores go."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

EVERY_MODALITY: Final = "all"
SUBSETS: Final = (EVERY_MODALITY, "S2+DEM", "S1+DEM", "S2", "S1")
"""What a model may look at; the first is everything it knows."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One call of `evaluate lakes`."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    weights: str
    """A name, file or address of weights, or of a model without weights."""
    data: tuple[str, ...]
    """Folders of chips."""
    out: str
    split: str = "test"
    against: str | None = None
    """A second model, scored on the same chips."""
    subsets: bool = False
    """Score with sensors missing, too."""
    flips: bool = True
    """Average the predictions of four mirror images."""
    audit: int = 0
    """Cases of an audit of the labels; 0 makes none."""
    relabel: str | None = None
    """Folder of a finished audit: scores are given on the labels as they are and as its verdicts make them."""
    device: str | None = None
    """`auto`, `cpu`, `cuda` or `cuda:N`; None: as the environment says."""
    cache: str = ""
    """Folder of weights that were fetched; set by the flow."""


@dataclass(frozen=True, slots=True)
class ScoreJob:
    """One pass over the chips of a split."""

    model: str
    split: str
    subset: str = EVERY_MODALITY
    best: float | None = None
    """Threshold chosen on val."""
    relabelled: bool = False
    pixels_only: bool = False
    """Leave out lakes and shores: enough to choose a threshold."""


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """What was written, and the figures people ask for first."""

    out: str
    page: str
    files: tuple[str, ...]
    figures: tuple[dict[str, Any], ...]
    """Rows of the long table, without thresholds and regions; None where a figure is not defined."""
    cases: int = 0
    """Cases of the audit."""


def without_nan(row: Mapping[str, object]) -> dict[str, object]:
    """The same row for JSON, which has no word for what is not a number."""
    return {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in row.items()}
