"""What travels beside a network's weights: its shape, the numbers it was scaled by, and what it saw."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Final, Literal

from catalog.facts.bands import S1_NAMES, S2_NAMES
from catalog.facts.errors import WeightsUnfit

FORMAT: Final = 1
S2, S1, DEM = "S2L2A", "S1GRD", "DEM"
MODALITIES: Final = (S2, S1, DEM)
"""Names of the modalities as terratorch's TerraMind knows them."""
Backbone = Literal["terramind_v1_tiny", "terramind_v1_small", "terramind_v1_base", "terramind_v1_large"]
Decoder = Literal["compact", "upernet", "published"]
"""`published` is UperNet on a pyramid that is run twice, as CryoSentinel released it: for its weights, not for training."""
BACKBONES: tuple[Backbone, ...] = ("terramind_v1_tiny", "terramind_v1_small", "terramind_v1_base", "terramind_v1_large")
PUBLISHED_BACKBONES: Final[Mapping[Backbone, str]] = MappingProxyType(
    {
        name: f"hf://ibm-esa-geospatial/TerraMind-1.0-{name.rpartition('_')[2]}/TerraMind_{name.removeprefix('terramind_')}.pt"
        for name in BACKBONES
    }
)
"""Where the pretrained encoders are, as terratorch registers them."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Mean and standard deviation per band: counts x 10 000 for S2, dB for S1, metres for the DEM."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}
    source: str
    s2_mean: tuple[float, ...]
    s2_std: tuple[float, ...]
    s1_mean: tuple[float, ...]
    s1_std: tuple[float, ...]
    dem_mean: float
    dem_std: float
    s2_bands: tuple[str, ...] = S2_NAMES
    """Order of the bands; only the order of the cube can be used."""
    s1_bands: tuple[str, ...] = S1_NAMES


TERRAMIND: Final = Statistics(
    "TerraMind v1 pretraining",
    (1390.458, 1503.317, 1718.197, 1853.910, 2199.100, 2779.975, 2987.011, 3083.234, 3132.220, 3162.988, 2424.884, 1857.648),
    (2106.761, 2141.107, 2038.973, 2134.138, 2085.321, 1889.926, 1820.257, 1871.918, 1753.829, 1797.379, 1434.261, 1334.311),
    (-12.599, -20.293),
    (5.195, 5.890),
    670.665,
    951.272,
)
CRYOSENTINEL: Final = Statistics(
    "CryoSentinel v3, training split",
    (857.6, 1044.0, 1356.7, 1574.4, 1786.2, 2076.5, 2215.2, 2277.8, 2348.5, 2243.7, 2665.0, 2217.2),
    (626.3, 709.2, 748.7, 825.5, 773.5, 786.1, 810.8, 834.9, 833.6, 729.6, 875.7, 851.3),
    (-9.25, -18.00),
    (5.90, 5.92),
    4299.8,
    901.0,
)
STATISTICS: Final = {"terramind": TERRAMIND, "cryosentinel": CRYOSENTINEL}


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
    stride_px: int = 192
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


def check_statistics(statistics: Statistics, *, where: str) -> None:
    """Raise WeightsUnfit when the numbers cannot be those of our bands in our units; a network scaled by them sees nonsense."""
    wrong = [*_wrong_bands(statistics), *_wrong_optics(statistics), *_wrong_radar(statistics), *_wrong_elevation(statistics)]
    if wrong:
        raise WeightsUnfit(
            f"{where}: its statistics ({statistics.source}) cannot be used: {'; '.join(wrong)}. Measure them again on chips of cryoatlas."
        )


def _wrong_bands(statistics: Statistics) -> list[str]:
    wrong = []
    for sensor, named, ours in (("S2", statistics.s2_bands, S2_NAMES), ("S1", statistics.s1_bands, S1_NAMES)):
        if named != ours:
            wrong.append(f"{sensor} bands are in the order {' '.join(named)}, the cube has {' '.join(ours)}")
    counts = {
        "S2 means": (statistics.s2_mean, 12),
        "S2 deviations": (statistics.s2_std, 12),
        "S1 means": (statistics.s1_mean, 2),
        "S1 deviations": (statistics.s1_std, 2),
    }
    wrong += [f"{len(numbers)} {what}, there are {count} bands" for what, (numbers, count) in counts.items() if len(numbers) != count]
    deviations = (*statistics.s2_std, *statistics.s1_std, statistics.dem_std)
    if not all(math.isfinite(number) and number > 0 for number in deviations):
        wrong.append("a standard deviation is not positive")
    return wrong


def _wrong_optics(statistics: Statistics) -> list[str]:
    mean = statistics.s2_mean
    if all(10 <= number <= 16_000 for number in mean):
        return []
    hint = " as reflectance has in 0..1" if all(-1 <= number <= 2 for number in mean) else ""
    return [f"S2 means are {min(mean, default=0):g} to {max(mean, default=0):g}{hint}, counts (reflectance x 10 000) are expected"]


def _wrong_radar(statistics: Statistics) -> list[str]:
    if not all(-45 <= number <= -1 for number in statistics.s1_mean):
        return [f"S1 means are {', '.join(f'{number:g}' for number in statistics.s1_mean)}, dB is expected (linear power is positive)"]
    if len(statistics.s1_mean) == len(S1_NAMES) and statistics.s1_mean[0] <= statistics.s1_mean[1]:
        # cross-polarised backscatter is the weaker one over every natural surface
        return [f"VV ({statistics.s1_mean[0]:g} dB) is not above VH ({statistics.s1_mean[1]:g} dB), so the two are in the wrong order"]
    return []


def _wrong_elevation(statistics: Statistics) -> list[str]:
    if -500 <= statistics.dem_mean <= 9000 and statistics.dem_std >= 2:
        return []
    return [f"elevation has mean {statistics.dem_mean:g} and deviation {statistics.dem_std:g}, metres are expected"]
