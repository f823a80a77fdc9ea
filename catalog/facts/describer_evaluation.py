"""Which describer is to be scored, on which scenes, and where the scores go."""

from dataclasses import dataclass
from typing import Final

from catalog.facts.spoken_evaluation import SpokenEvaluation

CONTROLS: Final = ("other_question", "constant_question", "blind")
"""What is taken away: the question (another scene's, or one for all), or the image of the language path."""
CONSTANT_PROMPT: Final = "constant_prompt"
"""The encoder and decoder of a describer without its language path: masks alone, and the same one for every question."""


@dataclass(frozen=True, slots=True)
class DescriberEvaluation(SpokenEvaluation):
    """One call of `evaluate describe`; the second describer may be one without a language path."""

    min_area_m2: float = 5_000.0
    """Smaller lakes are not asked for."""
