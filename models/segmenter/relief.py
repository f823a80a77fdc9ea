"""How steep the ground is, and how much of the sky around it stands higher."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

_CELL_PX: Final = 8
"""Cells of 80 m are fine enough for horizons."""
_REACHES: Final = (1, 2, 4, 8, 12)
"""Distances at which the horizon is looked for, cells; the last is about 1 km."""


@dataclass(frozen=True, slots=True)
class Relief:
    """Relief of a window; zero where the elevation is unknown, so that it vetoes nothing."""

    slope_deg: NDArray[np.float32]
    """(y, x), over a baseline of 40 m."""
    horizon_deg: NDArray[np.float32]
    """(y, x), highest angle to terrain within 1 km: the sun has to stand higher for every pixel to be lit."""


def relief_of(dem: NDArray[np.float32] | None, shape: tuple[int, int]) -> Relief:
    """Slope and horizon of an elevation model in metres (y, x) with pixels of 10 m."""
    if dem is None or not np.isfinite(dem).any():
        flat = np.zeros(shape, np.float32)
        return Relief(flat, flat)
    return Relief(_slope_kernel(dem), _horizon(dem))


def _horizon(dem: NDArray[np.float32]) -> NDArray[np.float32]:
    """Lower bound of the horizon in any direction, from maxima over growing squares of cells."""
    sample = dem[_CELL_PX // 2 :: _CELL_PX, _CELL_PX // 2 :: _CELL_PX]
    known = np.isfinite(sample)
    lowest = sample[known].min() if known.any() else np.float32(0)
    height = np.where(known, sample, lowest)
    tangent = np.zeros(sample.shape, np.float32)
    for reach in _REACHES:
        rise = np.where(known, maximum_filter(height, 2 * reach + 1, mode="nearest") - height, 0)
        tangent = np.maximum(tangent, rise / np.float32(reach * _CELL_PX * 10.0 * 1.2))
    angle = np.degrees(np.arctan(tangent)).astype(np.float32)
    whole = np.repeat(np.repeat(angle, _CELL_PX, 0), _CELL_PX, 1)
    return np.pad(whole, ((0, max(dem.shape[0] - whole.shape[0], 0)), (0, max(dem.shape[1] - whole.shape[1], 0))), mode="edge")[
        : dem.shape[0], : dem.shape[1]
    ]


def _slope(dem: NDArray[np.float32]) -> NDArray[np.float32]:
    """Central differences over +-20 m: the model has 30 m, so a shorter baseline adds only interpolation steps."""
    height, width = dem.shape
    slope = np.zeros((height, width), np.float32)
    for y in range(height):
        for x in range(width):
            top, bottom, left, right = max(y - 2, 0), min(y + 2, height - 1), max(x - 2, 0), min(x + 2, width - 1)
            down = (dem[bottom, x] - dem[top, x]) / (10.0 * max(bottom - top, 1))
            along = (dem[y, right] - dem[y, left]) / (10.0 * max(right - left, 1))
            value = np.degrees(np.arctan(np.sqrt(down * down + along * along)))
            if np.isfinite(value):
                slope[y, x] = value
    return slope


_slope_kernel = njit(cache=True, nogil=True)(_slope)
