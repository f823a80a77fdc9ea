"""Physical units to what the network was trained on: (value - mean) / standard deviation per band, 0 where nothing is valid."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from catalog.facts.errors import BandsMissing
from models.segmenter.samples import COUNTS_PER_REFLECTANCE, Scenery

S2, S1, DEM = "S2L2A", "S1GRD", "DEM"
MODALITIES: Final = (S2, S1, DEM)
"""Names of the modalities as terratorch's TerraMind knows them."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Mean and standard deviation per band: counts x 10 000 for S2, dB for S1, metres for the DEM."""

    source: str
    s2_mean: tuple[float, ...]
    s2_std: tuple[float, ...]
    s1_mean: tuple[float, ...]
    s1_std: tuple[float, ...]
    dem_mean: float
    dem_std: float


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
class NetworkInput:
    """What a network is given: only the modalities that it may look at."""

    images: dict[str, Tensor]
    """Modality -> (B, bands, y, x), standardised, 0 where it is not valid."""
    valid: dict[str, Tensor]
    """Modality -> (B, 1, y, x) bool."""
    s2: Tensor | None
    """(B, 12, y, x), reflectance, for spectral indices; None without optics."""
    dem: Tensor | None
    """(B, 1, y, x), metres, for slope and relative height; None without elevation."""

    def flipped(self, dims: tuple[int, ...]) -> "NetworkInput":
        """Mirror along the last two dimensions named, for example (-1,)."""
        return NetworkInput(
            {name: image.flip(dims) for name, image in self.images.items()},
            {name: valid.flip(dims) for name, valid in self.valid.items()},
            None if self.s2 is None else self.s2.flip(dims),
            None if self.dem is None else self.dem.flip(dims),
        )


def standardise(scenery: Scenery, statistics: Statistics, modalities: Collection[str] = MODALITIES) -> NetworkInput:
    """Standardise the modalities asked for; raises BandsMissing when none is left."""
    if not modalities:
        raise BandsMissing(f"A network needs at least one modality of {', '.join(MODALITIES)}, and none was asked for.")
    every = {
        S2: (scenery.s2 * COUNTS_PER_REFLECTANCE, scenery.s2_valid, statistics.s2_mean, statistics.s2_std),
        S1: (scenery.s1, scenery.s1_valid, statistics.s1_mean, statistics.s1_std),
        DEM: (scenery.dem, scenery.dem_valid, (statistics.dem_mean,), (statistics.dem_std,)),
    }
    images, valids = {}, {}
    for name in MODALITIES:
        if name in modalities:
            values, valid, mean, std = every[name]
            images[name] = (values - _column(mean, values)) / _column(std, values) * valid
            valids[name] = valid
    return NetworkInput(images, valids, scenery.s2 if S2 in modalities else None, scenery.dem if DEM in modalities else None)


def _column(numbers: tuple[float, ...], like: Tensor) -> Tensor:
    return torch.tensor(numbers, dtype=like.dtype, device=like.device)[:, None, None]
