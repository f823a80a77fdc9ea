"""Shape of the system that draws what a phrase means, and what travels beside its weights.

A configuration is sizes alone: the tiny and the published network are the same classes, and differ in these records.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Final, Literal

from catalog.facts.describer_cards import AdapterConfig, LanguageConfig, VisionConfig
from catalog.facts.errors import WeightsUnfit
from catalog.facts.feature_classes import CLASSES

REFERRER_FORMAT: Final = 1
DEFAULT_REFERRER: Final = "refer-tiny"
Fusion = Literal["conv3d", "conv2d", "argmax", "attention", "dual_attention"]
Norm = Literal["batch", "group"]
_STRICT: dict[str, Any] = {"extra": "forbid"}


@dataclass(frozen=True, slots=True)
class PredictorConfig:
    """The mask predictor over two levels; defaults are the published ones."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    detail_tap: int = -11
    """Layer of the vision tower whose output holds the details, from the end; the tap of the language path gives the rough level."""
    middle: int = 512
    """Channels between the two convolutions of a projector."""
    width: int = 256
    side: int = 32
    """Of the rough level, pixels; masks are four times as wide."""
    heads: int = 8
    intermediate: int = 2048
    norm: Norm = "batch"
    """`group` does not depend on how many referents are learned at once."""
    projectors: Literal["independent", "shared"] = "independent"
    """One for each level, or the same for both (the paper's ablation)."""
    state: Literal["at", "before"] = "at"
    """The state at a mark, which has seen itself, or the one that predicts it, as LISA and PixelLM take it."""


@dataclass(frozen=True, slots=True)
class MemoryConfig:
    """The class-wise learnable memory; defaults are the published ones."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    rows: int = 75
    """Classes that it has room for; the last row is the generic one, for what is of no known class."""
    slots: int = 64
    """Entries of a class and level, the published capacity N."""
    depth: int = 64
    side: int = 32
    fusion: Fusion = "conv3d"
    heads: int = 8
    attended: int = 64
    """Widest grid on which pixels look at each other, pixels; wider levels are averaged to it for that."""
    query: Literal["top", "soft"] = "top"
    """Row of a class that nobody names: the likeliest one, or all of them by their probability."""
    sure: float = 0.5
    """Probability of the likeliest class under which the generic row is read."""


@dataclass(frozen=True, slots=True)
class ReferrerConfig:
    """Shape of a whole referrer; defaults are LLaVA-1.5 7B with CLIP ViT-L/14 at 336 px."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    vision: VisionConfig = field(
        default_factory=lambda: VisionConfig(image_px=336, patch_px=14, hidden=1024, intermediate=4096, layers=24, heads=16, tap=-2)
    )
    language: LanguageConfig = field(default_factory=lambda: LanguageConfig(intermediate=11_008, kv_heads=32, positions=4096))
    predictor: PredictorConfig = field(default_factory=PredictorConfig)
    memory: MemoryConfig | None = field(default_factory=MemoryConfig)
    """None: masks are drawn without one (the paper's ablation)."""
    adapter: AdapterConfig | None = field(
        default_factory=lambda: AdapterConfig(rank=128, alpha=16, dropout=0.05, targets=("q_proj", "v_proj"))
    )
    language_path: Literal["adapted", "full", "frozen"] = "adapted"
    """What learns of the language model: the adapters, all of it (from scratch), or nothing."""

    def __post_init__(self) -> None:
        """Raise WeightsUnfit for parts that cannot work together."""
        if (self.language_path == "adapted") != (self.adapter is not None):
            raise WeightsUnfit(
                f"A language path that is {self.language_path} goes {'without' if self.adapter else 'with'} an adapter: change one of them."
            )
        if self.vision.image_px % self.vision.patch_px:
            raise WeightsUnfit(
                f"Images of {self.vision.image_px} px are no whole number of patches of {self.vision.patch_px} px: change one of them."
            )
        if self.memory is not None and self.memory.rows <= len(CLASSES):
            raise WeightsUnfit(
                f"A memory of {self.memory.rows} rows has no room for {len(CLASSES)} classes and a generic row: give it {len(CLASSES) + 1} or more."
            )


PUBLISHED: Final = ReferrerConfig()
TINY: Final = ReferrerConfig(
    vision=VisionConfig(image_px=112, patch_px=14, hidden=128, intermediate=384, layers=4, heads=4, tap=-1, shows="water"),
    language=LanguageConfig(vocabulary=512, hidden=128, intermediate=320, layers=3, heads=4, kv_heads=4, positions=512),
    predictor=PredictorConfig(detail_tap=-4, middle=64, width=48, side=16, heads=4, intermediate=96, norm="group"),
    memory=MemoryConfig(rows=8, slots=8, depth=16, side=16, heads=2, attended=16),
    adapter=None,
    language_path="full",
)
"""`refer-tiny`: masks of 64 px, small enough for a CPU; the same classes."""
CONFIGURATIONS: Final[Mapping[str, ReferrerConfig]] = MappingProxyType({"published": PUBLISHED, "refer-tiny": TINY})


@dataclass(frozen=True, slots=True)
class ReferrerCard:
    """Facts about one file of referrer weights; `card.json` beside it, the tokenizer in `tokenizer.json`."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    name: str
    version: str
    title: str
    licence: str
    trained_on: str
    """What it saw, in words: data, places, years, number of chips; what it never saw."""
    citation: str
    sha256: str
    """Of the safetensors file."""
    network: ReferrerConfig
    classes: tuple[str, ...] = CLASSES
    """Of the rows of its memory, in order."""
    ground_m: float = 2240.0
    """Width of the scenes that it learned from: words such as `the cluster` hold at that scale."""
    vocabulary_sha256: str = ""
    """Of `tokenizer.json`: weights without their words are of no use."""
    data: tuple[str, ...] = ()
    """What it was trained and chosen on, as training was told: folders of chips, `simulated:FIRST-LAST`; those of the weights that it
    started from come first. Nothing of it may be used to score it."""
    threshold: float = 0.5
    recipe: str = ""
    figures: dict[str, float] = field(default_factory=dict)
    """Measured scores by name, with split and path in the name: `val_generated_miou`, ..."""
    system: Literal["referrer"] = "referrer"
    format: int = REFERRER_FORMAT

    def __post_init__(self) -> None:
        """Raise WeightsUnfit for a card of a newer format, or of classes that this program does not know in that order."""
        if self.format > REFERRER_FORMAT:
            raise WeightsUnfit(f"Card {self.name} has format {self.format}, this program knows {REFERRER_FORMAT}: update cryoatlas.")
        if self.classes != CLASSES[: len(self.classes)]:
            raise WeightsUnfit(
                f"Card {self.name} has the classes {', '.join(self.classes)}, this program {', '.join(CLASSES)}: train it again."
            )
