"""Thresholds that follow the place: Otsu on blocks of the lattice, trusted only where two groups are apart."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

_BINS: Final = 96


class Bounds(NamedTuple):
    """How a local threshold is judged."""

    default: float
    """Taken where the values of a block are not two groups."""
    low: float
    high: float
    value_low: float
    value_high: float
    """Range of the histogram; values outside go to its ends."""
    min_separation: float = 2.0
    """Ashman's D (Ashman, Bird & Zepf 1994)."""
    min_share: float = 0.02
    """Share of the smaller group: thinner tails are not a group (Martinis et al. 2015)."""
    valley: float = 0.6
    """Most that the histogram may hold at the threshold, as share of the lower of the two groups' middles: halves of one
    broad group have a D of 2.7, too, but no valley between them."""


def local_thresholds(values: NDArray[np.float32], valid: NDArray[np.bool_], bounds: Bounds, *, block_px: int) -> NDArray[np.float32]:
    """Threshold of every block, as (rows, columns) of blocks counted from the window's corner.

    The histogram of a block is that of its 3 x 3 neighbourhood. Otsu 1979 finds the threshold; Ashman's D, the share of the
    smaller group and the valley between say whether it is kept, else the default is taken; it is clipped to the bounds.
    """
    counts = _histograms(values, valid, block_px, (bounds.value_low, bounds.value_high))
    padded = np.pad(counts, ((1, 1), (1, 1), (0, 0)))
    rows, columns = counts.shape[:2]
    around = sum(padded[dy : dy + rows, dx : dx + columns] for dy in range(3) for dx in range(3))
    return _judged(np.asarray(around), bounds)


def spread_over_pixels(blocks: NDArray[np.float32], shape: tuple[int, int], *, block_px: int) -> NDArray[np.float32]:
    """Interpolate block values bilinearly to pixels (y, x); beyond the outer block centres they stay constant."""
    down = _positions(shape[0], blocks.shape[0], block_px)
    along = _positions(shape[1], blocks.shape[1], block_px)
    rows = blocks[down[0]] * (1 - down[2])[:, None] + blocks[down[1]] * down[2][:, None]
    result = rows[:, along[0]] * (1 - along[2]) + rows[:, along[1]] * along[2]
    return result.astype(np.float32)


def _positions(size: int, blocks: int, block_px: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    place = np.clip((np.arange(size) + 0.5) / block_px - 0.5, 0, blocks - 1)
    before = np.floor(place).astype(np.int64)
    return before, np.minimum(before + 1, blocks - 1), (place - before).astype(np.float32)


def _judged(counts: NDArray[np.int64], bounds: Bounds) -> NDArray[np.float32]:
    width = (bounds.value_high - bounds.value_low) / _BINS
    centres: NDArray[np.float64] = bounds.value_low + (np.arange(_BINS, dtype=np.float64) + 0.5) * width
    with np.errstate(divide="ignore", invalid="ignore"):
        split = _otsu(counts, centres)
        spread = np.sqrt(split.variance_below + split.variance_above + width**2)
        separation = np.sqrt(2.0) * (split.mean_above - split.mean_below) / spread
    threshold = 0.5 * (split.mean_below + split.mean_above)
    smooth = uniform_filter1d(counts.astype(np.float64), 5, axis=-1)
    held, low, high = (_at(smooth, (value - bounds.value_low) / width) for value in (threshold, split.mean_below, split.mean_above))
    trusted = (separation >= bounds.min_separation) & (split.share >= bounds.min_share) & (held <= bounds.valley * np.minimum(low, high))
    return np.where(trusted, np.clip(threshold, bounds.low, bounds.high), bounds.default).astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Split:
    """The best cut of each histogram in two; NaN where it holds nothing."""

    mean_below: NDArray[np.float64]
    mean_above: NDArray[np.float64]
    variance_below: NDArray[np.float64]
    variance_above: NDArray[np.float64]
    share: NDArray[np.float64]
    """Of the smaller group."""


def _otsu(counts: NDArray[np.int64], centres: NDArray[np.float64]) -> _Split:
    below, total = np.cumsum(counts, -1), counts.sum(-1, keepdims=True)
    sums, squares = np.cumsum(counts * centres, -1), np.cumsum(counts * centres**2, -1)
    above = total - below
    mean_below, mean_above = sums / below, (sums[..., -1:] - sums) / above
    between = np.where((below > 0) & (above > 0), below * above * (mean_below - mean_above) ** 2, -1.0)
    best = between.argmax(-1)[..., None]
    fields = (
        mean_below,
        mean_above,
        squares / below - mean_below**2,
        (squares[..., -1:] - squares) / above - mean_above**2,
        np.minimum(below, above) / total,
    )
    return _Split(*(np.take_along_axis(field, best, -1)[..., 0] for field in fields))


def _at(histogram: NDArray[np.float64], place: NDArray[np.float64]) -> NDArray[np.float64]:
    index = np.clip(np.nan_to_num(place), 0, _BINS - 1).astype(np.int64)
    return np.take_along_axis(histogram, index[..., None], -1)[..., 0]


def _count(values: NDArray[np.float32], valid: NDArray[np.bool_], block_px: int, limits: tuple[float, float]) -> NDArray[np.int64]:
    height, width = values.shape
    counts = np.zeros(((height + block_px - 1) // block_px, (width + block_px - 1) // block_px, _BINS), np.int64)
    scale = _BINS / (limits[1] - limits[0])
    for y in range(height):
        for x in range(width):
            if valid[y, x]:
                place = int((values[y, x] - limits[0]) * scale)
                counts[y // block_px, x // block_px, min(max(place, 0), _BINS - 1)] += 1
    return counts


_histograms = njit(cache=True, nogil=True)(_count)
