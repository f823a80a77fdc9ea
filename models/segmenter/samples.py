"""Chips as tensors in physical units, with what is valid of each modality: what augmentation changes and losses read."""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from catalog.facts.bands import S2_NODATA
from catalog.facts.chips import LABEL_IGNORE, LABEL_SCALE, ChipBatch
from models.segmenter.contract import WindowBatch

COUNTS_PER_REFLECTANCE = 10_000.0


@dataclass(frozen=True, slots=True)
class Scenery:
    """What a network may see of B chips or windows; values are 0 where they are not valid."""

    s2: Tensor
    """(B, 12, y, x), surface reflectance, 1 = all light."""
    s1: Tensor
    """(B, 2, y, x), gamma0 in dB."""
    dem: Tensor
    """(B, 1, y, x), metres."""
    s2_valid: Tensor
    """(B, 1, y, x) bool."""
    s1_valid: Tensor
    """(B, 1, y, x) bool."""
    dem_valid: Tensor
    """(B, 1, y, x) bool."""

    def __len__(self) -> int:
        """Count the chips."""
        return len(self.s2)


@dataclass(frozen=True, slots=True)
class Samples(Scenery):
    """Scenery with its labels."""

    label: Tensor
    """(B, 1, y, x), share of the pixel that lakes cover, 0..1."""
    judged: Tensor
    """(B, 1, y, x) bool, pixels that losses and metrics count: labelled, and seen by a sensor."""
    weight: Tensor
    """(B,), how much the label of a chip is trusted."""

    def each(self, change: Callable[[Tensor], Tensor]) -> "Samples":
        """Apply one change of places, such as a flip, to every array of pixels alike."""
        changed = {f.name: change(getattr(self, f.name)) for f in fields(self) if f.name != "weight"}
        return Samples(**changed, weight=self.weight)


def scenery_of(
    s2: NDArray[np.uint16] | None, s1: NDArray[np.float32] | None, dem: NDArray[np.float32] | None, device: torch.device
) -> Scenery:
    """Move stored arrays to a device and into physical units there; a modality that is None is nowhere valid."""
    present = next(array for array in (s2, s1, dem) if array is not None)
    count, height, width = len(present), *present.shape[-2:]
    optical = _moved(s2, (count, 12, height, width), np.uint16, device)
    radar = _moved(s1, (count, 2, height, width), np.float32, device)
    ground = _moved(None if dem is None else dem[:, None], (count, 1, height, width), np.float32, device)
    seen = _finite(radar), _finite(ground)
    return Scenery(
        s2=optical.float() / COUNTS_PER_REFLECTANCE,
        s1=torch.nan_to_num(radar, 0.0, 0.0, 0.0) * seen[0],
        dem=torch.nan_to_num(ground, 0.0, 0.0, 0.0) * seen[1],
        # a band that a catalog lacks is 0 everywhere; only a pixel without any band is nodata
        s2_valid=(optical.float() != S2_NODATA).any(dim=1, keepdim=True),
        s1_valid=seen[0],
        dem_valid=seen[1],
    )


def samples_of(batch: ChipBatch, device: torch.device) -> Samples:
    """Chips as tensors on a device."""
    seen = scenery_of(batch.s2, batch.s1, batch.dem, device)
    label = torch.from_numpy(batch.label[:, None]).to(device)
    known = label != LABEL_IGNORE
    return Samples(
        **{f.name: getattr(seen, f.name) for f in fields(Scenery)},
        label=torch.where(known, label.float() / LABEL_SCALE, 0.0),
        judged=known & (seen.s2_valid | seen.s1_valid),
        weight=torch.from_numpy(batch.weight).to(device),
    )


def scenery_of_windows(batch: WindowBatch, device: torch.device) -> Scenery:
    """Windows of a cube as tensors on a device."""
    return scenery_of(batch.s2, batch.s1, batch.dem, device)


def _moved(array: NDArray[np.generic] | None, shape: tuple[int, ...], dtype: type[np.generic], device: torch.device) -> Tensor:
    if array is None:
        empty = np.full(shape, np.nan if dtype is np.float32 else 0, dtype)
        return torch.from_numpy(empty).to(device)
    here = torch.from_numpy(np.ascontiguousarray(array))
    # from pinned memory the copy does not make the host wait for what the device is at
    return here.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else here.to(device)


def _finite(array: Tensor) -> Tensor:
    return torch.isfinite(array).all(dim=1, keepdim=True)
