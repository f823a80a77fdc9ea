"""Which referrer is to be scored, on which scenes, and where the scores go."""

from dataclasses import dataclass
from typing import Final

from catalog.facts.spoken_evaluation import SpokenEvaluation

OTHER_ORDER: Final = "other_order"
"""Questions for several masks, their phrases in another order."""
CONTROLS: Final = ("other_question", "no_memory", "other_rows")
"""What is taken away: the question (another scene's is asked), the memory (zeros), or the order of its rows."""
LAKE_PHRASES: Final = "lake phrases"
"""Group of questions that say `lake` and nothing else, by which a network and the rule can be compared."""
WITHOUT_ICE: Final = "lake phrases, no ice"
"""Those of scenes without frozen lakes, which a water index does not see."""


@dataclass(frozen=True, slots=True)
class ReferrerEvaluation(SpokenEvaluation):
    """One call of `evaluate refer`; the second referrer may be one without a memory, or of one stage."""

    min_area_m2: float = 10_000.0
    """Smaller features are not asked for."""
