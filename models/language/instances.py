"""A mask of water to single lakes: connected components, healed and cut where people would, each with its area.

Sources: GLACIA's GLake-Pos pairs are made from connected components of binary masks; PRS-Med, its ancestor, labels them with
8-connectivity. Components that meet in a narrow channel are one lake there; `channel_px` cuts them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_AROUND: Final = np.ones((3, 3), bool)
PARTS: Final = 16
"""Windows of parts of a scene are told in sixteenths of its side, which every size of an image here divides into whole pixels."""
_CORE_PX: Final = 3
"""Smallest core that stands for a lake of its own when a channel is cut."""


@dataclass(frozen=True, slots=True)
class InstanceOptions:
    """What counts as one lake."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}
    min_area_m2: float = 2_000.0
    """Smaller components are no lakes (published: lakes of 0.002 to 0.5 km2)."""
    min_px: int = 8
    """Nor are components of fewer pixels, whatever a pixel measures."""
    heal: bool = False
    """Close gaps of one pixel before lakes are told apart."""
    channel_px: int = 0
    """Cut lakes that are joined by channels of at most that width; 0 leaves them one."""
    connectivity: Literal[4, 8] = 8
    """As published; the polygons of the inventory are 4-connected."""


@dataclass(frozen=True, slots=True)
class Instances:
    """Lakes of one scene on its pixels."""

    labels: NDArray[np.int32]
    """(y, x), 0 = no lake, else the number of the lake from 1."""
    areas_m2: tuple[float, ...]
    """Of lake 1, 2, ..."""
    ids: tuple[str, ...] = ()
    """Names in an inventory; empty for lakes of a mask."""

    def __len__(self) -> int:
        """Count the lakes."""
        return len(self.areas_m2)

    def mask(self, numbers: Sequence[int]) -> NDArray[np.bool_]:
        """Pixels (y, x) of some lakes; of no lake for no numbers."""
        return np.isin(self.labels, list(numbers)) & (self.labels > 0)

    def part(self, window: tuple[int, int, int], pixel_m: float, options: InstanceOptions) -> "Instances":
        """Lakes of a square part: upper row, left column and side in sixteenths; areas are those of the pixels that are left."""
        size = self.labels.shape[0]
        top, left, side = (round(share * size / PARTS) for share in window)
        cut = self.labels[top : top + side, left : left + side]
        counts = np.bincount(cut.ravel(), minlength=len(self) + 1)[1:]
        return instances_of_labels(cut, [float(count) * pixel_m**2 for count in counts], self.ids or [""] * len(self), options)

    def turned(self, turn: int) -> "Instances":
        """The scene turned and mirrored: one of the eight ways a square can lie."""
        return replace(self, labels=np.ascontiguousarray(turned(self.labels, turn)))


def turned(array: NDArray[np.generic], turn: int) -> NDArray[Any]:
    """Turn the last two axes by `turn % 4` quarters anticlockwise, mirrored left to right first from 4 on."""
    mirrored = array[..., ::-1] if turn >= 4 else array
    return np.rot90(mirrored, turn % 4, axes=(-2, -1))


def instances_of_mask(mask: NDArray[np.bool_], pixel_m: float, options: InstanceOptions | None = None) -> Instances:
    """Tell the lakes of a mask (y, x) apart; areas are those of the mask's own pixels, healing included."""
    rule = options or InstanceOptions()
    water = ndimage.binary_closing(np.pad(mask, 1), _AROUND)[1:-1, 1:-1] | mask if rule.heal else mask
    labels, _ = ndimage.label(water, _AROUND if rule.connectivity == 8 else None)
    if rule.channel_px:
        labels = _cut(labels, rule.channel_px)
    return _kept(labels, pixel_m, rule)


def instances_of_labels(
    labels: NDArray[np.integer[Any]], areas_m2: Sequence[float], ids: Sequence[str], options: InstanceOptions | None = None
) -> Instances:
    """Lakes of an inventory that were drawn on the pixels of a scene: value n is row n - 1 of the inventory.

    Areas stay those of the inventory; what has no pixel, or is smaller than the options allow, is left out and the rest renumbered.
    """
    rule = options or InstanceOptions()
    counts = np.bincount(labels.ravel(), minlength=len(areas_m2) + 1)[1:]
    kept = [row for row, area in enumerate(areas_m2) if counts[row] and area >= rule.min_area_m2]
    renamed = np.zeros(len(areas_m2) + 1, np.int32)
    renamed[[row + 1 for row in kept]] = np.arange(1, len(kept) + 1)
    return Instances(renamed[labels], tuple(float(areas_m2[row]) for row in kept), tuple(ids[row] for row in kept))


def _kept(labels: NDArray[np.int32], pixel_m: float, rule: InstanceOptions) -> Instances:
    counts = np.bincount(labels.ravel())
    least = max(rule.min_px, rule.min_area_m2 / pixel_m**2)
    kept = [value for value in range(1, len(counts)) if counts[value] >= least]
    renamed = np.zeros(len(counts), np.int32)
    renamed[kept] = np.arange(1, len(kept) + 1)
    return Instances(renamed[labels], tuple(float(counts[value]) * pixel_m**2 for value in kept))


def _cut(labels: NDArray[np.int32], channel_px: int) -> NDArray[np.int32]:
    """Give the two sides of a narrow channel numbers of their own; the channel is shared between them."""
    depth = ndimage.distance_transform_edt(np.pad(labels > 0, 1))[1:-1, 1:-1]
    # pixels in the middle of a channel of w px are (w + 1) / 2 px from its shores at most
    cores, count = ndimage.label(depth > (channel_px + 1) / 2, _AROUND)
    sizes = np.bincount(cores.ravel(), minlength=count + 1)
    result, last = labels.copy(), int(labels.max())
    for value in range(1, int(labels.max()) + 1):
        here = labels == value
        own = [core for core in np.unique(cores[here]).tolist() if core and sizes[core] >= _CORE_PX]
        # a lake with one core, or narrow everywhere, is one lake
        for core in own[1:]:
            last += 1
            result[here & (cores == core)] = last
        if len(own) > 1:
            seeds = np.where(here & np.isin(cores, own), result, 0)
            result[here] = _grown(seeds, here)[here]
    return result


def _grown(seeds: NDArray[np.int32], component: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Grow seeds step by step until they fill their component."""
    while ((seeds == 0) & component).any():
        seeds = np.where((seeds == 0) & component, ndimage.maximum_filter(seeds, 3), seeds)
    return seeds
