"""What travels beside a network's weights: its shape, the numbers it was scaled by, and what it saw."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from catalog.facts.errors import WeightsUnfit
from models.segmenter.normalise import MODALITIES, TERRAMIND, Statistics

FORMAT = 1
Backbone = Literal["terramind_v1_tiny", "terramind_v1_small", "terramind_v1_base", "terramind_v1_large"]
Decoder = Literal["compact", "upernet"]
BACKBONES: tuple[Backbone, ...] = ("terramind_v1_tiny", "terramind_v1_small", "terramind_v1_base", "terramind_v1_large")


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """Shape of a lake network; two networks of equal configuration hold the same tensors."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}
    backbone: Backbone = "terramind_v1_tiny"
    decoder: Decoder = "compact"
    modalities: tuple[str, ...] = MODALITIES
    taps: tuple[int, ...] = ()
    """Encoder blocks whose output is used, from 0; empty: by depth."""
    channels: int = 96
    """Width of the decoder."""
    detail: int = 16
    """Width of the convolutions that see the pixels themselves; 0 leaves them out, as published."""
    indices: bool = True
    """Refine the logits with spectral indices (NDWI, MNDWI), computed from reflectance."""


@dataclass(frozen=True, slots=True)
class WeightsCard:
    """Facts about one file of weights; `card.json` beside it."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}
    name: str
    version: str
    title: str
    licence: str
    trained_on: str
    """What it saw, in words: data, places, years, number of chips; what it never saw."""
    citation: str
    sha256: str
    """Of the safetensors file."""
    network: NetworkConfig
    statistics: Statistics = TERRAMIND
    window_px: int = 224
    stride_px: int = 160
    temperature: float = 1.0
    """Logits are divided by it before the sigmoid; fitted on the validation split."""
    threshold: float = 0.5
    """Best threshold on the validation split, for information: products use the calibrated 0.5."""
    recipe: str = ""
    """Name of the recipe, or where the weights were converted from."""
    figures: dict[str, float] = field(default_factory=dict)
    """Measured scores by name, with the split in the name: `val_iou`, `test_object_f1`, ..."""
    format: int = FORMAT

    def __post_init__(self) -> None:
        """Raise WeightsUnfit for a card of a newer format or without a positive temperature."""
        if self.format > FORMAT:
            raise WeightsUnfit(f"Card {self.name} has format {self.format}, this program knows {FORMAT}: update cryoatlas.")
        if self.temperature <= 0:
            raise WeightsUnfit(f"Card {self.name} has temperature {self.temperature}: it must be positive, calibrate the weights again.")
