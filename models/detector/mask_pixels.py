"""Masks of detections on the lattice: values at pixel centres, shared pixels of pairs, votes of windows; compiled loops."""

import math

import numpy as np
from numpy.typing import NDArray

from models.outlines.kernels import Int64, compiled

UNITY = 60_000
"""Probabilities are integers of 1 / 60 000, so that sums are exact and do not depend on the order of adding."""
Float32 = NDArray[np.float32]


@compiled
def value_at(mask: Float32, box: Float32, row: int, column: int) -> int:
    """Return the probability (in 1 / UNITY) of a mask at the centre of a pixel; row, column, box in network pixels of the window.

    Bilinear between the cells' centres at (i + 0.5) / cells of the box; beyond the outer cells it falls to zero, so that a full
    mask passes one half at the edge of its box.
    """
    cells = mask.shape[0]
    u = (column + 0.5 - box[0]) / (box[2] - box[0]) * cells - 0.5
    v = (row + 0.5 - box[1]) / (box[3] - box[1]) * cells - 0.5
    if not (-1.0 < u < cells and -1.0 < v < cells):
        return 0
    left, top = math.floor(u), math.floor(v)
    east, south = u - left, v - top
    total = 0.0
    for down in range(2):
        for right in range(2):
            y, x = top + down, left + right
            if 0 <= y < cells and 0 <= x < cells:
                weight = (south if down else 1.0 - south) * (east if right else 1.0 - east)
                total += weight * mask[y, x]
    return math.floor(total * UNITY + 0.5)


@compiled
def frames_of(masks: Float32, boxes: Float32, size: int) -> tuple[Int64, Int64]:
    """Return frames (n, 4: y0, x0, y1, x1 in pixels of the window of `size`) that hold all of each mask, and pixels inside (n,)."""
    count, cells = masks.shape[0], masks.shape[1]
    frames, inside = np.zeros((count, 4), np.int64), np.zeros(count, np.int64)
    for i in range(count):
        half_x, half_y = (boxes[i, 2] - boxes[i, 0]) / (2 * cells), (boxes[i, 3] - boxes[i, 1]) / (2 * cells)
        frames[i, 0] = max(0, math.floor(boxes[i, 1] - half_y))
        frames[i, 1] = max(0, math.floor(boxes[i, 0] - half_x))
        frames[i, 2] = min(size, math.ceil(boxes[i, 3] + half_y))
        frames[i, 3] = min(size, math.ceil(boxes[i, 2] + half_x))
        for row in range(frames[i, 0], frames[i, 2]):
            for column in range(frames[i, 1], frames[i, 3]):
                inside[i] += 2 * value_at(masks[i], boxes[i], row, column) > UNITY
    return frames, inside


@compiled
def shared_pixels(masks: Float32, boxes: Float32, places: tuple[Int64, Int64], pairs: Int64, size: int, erosion: int) -> Int64:
    """Return per pair (k, 4): pixels inside both; and, in the common ground of both windows less `erosion`, inside both, one, other.

    `places` are the frames of `frames_of` and the upper left network pixels of the windows on the lattice (n, 2: y, x).
    """
    frames, origins = places
    result = np.zeros((pairs.shape[0], 4), np.int64)
    for k in range(pairs.shape[0]):
        a, b = pairs[k, 0], pairs[k, 1]
        dy, dx = origins[b, 0] - origins[a, 0], origins[b, 1] - origins[a, 1]
        # common ground of both windows in pixels of the first
        top, left = max(0, dy) + erosion, max(0, dx) + erosion
        bottom, right = min(size, size + dy) - erosion, min(size, size + dx) - erosion
        y0, x0 = min(frames[a, 0], frames[b, 0] + dy), min(frames[a, 1], frames[b, 1] + dx)
        y1, x1 = max(frames[a, 2], frames[b, 2] + dy), max(frames[a, 3], frames[b, 3] + dx)
        for row in range(y0, y1):
            for column in range(x0, x1):
                one = other = False
                if frames[a, 0] <= row < frames[a, 2] and frames[a, 1] <= column < frames[a, 3]:
                    one = 2 * value_at(masks[a], boxes[a], row, column) > UNITY
                if frames[b, 0] <= row - dy < frames[b, 2] and frames[b, 1] <= column - dx < frames[b, 3]:
                    other = 2 * value_at(masks[b], boxes[b], row - dy, column - dx) > UNITY
                result[k, 0] += one and other
                if top <= row < bottom and left <= column < right:
                    result[k, 1] += one and other
                    result[k, 2] += one
                    result[k, 3] += other
    return result


@compiled
def paste(mask: Float32, box: Float32, frame: Int64, offset_yx: tuple[int, int], out: Int64) -> None:
    """Raise `out` (y, x) to the values of a mask; `offset_yx` is the place of the window's upper left pixel in `out`."""
    for row in range(frame[0], frame[2]):
        for column in range(frame[1], frame[3]):
            y, x = row + offset_yx[0], column + offset_yx[1]
            if 0 <= y < out.shape[0] and 0 <= x < out.shape[1]:
                out[y, x] = max(out[y, x], value_at(mask, box, row, column))


@compiled
def add_view(
    values: Int64, weight: int, offset_yx: tuple[int, int], bounds: tuple[int, int], sums: tuple[Int64, Int64, Int64, Int64]
) -> None:
    """Add what one window says (y, x) to `sums` where it sees: weighted values, weights, views, views above one half.

    `bounds` are the first and the last but one pixel along a side of the window that count as seen.
    """
    total, weights, views, above = sums
    rows, columns = values.shape
    for y in range(max(0, offset_yx[0] + bounds[0]), min(rows, offset_yx[0] + bounds[1])):
        for x in range(max(0, offset_yx[1] + bounds[0]), min(columns, offset_yx[1] + bounds[1])):
            total[y, x] += weight * values[y, x]
            weights[y, x] += weight
            views[y, x] += 1
            above[y, x] += 2 * values[y, x] > UNITY
