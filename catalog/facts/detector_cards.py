"""What travels beside a slump detector's weights: its shape, the numbers it was scaled by, how sure its scores are, and what it saw."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Final, Literal

from catalog.facts.errors import WeightsUnfit

DETECTOR_FORMAT: Final = 1
RGB, NDVI, NIR, TOPO = "rgb", "ndvi", "nir", "topo"
CHANNELS: Final[Mapping[str, int]] = MappingProxyType({RGB: 3, NDVI: 1, NIR: 1, TOPO: 2})
"""Channels of each modality: red, green, blue; NDVI; near infrared; relative elevation and slope."""
Backbone = Literal["mvitv2_nano", "mvitv2_micro", "mvitv2_tiny", "mvitv2_small", "mvitv2_base", "mvitv2_large", "resnet50", "resnet18"]
MASK_PX: Final = 28
"""Side of the mask that is predicted inside a box."""


def kind_of(modality: str) -> str:
    """What a modality holds: `rgb:2` is another look at `rgb`, so that a control can have as many parameters as a fusion."""
    return modality.partition(":")[0]


def channels_of(modality: str) -> int:
    """Channels of a modality; raises WeightsUnfit for one that nobody knows."""
    if kind_of(modality) not in CHANNELS:
        raise WeightsUnfit(f"Modality {modality!r} is not known: choose of {', '.join(CHANNELS)}.")
    return CHANNELS[kind_of(modality)]


@dataclass(frozen=True, slots=True)
class FusionConfig:
    """How features of the other modalities join those of the first."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}
    kind: Literal["residual_xattn", "xattn", "concat", "sum", "none"] = "residual_xattn"
    """`xattn` is the attention without the residual; `concat` and `sum` are the controls; `none` looks at the first modality alone."""
    scope: Literal["window", "pooled", "global"] = "window"
    """Where a query looks: its window of the grid, a pooled grid of keys, or everywhere (the published words, quadratic in memory)."""
    level: Literal["backbone", "fpn"] = "backbone"
    window: int = 7
    pooled: int = 8
    """Side of the pooled grid of keys."""
    positions: bool = True
    """Learned relative bias inside windows, which starts on the diagonal; without it the attention cannot know where it looks."""
    mlp: bool = False
    """Paper-size parameter count."""
    allow_large_global: bool = False
    """Let `global` run on grids of more than 4 096 cells."""


@dataclass(frozen=True, slots=True)
class DetectorConfig:
    """Shape of a slump detector; two networks of equal configuration hold the same tensors."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}
    backbone: Backbone = "mvitv2_tiny"
    modalities: tuple[str, ...] = (RGB, NDVI, NIR)
    """The first is the one whose features ask; the others answer."""
    stacked: bool = False
    """Join all modalities to one image for one backbone (fusion at the level of data)."""
    fusion: FusionConfig = field(default_factory=FusionConfig)
    heads: Literal["cascade", "single"] = "cascade"
    """Cascade R-CNN at IoU 0.5, 0.6, 0.7; or one stage at 0.5, the plain Mask R-CNN."""
    window_px: int = 224
    """Side of what the network sees at once, pixels of 10 m."""
    up: int = 2
    """Pixels of the network per pixel of 10 m along a side: slumps of 8 px are too small for anchors without."""
    channels: int = 256
    """Width of the feature pyramid."""
    head_convolutions: int = 4
    head_width: int = 1024
    mask_convolutions: int = 4
    anchors: tuple[int, ...] = (16, 32, 64, 128, 256)
    """Side per pyramid level, network pixels."""
    proposals_training: int = 1000
    proposals: int = 300
    rois_per_image: int = 512
    mask_stages: Literal[1, 3] = 1
    drop_path: float = 0.1

    @property
    def network_px(self) -> int:
        """Side of the image that the backbone sees."""
        return self.window_px * self.up


@dataclass(frozen=True, slots=True)
class DetectorStatistics:
    """Mean and standard deviation per channel of every modality, after it was clipped to 0..1."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}
    source: str
    mean: dict[str, tuple[float, ...]]
    std: dict[str, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a detector found and missed on ground that neither training nor testing uses; counts with a range are drawn from it."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}
    source: str
    """Which ground, in words."""
    score: tuple[float, ...] = ()
    """Of every merged detection."""
    true: tuple[bool, ...] = ()
    """Whether it is a slump (matched at IoU 0.3, one to one)."""
    detection_block: tuple[int, ...] = ()
    predicted_m2: tuple[float, ...] = ()
    matched_m2: tuple[float, ...] = ()
    """Area of the slump that it matched; 0 where there is none."""
    truth_block: tuple[int, ...] = ()
    """Of every true, observable slump."""
    truth_m2: tuple[float, ...] = ()
    truth_score: tuple[float, ...] = ()
    """Score of the detection that found it; -1 where none did."""
    observed_km2: tuple[float, ...] = ()
    """Per block."""


@dataclass(frozen=True, slots=True)
class DetectorCard:
    """Facts about one file of detector weights; `card.json` beside it."""

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
    network: DetectorConfig
    statistics: DetectorStatistics
    stride_px: int = 112
    """Of windows over the cube, pixels of 10 m; half a window sees every slump whole in one of them."""
    score_floor: float = 0.02
    """Detections below are not kept."""
    threshold: float = 0.5
    """Score from which a merged detection is listed in the inventory, chosen on validation ground for the best F1."""
    calibration: Calibration = field(default_factory=lambda: Calibration("none"))
    recipe: str = ""
    figures: dict[str, float] = field(default_factory=dict)
    system: Literal["detector"] = "detector"
    format: int = DETECTOR_FORMAT

    def __post_init__(self) -> None:
        """Raise WeightsUnfit for a card of a newer format, or whose statistics are not those of its modalities."""
        if self.format > DETECTOR_FORMAT:
            raise WeightsUnfit(f"Card {self.name} has format {self.format}, this program knows {DETECTOR_FORMAT}: update cryoatlas.")
        wrong = [
            name
            for name in self.network.modalities
            if any(len(numbers.get(kind_of(name), ())) != channels_of(name) for numbers in (self.statistics.mean, self.statistics.std))
        ]
        if wrong:
            raise WeightsUnfit(f"Card {self.name} has no statistics that fit {', '.join(wrong)}: train it again, or fetch the whole card.")


def check_scaling(card: DetectorCard, *, where: str) -> None:
    """Raise WeightsUnfit when the numbers a detector was scaled by cannot be those of images in 0..1."""
    means = [number for numbers in card.statistics.mean.values() for number in numbers]
    deviations = [number for numbers in card.statistics.std.values() for number in numbers]
    if not all(math.isfinite(number) and 0 < number <= 1 for number in deviations) or not all(0 <= number <= 1 for number in means):
        raise WeightsUnfit(
            f"{where}: its statistics ({card.statistics.source}) cannot be used, means {min(means):g} to {max(means):g} and deviations "
            f"{min(deviations):g} to {max(deviations):g} where images are 0 to 1. Measure them again on chips of cryoatlas."
        )
