"""Changes of what sensors measure: in reflectance, dB and metres, so that they are what haze, calibration and speckle do."""

from dataclasses import replace
from typing import Final

import torch
from torch import Tensor

from catalog.facts.bands import S2_BANDS, S2_SCALE, s2_index
from models.segmenter.augment_options import ValueOptions
from models.segmenter.samples import Samples

LEAST_REFLECTANCE: Final = S2_SCALE
"""One count: the darkest that is not nodata."""
_BLUE_NM: Final = S2_BANDS[s2_index("B02")].wavelength_nm
_HAZE_POWER: Final = -2.0
"""Between the -4 of clear air and the 0 of fog."""
_BAND_GROUPS: Final = tuple(
    tuple(s2_index(band) for band in group) for group in (("B01", "B09"), ("B05", "B06", "B07", "B8A"), ("B11", "B12"))
)
"""Bands that go together where they are missing; blue, green, red and infrared are always there."""
_GROUP_LOST: Final = 0.6
"""Chance of each group, of a chip that loses any."""


def uniform(generator: torch.Generator, low: float, high: float, shape: tuple[int, ...], device: torch.device) -> Tensor:
    """Draw evenly between two numbers, wherever the generator lives."""
    drawn = torch.rand(shape, generator=generator, device=generator.device) * (high - low) + low
    return drawn.to(device)


def chosen(generator: torch.Generator, probability: float, samples: Samples) -> Tensor:
    """(B, 1, 1, 1) bool, chips that a change with this probability befalls."""
    return uniform(generator, 0.0, 1.0, (len(samples), 1, 1, 1), samples.s2.device) < probability


def change_values(samples: Samples, options: ValueOptions, generator: torch.Generator) -> Samples:
    """Change all three modalities, each of each chip by itself."""
    return change_heights(change_radar(change_reflectance(samples, options, generator), options, generator), options, generator)


def change_reflectance(samples: Samples, options: ValueOptions, generator: torch.Generator) -> Samples:
    """Multiply reflectance by a gain per chip and one per band, and add haze; at least one count is left."""
    count, bands, device = len(samples), samples.s2.shape[1], samples.s2.device
    befalls = chosen(generator, options.probability, samples)
    gain = 1 + uniform(generator, -options.gain, options.gain, (count, bands, 1, 1), device)
    brightness = 1 + uniform(generator, -options.brightness, options.brightness, (count, 1, 1, 1), device)
    # a third below 0: corrections of the atmosphere also take too much away
    haze = uniform(generator, -options.haze / 3, options.haze, (count, 1, 1, 1), device) * _haze_spectrum(bands, device)
    changed = (samples.s2 * gain * brightness + haze).clamp_min(LEAST_REFLECTANCE)
    # 0 is no value: of a pixel that is not valid, or of a band that a catalog lacks
    measured = samples.s2_valid & (samples.s2 > 0)
    return _without_bands(replace(samples, s2=torch.where(befalls & measured, changed, samples.s2)), options, generator)


def _without_bands(samples: Samples, options: ValueOptions, generator: torch.Generator) -> Samples:
    """Take groups of bands away, as catalogs with four bands and older satellites do."""
    count, device = len(samples), samples.s2.device
    befalls = chosen(generator, options.missing_bands, samples)
    left = torch.ones((count, samples.s2.shape[1], 1, 1), device=device)
    for group in _BAND_GROUPS:
        lost = uniform(generator, 0.0, 1.0, (count, 1, 1, 1), device) < _GROUP_LOST
        left[:, list(group)] *= ~(befalls & lost)
    return replace(samples, s2=samples.s2 * left)


def change_radar(samples: Samples, options: ValueOptions, generator: torch.Generator) -> Samples:
    """Shift each polarization by some dB, and add speckle of a random number of looks."""
    count, device = len(samples), samples.s1.device
    befalls = chosen(generator, options.probability, samples)
    changed = samples.s1 + uniform(generator, -options.radar_gain_db, options.radar_gain_db, (count, samples.s1.shape[1], 1, 1), device)
    if options.speckle_looks > 0:
        looks = options.speckle_looks / uniform(generator, 0.01, 1.0, (count, 1, 1, 1), device)
        changed = changed + _speckle_db(looks, _normal(generator, samples.s1))
    return replace(samples, s1=torch.where(befalls & samples.s1_valid, changed, samples.s1))


def change_heights(samples: Samples, options: ValueOptions, generator: torch.Generator) -> Samples:
    """Lift or lower whole chips, and add noise to single heights."""
    befalls = chosen(generator, options.probability, samples)
    offset = uniform(generator, -options.dem_offset_m, options.dem_offset_m, (len(samples), 1, 1, 1), samples.dem.device)
    changed = samples.dem + offset + _normal(generator, samples.dem) * options.dem_noise_m
    return replace(samples, dem=torch.where(befalls & samples.dem_valid, changed, samples.dem))


def _speckle_db(looks: Tensor, normal: Tensor) -> Tensor:
    """Speckle of mean power 1: a gamma variable of `looks` by the cube of Wilson and Hilferty (1931), good above 2 looks."""
    root = 1 - 1 / (9 * looks) + normal / (3 * looks.sqrt())
    return 30.0 * torch.log10(root.clamp_min(0.1))


def _haze_spectrum(bands: int, device: torch.device) -> Tensor:
    wavelength = torch.tensor([band.wavelength_nm for band in S2_BANDS[:bands]], device=device)
    return ((wavelength / _BLUE_NM) ** _HAZE_POWER)[:, None, None]


def _normal(generator: torch.Generator, like: Tensor) -> Tensor:
    return torch.randn(like.shape, generator=generator, device=generator.device).to(like.device)
