"""Whether optics and radar, each alone, see the same water in a lake."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from catalog.facts.causes import Cause
from models.segmenter.backscatter import despeckled, radar_evidence, smoothed
from models.segmenter.contract import WindowArrays, has_optics
from models.segmenter.evidence import optical_evidence
from models.segmenter.index_options import IndexOptions
from models.segmenter.relief import relief_of

Mask = NDArray[np.bool_]
Window = tuple[int, int, int, int]
"""(y0, x0, y1, x1) in global pixels, ends exclusive."""

SEEN_SHARE: Final = 0.5
"""Share of the lake and its rim that both sensors must have seen."""
_OPTICAL_BANDS: Final = ("B03", "B08")
_OPTIONS: Final = IndexOptions()


def agreement_window(bounds: Window) -> Window:
    """Return the ground to read for a lake with these pixel bounds: the lattice's blocks it meets and one around them.

    Thresholds are judged on blocks of the lattice and their neighbours; the window depends on the lake alone, never on tiles.
    """
    block = _OPTIONS.block_px
    top, left = ((start // block - 1) * block for start in bounds[:2])
    bottom, right = ((-(-end // block) + 1) * block for end in bounds[2:])
    return top, left, bottom, right


def agreement(body: Mask, window: WindowArrays) -> float:
    """Return the IoU of optical-only and radar-only water over a lake and its rim `body` (y, x), on pixels that both saw.

    Measured by indices: NDWI, MNDWI and AWEI against local thresholds on one side, VV and VH on the other, exactly as the model `indices`
    weighs them, water from even odds on. So it is independent of the network that mapped the lake, and cannot confirm or refute its
    outline; it says whether two physical signals tell the same story. NaN where less than `SEEN_SHARE` of the body was seen by both, or
    where neither sees water. Wind on a lake, wet snow, ice and radar shadow lower it.
    """
    if window.s2 is None or window.s1 is None:
        return float("nan")
    clear = has_optics(window, _OPTICAL_BANDS) & (window.cause == Cause.USABLE)
    backscatter = despeckled(window.s1)
    both = body & clear & backscatter.known
    if both.sum() < SEEN_SHARE * body.sum():
        return float("nan")
    optical, _ = optical_evidence(window.s2, clear, relief_of(window.dem, window.cause.shape), _OPTIONS)
    radar = smoothed(radar_evidence(backscatter, _OPTIONS))
    by_optics, by_radar = optical[both] > 0, radar[both] > 0
    either = int((by_optics | by_radar).sum())
    return int((by_optics & by_radar).sum()) / either if either else float("nan")
