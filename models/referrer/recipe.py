"""Everything that decides how a referrer is trained; one YAML file holds one recipe."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from catalog.facts.describer_cards import AdapterConfig
from catalog.facts.errors import RecipeWrong
from catalog.facts.referrer_cards import TINY, ReferrerConfig
from models.language.instances import InstanceOptions
from models.referrer.losses import LossOptions
from models.referrer.pairs import PairOptions
from models.segmenter.optimizer import Schedule

_STRICT: dict[str, Any] = {"extra": "forbid"}


@dataclass(frozen=True, slots=True)
class Stage:
    """One of the stages, each with an optimizer and a schedule of its own."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    steps: int
    warmup: int = 0
    learning_rate: float = 3e-4
    pairs: PairOptions = field(default_factory=PairOptions)
    adapter: AdapterConfig | None = None
    """Adapters that this stage puts on afresh, those before it merged into the language model; None: goes on with what is there."""
    tower: bool = False
    """The vision tower learns alone, by the pretext of its patches: for towers that start from nothing. Nothing is asked."""
    scenes: int = 0
    """Scenes of a step; 0: as many as `steps.scenes` says. Those of a tower alone cost little."""
    read: int = 0
    """Scenes of a step of a tower alone about which questions are read, without an image and without an answer."""


@dataclass(frozen=True, slots=True)
class StepOptions:
    """How much is learned at a time, and how often what is learned is looked at."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    scenes: int = 4
    """Scenes of a step."""
    weight_decay: float = 0.0
    minimum: float = 0.0
    """Share of the rate that the cosine ends at."""
    clip: float = 1.0
    bfloat16: bool = False
    """Multiply in 16 bits while learning, weights and sums in 32; answers are always given in 32."""
    generic: float = 0.1
    """Share of referents that read the generic row of the memory."""
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
    stages: tuple[Stage, ...]
    """As published: much talk first, then mostly masks. One stage is the paper's ablation."""
    network: ReferrerConfig = TINY
    features: InstanceOptions = field(default_factory=InstanceOptions)
    loss: LossOptions = field(default_factory=LossOptions)
    steps: StepOptions = field(default_factory=StepOptions)
    llava_from: tuple[str, ...] = ()
    """Files of a published LLaVA, all of them; paths, hf:// or addresses."""
    words_from: str = ""
    """Its `tokenizer.json`; empty: words are learned from the pairs."""
    start_from: str = ""
    """Weights of ours to go on from; a shipped name, a folder, a file or hf://."""
    seed: int = 42

    def __post_init__(self) -> None:
        """Raise RecipeWrong for parts that contradict each other."""
        if not self.stages or min(stage.steps for stage in self.stages) < 1:
            raise RecipeWrong(f"Recipe {self.name}: give it one stage or more, each of one step or more.")
        if min(self.steps.scenes, self.steps.validate_every, self.steps.validation_scenes, self.steps.longest) < 1:
            raise RecipeWrong(f"Recipe {self.name}: scenes, validate_every, validation_scenes and longest must be 1 or more.")
        self._check_stages()
        if self.start_from and self.llava_from:
            raise RecipeWrong(f"Recipe {self.name} names start_from and llava_from: weights of ours hold all parts already, keep one.")
        if bool(self.llava_from) != bool(self.words_from):
            raise RecipeWrong(
                f"Recipe {self.name} names only one of llava_from and words_from: a language model is of no use without its words."
            )

    def _check_stages(self) -> None:
        if min(stage.scenes for stage in self.stages) < 0 or (any(stage.tower for stage in self.stages) and not self.loss.patches):
            raise RecipeWrong(f"Recipe {self.name}: scenes of a stage must not be negative, and a tower alone needs loss.patches.")
        if any(stage.read < 0 or (stage.read and not (stage.tower and self.loss.reading)) for stage in self.stages):
            raise RecipeWrong(f"Recipe {self.name}: read must not be negative, and only a tower alone with loss.reading has use for it.")
        if self.network.adapter is None and any(stage.adapter for stage in self.stages):
            raise RecipeWrong(f"Recipe {self.name}: a stage brings adapters, and the network has none: leave them out of the stage.")
        for number in range(len(self.stages)):
            self.schedule(number)  # raises where a warm-up does not fit

    @property
    def total(self) -> int:
        """Steps of all stages."""
        return sum(stage.steps for stage in self.stages)

    def stage_at(self, step: int) -> tuple[int, int]:
        """Number of the stage that a step belongs to, and the step's number in it."""
        for number, stage in enumerate(self.stages):
            if step < stage.steps:
                return number, step
            step -= stage.steps
        return len(self.stages) - 1, self.stages[-1].steps

    def schedule(self, number: int) -> Schedule:
        """Learning rate over the steps of a stage."""
        stage = self.stages[number]
        return Schedule(stage.warmup, stage.steps, self.steps.minimum)
