"""Windows of chips as a detector sees them: drawn at random for a step of training, on a fixed lattice for validation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from catalog.facts.bands import S2_NODATA, S2_SCALE, s2_index
from catalog.facts.causes import Cause
from catalog.facts.chips import ChipBatch
from catalog.facts.detector_cards import TOPO, DetectorConfig, DetectorStatistics, kind_of
from models.detector.augment import AugmentOptions, change_values, drop_modalities, window_of
from models.detector.draws import frames_drawn, frames_fixed
from models.detector.modalities import HALO_PX, OPTICS, Images, crop, images_of_optics, standardise
from models.detector.slumps import Slumps
from models.detector.targets import Frame, Target, TargetOptions, target_of

Origins = NDArray[np.int64]
_CPU: Final = torch.device("cpu")


@dataclass(frozen=True, slots=True)
class SampleOptions:
    """How windows become what a network sees and learns."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}
    augment: AugmentOptions = field(default_factory=AugmentOptions)
    targets: TargetOptions = field(default_factory=TargetOptions)


@dataclass(frozen=True, slots=True)
class Inputs:
    """Windows as a network sees them."""

    images: Images
    """Per modality (N, C, window_px, window_px), standardised, 0 where invalid."""
    present: Tensor
    """(N, M - 1) bool, auxiliaries that are there."""
    seen: Tensor
    """(N, window_px, window_px) bool, where the first modality is valid."""


@dataclass(frozen=True, slots=True)
class DetectorBatch:
    """Windows with what there is to find in them."""

    images: Images
    """Per modality (N, C, window_px, window_px), standardised, 0 where invalid."""
    present: Tensor
    """(N, M - 1) bool, auxiliaries that are there."""
    targets: list[Target]
    frames: tuple[Frame, ...]
    """Which ground each window shows."""
    seen: Tensor
    """(N, window_px, window_px) bool, where the first modality is valid."""

    def __len__(self) -> int:
        """Count the windows."""
        return len(self.targets)


def training_batch(  # noqa: PLR0913 - a batch is made of what all of these know
    chips: ChipBatch,
    slumps: Sequence[Slumps],
    origins_yx: Origins,
    config: DetectorConfig,
    statistics: DetectorStatistics,
    options: SampleOptions,
    generator: torch.Generator,
    *,
    wanted: NDArray[np.bool_] | None = None,
    device: torch.device = _CPU,
) -> DetectorBatch:
    """One changed window of every chip, the same for the same state of the generator.

    `slumps` and `origins_yx` (N, 2; global pixels) are of the same chips. `wanted` (N,) says which windows have to show a slump; the
    others look for ground without. By default every chip with a slump shows one.
    """
    frames = frames_drawn(slumps, origins_yx, config, options.augment, generator, wanted=wanted)
    halo = halo_of(config)
    optics, dem = chip_arrays(chips, needs_heights=halo > 0, device=device)
    optics, dem = _windows(optics, dem, origins_yx, frames, range(len(frames)), halo)
    optics, dem = change_values(optics, dem, options.augment, generator)
    shown = inputs_of(optics, dem, config, statistics, halo)
    images, present = drop_modalities(shown.images, shown.present, options.augment, generator)
    return _batch(Inputs(images, present, shown.seen), slumps, frames, options.targets)


def validation_windows(  # noqa: PLR0913 - a batch is made of what all of these know
    chips: ChipBatch,
    slumps: Sequence[Slumps],
    origins_yx: Origins,
    config: DetectorConfig,
    statistics: DetectorStatistics,
    options: TargetOptions,
    *,
    device: torch.device = _CPU,
) -> DetectorBatch:
    """All windows of chips side by side from their upper left corner, unchanged, chip after chip, row after row."""
    halo = halo_of(config)
    optics, dem = chip_arrays(chips, needs_heights=halo > 0, device=device)
    frames, own = frames_fixed(origins_yx, config)
    windows, heights = _windows(optics, dem, origins_yx, frames, own, halo)
    return _batch(inputs_of(windows, heights, config, statistics, halo), [slumps[chip] for chip in own], frames, options)


def halo_of(config: DetectorConfig) -> int:
    """Pixels that windows need around them: none unless the detector sees relief."""
    return HALO_PX if any(kind_of(name) == TOPO for name in config.modalities) else 0


def inputs_of(optics: Tensor, dem: Tensor | None, config: DetectorConfig, statistics: DetectorStatistics, halo_px: int) -> Inputs:
    """What the network sees of windows with a halo: reflectance (N, 4, y, x) in the order of OPTICS and heights (N, y, x), NaN = nodata."""
    images, valid = images_of_optics(optics, dem, config.modalities)
    images, valid = crop(images, halo_px), crop(valid, halo_px)
    shown, present = standardise(images, valid, statistics)
    return Inputs(shown, present, valid[config.modalities[0]])


def chip_arrays(chips: ChipBatch, *, needs_heights: bool, device: torch.device = _CPU) -> tuple[Tensor, Tensor | None]:
    """Reflectance (N, 4, y, x) in the order of OPTICS and heights (N, y, x) of chips, NaN where there is none or optics are unusable."""
    return window_arrays(chips.s2, chips.cause, chips.dem if needs_heights else None, device=device)


def window_arrays(
    s2: NDArray[np.uint16], cause: NDArray[np.uint8], dem: NDArray[np.float32] | None, *, device: torch.device = _CPU
) -> tuple[Tensor, Tensor | None]:
    """The same of arrays of a cube: counts (N, 12, y, x), codes of `Cause` (N, y, x), metres (N, y, x)."""
    bands = torch.from_numpy(s2[:, [s2_index(name) for name in OPTICS]].astype(np.float32)).to(device)
    hidden = torch.from_numpy(cause != Cause.USABLE).to(device)
    optics = torch.where(hidden[:, None] | (bands == S2_NODATA), math.nan, bands * S2_SCALE)
    return optics, None if dem is None else torch.from_numpy(dem).to(device)


def _batch(shown: Inputs, slumps: Sequence[Slumps], frames: Sequence[Frame], options: TargetOptions) -> DetectorBatch:
    seen = shown.seen.cpu()
    targets = [target_of(own, frame, options, one) for own, frame, one in zip(slumps, frames, seen, strict=True)]
    device = shown.seen.device
    return DetectorBatch(shown.images, shown.present, [target.to(device) for target in targets], tuple(frames), shown.seen)


def _windows(
    optics: Tensor, dem: Tensor | None, origins_yx: Origins, frames: Sequence[Frame], own: Sequence[int], halo_px: int
) -> tuple[Tensor, Tensor | None]:
    """Windows of the chips `own`; relief grows with the scale, so that slopes stay as they are."""
    corners = [(int(y), int(x)) for y, x in origins_yx]
    windows = torch.stack([window_of(optics[chip], corners[chip], frame, halo_px) for frame, chip in zip(frames, own, strict=True)])
    if dem is None:
        return windows, None
    pairs = zip(frames, own, strict=True)
    heights = [window_of(dem[chip][None], corners[chip], frame, halo_px)[0] * frame.scale for frame, chip in pairs]
    return windows, torch.stack(heights)
