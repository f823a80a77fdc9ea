"""Log-odds of water from radar."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from models.segmenter.evidence import LIMIT
from models.segmenter.index_options import IndexOptions
from models.segmenter.thresholds import Bounds, local_thresholds, spread_over_pixels


@dataclass(frozen=True, slots=True)
class Backscatter:
    """Backscatter of a window after averaging over 3 x 3 pixels."""

    power: NDArray[np.float32]
    """(2, y, x), linear gamma0 of VV and VH; NaN where unknown."""
    known: NDArray[np.bool_]
    """(y, x), both are known."""


def despeckled(s1: NDArray[np.float32]) -> Backscatter:
    """Average VV and VH in dB (2, y, x) over the known pixels of 3 x 3, in linear power."""
    known = np.isfinite(s1)
    power = np.where(known, np.power(np.float32(10), np.where(known, s1, np.float32(0)) / np.float32(10)), np.float32(0))
    total = uniform_filter(power, (0, 3, 3), mode="nearest")
    share = uniform_filter(known.astype(np.float32), (0, 3, 3), mode="nearest")
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(known, np.maximum(total, np.float32(1e-6)) / share, np.nan).astype(np.float32)
    return Backscatter(mean, known[0] & known[1])


def radar_evidence(backscatter: Backscatter, options: IndexOptions) -> NDArray[np.float32]:
    """Log-odds (y, x), NaN where unknown: the less water-like of VV and VH.

    The VV threshold is local and trusted only where two groups are apart (Martinis et al. 2015; OPERA DSWx-S1 ATBD).
    """
    rule, known = options.radar, backscatter.known
    with np.errstate(invalid="ignore"):
        vv, vh = np.float32(10) * np.log10(backscatter.power)
    bounds = Bounds(rule.vv, rule.vv_low, rule.vv_high, -30.0, 0.0, min_share=0.03)
    blocks = local_thresholds(np.where(known, vv, np.float32(0)), known, bounds, block_px=options.block_px)
    threshold = spread_over_pixels(blocks, known.shape, block_px=options.block_px)
    evidence = np.minimum((threshold - vv) / np.float32(rule.vv_unit), (np.float32(rule.vh) - vh) / np.float32(rule.vh_unit))
    return np.where(known, np.clip(evidence, -LIMIT, LIMIT), np.nan).astype(np.float32)


def smoothed(evidence: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean over the known pixels of 3 x 3: radar that stands alone needs more looks against speckle."""
    known = np.isfinite(evidence)
    total = uniform_filter(np.where(known, evidence, 0), 3, mode="nearest")
    share = uniform_filter(known.astype(np.float32), 3, mode="nearest")
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(known, total / share, np.nan).astype(np.float32)
