"""Which referrer is to be scored, on which scenes, and where the scores go."""

from dataclasses import dataclass
from typing import Any, ClassVar, Final

GENERATED: Final = "generated"
TEACHER_FORCED: Final = "teacher_forced"
OTHER_ORDER: Final = "other_order"
"""Questions for several masks, their phrases in another order."""
CONTROLS: Final = ("other_question", "no_memory", "other_rows")
"""What is taken away: the question (another scene's is asked), the memory (zeros), or the order of its rows."""
BY_RULE: Final = "by_rule"
"""Lakes by a water index, phrases by rule: what no network is needed for. Of questions that say `lake` and nothing else."""
LAKE_PHRASES: Final = "lake phrases"
"""Group of those questions, by which a network and the rule can be compared."""
WITHOUT_ICE: Final = "lake phrases, no ice"
"""Those of scenes without frozen lakes, which a water index does not see."""


@dataclass(frozen=True, slots=True)
class ReferrerEvaluation:
    """One call of `evaluate refer`."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    weights: str
    """A name, folder, file or address of a referrer's weights."""
    data: tuple[str, ...]
    """Folders of chips, or `simulated:FIRST-LAST`."""
    out: str
    split: str = "test"
    """Of folders of chips; simulated scenes are all scored."""
    against: str | None = None
    """A second referrer on the same scenes, for example one without a memory, or of one stage."""
    controls: bool = True
    """Score in another order, without the question, without the memory, and by true words, too."""
    min_area_m2: float = 10_000.0
    """Smaller features are not asked for."""
    device: str | None = None
    """`auto`, `cpu`, `cuda` or `cuda:N`; None: as the environment says."""
    cache: str = ""
    """Folder of weights that were fetched; set by the flow."""
