"""Which describer is to be scored, on which scenes, and where the scores go."""

from dataclasses import dataclass
from typing import Any, ClassVar, Final

GENERATED: Final = "generated"
TEACHER_FORCED: Final = "teacher_forced"
CONTROLS: Final = ("other_question", "constant_question", "blind")
"""What is taken away: the question (another scene's, or one for all), or the image of the language path."""
BY_RULE: Final = "by_rule"
"""Lakes by a water index, words by template: what no network is needed for."""
CONSTANT_PROMPT: Final = "constant_prompt"
"""The encoder and decoder of a describer without its language path: masks alone, and the same one for every question."""


@dataclass(frozen=True, slots=True)
class DescriberEvaluation:
    """One call of `evaluate describe`."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    weights: str
    """A name, folder, file or address of a describer's weights."""
    data: tuple[str, ...]
    """Folders of chips, or `simulated:FIRST-LAST`."""
    out: str
    split: str = "test"
    """Of folders of chips; simulated scenes are all scored."""
    against: str | None = None
    """A second describer on the same scenes, for example one without a language path."""
    controls: bool = True
    """Score without the question and without the image, and by true words, too."""
    min_area_m2: float = 5_000.0
    """Smaller lakes are not asked for."""
    device: str | None = None
    """`auto`, `cpu`, `cuda` or `cuda:N`; None: as the environment says."""
    cache: str = ""
    """Folder of weights that were fetched; set by the flow."""
