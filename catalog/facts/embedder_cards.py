"""Shape of the system that gives images, words, boxes and places one vector, and what travels beside its weights.

A configuration is sizes alone: the tiny and the published network are the same classes, and differ in these records.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Final, Literal

from catalog.facts.describer_cards import AdapterConfig, shown_of
from catalog.facts.errors import WeightsUnfit

EMBEDDER_FORMAT: Final = 1
DEFAULT_EMBEDDER: Final = "embed-tiny"
GeoEncoding = Literal["text", "fourier", "sh"]
"""Places as words, or as one soft token: waves over the globe, or spherical harmonics."""
_STRICT: dict[str, Any] = {"extra": "forbid"}


@dataclass(frozen=True, slots=True)
class TowerConfig:
    """The vision tower of Qwen2-VL; defaults are those of the 7B model at 336 px, as VLM2GeoVec has them."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    image_px: int = 336
    patch_px: int = 14
    merge: int = 2
    """Patches of a side that become one token of the language model."""
    hidden: int = 1280
    layers: int = 32
    heads: int = 16
    widening: int = 4
    """Of the feed-forward layers."""
    shows: Literal["rgb", "water"] = "rgb"
    """`rgb` by one stretch for all scenes, which a pretrained tower needs; `water` for towers of our own."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Bands that its image is made of."""
        return shown_of(self.shows)

    @property
    def tokens(self) -> int:
        """Image tokens that the language model sees."""
        return (self.image_px // self.token_px) ** 2

    @property
    def token_px(self) -> int:
        """Pixels of a side of one image token."""
        return self.patch_px * self.merge


@dataclass(frozen=True, slots=True)
class ReaderConfig:
    """The language model of Qwen2-VL; defaults are those of the 7B model."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    vocabulary: int = 152_064
    hidden: int = 3584
    intermediate: int = 18_944
    layers: int = 28
    heads: int = 28
    kv_heads: int = 4
    sections: tuple[int, int, int] = (16, 24, 24)
    """Rotary frequencies for time, height and width: half the width of a head in all."""
    positions: int = 32_768
    rope_theta: float = 1_000_000.0
    epsilon: float = 1e-6
    """Of its norms."""


@dataclass(frozen=True, slots=True)
class GeoConfig:
    """How places enter."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    encoding: GeoEncoding = "text"
    decimals: int = 6
    """Of degrees, whatever the encoding; 2 tells places apart by a kilometre, for privacy."""
    waves: int = 6
    """Octaves of `fourier`, the first of which spans the globe."""
    degree: int = 8
    """Highest of `sh`: about 180 degrees divided by it is the finest that it tells apart."""


@dataclass(frozen=True, slots=True)
class EmbedderConfig:
    """Shape of a whole embedder; defaults are VLM2GeoVec on Qwen2-VL 7B."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    vision: TowerConfig = field(default_factory=TowerConfig)
    language: ReaderConfig = field(default_factory=ReaderConfig)
    geo: GeoConfig = field(default_factory=GeoConfig)
    box_side: int = 100
    """Boxes are told on a grid of so many steps a side."""
    pooling: Literal["last", "mean"] = "last"
    """The state of the last token, as published, or the mean of all (the paper's ablation)."""
    adapter: AdapterConfig | None = field(
        default_factory=lambda: AdapterConfig(
            rank=8,
            alpha=64,
            dropout=0.1,
            targets=("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"),
        )
    )
    language_path: Literal["adapted", "full"] = "adapted"
    """What learns: the adapters of the language model alone, or everything (from scratch), the tower included."""

    def __post_init__(self) -> None:
        """Raise WeightsUnfit for parts that cannot work together."""
        if (self.language_path == "adapted") != (self.adapter is not None):
            raise WeightsUnfit(
                f"A language path that is {self.language_path} goes {'without' if self.adapter else 'with'} an adapter: change one of them."
            )
        if self.vision.image_px % self.vision.token_px or self.vision.image_px < self.vision.token_px:
            raise WeightsUnfit(
                f"Images of {self.vision.image_px} px are no whole number of tokens of {self.vision.token_px} px "
                f"(patches of {self.vision.patch_px} px, {self.vision.merge} merged): change one of them."
            )
        if self.box_side < 2 or self.geo.decimals < 0 or self.geo.waves < 1 or self.geo.degree < 1:
            raise WeightsUnfit(
                f"A box grid of {self.box_side}, {self.geo.decimals} decimals, {self.geo.waves} waves, degree {self.geo.degree}: "
                "give 2 or more, 0 or more, and 1 or more of the last two."
            )
        self._check_heads()

    def _check_heads(self) -> None:
        words, tower = self.language, self.vision
        if words.hidden % words.heads or words.heads % words.kv_heads:
            raise WeightsUnfit(
                f"A language model of width {words.hidden} with {words.heads} heads and {words.kv_heads} for keys and values cannot be "
                "split evenly: change one of them."
            )
        if 2 * sum(words.sections) != words.hidden // words.heads:
            raise WeightsUnfit(
                f"Rotary sections {words.sections} add up to {sum(words.sections)}, heads of {words.hidden // words.heads} need half their "
                "width: change one of them."
            )
        if tower.hidden % (4 * tower.heads):
            raise WeightsUnfit(
                f"A tower of width {tower.hidden} with {tower.heads} heads has no room for two axes of rotary positions: "
                "make the width of a head a multiple of 4."
            )


PUBLISHED: Final = EmbedderConfig()
TINY: Final = EmbedderConfig(
    vision=TowerConfig(image_px=64, patch_px=8, hidden=64, layers=3, heads=4, shows="water"),
    language=ReaderConfig(
        vocabulary=448,
        hidden=96,
        intermediate=256,
        layers=4,
        heads=4,
        kv_heads=2,
        sections=(4, 4, 4),
        positions=512,
        rope_theta=10_000.0,
    ),
    geo=GeoConfig(decimals=2),
    adapter=None,
    language_path="full",
)
"""`embed-tiny`: 64 px and 16 image tokens, small enough for a CPU; the same classes."""
CONFIGURATIONS: Final[Mapping[str, EmbedderConfig]] = MappingProxyType({"published": PUBLISHED, "embed-tiny": TINY})


@dataclass(frozen=True, slots=True)
class EmbedderCard:
    """Facts about one file of embedder weights; `card.json` beside it, the tokenizer in `tokenizer.json`."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    name: str
    version: str
    title: str
    licence: str
    trained_on: str
    """What it saw, in words: data, places, years, number of chips; what it never saw."""
    citation: str
    sha256: str
    """Of the safetensors file; an index that was made with other weights is of no use."""
    network: EmbedderConfig
    temperature: float
    """That it was trained to: similarities divided by it are logits."""
    instructions: str
    """Version of the instructions that it knows."""
    vocabulary_sha256: str = ""
    """Of `tokenizer.json`: weights without their words are of no use."""
    ground_m: float = 2240.0
    """Width of the scenes that it learned from."""
    data: tuple[str, ...] = ()
    """What it was trained and chosen on, as training was told: folders of chips, `simulated:FIRST-LAST`; those of the weights that it
    started from come first. Nothing of it may be used to score it."""
    recipe: str = ""
    figures: dict[str, float] = field(default_factory=dict)
    """Measured scores by name, with split and task in the name: `val_text_to_image_p1`, ..."""
    system: Literal["embedder"] = "embedder"
    format: int = EMBEDDER_FORMAT

    def __post_init__(self) -> None:
        """Raise WeightsUnfit for a card of a newer format, or with a temperature that is none."""
        if self.format > EMBEDDER_FORMAT:
            raise WeightsUnfit(f"Card {self.name} has format {self.format}, this program knows {EMBEDDER_FORMAT}: update cryoatlas.")
        if not self.temperature > 0:
            raise WeightsUnfit(f"Card {self.name} has a temperature of {self.temperature}: fetch the whole card, it must be above 0.")
