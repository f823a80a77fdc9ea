"""Everything that decides how an embedder is trained."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from catalog.facts.embedder_cards import TINY, EmbedderConfig
from catalog.facts.errors import RecipeWrong
from models.embedder.losses import LossOptions
from models.embedder.tasks import SearchOptions
from models.language.instances import InstanceOptions
from models.segmenter.optimizer import Schedule

_STRICT: dict[str, Any] = {"extra": "forbid"}


@dataclass(frozen=True, slots=True)
class StepOptions:
    """How much is learned at a time; the defaults of the rate are those of VLM2Vec, as VLM2GeoVec does not tell its own."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    total: int = 2_000
    warmup: int = 100
    learning_rate: float = 5e-5
    minimum: float = 0.0
    """Share of the rate that the cosine ends at."""
    weight_decay: float = 0.0
    clip: float = 1.0
    sub_batches: int = 1
    """Of a step, each of one task that is drawn."""
    size: int = 1_024
    """Searches of a sub-batch: a query is told from the targets of its own sub-batch alone."""
    hard: int = 1
    """Negatives of its own image that each search brings."""
    chunk: int = 8
    """Items that are read at once; memory hangs on it, the gradient does not."""
    bfloat16: bool = False
    """Multiply in 16 bits while learning, weights, sums and the loss in 32."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One training."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    name: str
    title: str
    network: EmbedderConfig = TINY
    features: InstanceOptions = field(default_factory=InstanceOptions)
    searches: SearchOptions = field(default_factory=SearchOptions)
    loss: LossOptions = field(default_factory=LossOptions)
    steps: StepOptions = field(default_factory=StepOptions)
    seed: int = 42

    def __post_init__(self) -> None:
        """Raise RecipeWrong for parts that contradict each other."""
        steps = self.steps
        if min(steps.sub_batches, steps.chunk) < 1 or steps.size < 2 or steps.hard < 0:
            raise RecipeWrong(
                f"Recipe {self.name}: {steps.sub_batches} sub-batches of {steps.size} searches with {steps.hard} hard negatives, "
                f"{steps.chunk} items at once: give 1 or more, 2 or more, 0 or more, and 1 or more."
            )
        if self.loss.warmup + self.loss.glide > steps.total:
            raise RecipeWrong(
                f"Recipe {self.name}: the final temperature comes after {self.loss.warmup + self.loss.glide} steps, the training has "
                f"{steps.total}: shorten loss.warmup or loss.glide."
            )
        _ = self.schedule  # raises where a warm-up does not fit

    @property
    def schedule(self) -> Schedule:
        """Learning rate over the steps."""
        return Schedule(self.steps.warmup, self.steps.total, self.steps.minimum)
