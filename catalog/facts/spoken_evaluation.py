"""What evaluations of systems that answer in words have in common."""

from dataclasses import dataclass
from typing import Any, ClassVar, Final

GENERATED: Final = "generated"
"""Words that a system said itself, and masks drawn from them."""
TEACHER_FORCED: Final = "teacher_forced"
"""Masks drawn from true words: no scores of a system, and masks alone."""
BY_RULE: Final = "by_rule"
"""Lakes by a water index, words by rule: what no network is needed for."""


@dataclass(frozen=True, slots=True)
class SpokenEvaluation:
    """One call of `evaluate`."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    weights: str
    """A name, folder, file or address of weights."""
    data: tuple[str, ...]
    """Folders of chips, or `simulated:FIRST-LAST`."""
    out: str
    split: str = "test"
    """Of folders of chips; simulated scenes are all scored."""
    against: str | None = None
    """Second weights on the same scenes."""
    controls: bool = True
    """Score with something taken away, and by true words, too."""
    min_area_m2: float = 0.0
    """What is smaller is not asked for."""
    device: str | None = None
    """`auto`, `cpu`, `cuda` or `cuda:N`; None: as the environment says."""
    cache: str = ""
    """Folder of weights that were fetched; set by the flow."""
