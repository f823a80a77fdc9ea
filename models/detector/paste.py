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
    constant beyond the outermost; boxes, origin and pixels are network pixels of one lattice.
    """
    rows = _weights(boxes[:, 1], boxes[:, 3], origin_yx[0], shape[0], masks.shape[1])
    columns = _weights(boxes[:, 0], boxes[:, 2], origin_yx[1], shape[1], masks.shape[2])
    return np.asarray(rows @ masks.astype(np.float32) @ columns.transpose(0, 2, 1), np.float32)


def _weights(low: Floats, high: Floats, origin: int, count: int, cells: int) -> Floats:
    """What each cell gives to each pixel along one side: (n, pixel, cell); bilinear sampling is separable."""
    span = np.maximum(high - low, 1e-6).astype(np.float64)[:, None]
    share = (np.arange(count) + 0.5 + origin - low[:, None]) / span  # (n, pixel)
    place = np.clip(share * cells - 0.5, 0, cells - 1)[..., None]
    near = np.maximum(1 - np.abs(place - np.arange(cells)), 0)
    inside = (share > 0) & (share < 1)
    return np.asarray(near * inside[..., None], np.float32)
