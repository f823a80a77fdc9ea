"""Log-odds of water from radar."""

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from models.segmenter.evidence import LIMIT
from models.segmenter.index_options import IndexOptions, RadarRule
from models.segmenter.thresholds import Bounds, local_thresholds, spread_over_pixels


def radar_evidence(s1: NDArray[np.float32], options: IndexOptions) -> NDArray[np.float32]:
    """Log-odds (y, x) from VV and VH in dB (2, y, x), NaN where VV is unknown: the less water-like of the two.

    Speckle is averaged over 3 x 3 in linear power; the VV threshold is local and trusted only where two groups are apart
    (Martinis et al. 2015; OPERA DSWx-S1 ATBD).
    """
    rule = options.radar
    vv, vh = (_despeckled(band) for band in s1)
    known = np.isfinite(vv)
    bounds = Bounds(rule.vv, rule.vv_low, rule.vv_high, -30.0, 0.0, min_share=0.03)
    blocks = local_thresholds(np.where(known, vv, 0), known, bounds, block_px=options.block_px)
    threshold = spread_over_pixels(blocks, vv.shape, block_px=options.block_px)
    result: NDArray[np.float32] = _radar_kernel(vv, vh, threshold, rule)
    return result


def smoothed(evidence: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean over the known pixels of 3 x 3: radar that stands alone needs more looks against speckle."""
    known = np.isfinite(evidence)
    total = uniform_filter(np.where(known, evidence, 0), 3, mode="nearest")
    share = uniform_filter(known.astype(np.float32), 3, mode="nearest")
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(known, total / share, np.nan).astype(np.float32)


def _despeckled(band: NDArray[np.float32]) -> NDArray[np.float32]:
    known = np.isfinite(band)
    power = np.where(known, np.power(np.float32(10), np.where(known, band, np.float32(0)) / np.float32(10)), np.float32(0))
    total = uniform_filter(power, 3, mode="nearest")
    share = uniform_filter(known.astype(np.float32), 3, mode="nearest")
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.float32(10) * np.log10(np.maximum(total, np.float32(1e-6)) / share)
    return np.where(known, mean, np.nan).astype(np.float32)


def _radar(vv: NDArray[np.float32], vh: NDArray[np.float32], threshold: NDArray[np.float32], rule: RadarRule) -> NDArray[np.float32]:
    evidence = np.full(vv.shape, np.nan, np.float32)
    for y in range(vv.shape[0]):
        for x in range(vv.shape[1]):
            if np.isfinite(vv[y, x]):
                value = (threshold[y, x] - vv[y, x]) / rule.vv_unit
                if np.isfinite(vh[y, x]):
                    value = min(value, (rule.vh - vh[y, x]) / rule.vh_unit)
                evidence[y, x] = min(max(value, -LIMIT), LIMIT)
    return evidence


_radar_kernel = njit(cache=True, nogil=True)(_radar)
