"""What a slump detector sees of the ground: red-green-blue, near infrared, NDVI and relief, each clipped to 0..1 and then standardised.

Reflectance first, statistics last: NDVI is a ratio of reflectances, so gain and haze have to change those before it is computed.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from catalog.facts.bands import S2_NAMES, S2_NODATA, S2_SCALE, s2_index
from catalog.facts.detector_cards import NDVI, NIR, RGB, TOPO, DetectorStatistics, channels_of, kind_of
from catalog.facts.errors import BandsMissing, ChipsUnusable, WeightsUnfit
from catalog.facts.grids import PIXEL_M

Images = dict[str, Tensor]
HALO_PX: Final = 10
"""Ground around a window that relief needs: the circle of 100 m."""
OPTICS: Final = ("B02", "B03", "B04", "B08")
"""The bands that are needed, in the order in which windows hold them; any camera with four bands has them."""
_BLUE, _GREEN, _RED, _NIR = range(4)
REFLECTANCE: Final = (-0.1, 0.5)
"""What is told apart of red, green, blue and infrared (as DARTS clips them)."""
LEAST_SUM: Final = 0.01
"""Red and infrared together below which NDVI is noise."""
RELIEF_M: Final = 50.0
STEEPEST_DEG: Final = 90.0
_REACH_PX: Final = 2
"""Slope over 40 m: the model of heights has 30 m, so a shorter baseline adds only steps of interpolation."""
_LEAST_STD: Final = 1e-3
_MOST_REFLECTANCE: Final = 3.0
"""Of snow on slopes; fractions below are no counts."""


def optics_of(s2: Tensor) -> Tensor:
    """Reflectance (N, 4, y, x) in the order of OPTICS of counts (N, 12, y, x) in the cube's order; NaN where a band has no value.

    Raises ChipsUnusable for another number of bands, and for numbers that cannot be counts (reflectance x 10 000).
    """
    if s2.ndim != 4 or s2.shape[1] != len(S2_NAMES):
        raise ChipsUnusable(f"Optics of shape {tuple(s2.shape)}: give (windows, {len(S2_NAMES)}, y, x) in the order {', '.join(S2_NAMES)}.")
    counts = s2[:, [s2_index(name) for name in OPTICS]].float()
    brightest = float(counts.max()) if counts.numel() else 0.0
    if 0 < brightest <= _MOST_REFLECTANCE and not torch.equal(counts, counts.round()):
        raise ChipsUnusable(f"Optics of up to {brightest:g}: give counts (reflectance x 10 000, 0 = nodata), not reflectance.")
    return torch.where(counts > S2_NODATA, counts * S2_SCALE, math.nan)


def in_cube_order(image: Tensor, names: Sequence[str]) -> Tensor:
    """Counts (N, 12, y, x) in the cube's order of counts (N, b, y, x) whose bands are named; bands that are not there become nodata.

    Raises BandsMissing unless blue, green, red and infrared (B02, B03, B04, B08) are among them, or when names and bands do not match.
    """
    if image.ndim != 4 or image.shape[1] != len(names) or len(set(names)) != len(names):
        raise BandsMissing(f"An image of shape {tuple(image.shape)} has bands {', '.join(names)}: name every band once, in order.")
    missing = [name for name in OPTICS if name not in names]
    if missing:
        raise BandsMissing(f"A slump detector needs {', '.join(OPTICS)}, and of {', '.join(names)} there is no {', '.join(missing)}.")
    result = image.new_full((len(image), len(S2_NAMES), *image.shape[-2:]), S2_NODATA)
    for place, name in enumerate(names):
        if name in S2_NAMES:
            result[:, s2_index(name)] = image[:, place]
    return result


def images_of(s2: Tensor, dem: Tensor | None, modalities: Sequence[str]) -> tuple[Images, Images]:
    """Images (N, C, y, x) in 0..1 of every modality, and where they are valid (N, y, x) bool; 0 where they are not.

    Takes counts (N, 12, y, x) in the cube's order, 0 = nodata, and heights in metres (N, y, x), NaN = nodata. Relief near the rim sees
    less than its circle: hand HALO_PX more on every side and `crop` afterwards. Raises ChipsUnusable for arrays of other shapes or units.
    """
    return images_of_optics(optics_of(s2), dem, modalities)


def images_of_optics(optics: Tensor, dem: Tensor | None, modalities: Sequence[str]) -> tuple[Images, Images]:
    """As `images_of`, of reflectance (N, 4, y, x) in the order of OPTICS with NaN = nodata."""
    images, valid = {}, {}
    for name in modalities:
        channels_of(name)
        images[name], valid[name] = _relief(optics, dem) if kind_of(name) == TOPO else _OPTICAL[kind_of(name)](optics)
    return images, valid


def crop(images: Mapping[str, Tensor], halo_px: int) -> Images:
    """The same arrays (..., y, x) without a rim of some pixels."""
    if halo_px == 0:
        return dict(images)
    return {name: image[..., halo_px:-halo_px, halo_px:-halo_px] for name, image in images.items()}


def standardise(images: Mapping[str, Tensor], valid: Mapping[str, Tensor], statistics: DetectorStatistics) -> tuple[Images, Tensor]:
    """Images as networks see them, (x - mean) / std and 0 where invalid; and which auxiliaries are there, (N, M - 1) bool.

    An auxiliary (any modality but the first) without a valid pixel is absent. Raises WeightsUnfit when the statistics do not fit.
    """
    result = {}
    for name, image in images.items():
        mean, std = (_per_channel(numbers, name, image) for numbers in (statistics.mean, statistics.std))
        result[name] = torch.where(valid[name][:, None], (image - mean) / std, 0.0)
    there = [valid[name].flatten(1).any(1) for name in list(images)[1:]]
    first = next(iter(images.values()))
    return result, torch.stack(there, 1) if there else torch.ones((len(first), 0), dtype=torch.bool, device=first.device)


def measure_statistics(batches: Iterable[tuple[Mapping[str, Tensor], Mapping[str, Tensor]]], source: str) -> DetectorStatistics:
    """Mean and standard deviation of the valid pixels of every channel over batches of (images, valid); `source` says of what.

    Raises ChipsUnusable when a modality has no valid pixel anywhere.
    """
    sums: dict[str, Tensor] = {}
    for images, valid in batches:
        for name, image in images.items():
            seen = valid[name][:, None]
            # heights of a world without relief are all alike: float64, so that squares do not cancel
            values = torch.where(seen, image, 0.0).double()
            moments = torch.stack([seen.expand_as(image).double(), values, values.square()]).sum((1, 3, 4)).cpu()
            sums[kind_of(name)] = sums.get(kind_of(name), torch.zeros_like(moments)) + moments
    unseen = [kind for kind, moments in sums.items() if not moments[0].all()]
    if unseen or not sums:
        raise ChipsUnusable(
            f"No valid pixel of {', '.join(unseen) or 'any modality'} in {source}: use chips that have it, or leave it out."
        )
    mean = {kind: moments[1] / moments[0] for kind, moments in sums.items()}
    std = {kind: (moments[2] / moments[0] - mean[kind].square()).clamp_min(0).sqrt() for kind, moments in sums.items()}
    return DetectorStatistics(
        source,
        {kind: tuple(round(float(value), 6) for value in values) for kind, values in mean.items()},
        {kind: tuple(max(round(float(value), 6), _LEAST_STD) for value in values) for kind, values in std.items()},
    )


def _per_channel(numbers: Mapping[str, tuple[float, ...]], name: str, image: Tensor) -> Tensor:
    found = numbers.get(kind_of(name), ())
    if any(not -1e-6 <= number <= 1 for number in found):
        raise WeightsUnfit(f"Statistics of {name!r} are {found}, and images are 0..1: measure them after the images were clipped.")
    if len(found) != image.shape[1]:
        raise WeightsUnfit(f"Statistics have {len(found)} channels of {name!r}, its image has {image.shape[1]}: measure them for this set.")
    return image.new_tensor(found)[:, None, None]


def _clipped(optics: Tensor, bands: Sequence[int]) -> tuple[Tensor, Tensor]:
    low, high = REFLECTANCE
    values = optics[:, list(bands)]
    seen = torch.isfinite(values).all(1)
    return torch.where(seen[:, None], (values.clamp(low, high) - low) / (high - low), 0.0), seen


def _rgb(optics: Tensor) -> tuple[Tensor, Tensor]:
    return _clipped(optics, (_RED, _GREEN, _BLUE))


def _nir(optics: Tensor) -> tuple[Tensor, Tensor]:
    return _clipped(optics, (_NIR,))


def _ndvi(optics: Tensor) -> tuple[Tensor, Tensor]:
    red, infrared = optics[:, _RED].clamp(0.0, 1.0), optics[:, _NIR].clamp(0.0, 1.0)
    seen = red + infrared >= LEAST_SUM  # false for NaN too
    index = (infrared - red) / torch.where(seen, red + infrared, 1.0)
    return torch.where(seen, (index.clamp(-1.0, 1.0) + 1) / 2, 0.0)[:, None], seen


_OPTICAL: Final = {RGB: _rgb, NIR: _nir, NDVI: _ndvi}


def _relief(optics: Tensor, dem: Tensor | None) -> tuple[Tensor, Tensor]:
    return relief_of(dem if dem is not None else torch.full_like(optics[:, 0], math.nan))


def relief_of(dem: Tensor) -> tuple[Tensor, Tensor]:
    """Height above the mean of a circle of 100 m and slope, (N, 2, y, x) in 0..1, and where both are known, of metres (N, y, x)."""
    known = torch.isfinite(dem)
    # a level near 0 keeps centimetres in float32 on high ground
    level = torch.where(known, dem, 0.0).double().sum((1, 2)) / known.sum((1, 2)).clamp_min(1)
    height = torch.where(known, dem - level[:, None, None].float(), 0.0).float()
    mean = (_circle_sum(height, HALO_PX) / _circle_sum(known, HALO_PX).clamp_min(1.0)).float()
    relative = (height - mean).clamp(-RELIEF_M, RELIEF_M) / (2 * RELIEF_M) + 0.5
    slope = _slope_deg(torch.where(known, height, math.nan))
    seen = known & torch.isfinite(slope)
    both = torch.stack([relative, slope / STEEPEST_DEG], 1)
    return torch.where(seen[:, None], both, 0.0), seen


def _slope_deg(height: Tensor) -> Tensor:
    """Slope by central differences; one-sided beside unknown heights and at the rim, so that a window without a halo keeps it."""
    down, along = (_rise(height, axis) for axis in (1, 2))
    return torch.rad2deg(torch.atan(torch.hypot(down, along)))


def _rise(height: Tensor, axis: int) -> Tensor:
    size = height.shape[axis]
    places = torch.arange(size, device=height.device)
    shape = (-1, 1) if axis == 1 else (-1,)
    rise, run = torch.zeros_like(height), torch.zeros_like(height)
    for sign in (-1, 1):
        there = places + sign * _REACH_PX
        other = height.index_select(axis, there.clamp(0, size - 1))
        known = torch.isfinite(other) & (there == there.clamp(0, size - 1)).reshape(shape)
        rise = rise + torch.where(known, sign * (other - height), 0.0)
        run = run + known * (_REACH_PX * PIXEL_M)
    return torch.where(run > 0, rise / run, math.nan)


def _circle_sum(values: Tensor, radius_px: int) -> Tensor:
    """Sum (N, y, x) float64 over a circle around every pixel, nothing beyond the rim: differences of running sums, row by row of it."""
    height, width = values.shape[-2:]
    running = functional.pad(values.double(), (radius_px + 1, radius_px, radius_px, radius_px)).cumsum(-1)
    total = torch.zeros(values.shape, dtype=torch.float64, device=values.device)
    for row in range(-radius_px, radius_px + 1):
        reach = math.isqrt(radius_px**2 - row**2)
        line = running[:, radius_px + row : radius_px + row + height]
        total += line[..., radius_px + reach + 1 :][..., :width] - line[..., radius_px - reach :][..., :width]
    return total
