"""Counts of Sentinel-2 made comparable over processing baselines, and the scene classification read as causes."""

from dataclasses import dataclass
from typing import Final, Literal

import numba
import numpy as np
import numpy.typing as npt

from catalog.facts.bands import BASELINE_OFFSET
from catalog.facts.causes import Cause

Counts = npt.NDArray[np.uint16]
Classes = npt.NDArray[np.uint8]
DARK_SHARE: Final = 0.01
"""The darkest share of clear pixels that tells the offset: deep water and shadow reflect almost nothing in B08 and B11."""
MIN_EVIDENCE_PX: Final = 1000
STILL_ADDED_COUNTS: Final = 1000
"""No ground on Earth is brighter than this in its darkest hundredth, in both bands, unless the offset is still in."""
ALREADY_GONE_COUNTS: Final = 800
"""Raw counts below this cannot carry an offset of 1000: reflectance would be under -0.02."""

_CAUSE_OF_CLASS: Final = np.full(256, Cause.NO_SCENE, dtype=np.uint8)
_CAUSE_OF_CLASS[[2, 4, 5, 6, 7]] = Cause.USABLE  # 2 is dark, often water: terrain shadow is computed, not believed
_CAUSE_OF_CLASS[3] = Cause.CLOUD_SHADOW
_CAUSE_OF_CLASS[[8, 9, 10]] = Cause.CLOUD
_CAUSE_OF_CLASS[11] = Cause.SNOW_OR_ICE
_SEES_GROUND: Final = np.isin(_CAUSE_OF_CLASS, (Cause.USABLE, Cause.SNOW_OR_ICE)).astype(np.uint8)


def harmonise(counts: Counts, offset: int) -> Counts:
    """Return counts without the baseline offset: 0 stays nodata, dark ground and water become 1 at least, never nodata."""
    if offset == 0:
        return counts
    return np.asarray(_subtract(np.ascontiguousarray(counts), np.uint16(offset)))


def causes_of_classes(classes: Classes) -> Classes:
    """Return the cause that the scene classification (Sen2Cor SCL, classes 0 to 11) names; 0 and 1 (saturated) count as no scene."""
    return np.asarray(_look_up(_CAUSE_OF_CLASS, classes.reshape(-1))).reshape(classes.shape)


def clear_classes(classes: Classes) -> Classes:
    """Return 1 where the scene classification sees the ground, be it snow, and 0 elsewhere (classes 0, 1, 3, 8, 9, 10)."""
    return np.asarray(_look_up(_SEES_GROUND, classes.reshape(-1))).reshape(classes.shape)


@dataclass(frozen=True, slots=True)
class OffsetEvidence:
    """What the darkest pixels say about the offset that a catalog claims."""

    dark_nir: float
    """Count at the darkest hundredth of B08 over clear pixels."""
    dark_swir: float
    """The same of B11."""
    verdict: Literal["agrees", "contradicts", "undecided"]


def offset_evidence(nir: Counts, swir: Counts, clear: npt.NDArray[np.bool_], offset: int) -> OffsetEvidence:
    """Compare raw counts of B08 and B11 (same shape) with the offset that is to be subtracted.

    Contradiction: both dark ends at 1000 or more while nothing would be subtracted, or both below 800 while 1000 would.
    """
    known = clear & (nir > 0) & (swir > 0)
    if np.count_nonzero(known) < MIN_EVIDENCE_PX:
        return OffsetEvidence(float("nan"), float("nan"), "undecided")
    dark_nir, dark_swir = (float(np.quantile(band[known], DARK_SHARE)) for band in (nir, swir))
    if offset == 0:
        wrong = min(dark_nir, dark_swir) >= STILL_ADDED_COUNTS
    else:
        wrong = max(dark_nir, dark_swir) < ALREADY_GONE_COUNTS * offset / BASELINE_OFFSET
    return OffsetEvidence(dark_nir, dark_swir, "contradicts" if wrong else "agrees")


def halve(counts: Counts) -> Counts:
    """Return the rounded mean of every 2 x 2 counts; 0 where one of them is nodata, so that a valid mean has four valid counts."""
    return np.asarray(_mean_of_four(counts))


@numba.njit(nogil=True, cache=True)
def _subtract(counts, offset):  # type: ignore[no-untyped-def]
    out = np.empty_like(counts)
    flat, target = counts.ravel(), out.ravel()
    for i in range(flat.shape[0]):
        count = flat[i]
        lowered = count - offset if count > offset else np.uint16(1)
        target[i] = lowered if count != 0 else np.uint16(0)
    return out


@numba.njit(nogil=True, cache=True)
def _look_up(table, codes):  # type: ignore[no-untyped-def]
    out = np.empty_like(codes)
    for i in range(codes.shape[0]):
        out[i] = table[codes[i]]
    return out


@numba.njit(nogil=True, cache=True)
def _mean_of_four(counts):  # type: ignore[no-untyped-def]
    height, width = counts.shape[0] // 2, counts.shape[1] // 2
    out = np.empty((height, width), np.uint16)
    for y in range(height):
        upper, lower = counts[2 * y], counts[2 * y + 1]
        for x in range(width):
            a, b, c, d = np.uint32(upper[2 * x]), np.uint32(upper[2 * x + 1]), np.uint32(lower[2 * x]), np.uint32(lower[2 * x + 1])
            mean = (a + b + c + d + np.uint32(2)) >> np.uint32(2)
            out[y, x] = np.uint16(mean) if (a != 0) & (b != 0) & (c != 0) & (d != 0) else np.uint16(0)
    return out
