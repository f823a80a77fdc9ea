"""The share of water in the pixels of a shore, unmixed between the water and the land right there."""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, binary_erosion

from models.segmenter.index_options import ShoreRule

_SQUARE = np.ones((3, 3), bool)
_WATER, _LAND, _MIXED = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Signal:
    """Linear measurements of which the bands `numbers` are unmixed."""

    stack: NDArray[np.uint16] | NDArray[np.float32]
    """(bands, y, x), linear in the share of water: reflectance or power, not dB."""
    numbers: tuple[int, ...]
    scale: float
    """Physical value = stored value x scale."""
    noise: float
    """Standard deviation of a pure surface beside what is measured, physical units."""
    blur: tuple[float, ...]
    """Error of the share by blur, per band: bands of 20 m carry their neighbours' water."""


def water_share(
    signal: Signal, valid: NDArray[np.bool_], water: NDArray[np.bool_], rule: ShoreRule, *, ground: NDArray[np.bool_] | None = None
) -> NDArray[np.float32]:
    """Share of water 0..1 in pixels near the edge of `water`; NaN elsewhere and where water and land are too alike.

    Two end members per pixel: the mean of pure water and of pure land within `search_px`. Bands count by Fisher's
    discriminant (distance over variance), so that the bands that tell this water from this land decide: SWIR for milky
    lakes, NIR beside snow (linear unmixing of shores: Foody et al. 2005; Xie et al. 2016). A share of 0.5 is the local
    intermeans threshold (Ridler & Calvard 1978). `ground` says which pixels may show land, when more than the valid ones.
    """
    roles = _roles(valid, water, valid if ground is None else ground, rule.reach_px)
    limits = np.array([signal.scale, signal.noise, rule.min_separation, rule.min_pure_px, rule.search_px, *signal.blur], np.float64)
    result: NDArray[np.float32] = _share_kernel(signal.stack, np.array(signal.numbers, np.int64), roles, limits)
    return result


def _roles(valid: NDArray[np.bool_], water: NDArray[np.bool_], ground: NDArray[np.bool_], reach_px: int) -> NDArray[np.uint8]:
    """1 pure water, 2 pure land, 3 possibly mixed, 0 none of it."""
    near = binary_dilation(water, _SQUARE, iterations=reach_px)
    deep = binary_erosion(water, _SQUARE, iterations=reach_px, border_value=1)
    roles = np.where(ground & ~near, _LAND, 0).astype(np.uint8)
    roles[near & ~deep & valid] = _MIXED
    roles[binary_erosion(water, _SQUARE, border_value=1) & valid] = _WATER
    return roles


def _members(
    stack: NDArray[np.float32], numbers: NDArray[np.int64], roles: NDArray[np.uint8], box: tuple[int, int, int, int], scale: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Mean and variance of water (rows 0, 1) and land (rows 2, 3) in a box, and the number of pixels of each."""
    found = np.zeros((4, len(numbers)), np.float64)
    count = np.zeros(2, np.int64)
    for y in range(box[0], box[1]):
        for x in range(box[2], box[3]):
            role = roles[y, x]
            if role in (_WATER, _LAND):
                count[role - 1] += 1
                for index in range(len(numbers)):
                    value = scale * stack[numbers[index], y, x]
                    found[2 * role - 2, index] += value
                    found[2 * role - 1, index] += value * value
    for member in range(2):
        found[2 * member : 2 * member + 2] /= max(count[member], 1)
        found[2 * member + 1] -= found[2 * member] * found[2 * member]
    return found, count


def _unmixed(pixel: NDArray[np.float64], members: NDArray[np.float64], limits: NDArray[np.float64]) -> float:
    along, whole = 0.0, 0.0
    noise, min_separation, blur = limits[1], limits[2], limits[5:]
    for index in range(len(pixel)):
        apart = members[2, index] - members[0, index]
        error = blur[index] * apart
        weight = apart / (members[1, index] + members[3, index] + noise * noise + error * error)
        along += weight * (members[2, index] - pixel[index])
        whole += weight * apart
    if 2.0 * whole < min_separation * min_separation:
        return np.nan
    return min(max(along / whole, 0.0), 1.0)


def _share(
    stack: NDArray[np.float32], numbers: NDArray[np.int64], roles: NDArray[np.uint8], limits: NDArray[np.float64]
) -> NDArray[np.float32]:
    share = np.full(roles.shape, np.nan, np.float32)
    pixel = np.zeros(len(numbers), np.float64)
    scale, min_pure, reach = limits[0], int(limits[3]), int(limits[4])
    for y in range(roles.shape[0]):
        for x in range(roles.shape[1]):
            if roles[y, x] != _MIXED:
                continue
            box = (max(y - reach, 0), min(y + reach + 1, roles.shape[0]), max(x - reach, 0), min(x + reach + 1, roles.shape[1]))
            members, count = _members_kernel(stack, numbers, roles, box, scale)
            if count[0] < min_pure or count[1] < min_pure:
                continue
            for index in range(len(numbers)):
                pixel[index] = scale * stack[numbers[index], y, x]
            share[y, x] = _unmixed_kernel(pixel, members, limits)
    return share


_members_kernel = njit(cache=True, nogil=True)(_members)
_unmixed_kernel = njit(cache=True, nogil=True)(_unmixed)
_share_kernel = njit(cache=True, nogil=True)(_share)
