"""Bodies of water: grown from certain seeds, and told apart from rivers, shadows and noise."""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.ndimage import find_objects, label

from models.segmenter.index_options import ShapeRule


def grown(seeds: NDArray[np.bool_], allowed: NDArray[np.bool_], *, min_px: int) -> NDArray[np.bool_]:
    """Keep 4-connected regions of `allowed` that hold a seed and have `min_px` pixels (OPERA DSWx-S1, region growing)."""
    labels, count = label(allowed)
    if count == 0:
        return np.zeros(allowed.shape, bool)
    seeded = np.bincount(labels[seeds & allowed], minlength=count + 1) > 0
    large = np.bincount(labels.ravel(), minlength=count + 1) >= min_px
    keep = seeded & large
    keep[0] = False
    result: NDArray[np.bool_] = keep[labels]
    return result


def steep(water: NDArray[np.bool_], slope_deg: NDArray[np.float32], *, max_slope_deg: float) -> NDArray[np.bool_]:
    """Bodies whose median slope is above `max_slope_deg`: shadow, for a lake is level."""
    labels, _ = label(water)
    result = np.zeros(water.shape, bool)
    for index, box in enumerate(find_objects(labels), start=1):
        own = labels[box] == index
        if np.median(slope_deg[box][own]) > max_slope_deg:
            result[box] |= own
    return result


def rivers(water: NDArray[np.bool_], dem: NDArray[np.float32] | None, rule: ShapeRule) -> NDArray[np.bool_]:
    """Narrow, long water that falls along its way, cut off where it widens to a lake.

    Narrow parts are what an opening with a disc of `narrow_px` removes. A part is a river when it is long for its width and
    either falls like one or is longer than narrow lakes are. Shape filters against rivers: Wang et al. 2012, Shugar et
    al. 2020; the fall is ours: a lake is level.
    """
    result = np.zeros(water.shape, bool)
    depth = distance_inside(water)
    narrow = water & ~_opened(water, depth, rule.narrow_px)
    labels, _ = label(narrow, np.ones((3, 3), int))
    for index, box in enumerate(find_objects(labels), start=1):
        own = labels[box] == index
        if _is_river(own, depth[box], None if dem is None else dem[box], rule):
            result[box] |= own
    return result


@dataclass(frozen=True, slots=True)
class _Form:
    length_px: float
    width_px: float


def _form(own: NDArray[np.bool_], depth: NDArray[np.float32]) -> _Form:
    """Mean width from the mean distance to the shore (a quarter of the width of a strip), length from the area."""
    area = float(own.sum())
    width = max(4.0 * float(depth[own].mean()) - 1.0, 1.0)
    return _Form(area / width, width)


def _is_river(own: NDArray[np.bool_], depth: NDArray[np.float32], dem: NDArray[np.float32] | None, rule: ShapeRule) -> bool:
    form = _form(own, depth)
    span = float(np.hypot(*own.shape))
    if form.length_px < rule.min_length_px or form.length_px < rule.elongation * form.width_px or span < rule.min_length_px:
        return False
    if form.length_px >= rule.long_px and span >= 0.5 * rule.long_px:
        return True
    if dem is None:
        return False
    heights = dem[own]
    heights = heights[np.isfinite(heights)]
    if heights.size == 0:
        return False
    fall = float(np.percentile(heights, 95) - np.percentile(heights, 5))
    return fall >= max(rule.min_fall_m, rule.fall * span * 10.0)


def _opened(water: NDArray[np.bool_], depth: NDArray[np.float32], radius_px: float) -> NDArray[np.bool_]:
    """Pixels of `water` within `radius_px` of a pixel deeper than that: an opening with a disc."""
    core = depth > radius_px
    return water & (distance_inside(~core) <= radius_px + 0.5)


def distance_inside(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Distance in pixels of every True pixel to the nearest False one; beyond the window everything is as at its edge.

    Two passes with steps of 1 and sqrt 2 (chamfer, Borgefors 1986): within 8 % of the Euclidean distance, and several times
    faster than the exact transform.
    """
    result: NDArray[np.float32] = _chamfer_kernel(mask)
    return result


def _chamfer(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    height, width = mask.shape
    far, diagonal = np.float32(1e6), np.float32(np.sqrt(2.0))
    distance = np.full((height + 2, width + 2), far, np.float32)
    for y in range(1, height + 1):
        for x in range(1, width + 1):
            if not mask[y - 1, x - 1]:
                distance[y, x] = 0
                continue
            straight = min(distance[y - 1, x], distance[y, x - 1]) + 1
            distance[y, x] = min(straight, min(distance[y - 1, x - 1], distance[y - 1, x + 1]) + diagonal)
    for y in range(height, 0, -1):
        for x in range(width, 0, -1):
            straight = min(distance[y + 1, x], distance[y, x + 1]) + 1
            distance[y, x] = min(distance[y, x], straight, min(distance[y + 1, x + 1], distance[y + 1, x - 1]) + diagonal)
    return distance[1:-1, 1:-1].copy()


_chamfer_kernel = njit(cache=True, nogil=True)(_chamfer)
