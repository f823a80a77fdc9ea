"""Open water, which a detector of slumps is not shown: lakes and wet grey mud look alike to red, green, blue and near infrared.

Source: MNDWI of Xu 2006 (doi:10.1080/01431160600589179). Both thresholds are stricter than those of water maps: thawed mud is wet, and reaches
0.5 where it is darkest, while water sends back next to nothing at 1.6 µm.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from catalog.facts.bands import S2_NODATA, s2_index

MNDWI: Final = 0.6
DARKEST_SWIR: Final = 300
"""Counts of B11 (reflectance x 10 000) below which ground is black enough to be water."""


def open_water(s2: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """Where counts (N, 12, y, x) in the cube's order show open water, (N, y, x); nowhere that green or B11 is missing."""
    green, short = (s2[:, s2_index(name)].astype(np.float32) for name in ("B03", "B11"))
    known = (green != S2_NODATA) & (short != S2_NODATA)
    wet = (green - short) > MNDWI * (green + short)
    return np.asarray(known & wet & (short < DARKEST_SWIR))
