"""Everything that decides how a describer is trained; one YAML file holds one recipe."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Literal

from catalog.facts.describer_cards import TINY, DescriberConfig
from catalog.facts.errors import RecipeWrong
from models.describer.inputs import InputOptions
from models.describer.losses import LossOptions
from models.describer.pairs import WORDINGS
from models.describer.phrasings import PHRASINGS
from models.language.instances import InstanceOptions
from models.segmenter.optimizer import Schedule

_STRICT: dict[str, Any] = {"extra": "forbid"}
_RARE: Final = 0.25
FAMILY_WEIGHTS: Final = {"point": _RARE, "position": _RARE, "change": _RARE}
"""Long to say, and nothing that a mask depends on."""


@dataclass(frozen=True, slots=True)
class PairOptions:
    """What is asked of a scene in training."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    referring: int = 2
    """Different referring questions about each scene of a batch: only the question tells them apart."""
    others: int = 2
    """Further questions about it."""
    parts: bool = False
    """Show parts of scenes as whole ones: a tower of patches that starts from nothing learns lakes by their place on its grid otherwise."""
    holes: float = 0.0
    """Share of the words of questions that are left out: who learned from whole ones alone reads no phrasing that is new."""
    wordings: int = 1
    """Wordings of an answer, which go with the phrasing of its question; how an answer is worded that has a new phrasing, no one could know."""
    turns: bool = True
    """Turn and mirror scenes; words are made after."""
    weights: dict[str, float] = field(default_factory=lambda: dict(FAMILY_WEIGHTS))
    """By family, 1 where none is given."""

    def __post_init__(self) -> None:
        """Raise RecipeWrong for a family that nobody knows, or without questions."""
        strange = sorted(set(self.weights) - set(PHRASINGS))
        if strange:
            raise RecipeWrong(f"Families {', '.join(strange)} are not known: choose of {', '.join(PHRASINGS)}.")
        if min(self.referring, self.others) < 0 or not 0 <= self.holes < 1 or not 1 <= self.wordings <= WORDINGS:
            raise RecipeWrong(
                f"{self.referring} referring and {self.others} other questions about a scene, {self.holes:g} of their words left out, "
                f"{self.wordings} wordings of an answer: numbers are not negative, the share is below 1, and there are 1 to {WORDINGS} wordings."
            )


@dataclass(frozen=True, slots=True)
class StepOptions:
    """How long is trained, and how much at a time; rates as published, for fine-tuning."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    total: int = 5_000
    warmup: int = 250
    scenes: int = 4
    """Scenes of a step."""
    pretext: int = 0
    """First steps, in which a vision tower that starts from nothing learns where lakes are; then the learning rate starts anew."""
    tower_rests: bool = True
    """From the end of the pretext on the tower stays as it is, as a published one does; otherwise it goes on, by its pretext and by all else."""
    pretext_scenes: int = 64
    """Scenes of such a step; they cost little."""
    words: int = 0
    """Steps after those, in which words are learned and no masks yet: a mask can only follow words that mean something."""
    learning_rate: float = 1e-4
    weight_decay: float = 1e-5
    minimum: float = 0.01
    """Share of the rate that the cosine ends at."""
    clip: float = 1.0
    bfloat16: bool = False
    """Multiply in 16 bits while learning, weights and sums in 32; answers are always given in 32."""
    validate_every: int = 250
    validation_scenes: int = 60
    """Scenes that are answered while training, by generated words."""
    longest: int = 96
    """Tokens of an answer."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One training."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    name: str
    title: str
    network: DescriberConfig = TINY
    inputs: InputOptions = field(default_factory=InputOptions)
    lakes: InstanceOptions = field(default_factory=InstanceOptions)
    loss: LossOptions = field(default_factory=LossOptions)
    pairs: PairOptions = field(default_factory=PairOptions)
    steps: StepOptions = field(default_factory=StepOptions)
    language_from: tuple[str, ...] = ()
    """Files of a published Mistral, all of them; paths, hf:// or addresses."""
    vision_from: tuple[str, ...] = ()
    """Files of a published CLIP."""
    prithvi_from: tuple[str, ...] = ()
    """Files of a published Prithvi."""
    words_from: str = ""
    """`tokenizer.json` of the published language model; empty: words are learned from the pairs."""
    start_from: str = ""
    """Weights of ours to go on from; a shipped name, a folder, a file or hf://."""
    start_with: Literal["all", "language"] = "all"
    """Of those weights all, or only what reads and writes (vision tower and language model), as a published describer begins with CLIP and Mistral."""
    seed: int = 42

    def __post_init__(self) -> None:
        """Raise RecipeWrong for parts that contradict each other."""
        if min(self.steps.scenes, self.steps.validate_every, self.steps.validation_scenes, self.steps.longest) < 1:
            raise RecipeWrong(f"Recipe {self.name}: scenes, validate_every, validation_scenes and longest must be 1 or more.")
        if self.loss.masks < 0 or self.loss.words < 0 or self.loss.masks + self.loss.words == 0:
            raise RecipeWrong(f"Recipe {self.name}: weights of masks and words must not be negative, and not both 0.")

        if self.pairs.referring + self.pairs.others < 1:
            raise RecipeWrong(f"Recipe {self.name} asks nothing about a scene: give pairs.referring or pairs.others 1 or more.")
        self._check_phases()

        published = bool(self.language_from or self.vision_from or self.prithvi_from)
        if published and self.start_from:
            raise RecipeWrong(f"Recipe {self.name} names start_from and published parts: weights of ours hold all parts already, keep one.")
        if self.start_with != "all" and not self.start_from:
            raise RecipeWrong(f"Recipe {self.name} starts with {self.start_with} of no weights: name them in start_from.")
        if bool(self.language_from) != bool(self.words_from):
            raise RecipeWrong(
                f"Recipe {self.name} names only one of language_from and words_from: a language model is of no use without its words."
            )

    def _check_phases(self) -> None:
        if self.steps.pretext >= self.steps.total:
            raise RecipeWrong(
                f"Recipe {self.name}: {self.steps.pretext} steps of a pretext leave none of {self.steps.total} for words: raise steps.total."
            )
        if min(self.steps.pretext, self.steps.words) < 0 or (self.steps.pretext and not self.loss.patches):
            raise RecipeWrong(f"Recipe {self.name}: steps.pretext and steps.words must not be negative, and a pretext needs loss.patches.")
        if self.steps.words and not self.loss.words:
            raise RecipeWrong(
                f"Recipe {self.name}: nothing is learned in {self.steps.words} steps of words with loss.words of 0: give one of them."
            )
        for step in (0, self.steps.pretext):
            self.schedule_at(step)  # raises where a warm-up does not fit

    def schedule_at(self, step: int) -> tuple[Schedule, int]:
        """Learning rate over the steps of a phase, the pretext or all that follows, and the number of a step in it."""
        steps = self.steps
        alone = step < steps.pretext
        long = steps.pretext if alone else steps.total - steps.pretext
        return Schedule(steps.warmup, long, steps.minimum), step if alone else step - steps.pretext
