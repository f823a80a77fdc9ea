"""Changes of where things are: every array of a chip moves alike, and what was not valid never becomes a value."""

from dataclasses import fields, replace
from typing import Final

import torch
from torch import Tensor

from models.segmenter.augment_options import PlaceOptions
from models.segmenter.augment_values import chosen, uniform
from models.segmenter.samples import Samples

_JUDGED_SHARE: Final = 0.99
"""A pixel of another scale is judged where all that it covers is, but for rounding."""
_CLOUD_CELLS: Final = 8
"""Clouds leave gaps of about an eighth of a chip, 280 m."""
_HOLE_SHARE: Final = (0.05, 0.6)


def flip(samples: Samples, options: PlaceOptions, generator: torch.Generator) -> Samples:
    """Mirror some chips left to right, and some upside down."""
    for axis in (-1, -2):
        befalls = chosen(generator, options.flip, samples)
        samples = samples.each(lambda array, befalls=befalls, axis=axis: torch.where(befalls, array.flip(axis), array))  # type: ignore[misc]
    return samples


def turn(samples: Samples, options: PlaceOptions, generator: torch.Generator) -> Samples:
    """Turn some chips by 90, 180 or 270 degrees; by 180 only where they are not square."""
    height, width = samples.label.shape[-2:]
    befalls = chosen(generator, options.quarter_turns, samples)
    drawn = torch.randint(1, 4, (len(samples), 1, 1, 1), generator=generator, device=generator.device).to(befalls.device)
    quarters = torch.where(befalls, drawn if height == width else torch.full_like(drawn, 2), 0)

    def turned(array: Tensor) -> Tensor:
        result = array
        for count in (1, 2, 3) if height == width else (2,):
            result = torch.where(quarters == count, array.rot90(count, (-2, -1)), result)
        return result

    return samples.each(turned)


def rescale(samples: Samples, options: PlaceOptions, generator: torch.Generator) -> Samples:
    """Show some chips larger (cut to their middle) or smaller (nothing is valid or judged around them)."""
    befalls = chosen(generator, options.scale, samples).flatten()
    drawn = uniform(generator, options.scale_low, options.scale_high, (len(samples),), befalls.device)
    moved = befalls.nonzero().flatten()  # resampling is dear, so only these are touched
    if not len(moved):
        return samples
    others = rescaled(_some(samples, moved), drawn[moved])
    arrays = {f.name: getattr(samples, f.name).index_copy(0, moved, getattr(others, f.name)) for f in fields(Samples)}
    return Samples(**arrays)


def rescaled(samples: Samples, scale: Tensor) -> Samples:
    """Scale chips about their middle by (B,) factors: images by a tent (bilinear), labels by the area that a pixel covers.

    Relief grows with the scale, so that slopes stay as they are.
    """
    tents = [_tent(size, scale) for size in samples.label.shape[-2:]]
    boxes = [_box(size, scale) for size in samples.label.shape[-2:]]
    s2, s2_valid = _resampled(samples.s2, samples.s2_valid, tents)
    s1, s1_valid = _resampled(samples.s1, samples.s1_valid, tents)
    level = _level(samples.dem, samples.dem_valid)
    relief, dem_valid = _resampled((samples.dem.double() - level) * samples.dem_valid, samples.dem_valid, tents)
    dem = torch.where(dem_valid, relief * scale[:, None, None, None] + level, 0.0).float()
    share = _applied(samples.judged.float(), boxes)
    judged = (share >= _JUDGED_SHARE) & (s2_valid | s1_valid)
    label = _applied(samples.label * samples.judged, boxes) / share.clamp_min(1e-6)
    return Samples(s2, s1, dem, s2_valid, s1_valid, dem_valid, torch.where(judged, label.clamp(0, 1), 0.0), judged, samples.weight)


def mosaic(samples: Samples, options: PlaceOptions, generator: torch.Generator) -> Samples:
    """Put some chips together of the quarters of four; needs four chips. Heights are levelled so that quarters meet without a wall."""
    count = len(samples)
    if count < 4 or options.mosaic == 0:
        return samples
    height, width = samples.label.shape[-2:]
    device = samples.s2.device
    befalls = chosen(generator, options.mosaic, samples)
    order = torch.rand((count, count), generator=generator, device=generator.device).argsort(1)[:, :4].to(device)
    sources = torch.where(befalls.flatten()[:, None], order, torch.arange(count, device=device)[:, None])  # (B, 4)
    where = uniform(generator, 0.5 - options.mosaic_jitter, 0.5 + options.mosaic_jitter, (count, 2, 1, 1), device)
    lower = torch.arange(height, device=device)[None, None, :, None] >= where[:, :1] * height
    right = torch.arange(width, device=device)[None, None, None, :] >= where[:, 1:] * width
    quarter = lower.long() * 2 + right.long()  # (B, 1, y, x)

    def put(array: Tensor) -> Tensor:
        result = array[sources[:, 0]]
        for index in (1, 2, 3):
            result = torch.where(quarter == index, array[sources[:, index]], result)
        return result

    level = _level(samples.dem, samples.dem_valid)
    relief = replace(samples, dem=((samples.dem - level) * samples.dem_valid).float())
    joined = relief.each(put)
    dem = torch.where(joined.dem_valid, joined.dem + level[sources[:, 0]].float(), 0.0)
    shares = torch.stack([(quarter == index).float().mean((1, 2, 3)) for index in range(4)], 1)
    weight = (samples.weight[sources] * shares).sum(1)
    untouched = ~befalls
    return replace(joined, dem=torch.where(untouched, samples.dem, dem), weight=torch.where(befalls.flatten(), weight, samples.weight))


def punch_holes(samples: Samples, options: PlaceOptions, generator: torch.Generator) -> Samples:
    """Take optics away where clouds might be, and radar on one side of a line; what no sensor sees is not judged."""
    clouded = chosen(generator, options.s2_holes, samples) & _clouds(samples, generator)
    uncovered = chosen(generator, options.s1_holes, samples) & _beyond_a_line(samples, generator)
    s2_valid, s1_valid = samples.s2_valid & ~clouded, samples.s1_valid & ~uncovered
    judged = samples.judged & (s2_valid | s1_valid)
    return replace(
        samples,
        s2=torch.where(s2_valid, samples.s2, 0.0),
        s1=torch.where(s1_valid, samples.s1, 0.0),
        s2_valid=s2_valid,
        s1_valid=s1_valid,
        judged=judged,
        label=torch.where(judged, samples.label, 0.0),
    )


def _some(samples: Samples, chips: Tensor) -> Samples:
    return Samples(**{f.name: getattr(samples, f.name)[chips] for f in fields(Samples)})


def _clouds(samples: Samples, generator: torch.Generator) -> Tensor:
    count, device = len(samples), samples.s2.device
    cells = torch.randn((count, 1, _CLOUD_CELLS, _CLOUD_CELLS), generator=generator, device=generator.device).to(device)
    field = torch.nn.functional.interpolate(cells, samples.label.shape[-2:], mode="bicubic", align_corners=False)
    ranked = field.flatten(1).sort(1).values
    share = uniform(generator, *_HOLE_SHARE, (count, 1), device)
    return field < ranked.gather(1, (share * ranked.shape[1]).long())[:, :, None, None]


def _beyond_a_line(samples: Samples, generator: torch.Generator) -> Tensor:
    height, width = samples.label.shape[-2:]
    count, device = len(samples), samples.s2.device
    angle = uniform(generator, 0.0, 2 * torch.pi, (count, 1, 1, 1), device)
    y = torch.linspace(-1, 1, height, device=device)[None, None, :, None]
    x = torch.linspace(-1, 1, width, device=device)[None, None, None, :]
    return y * angle.sin() + x * angle.cos() > uniform(generator, -0.2, 1.0, (count, 1, 1, 1), device)


def _level(dem: Tensor, valid: Tensor) -> Tensor:
    """(B, 1, 1, 1) float64, mean of the valid heights of each chip."""
    total = (dem.double() * valid).sum((1, 2, 3), keepdim=True)
    return total / valid.sum((1, 2, 3), keepdim=True).clamp_min(1)


def _resampled(image: Tensor, valid: Tensor, weights: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Mean of the valid pixels under each tent, and where they are at least half of it."""
    share = _applied(valid.to(image.dtype), weights)
    kept = share >= 0.5
    return torch.where(kept, _applied(image * valid, weights) / share.clamp_min(1e-6), 0.0), kept


def _applied(image: Tensor, weights: list[Tensor]) -> Tensor:
    rows, columns = (matrix.to(image.dtype)[:, None] for matrix in weights)
    return rows @ image @ columns.transpose(-1, -2)  # (B, 1, out, in) on both sides


def _tent(size: int, scale: Tensor) -> Tensor:
    """(B, size, size), bilinear weights of each new pixel; wider for smaller images, so that nothing is skipped."""
    places = torch.arange(size, device=scale.device, dtype=torch.float32)
    centre = (size - 1) / 2
    sought = (places - centre)[None, :, None] / scale[:, None, None] + centre
    width = (1 / scale).clamp_min(1.0)[:, None, None]
    return (1 - (sought - places).abs() / width).clamp_min(0.0) / width


def _box(size: int, scale: Tensor) -> Tensor:
    """(B, size, size), share of each new pixel that an old one covers."""
    edges = torch.arange(size + 1, device=scale.device, dtype=torch.float32)
    sought = (edges - size / 2)[None, :] / scale[:, None] + size / 2
    low, high = sought[:, :-1, None], sought[:, 1:, None]
    return (torch.minimum(high, edges[1:]) - torch.maximum(low, edges[:-1])).clamp_min(0.0) * scale[:, None, None]
