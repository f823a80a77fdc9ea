"""Bodies of water: grown from certain seeds, and told apart from rivers, shadows and noise."""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, find_objects, label

from catalog.facts.grids import PIXEL_M
from models.segmenter.index_options import RadarRule, ShapeRule


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
    """Water that is long for its width and falls along its way, cut off where it meets a lake.

    An opening with a disc of `narrow_px` parts every body into narrow and wide pieces. Bodies and pieces are judged alone,
    so that a river is taken off the lake it feeds; wider reaches beside river need only fall; a body that is mostly river is
    river altogether. The physics is that a lake is level and a river is not; the numbers are ours.
    """
    if not water.any():
        return np.zeros(water.shape, bool)
    depth = distance_inside(water)
    wide = _opened(water, depth, rule.narrow_px)
    narrow_river, _ = _judged(water & ~wide, depth, dem, rule, narrow=True)
    whole, _ = _judged(water, depth, dem, rule, narrow=False)
    long, falling = _judged(wide, depth, dem, rule, narrow=False)
    found = narrow_river | whole | long
    found |= grown(binary_dilation(found, np.ones((3, 3), bool)) & falling, falling, min_px=1)
    return _mostly(found, water, rule.river_share)


def slender(water: NDArray[np.bool_], clear: NDArray[np.bool_], rule: ShapeRule) -> NDArray[np.bool_]:
    """Bodies far longer than wide, as rivers of flat ground are, seen mostly by optics: radar alone frays the shores of lakes."""
    result = np.zeros(water.shape, bool)
    if not water.any():
        return result
    labels, _ = label(water)
    depth = distance_inside(water)
    for index, box in enumerate(find_objects(labels), start=1):
        own = labels[box] == index
        if clear[box][own].mean() < rule.slender_clear:
            continue
        form = _form(own, depth[box], None)
        long = form.length_px >= max(rule.slender_length_px, rule.slender * form.width_px)
        if long and form.width_px <= rule.slender_px:
            result[box] |= own
    return result


def unwitnessed(
    water: NDArray[np.bool_], evidence: NDArray[np.float32], looked_at: NDArray[np.bool_], rule: RadarRule
) -> NDArray[np.bool_]:
    """Bodies around which no optical sensor has looked (y, x) and that radar does not show surely enough to stand alone.

    Without any look nobody knows whether the ground was frozen, and smooth ice and wet snow are as dark to C band as water that is
    not quite calm (Stonevicius et al. 2022 on rivers; Nagler et al. 2016 on snow): such a body must be much darker, and compact.
    """
    result = np.zeros(water.shape, bool)
    if looked_at.all() or not water.any():
        return result
    labels, _ = label(water)
    depth = distance_inside(water)
    for index, box in enumerate(find_objects(labels), start=1):
        own = labels[box] == index
        if not looked_at[box][own].any():
            form = _form(own, depth[box], None)
            sure = float(np.median(evidence[box][own])) >= rule.sole_median
            if not sure or form.length_px > rule.sole_elongation * form.width_px:
                result[box] |= own
    return result


def _judged(
    pieces: NDArray[np.bool_], depth: NDArray[np.float32], dem: NDArray[np.float32] | None, rule: ShapeRule, *, narrow: bool
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Pieces that are rivers by themselves, and those that fall as rivers do."""
    river, falling = np.zeros(pieces.shape, bool), np.zeros(pieces.shape, bool)
    labels, _ = label(pieces)
    for index, box in enumerate(find_objects(labels), start=1):
        own = labels[box] == index
        form = _form(own, depth[box], None if dem is None else dem[box])
        river[box] |= own & _is_river(form, narrow, rule)
        falling[box] |= own & _falls(form, rule.wide_fall, rule)
    return river, falling


@dataclass(frozen=True, slots=True)
class _Form:
    length_px: float
    width_px: float
    fall: float
    """Fall per length along the main axis; 0 where the model shows none."""
    certainty: float
    """Share of the variance of height that the fall explains."""


def _form(own: NDArray[np.bool_], depth: NDArray[np.float32], dem: NDArray[np.float32] | None) -> _Form:
    """Mean width of a strip from the mean distance to its shore (a quarter of it and half a pixel), length from area over width."""
    area = float(own.sum())
    width = max(4.0 * float(depth[own].mean()) - 2.0, 1.0)
    fall, certainty = (0.0, 0.0) if dem is None else _fall(own, dem)
    return _Form(area / width, width, fall, certainty)


def _fall(own: NDArray[np.bool_], dem: NDArray[np.float32]) -> tuple[float, float]:
    """Regress height on the position along the main axis: walls beside a river blur into the model, but not along it."""
    known = own & np.isfinite(dem)
    places, heights = np.argwhere(known).astype(np.float64), dem[known].astype(np.float64)
    if len(places) < 3 or heights.std() == 0.0:
        return 0.0, 0.0
    places -= places.mean(axis=0)
    axis = np.linalg.eigh(places.T @ places)[1][:, -1]
    along = places @ axis
    fall = float(along @ (heights - heights.mean()) / max(float(along @ along), 1e-9))
    return abs(fall) / PIXEL_M, float(np.square(fall * along).sum() / np.square(heights - heights.mean()).sum())


def _falls(form: _Form, fall: float, rule: ShapeRule) -> bool:
    return form.fall >= fall and form.certainty >= rule.certainty and _drop_m(form) >= rule.min_fall_m


def _drop_m(form: _Form) -> float:
    return form.fall * form.length_px * PIXEL_M


def _is_river(form: _Form, narrow: bool, rule: ShapeRule) -> bool:
    ratio = form.length_px / form.width_px
    if _falls(form, rule.wide_fall, rule) and ratio >= rule.wide_elongation:
        return True
    if not narrow or ratio < rule.elongation:
        return False
    if form.fall >= rule.wide_fall and form.certainty >= rule.even_certainty and _drop_m(form) >= rule.even_fall_m:
        return True
    return form.length_px >= rule.long_px or (form.length_px >= rule.min_length_px and _falls(form, rule.fall, rule))


def _mostly(part: NDArray[np.bool_], water: NDArray[np.bool_], share: float) -> NDArray[np.bool_]:
    """`part`, and all of every body of which it makes up `share`."""
    if not part.any():
        return part
    labels, count = label(water)
    total = np.bincount(labels.ravel(), minlength=count + 1)
    taken = np.bincount(labels[part], minlength=count + 1)
    whole = taken >= share * total
    whole[0] = False
    result: NDArray[np.bool_] = part | whole[labels]
    return result


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
