"""Windows of slump training changed at random: where they look, what sensors measured, and which modalities are there.

All of it is decided by one generator. Reflectance is changed before any index is computed, and outlines move with the ground they lie on
(`targets.Frame`), so no target is ever resampled.
"""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import torch
from torch import Tensor
from torch.nn import functional

from catalog.facts.bands import S2_BANDS, S2_SCALE, s2_index
from catalog.facts.errors import RecipeWrong
from models.detector.modalities import OPTICS, Images
from models.detector.targets import Frame

_HAZE_POWER: Final = (-4.0, -1.0)
"""Of the wavelength: clear air to thin fog; what an image without correction of the atmosphere adds to the ground lies between."""
_HALF: Final = 0.5
_EXACT: Final = 1e-9


@dataclass(frozen=True, slots=True)
class AugmentOptions:
    """How much windows are changed."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}
    dihedral: bool = True
    """Turn and mirror, each of the eight ways alike."""
    scale: float = 0.5
    """Chance of another scale."""
    scale_low: float = 0.75
    scale_high: float = 1.33
    values: float = 0.7
    """Chance that what sensors measured is changed."""
    gain: float = 0.1
    """Reflectance of all bands is multiplied by 1 +- this at most."""
    band_gain: float = 0.05
    """Of each band by itself, likewise."""
    haze: float = 0.06
    """Largest reflectance that haze adds to blue; less towards the infrared."""
    noise: float = 0.004
    """Largest standard deviation of noise on single pixels, reflectance."""
    dem_noise_m: float = 0.3
    """Largest standard deviation of noise on single heights."""
    drop: float = 0.2
    """Chance that a window does without an auxiliary modality, of each."""

    def __post_init__(self) -> None:
        """Raise RecipeWrong for a value out of its range."""
        for name in ("scale", "values", "gain", "band_gain", "drop"):
            if not 0 <= getattr(self, name) <= 1:
                raise RecipeWrong(f"Option {name} of the slump augmentation is {getattr(self, name):g}: choose a value from 0 to 1.")
        for name in ("haze", "noise", "dem_noise_m"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise RecipeWrong(f"Option {name} of the slump augmentation is {getattr(self, name):g}: choose 0 or more.")
        if not 0 < self.scale_low <= self.scale_high:
            raise RecipeWrong(f"Scales from {self.scale_low:g} to {self.scale_high:g} are no range: choose 0 < scale_low <= scale_high.")


NONE: Final = AugmentOptions(dihedral=False, scale=0.0, values=0.0, drop=0.0)
RANDOMISED: Final = AugmentOptions(scale=0.6, values=0.9, gain=0.25, band_gain=0.12, haze=0.06, noise=0.01, dem_noise_m=1.0)
"""For simulated ground: wide enough that real ground is one more draw."""


def window_of(array: Tensor, chip_origin_yx: tuple[int, int], frame: Frame, halo_px: int) -> Tensor:
    """Cut a window (C, w, w), w = window_px + 2 halo_px, out of one chip (C, y, x); NaN where the chip has nothing.

    Exact where the frame does not scale; otherwise bilinear over the pixels that have a value, where they are at least half.
    """
    side = frame.window_px + 2 * halo_px
    start = [own - halo_px / frame.scale - chip for own, chip in zip(frame.origin_yx, chip_origin_yx, strict=True)]
    whole = abs(frame.scale - 1) < _EXACT and all(abs(value - round(value)) < _EXACT for value in start)
    cut = _sliced(array, round(start[0]), round(start[1]), side) if whole else _sampled(array, start, side, frame.scale)
    return torch.rot90(cut.flip(-1) if frame.mirrored else cut, frame.turns, (-2, -1))


def change_values(optics: Tensor, dem: Tensor | None, options: AugmentOptions, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
    """Change reflectance (N, 4, y, x) by gains, haze and noise, and heights (N, y, x) by noise; NaN stays NaN, and one count is left."""
    count, device = len(optics), optics.device
    befalls = _even(generator, 0.0, 1.0, (count, 1, 1, 1), device) < options.values
    gain = _even(generator, 1 - options.gain, 1 + options.gain, (count, 1, 1, 1), device)
    gain = gain * _even(generator, 1 - options.band_gain, 1 + options.band_gain, (count, len(OPTICS), 1, 1), device)
    # a third below 0: corrections of the atmosphere also take too much away
    haze = _even(generator, -options.haze / 3, options.haze, (count, 1, 1, 1), device)
    haze = haze * _spectrum(device) ** _even(generator, *_HAZE_POWER, (count, 1, 1, 1), device)
    noise = _even(generator, 0.0, options.noise, (count, 1, 1, 1), device) * _normal(generator, optics)
    changed = (optics * gain + haze + noise).clamp_min(S2_SCALE)
    optics = torch.where(befalls, changed, optics)
    if dem is None:
        return optics, None
    rough = _even(generator, 0.0, options.dem_noise_m, (count, 1, 1), device) * _normal(generator, dem)
    return optics, torch.where(befalls[:, 0], dem + rough, dem)


def drop_modalities(images: Images, present: Tensor, options: AugmentOptions, generator: torch.Generator) -> tuple[Images, Tensor]:
    """Take auxiliaries away from some windows: all 0, and not present (N, M - 1). The first modality always stays."""
    kept = present & (_even(generator, 0.0, 1.0, tuple(present.shape), present.device) >= options.drop)
    names = list(images)
    result = {names[0]: images[names[0]]}
    for place, name in enumerate(names[1:]):
        result[name] = torch.where(kept[:, place, None, None, None], images[name], 0.0)
    return result, kept


def _sliced(array: Tensor, top: int, left: int, side: int) -> Tensor:
    result = array.new_full((len(array), side, side), float("nan"))
    height, width = array.shape[-2:]
    y0, x0, y1, x1 = max(top, 0), max(left, 0), min(top + side, height), min(left + side, width)
    if y0 < y1 and x0 < x1:
        result[:, y0 - top : y1 - top, x0 - left : x1 - left] = array[:, y0:y1, x0:x1]
    return result


def _sampled(array: Tensor, start: list[float], side: int, scale: float) -> Tensor:
    # what the window shows and a pixel around it: of a large chip the rest need not be touched
    spans = [
        (max(math.floor(first) - 1, 0), min(math.ceil(first + side / scale) + 1, size))
        for first, size in zip(start, array.shape[-2:], strict=True)
    ]
    if any(low >= high for low, high in spans):
        return array.new_full((len(array), side, side), float("nan"))
    array = array[:, slice(*spans[0]), slice(*spans[1])]
    axes = []
    for first, (low, _), size in zip(start, spans, array.shape[-2:], strict=True):
        centres = first - low + (torch.arange(side, device=array.device, dtype=torch.float64) + 0.5) / scale
        axes.append((2 * centres / size - 1).to(array.dtype))
    grid = torch.stack(torch.meshgrid(axes[0], axes[1], indexing="ij")[::-1], -1)[None]
    known = torch.isfinite(array)
    both = torch.cat([torch.where(known, array, 0.0), known.to(array.dtype)])[None]
    values, share = functional.grid_sample(both, grid, mode="bilinear", padding_mode="zeros", align_corners=False)[0].chunk(2)
    return torch.where(share >= _HALF, values / share.clamp_min(_EXACT), float("nan"))


def _spectrum(device: torch.device) -> Tensor:
    """Wavelength over that of blue, (4, 1, 1)."""
    wavelength = torch.tensor([S2_BANDS[s2_index(name)].wavelength_nm for name in OPTICS], device=device)
    return (wavelength / wavelength[0])[:, None, None]


def _even(generator: torch.Generator, low: float, high: float, shape: tuple[int, ...], device: torch.device) -> Tensor:
    return (torch.rand(shape, generator=generator, device=generator.device) * (high - low) + low).to(device)


def _normal(generator: torch.Generator, like: Tensor) -> Tensor:
    return torch.randn(like.shape, generator=generator, device=generator.device).to(like.device)
