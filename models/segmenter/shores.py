"""The share of water in the pixels of a shore, unmixed between the water and the land right there."""

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, binary_erosion

from catalog.facts.bands import s2_index
from models.segmenter.index_options import ShoreRule

_BANDS = tuple(s2_index(name) for name in ("B02", "B03", "B04", "B08", "B11", "B12"))
_SQUARE = np.ones((3, 3), bool)
_WATER, _LAND, _MIXED = 1, 2, 3


def water_share(s2: NDArray[np.uint16], valid: NDArray[np.bool_], water: NDArray[np.bool_], rule: ShoreRule) -> NDArray[np.float32]:
    """Share of water 0..1 in pixels near the edge of `water`; NaN elsewhere and where water and land are too alike.

    Two end members per pixel: the mean of pure water and of pure land within `search_px`. Bands count by Fisher's
    discriminant (squared distance over variance), so that the bands that tell this water from this land decide: SWIR for
    milky lakes, NIR beside snow (linear unmixing of shores: Foody et al. 2005; Xie et al. 2016). A share of 0.5 is the
    local intermeans threshold (Ridler & Calvard 1978).
    """
    roles = _roles(valid, water, rule)
    result: NDArray[np.float32] = _share_kernel(s2, roles, rule)
    return result


def _roles(valid: NDArray[np.bool_], water: NDArray[np.bool_], rule: ShoreRule) -> NDArray[np.uint8]:
    """1 pure water, 2 pure land, 3 possibly mixed, 0 none of it."""
    near = binary_dilation(water, _SQUARE, iterations=rule.reach_px)
    inner = binary_erosion(water, _SQUARE, border_value=1)
    roles = np.where(near, _MIXED, _LAND).astype(np.uint8)
    roles[inner] = _WATER
    roles[binary_erosion(water, _SQUARE, iterations=rule.reach_px, border_value=1)] = 0
    roles[~valid] = 0
    deep = inner & (roles == 0) & valid
    roles[deep] = _WATER
    return roles


def _means(
    s2: NDArray[np.uint16], roles: NDArray[np.uint8], role: int, place: tuple[int, int], reach: int
) -> tuple[NDArray[np.float64], int]:
    """Mean (row 0) and variance (row 1) of the bands over pixels of a role in a box, and their number."""
    found = np.zeros((2, len(_BANDS)), np.float64)
    count = 0
    for y in range(max(place[0] - reach, 0), min(place[0] + reach + 1, roles.shape[0])):
        for x in range(max(place[1] - reach, 0), min(place[1] + reach + 1, roles.shape[1])):
            if roles[y, x] == role:
                count += 1
                for index, band in enumerate(_BANDS):
                    value = 1e-4 * s2[band, y, x]
                    found[0, index] += value
                    found[1, index] += value * value
    if count > 0:
        found /= count
        found[1] -= found[0] * found[0]
    return found, count


def _unmixed(pixel: NDArray[np.float64], water: NDArray[np.float64], land: NDArray[np.float64], rule: ShoreRule) -> float:
    along = 0.0
    whole = 0.0
    for index in range(len(pixel)):
        apart = land[0, index] - water[0, index]
        weight = apart / (land[1, index] + water[1, index] + rule.noise * rule.noise)
        along += weight * (land[0, index] - pixel[index])
        whole += weight * apart
    if 2.0 * whole < rule.min_separation * rule.min_separation:
        return np.nan
    return min(max(along / whole, 0.0), 1.0)


def _share(s2: NDArray[np.uint16], roles: NDArray[np.uint8], rule: ShoreRule) -> NDArray[np.float32]:
    share = np.full(roles.shape, np.nan, np.float32)
    pixel = np.zeros(len(_BANDS), np.float64)
    for y in range(roles.shape[0]):
        for x in range(roles.shape[1]):
            if roles[y, x] != _MIXED:
                continue
            water, waters = _means_kernel(s2, roles, _WATER, (y, x), rule.search_px)
            land, lands = _means_kernel(s2, roles, _LAND, (y, x), rule.search_px)
            if waters < rule.min_pure_px or lands < rule.min_pure_px:
                continue
            for index, band in enumerate(_BANDS):
                pixel[index] = 1e-4 * s2[band, y, x]
            share[y, x] = _unmixed_kernel(pixel, water, land, rule)
    return share


_means_kernel = njit(cache=True, nogil=True)(_means)
_unmixed_kernel = njit(cache=True, nogil=True)(_unmixed)
_share_kernel = njit(cache=True, nogil=True)(_share)
