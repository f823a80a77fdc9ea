"""Shapes of the systems that see and write, and what travels beside their weights.

A configuration is sizes alone: the tiny and the published network are the same classes, and differ in these records.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Final, Literal

from catalog.facts.errors import WeightsUnfit

DESCRIBER_FORMAT: Final = 1
SIX: Final = ("B02", "B03", "B04", "B08", "slope", "elevation")
"""What the encoder sees: blue, green, red, near infrared, and the ground (GLACIA leaves the other bands out)."""
RGB: Final = ("B04", "B03", "B02")
"""What the published language path sees."""
Shown = Literal["rgb", "water", "index", "level"]
"""`water`: MNDWI, NDWI and green; `index`: what the model `indices` takes for water, MNDWI and NDWI; `level`: the same water, MNDWI, and
how level the ground is.

In color alone milky water is like scree and water in shadow like shadow, so that words would be guesses.
"""
_OF_THE_INDEX: Final = ("B02", "B03", "B04", "B08", "B11", "B12")
_SHOWN_OF: Final[Mapping[Shown, tuple[str, ...]]] = MappingProxyType(
    {"rgb": RGB, "water": ("B03", "B08", "B11"), "index": (*_OF_THE_INDEX, "elevation"), "level": (*_OF_THE_INDEX, "elevation")}
)
_STRICT: dict[str, Any] = {"extra": "forbid"}


def shown_of(shows: Shown) -> tuple[str, ...]:
    """Bands, and the ground, that an image of that kind is made of."""
    return _SHOWN_OF[shows]


@dataclass(frozen=True, slots=True)
class VisionConfig:
    """A CLIP vision tower; defaults are those of ViT-H/14."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    image_px: int = 224
    patch_px: int = 14
    hidden: int = 1280
    intermediate: int = 5120
    layers: int = 32
    heads: int = 16
    tap: int = -2
    """Layer whose output is used, from the end, as LLaVA does."""
    shows: Shown = "rgb"
    """`rgb` as published, which a pretrained tower needs; `water` for towers of our own."""

    @property
    def tokens(self) -> int:
        """Image tokens that the language model sees."""
        return (self.image_px // self.patch_px) ** 2

    @property
    def needs(self) -> tuple[str, ...]:
        """Bands, and the ground, that its image is made of."""
        return shown_of(self.shows)


@dataclass(frozen=True, slots=True)
class LanguageConfig:
    """A Mistral language model; defaults are those of Mistral-7B."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    vocabulary: int = 32_000
    """Tokens of the checkpoint; those that are added come on top."""
    hidden: int = 4096
    intermediate: int = 14_336
    layers: int = 32
    heads: int = 32
    kv_heads: int = 8
    positions: int = 32_768
    rope_theta: float = 10_000.0


@dataclass(frozen=True, slots=True)
class AdapterConfig:
    """LoRA on the attention of the language model, as the released system has it."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    rank: int = 16
    alpha: int = 16
    dropout: float = 0.1
    targets: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj")


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """Prithvi-Res: a Prithvi transformer beside a residual network over the same six channels; defaults are Prithvi 300M and ResNet-34."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    kind: Literal["prithvi_res", "prithvi", "res"] = "prithvi_res"
    """`prithvi` and `res` are the halves, for the ablation."""
    channels: tuple[str, ...] = SIX
    """`RGB` is the ablation in which the mask path sees no more than the language path."""
    image_px: int = 1024
    patch_px: int = 16
    embed: int = 1024
    depth: int = 24
    heads: int = 16
    taps: tuple[int, ...] = (5, 11, 17, 23)
    stem_stride: int = 4
    """Of the first level: 4 is the 7 x 7 stem of ResNet with its pooling, 2 are two small convolutions."""
    blocks: tuple[int, ...] = (3, 4, 6, 3)
    widths: tuple[int, ...] = (64, 128, 256, 512)
    width: int = 256
    """Of the fused pyramid."""
    levels: Literal["native", "token_grid"] = "native"
    """`token_grid` brings every level to the grid of tokens, as the released code does, and loses what is finer."""
    frozen: bool = False


@dataclass(frozen=True, slots=True)
class DecoderConfig:
    """The prompt mask decoder."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    prompt_tokens: int = 8
    """Attention over one token alone is a constant, so there must be two or more."""
    heads: int = 8
    attended: int = 2
    """Level of the pyramid, from 0 the finest, on which pixels attend to each other: 64 x 64 as published."""
    prompt: Literal["seg", "constant"] = "seg"
    """`constant` learns one prompt for all questions: the same system without its language path."""


@dataclass(frozen=True, slots=True)
class DescriberConfig:
    """Shape of a whole describer."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    vision: VisionConfig = field(default_factory=VisionConfig)
    language: LanguageConfig = field(default_factory=LanguageConfig)
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    decoder: DecoderConfig = field(default_factory=DecoderConfig)
    adapter: AdapterConfig | None = field(default_factory=AdapterConfig)
    """None: the language path is trained in full, or not at all."""
    language_path: Literal["adapted", "full", "frozen"] = "adapted"
    """What learns of the language model: the adapters, all of it (from scratch), or nothing (the paper's ablation)."""

    def __post_init__(self) -> None:
        """Raise WeightsUnfit for parts that cannot work together."""
        if self.decoder.prompt_tokens < 2:
            raise WeightsUnfit(
                f"A describer with {self.decoder.prompt_tokens} prompt token attends to a constant: the same mask for every question. "
                "Use 2 or more (the default is 8)."
            )
        if (self.language_path == "adapted") != (self.adapter is not None):
            raise WeightsUnfit(
                f"A language path that is {self.language_path} goes {'without' if self.adapter else 'with'} an adapter: change one of them."
            )
        if self.encoder.image_px % self.encoder.patch_px or self.vision.image_px % self.vision.patch_px:
            raise WeightsUnfit(
                f"Images of {self.encoder.image_px} and {self.vision.image_px} px are not whole numbers of patches of "
                f"{self.encoder.patch_px} and {self.vision.patch_px} px: change one of them."
            )


PUBLISHED: Final = DescriberConfig()
TINY: Final = DescriberConfig(
    vision=VisionConfig(image_px=112, patch_px=14, hidden=128, intermediate=384, layers=4, heads=4, tap=-1, shows="level"),
    language=LanguageConfig(vocabulary=512, hidden=128, intermediate=320, layers=3, heads=4, kv_heads=2, positions=512),
    encoder=EncoderConfig(
        image_px=64,
        patch_px=8,
        embed=64,
        depth=4,
        heads=4,
        taps=(0, 1, 2, 3),
        stem_stride=2,
        blocks=(1, 1, 1, 1),
        widths=(16, 32, 48, 64),
        width=32,
    ),
    decoder=DecoderConfig(heads=4, attended=1),
    adapter=None,
    language_path="full",
)
"""`describe-tiny`: 64 px, small enough for a CPU; the same classes."""
CONFIGURATIONS: Final[Mapping[str, DescriberConfig]] = MappingProxyType({"published": PUBLISHED, "describe-tiny": TINY})


@dataclass(frozen=True, slots=True)
class ChannelScaling:
    """Mean and standard deviation of each channel of the encoder: reflectance x 10 000, degrees, metres above the scene's lowest ground."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    source: str = "Prithvi v2 for bands; slope and relief by their physical range"
    mean: tuple[float, ...] = (1087.0, 1342.0, 1433.0, 2734.0, 25.0, 300.0)
    std: tuple[float, ...] = (2248.0, 2179.0, 2178.0, 1850.0, 15.0, 300.0)


@dataclass(frozen=True, slots=True)
class DescriberCard:
    """Facts about one file of describer weights; `card.json` beside it, the tokenizer in `tokenizer.json`."""

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
    network: DescriberConfig
    scaling: ChannelScaling = field(default_factory=ChannelScaling)
    vocabulary_sha256: str = ""
    """Of `tokenizer.json`: weights without their words are of no use."""
    data: tuple[str, ...] = ()
    """What it was trained and chosen on, as training was told: folders of chips, `simulated:FIRST-LAST`; those of the weights that it
    started from come first. Nothing of it may be used to score it."""
    threshold: float = 0.5
    recipe: str = ""
    figures: dict[str, float] = field(default_factory=dict)
    """Measured scores by name, with split and path in the name: `val_generated_lake_iou`, `val_teacher_forced_text_ce`, ..."""
    system: Literal["describer"] = "describer"
    format: int = DESCRIBER_FORMAT

    def __post_init__(self) -> None:
        """Raise WeightsUnfit for a card of a newer format, or whose scaling does not fit its channels."""
        if self.format > DESCRIBER_FORMAT:
            raise WeightsUnfit(f"Card {self.name} has format {self.format}, this program knows {DESCRIBER_FORMAT}: update cryoatlas.")
        if {len(self.scaling.mean), len(self.scaling.std)} != {len(SIX)} or min(self.scaling.std) <= 0:
            raise WeightsUnfit(f"Card {self.name} has no scaling for each of {', '.join(SIX)}: train it again, or fetch the whole card.")
