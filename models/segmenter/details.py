"""What a network reads off the pixels themselves: shores, indices, slope; tokens of 160 m cannot carry them."""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from catalog.facts.bands import s2_index
from models.segmenter.decoders import convolution
from models.segmenter.normalise import DEM, S1, S2, NetworkInput

S2_BANDS: Final = 12
S1_BANDS: Final = 2
CHANNELS: Final = S2_BANDS + 3 + S1_BANDS + 1 + 4
"""Optics with two indices and their validity, radar with its validity, slopes, relative height and their validity."""
PIXEL_M: Final = 10.0
NEIGHBOURHOOD_PX: Final = 31
_SMALL: Final = 1e-3
GREEN, NIR, SWIR = s2_index("B03"), s2_index("B08"), s2_index("B11")


class DetailStem(nn.Module):
    """Convolutions over the pixels, at strides 1, 2 and 4."""

    def __init__(self, width: int) -> None:
        """Take the width at stride 1; it doubles with the stride."""
        super().__init__()
        self.at_1 = convolution(CHANNELS, width)
        self.at_2 = nn.Sequential(convolution(width, 2 * width, stride=2), convolution(2 * width, 2 * width))
        self.at_4 = nn.Sequential(convolution(2 * width, 4 * width, stride=2), convolution(4 * width, 4 * width))

    def forward(self, given: NetworkInput) -> tuple[Tensor, Tensor, Tensor]:
        """Return features at strides 1, 2 and 4."""
        full = self.at_1(evidence(given))
        half = self.at_2(full)
        return full, half, self.at_4(half)


class DetailHead(nn.Module):
    """Decoder features and details to logits, upwards through strides 4, 2 and 1."""

    def __init__(self, channels: int, width: int) -> None:
        """Take the decoder's and the stem's width."""
        super().__init__()
        self.at_4 = convolution(channels + 4 * width, 4 * width)
        self.at_2 = convolution(6 * width, 2 * width)
        self.at_1 = convolution(3 * width, width)
        self.logit = nn.Conv2d(width, 1, 1)

    def forward(self, features: Tensor, details: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """Return logits (B, 1, y, x)."""
        full, half, quarter = details
        merged = self.at_4(torch.cat([_sized(features, quarter), quarter], dim=1))
        merged = self.at_2(torch.cat([_sized(merged, half), half], dim=1))
        merged = self.at_1(torch.cat([_sized(merged, full), full], dim=1))
        logits: Tensor = self.logit(merged)
        return logits


class IndexRefiner(nn.Module):
    """logit + sigmoid(alpha) x correction(logit, NDWI, MNDWI), starting as the identity.

    CryoSentinel's head takes the indices of standardised bands, whose sum crosses zero, and is never trained; ours takes
    reflectance and is a part of the network, so that the optimizer, the averages and the flips all see it.
    """

    def __init__(self, width: int = 16) -> None:
        """Start with a correction of zero."""
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(4, width, 1), nn.GELU(), nn.Conv2d(width, width, 3, padding=1), nn.GELU())
        self.last = nn.Conv2d(width, 1, 1)
        nn.init.zeros_(self.last.weight)
        if self.last.bias is not None:
            nn.init.zeros_(self.last.bias)
        self.alpha = nn.Parameter(torch.zeros(()))

    def forward(self, logits: Tensor, given: NetworkInput) -> Tensor:
        """Return refined logits (B, 1, y, x); without optics they stay as they are."""
        if given.s2 is None or S2 not in given.images:
            return logits
        seen = given.valid[S2].to(logits.dtype)
        index = indices_of(given.s2).to(logits.dtype) * seen
        correction = self.last(self.first(torch.cat([logits, index, seen], dim=1)))
        refined: Tensor = logits + torch.sigmoid(self.alpha) * correction * seen
        return refined


def indices_of(reflectance: Tensor) -> Tensor:
    """NDWI (McFeeters 1996) and MNDWI (Xu 2006) of reflectance (B, 12, y, x) as (B, 2, y, x) in -1..1; 0 where a band is missing."""
    green, nir, swir = (reflectance[:, band : band + 1].clamp(min=0) for band in (GREEN, NIR, SWIR))
    return torch.cat([_ratio(green, nir), _ratio(green, swir)], dim=1)


def _ratio(first: Tensor, second: Tensor) -> Tensor:
    # a catalog without SWIR holds zeros, which would make all land look like water
    return (first - second) / (first + second + _SMALL) * ((first > 0) & (second > 0))


def evidence(given: NetworkInput) -> Tensor:
    """Everything the stem reads, (B, CHANNELS, y, x); zeros for what is not given."""
    like = next(iter(given.images.values()))
    return torch.cat([*_optics(given, like), *_radar(given, like), *_terrain(given, like)], dim=1)


def _optics(given: NetworkInput, like: Tensor) -> list[Tensor]:
    if S2 not in given.images or given.s2 is None:
        return [_nothing(like, S2_BANDS + 3)]
    seen = given.valid[S2].to(like.dtype)
    return [given.images[S2], indices_of(given.s2).to(like.dtype) * seen, seen]


def _radar(given: NetworkInput, like: Tensor) -> list[Tensor]:
    return [given.images[S1], given.valid[S1].to(like.dtype)] if S1 in given.images else [_nothing(like, S1_BANDS + 1)]


def _terrain(given: NetworkInput, like: Tensor) -> list[Tensor]:
    """Slope of the pixels and of their surroundings, and height above the surroundings; a lake is flat and low."""
    if DEM not in given.images or given.dem is None:
        return [_nothing(like, 4)]
    seen = given.valid[DEM].float()
    height = given.dem.float()
    around = _average(height * seen, NEIGHBOURHOOD_PX) / _average(seen, NEIGHBOURHOOD_PX).clamp(min=_SMALL)
    relative = (height - around) * seen  # heights of kilometres would drown the metres in bfloat16
    fine, coarse = (torch.log1p(10 * _slope(surface)) for surface in (relative, _average(relative, 5)))
    terrain = torch.cat([fine, coarse, torch.tanh(relative / 30)], dim=1) * seen
    return [terrain.to(like.dtype), seen.to(like.dtype)]


def _slope(surface: Tensor) -> Tensor:
    """Rise per metre, central differences."""
    padded = functional.pad(surface, (1, 1, 1, 1), mode="replicate")
    east = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / (2 * PIXEL_M)
    south = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) / (2 * PIXEL_M)
    return torch.hypot(east, south)


def _average(surface: Tensor, size: int) -> Tensor:
    """Mean over a square of `size` pixels; one axis after the other, which gives the same at a fraction of the cost."""
    rows = functional.avg_pool2d(surface, (size, 1), stride=1, padding=(size // 2, 0), count_include_pad=False)
    return functional.avg_pool2d(rows, (1, size), stride=1, padding=(0, size // 2), count_include_pad=False)


def _nothing(like: Tensor, bands: int) -> Tensor:
    return torch.zeros((len(like), bands, *like.shape[-2:]), dtype=like.dtype, device=like.device)


def _sized(features: Tensor, like: Tensor) -> Tensor:
    return functional.interpolate(features, size=like.shape[-2:], mode="bilinear", align_corners=False)
