"""Which detector of slumps is to be scored, on which chips, and where the scores go."""

from dataclasses import dataclass
from typing import Any, ClassVar, Final

EVERYTHING: Final = "all"
"""The subset that shows a detector everything it knows."""
WITHOUT: Final = "without "
SHUFFLED: Final = "shuffled"
"""The subset whose auxiliaries are those of other windows: a detector that uses them has to get worse."""


@dataclass(frozen=True, slots=True)
class SlumpEvaluation:
    """One call of `evaluate slumps`."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    weights: str
    """A name, file or address of a detector's weights."""
    data: tuple[str, ...]
    """Folders of chips."""
    out: str
    split: str = "test"
    against: str | None = None
    """A second detector, scored on the same ground."""
    subsets: bool = False
    """Score without each auxiliary, and with those of other windows, too."""
    threshold: float | None = None
    """Score from which detections are listed; None: the card's, which was chosen on validation ground."""
    device: str | None = None
    """`auto`, `cpu`, `cuda` or `cuda:N`; None: as the environment says."""
    cache: str = ""
    """Folder of weights that were fetched; set by the flow."""


@dataclass(frozen=True, slots=True)
class SlumpJob:
    """One pass of one detector over the chips of a split."""

    weights: str
    subset: str = EVERYTHING
