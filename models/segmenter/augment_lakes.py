"""Lakes of one chip put into another, with flat ground under them and no trace in what is valid."""

from dataclasses import replace
from typing import Final

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn.functional import max_pool2d

from models.segmenter.augment_options import PlaceOptions
from models.segmenter.augment_values import chosen
from models.segmenter.samples import Samples

LEAST_LAKE_PX: Final = 32
_RING: Final = (2 / 3, 1 / 3)
"""Share of the giving chip one and two pixels off its lake: a shore without an edge that gives the lake away."""


def paste_lakes(samples: Samples, options: PlaceOptions, generator: torch.Generator) -> Samples:
    """Give some chips the lakes of a random other chip that has at least 32 lake pixels, at the same place.

    What is valid stays as it is, and a lake is pasted only where the giving chip has values for it: a gap in the shape of a lake
    would tell the network where it is. Label and values are mixed alike at the rim, and the giving shore spares lakes that are there.
    """
    lakes = (samples.label >= 0.5) & samples.judged
    givers = _givers(lakes, generator)
    befalls = chosen(generator, options.paste, samples) & (givers >= 0)[:, None, None, None]
    if not bool(befalls.any()):
        return samples
    giving = Samples(**{name: getattr(samples, name)[givers.clamp_min(0)] for name in Samples.__dataclass_fields__})
    covered = (giving.s2_valid | ~samples.s2_valid) & (giving.s1_valid | ~samples.s1_valid)
    core = lakes[givers.clamp_min(0)] & covered & befalls
    share = _soft_rim(core, covered & samples.judged & giving.judged & (samples.label == 0))
    seen = samples.s2_valid | samples.s1_valid
    judged = torch.where(core, seen, samples.judged)
    label = share * giving.label + (1 - share) * samples.label
    return replace(
        samples,
        s2=torch.where(samples.s2_valid, share * giving.s2 + (1 - share) * samples.s2, samples.s2),
        s1=torch.where(samples.s1_valid, _mixed_db(giving.s1, samples.s1, share), samples.s1),
        dem=torch.where(samples.dem_valid, share * _flattened(samples, core) + (1 - share) * samples.dem, samples.dem),
        label=torch.where(judged, label, 0.0),
        judged=judged,
        weight=torch.where(core.flatten(1).any(1), torch.minimum(samples.weight, giving.weight), samples.weight),
    )


def _givers(lakes: Tensor, generator: torch.Generator) -> Tensor:
    """(B,), another chip with a lake for each chip, drawn evenly; -1 where there is none."""
    count = len(lakes)
    fit = (lakes.sum((1, 2, 3)) >= LEAST_LAKE_PX).float().expand(count, count) * (1 - torch.eye(count, device=lakes.device))
    draw = torch.rand((count, count), generator=generator, device=generator.device).to(lakes.device)
    return torch.where(fit.any(1), ((draw + 1e-6) * fit).argmax(1), -1)


def _soft_rim(core: Tensor, allowed: Tensor) -> Tensor:
    """(B, 1, y, x), share of the giving chip: 1 on the lake, less over two pixels around it where that is allowed."""
    share, grown = core.float(), core.float()
    for part in _RING:
        grown = max_pool2d(grown, 3, stride=1, padding=1)
        share = torch.where((share == 0) & (grown > 0) & allowed, part, share)
    return share


def _mixed_db(first: Tensor, second: Tensor, share: Tensor) -> Tensor:
    """Mix power, not decibels."""
    power = share * torch.pow(10.0, first / 10) + (1 - share) * torch.pow(10.0, second / 10)
    mixed = 10.0 * torch.log10(power)
    return torch.where(share == 0, second, torch.where(share == 1, first, mixed))


def _flattened(samples: Samples, core: Tensor) -> Tensor:
    """Heights with each pasted lake at the lowest valid height of the ground under it, and of its rim at that of the lake beside it."""
    dem = samples.dem.clone()
    for index in core.flatten(1).any(1).nonzero().flatten().tolist():
        ground = samples.dem[index, 0].cpu().numpy()
        valid = samples.dem_valid[index, 0].cpu().numpy()
        # joined over the rim: lakes whose rims touch share a level
        areas, count = ndimage.label(ndimage.binary_dilation(core[index, 0].cpu().numpy(), np.ones((5, 5), bool)))
        under = core[index, 0].cpu().numpy()
        lowest = ndimage.minimum(np.where(valid & under, ground, np.inf), areas, np.arange(1, count + 1))
        level = np.concatenate([[np.inf], lowest])[areas]
        flat = np.where(np.isfinite(level), level, ground).astype(np.float32)
        dem[index, 0] = torch.from_numpy(flat).to(dem)
    return dem
