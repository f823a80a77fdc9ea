"""Everything that decides how a lake network is trained; one YAML file holds one recipe."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from catalog.facts.cards import NetworkConfig
from catalog.facts.chips import CHIP_PX
from catalog.facts.errors import RecipeWrong
from models.segmenter.augment import AugmentOptions
from models.segmenter.losses import LossOptions
from models.segmenter.optimizer import OptimizerOptions, Schedule

_STRICT: dict[str, Any] = {"extra": "forbid"}
PATCH_PX = 16
"""Pixels along a token of TerraMind."""


@dataclass(frozen=True, slots=True)
class AveragingOptions:
    """How weights are averaged while training; one way, not both, because an average of averages only lags."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    kind: Literal["ema", "swa", "none"] = "ema"
    decay: float = 0.999
    """Of the exponential average."""
    swa_from: float = 0.5
    """Share of the steps after which the running mean of SWA begins."""
    swa_factor: float = 0.2
    """Share of its own rate at which every group is held meanwhile."""


@dataclass(frozen=True, slots=True)
class StepOptions:
    """How long is trained, and how much at a time."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    total: int = 16_050
    """Optimizer steps."""
    warmup: int = 535
    batch_size: int = 8
    crop_px: int = 0
    """Side of the random square of each batch that a step sees, a multiple of 16; 0 = whole chips. For short experiments."""
    accumulate: int = 1
    """Batches whose gradients are added before a step."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    precision: Literal["bf16", "fp32"] = "bf16"
    validate_every: int = 535
    patience: int = 15
    """Validations without a better score after which training stops."""


@dataclass(frozen=True, slots=True)
class SelectionOptions:
    """What is kept of the weights that were validated."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    soup: Literal["greedy", "uniform", "none"] = "greedy"
    members: int = 5
    """Best validated weights that may go into the soup."""
    tta: bool = False
    """Validate with flips, as the published system does."""
    chips: int = 0
    """Chips of the validation split that are scored while training, spread evenly; 0 = all."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One training."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    name: str
    title: str
    network: NetworkConfig = field(default_factory=NetworkConfig)
    statistics: Literal["terramind", "cryosentinel", "chips", "start"] = "chips"
    """`chips`: measured over the training split; `start`: those of the weights that training starts from."""
    start_from: str = ""
    """Weights of ours to go on from; a shipped name, a folder, a file or hf://."""
    encoder_from: str = ""
    """Published TerraMind weights for the encoder alone, for example hf://ibm-esa-geospatial/TerraMind-1.0-large."""
    encoder_sha256: str = ""
    positive_ratio: float = 3.0
    """Chips with a lake per chip without."""
    only_sane: bool = False
    """Leave out training chips on which label and spectral index disagree; test chips always stay."""
    optimizer: OptimizerOptions = field(default_factory=OptimizerOptions)
    steps: StepOptions = field(default_factory=StepOptions)
    loss: LossOptions = field(default_factory=LossOptions)
    augment: AugmentOptions = field(default_factory=AugmentOptions)
    averaging: AveragingOptions = field(default_factory=AveragingOptions)
    selection: SelectionOptions = field(default_factory=SelectionOptions)
    seed: int = 42

    def __post_init__(self) -> None:
        """Raise RecipeWrong for parts that contradict each other."""
        if self.start_from and self.encoder_from:
            raise RecipeWrong(
                f"Recipe {self.name} names both start_from and encoder_from: weights of ours hold an encoder already, keep one."
            )
        if self.statistics == "start" and not self.start_from:
            raise RecipeWrong(f"Recipe {self.name} takes the statistics of its start, and start_from is empty: name the weights.")
        if min(self.steps.batch_size, self.steps.accumulate, self.steps.validate_every, self.selection.members) < 1:
            raise RecipeWrong(f"Recipe {self.name}: batch_size, accumulate, validate_every and members must be 1 or more.")
        if self.steps.crop_px % PATCH_PX or not 0 <= self.steps.crop_px <= CHIP_PX:
            raise RecipeWrong(
                f"Recipe {self.name}: crop_px is {self.steps.crop_px}; choose a multiple of {PATCH_PX} up to {CHIP_PX}, or 0."
            )

    @property
    def schedule(self) -> Schedule:
        """Learning rate over the steps."""
        swa = self.averaging.kind == "swa"
        start = int(self.averaging.swa_from * self.steps.total) if swa else None
        anneal = self.steps.total // 20 if swa else 0
        return Schedule(
            self.steps.warmup, self.steps.total, average_from=start, average_factor=self.averaging.swa_factor, anneal_steps=anneal
        )
