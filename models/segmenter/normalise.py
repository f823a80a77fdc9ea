"""Physical units to what the network was trained on: (value - mean) / standard deviation per band, 0 where nothing is valid."""

from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor

from catalog.facts.cards import CRYOSENTINEL, DEM, MODALITIES, S1, S2, STATISTICS, TERRAMIND, Statistics
from catalog.facts.errors import BandsMissing
from models.segmenter.samples import COUNTS_PER_REFLECTANCE, Scenery

__all__ = [
    "CRYOSENTINEL",
    "DEM",
    "MODALITIES",
    "S1",
    "S2",
    "STATISTICS",
    "TERRAMIND",
    "NetworkInput",
    "Statistics",
    "standardise",
]


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
    """Standardise the modalities asked for; a Sentinel-2 band that a catalog lacks takes its mean. Raises BandsMissing without any."""
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
            images[name] = (values - _column(mean, values)) / _column(std, values) * (valid & (values != 0) if name == S2 else valid)
            valids[name] = valid
    return NetworkInput(images, valids, scenery.s2 if S2 in modalities else None, scenery.dem if DEM in modalities else None)


def _column(numbers: tuple[float, ...], like: Tensor) -> Tensor:
    return torch.tensor(numbers, dtype=like.dtype, device=like.device)[:, None, None]
