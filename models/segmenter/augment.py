"""Training chips changed at random: a batch in, a new batch out, by a generator that decides everything."""

from collections.abc import Collection
from typing import Final

import torch

from models.segmenter.augment_lakes import paste_lakes
from models.segmenter.augment_options import PRESETS, AugmentOptions, ModalityOptions, PlaceOptions, ValueOptions
from models.segmenter.augment_places import flip, mosaic, punch_holes, rescale, turn
from models.segmenter.augment_values import change_values
from models.segmenter.normalise import DEM, MODALITIES, S1, S2
from models.segmenter.samples import Samples

__all__ = ["PRESETS", "AugmentOptions", "ModalityOptions", "PlaceOptions", "ValueOptions", "augment", "modalities_for_step"]
_PLACES: Final = (flip, turn, rescale, mosaic, paste_lakes, punch_holes)


def augment(samples: Samples, options: AugmentOptions, generator: torch.Generator) -> Samples:
    """Change a batch on its device; the same generator state gives the same change, and the batch that came in stays as it was."""
    samples = change_values(samples, options.values, generator)
    for change in _PLACES:
        samples = change(samples, options.places, generator)
    return samples


def modalities_for_step(generator: torch.Generator, options: AugmentOptions, available: Collection[str] = MODALITIES) -> frozenset[str]:
    """Draw which modalities a step shows, of those that the network has; never none, and heights never alone."""
    chances = options.modalities
    table = (
        (chances.without_s2, {S1, DEM}),
        (chances.without_s1, {S2, DEM}),
        (chances.without_dem, {S2, S1}),
        (chances.only_s2, {S2}),
        (chances.only_s1, {S1}),
    )
    drawn = float(torch.rand((), generator=generator, device=generator.device))
    everything = frozenset(available)
    for chance, modalities in table:
        if drawn < chance:
            shown = everything & modalities
            return shown if shown - {DEM} else everything
        drawn -= chance
    return everything
