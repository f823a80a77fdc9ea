"""Masks inside box frames to pixels, at sub-pixel places.

Edges are continuous: a box [x0, x1] covers the pixels x0 to x1 - 1 when both are whole. Cell i of a mask has its middle at
(i + 0.5) / 28 of the box, pixel j at j + 0.5. Rounding boxes to whole pixels makes a slump of 8 px a quarter larger.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def paste(masks: Floats, boxes: Floats, origin_yx: tuple[int, int], shape: tuple[int, int]) -> Floats:
    """Return probabilities (n, y, x) of `shape` pixels whose corner is at `origin_yx`, 0 outside the boxes.

    `masks` (n, 28, 28) hold probabilities inside `boxes` (n, 4: x0, y0, x1, y1), bilinear between the middles of cells and
    constant beyond the outermost; boxes, origin and pixels are network pixels of one lattice. A pixel has the same bits
    whatever else is pasted with it: no sum is left to a library whose order depends on shapes.
    """
    rows = _along(np.asarray(masks, np.float32), boxes[:, 1::2], origin_yx[0], shape[0])
    return _along(rows.transpose(0, 2, 1), boxes[:, 0::2], origin_yx[1], shape[1]).transpose(0, 2, 1)


def _along(values: Floats, ends: Floats, origin: int, count: int) -> Floats:
    """Sample the second axis (n, cell, ...) at `count` pixels between the ends (n, 2) of the boxes: bilinear sampling is separable."""
    low, high = ends.astype(np.float64).T
    share = (np.arange(origin, origin + count) + 0.5 - low[:, None]) / np.maximum(high - low, 1e-6)[:, None]  # (n, pixel)
    cells = values.shape[1]
    place = np.clip(share * cells - 0.5, 0, cells - 1)
    before = np.minimum(place.astype(np.int64), cells - 2)
    onward = (place - before).astype(np.float32)[..., None]
    each = np.arange(len(values))[:, None]
    sampled = values[each, before] * (1 - onward) + values[each, before + 1] * onward
    inside = (share > 0) & (share < 1)
    return np.asarray(sampled * inside[..., None], np.float32)
