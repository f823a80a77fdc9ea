"""The two-regime test of labels against MNDWI, as CryoSentinel applies it when it takes chips in; here it is reported.

The test looks at the pixels that a network sees too, so what it refuses is not always wrong: frozen, turbid and shadowed lakes fail it.
A training may leave such chips out; a test set never does.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from catalog.facts.bands import s2_index
from catalog.facts.chips import LABEL_IGNORE, LABEL_SCALE

WATER_MNDWI: Final = 0.3
LEAST_IOU: Final = 0.20
MOST_WATER_PER_MASK: Final = 3.0
MOST_BACKGROUND_WATER: Final = 0.05


@dataclass(frozen=True, slots=True)
class Sanity:
    """How a label and MNDWI agree on one chip."""

    sane: bool
    mask_px: int
    water_px: int
    iou: float
    """Of label and MNDWI; NaN on a chip without lakes."""
    water_per_mask: float
    """NaN on a chip without lakes."""
    background_share: float
    """Share of a chip without lakes that MNDWI calls water; NaN on a chip with lakes."""


def sanity_of(s2: NDArray[np.uint16], label: NDArray[np.uint8]) -> Sanity:
    """Compare a chip (12, y, x) with its label (y, x); ignored pixels count on neither side."""
    green, swir = (s2[s2_index(name)].astype(np.int64) for name in ("B03", "B11"))
    known = label != LABEL_IGNORE
    # (green - swir) / (green + swir) > 0.3 without a division; 0 + 0 is no water
    water = known & (green - swir > WATER_MNDWI * (green + swir))
    mask = known & (label >= LABEL_SCALE // 2)
    mask_px, water_px = int(mask.sum()), int(water.sum())
    if not mask_px:
        share = water_px / label.size
        return Sanity(share <= MOST_BACKGROUND_WATER, 0, water_px, float("nan"), float("nan"), share)
    iou = float((mask & water).sum() / (mask | water).sum())
    ratio = water_px / mask_px
    return Sanity(iou >= LEAST_IOU and ratio <= MOST_WATER_PER_MASK, mask_px, water_px, iou, ratio, float("nan"))
