"""A raster in memory and a network that answers with something, for the benchmark of the segmenter."""

import time
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from catalog.facts.cards import NetworkConfig
from catalog.facts.causes import Cause
from catalog.facts.grids import Tile
from models.segmenter.contract import WindowArrays
from models.segmenter.network import build
from models.segmenter.normalise import DEM, MODALITIES, S2, TERRAMIND, NetworkInput, standardise
from models.segmenter.passes import InferenceOptions, Passes
from models.segmenter.samples import COUNTS_PER_REFLECTANCE, scenery_of

WINDOW, STRIDE, MARGIN = 224, 176, 16
PAD = 448


@dataclass(frozen=True)
class Raster:
    """Ground in memory, mirrored beyond its edges."""

    tile: Tile
    s2: NDArray[np.uint16]
    s1: NDArray[np.float32]
    dem: NDArray[np.float32]

    def read(self, origin_yx: tuple[int, int], size: int) -> WindowArrays:
        top, left = (start - own + PAD for start, own in zip(origin_yx, self.tile.origin_yx_px, strict=True))
        place = (..., slice(top, top + size), slice(left, left + size))
        return WindowArrays(np.full((size, size), Cause.USABLE, np.uint8), self.s2[place], self.s1[place], self.dem[place])

    @property
    def inside(self) -> tuple[object, ...]:
        return (..., slice(PAD, PAD + self.tile.size_px), slice(PAD, PAD + self.tile.size_px))


def raster(chips: int, seed: int = 3) -> Raster:
    """Smooth ground with some noise; its tile is placed so that terratorch's windows lie on our lattice."""
    tile = Tile(32643, 1, 9, chips)
    assert all(origin % STRIDE == MARGIN for origin in tile.origin_yx_px), "choose 4 or 15 chips"
    rng, size = np.random.default_rng(seed), tile.size_px
    y, x = np.mgrid[:size, :size] / 40
    shape = np.sin(y + np.cos(x / 2)) * np.cos(x) + 0.3 * rng.standard_normal((size, size))
    bands = rng.uniform(-600, 600, 12)[:, None, None] * shape + rng.uniform(800, 3000, 12)[:, None, None]
    radar = np.stack([-12 + 4 * shape, -19 + 3 * shape]) + rng.standard_normal((2, size, size))
    s2, s1, dem = np.clip(bands, 1, 10_000).astype(np.uint16), radar.astype(np.float32), (4000 + 80 * shape).astype(np.float32)
    around = ((PAD, PAD), (PAD, PAD))
    return Raster(tile, np.pad(s2, ((0, 0), *around), "reflect"), np.pad(s1, ((0, 0), *around), "reflect"), np.pad(dem, around, "reflect"))


class Clocked(nn.Module):
    """A network that adds up the CPU seconds of the thread it runs in; its copies share the sum."""

    cpu_s = 0.0

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, given: NetworkInput) -> Tensor:
        started = time.thread_time()
        logits: Tensor = self.network(given)
        Clocked.cpu_s += time.thread_time() - started
        return logits


def network(config: NetworkConfig) -> nn.Module:
    """Fresh weights, shaken so that no layer is the identity."""
    torch.manual_seed(0)
    fresh = build(config).eval()
    with torch.no_grad():
        for parameter in fresh.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return fresh


def standardised(ground: Raster) -> dict[str, Tensor]:
    inside = ground.inside
    seen = scenery_of(ground.s2[inside][None], ground.s1[inside][None], ground.dem[inside][None], torch.device("cpu"))
    return standardise(seen, TERRAMIND, MODALITIES).images


def given_of(chips: dict[str, Tensor], dtype: torch.dtype) -> NetworkInput:
    """The network's own input from standardised chips; there are no holes in the raster."""
    valid = torch.ones_like(chips[DEM], dtype=torch.bool)
    mean, std = (torch.tensor(values)[:, None, None] for values in (TERRAMIND.s2_mean, TERRAMIND.s2_std))
    return NetworkInput(
        {name: chips[name].to(dtype) for name in MODALITIES},
        dict.fromkeys(MODALITIES, valid),
        (chips[S2] * std + mean) / COUNTS_PER_REFLECTANCE,
        chips[DEM] * TERRAMIND.dem_std + TERRAMIND.dem_mean,
    )


def centered(fresh: nn.Module, ground: Raster) -> nn.Module:
    """The network with its answers moved so that half of the ground is water, else equal masks would prove nothing."""
    window = ground.read(tuple(start + STRIDE - MARGIN for start in ground.tile.origin_yx_px), WINDOW)  # type: ignore[arg-type]
    assert window.s2 is not None
    assert window.s1 is not None
    assert window.dem is not None
    seen = scenery_of(window.s2[None], window.s1[None], window.dem[None], torch.device("cpu"))
    logits = Passes(fresh, InferenceOptions(dtype="float32", flips=False)).members(seen, TERRAMIND, MODALITIES)
    middle = logits.median()

    class Centered(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = fresh

        def forward(self, given: NetworkInput) -> Tensor:
            shifted: Tensor = self.inner(given) - middle
            return shifted

    return Centered()
