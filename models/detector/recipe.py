"""Everything that decides how a slump detector is trained; one YAML file holds one recipe."""

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final, Literal

from catalog.facts.chips import CHIP_PX
from catalog.facts.detector_cards import DetectorConfig, kind_of
from catalog.facts.errors import RecipeWrong
from models.detector.draws import Schedule
from models.detector.samples import SampleOptions

_STRICT: dict[str, Any] = {"extra": "forbid"}
FUSION: Final = "fusion"
WHOLE: Final = "whole"
POLISH: Final = "polish"


@dataclass(frozen=True, slots=True)
class StageOptions:
    """One stretch of training."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    steps: int
    batch_size: int = 4
    learning_rate: float = 1e-4
    warmup: int = 50
    validate_every: int = 200


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage by its name: `unimodal <modality>`, `fusion` (backbones frozen), `polish` (everything learns), or `whole`."""

    name: str
    network: DetectorConfig
    options: StageOptions
    frozen: bool = False

    @property
    def modality(self) -> str | None:
        """The one modality that the stage looks at, or None."""
        return self.network.modalities[0] if self.name.startswith("unimodal ") else None


@dataclass(frozen=True, slots=True)
class DetectorRecipe:
    """One training: staged as published, or end to end."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    name: str
    title: str
    network: DetectorConfig = field(default_factory=DetectorConfig)
    mode: Literal["staged", "end_to_end"] = "staged"
    """`staged`: one detector per modality, then their frozen backbones together with the fusion; `end_to_end`: all at once."""
    unimodal: StageOptions = field(default_factory=lambda: StageOptions(6_000, 8, 1e-4, 180, 500))
    fusion: StageOptions = field(default_factory=lambda: StageOptions(3_000, 8, 2e-4, 90, 500))
    """Also the length of an end-to-end training."""
    polish: StageOptions = field(default_factory=lambda: StageOptions(0, 8, 1e-5, 0, 500))
    """Everything unfrozen at the end; 0 steps leave it out."""
    backbones_from: dict[str, str] = field(default_factory=dict)
    """Published MViTv2 or ResNet weights per modality: a file, hf:// or an address, with #sha256=."""
    start_from: str = ""
    """Weights of ours with which the last stage begins, in place of the stages before it."""
    weight_decay: float = 0.05
    clip: float = 1.0
    ema: float = 0.998
    precision: Literal["bf16", "fp32"] = "fp32"
    """Of the backbones; boxes and losses are always computed in full."""
    samples: SampleOptions = field(default_factory=SampleOptions)
    draws: Schedule = field(default_factory=Schedule)
    validation_windows: int = 200
    """Windows of the validation split that are scored while training, spread evenly; 0 = all."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise RecipeWrong for parts that contradict each other."""
        network = self.network
        if network.window_px > CHIP_PX or network.network_px % 32:
            raise RecipeWrong(
                f"Recipe {self.name}: window_px is {network.window_px} and up {network.up}; a chip has {CHIP_PX} px, and their product must be a "
                "multiple of 32."
            )
        if self.mode == "staged" and network.stacked:
            raise RecipeWrong(
                f"Recipe {self.name}: bands stacked to one image have one backbone, so there is nothing to stage: use end_to_end."
            )
        if min(stage.batch_size for stage in (self.unimodal, self.fusion, self.polish)) < 1:
            raise RecipeWrong(f"Recipe {self.name}: batch_size must be 1 or more.")
        strange = sorted(set(self.backbones_from) - set(network.modalities))
        if strange:
            raise RecipeWrong(f"Recipe {self.name}: backbones_from names {', '.join(strange)}, which the network does not look at.")

    def stages(self) -> tuple[Stage, ...]:
        """Stretches of training in their order; the network of the last one is what is kept."""
        last = (Stage(POLISH, self.network, self.polish),) if self.polish.steps else ()
        if self.mode == "end_to_end" or len(self.network.modalities) == 1:
            return (Stage(WHOLE, self.network, self.fusion), *last)
        fusion = Stage(FUSION, self.network, self.fusion, frozen=True)
        if self.start_from:
            return (fusion, *last)
        alone = tuple(Stage(f"unimodal {name}", alone_config(self.network, name), self.unimodal) for name in self.network.modalities)
        return (*alone, fusion, *last)


def alone_config(network: DetectorConfig, modality: str) -> DetectorConfig:
    """The same network with one modality and nothing to fuse."""
    return replace(network, modalities=(modality,), fusion=replace(network.fusion, kind="none"))


def statistics_names(network: DetectorConfig) -> tuple[str, ...]:
    """Kinds of modalities whose statistics a network needs."""
    return tuple(dict.fromkeys(kind_of(name) for name in network.modalities))
