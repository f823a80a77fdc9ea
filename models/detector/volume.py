"""The volume that a slump has lost, from its area: a power law, and how far single slumps lie from it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LOG10_VOLUME_AT_CENTRE: Final = 3.660_21
EXPONENT: Final = 1.357_7
LOG10_AREA_CENTRE: Final = 3.800_17
"""log10 V = 3.660 + 1.358 (log10 A - 3.800), V in m3, A in m2: V = 0.0317 A^1.358."""
CENTRE_SE: Final = 0.007_6
EXPONENT_SE: Final = 0.014_4
"""Centred on the mean of log10 A, so that the errors of both numbers are independent."""
SCATTER_LOG10: Final = 0.296
"""Standard deviation of single slumps about the law, decades: half of them lie within a factor of 1.6."""
VALID_M2: Final = (171.0, 596_701.0)
"""Areas that the law was fitted on; beyond them it is a guess."""
SOURCE: Final = (
    "Area-volume law of 1522 slumps of the Beaufort Delta, Canada, V = 0.0317 A^1.358 (exponent 1.330-1.386 at 95 %, adjusted R2 0.85): "
    "van der Sluijs, Kokelj & Tunnicliffe 2023, doi:10.5194/tc-17-4511-2023, coefficients by least squares on their published data "
    "(github.com/jurjenvdsluijs/RTSareavolume). It is the volume lost since the slump began. The law varies between regions: of the same "
    "data 1.25 on the coastlands and 1.42 on the Peel Plateau; for yearly changes 1.15, by site 1.05-1.37 (Bernhard et al. 2022, "
    "doi:10.5194/tc-16-1-2022)."
)
"""For the metadata of an inventory. The figures of the fit repeat the adjusted R2 of 0.85 and n of 1522 of the paper's abstract."""
MEAN_OVER_MEDIAN: Final = 1.26
"""A sum of volumes is that much larger than the sum of what the law gives, which is the median slump of an area (Duan 1983)."""
_Z_95: Final = 1.959_964


@dataclass(frozen=True, slots=True)
class Volume:
    """Volumes with 95 % intervals, m3; arrays of equal length."""

    volume_m3: Floats
    low_m3: Floats
    high_m3: Floats


def volume_of(area_m2: Floats, area_low_m2: Floats, area_high_m2: Floats) -> Volume:
    """Return the volumes of slumps of these areas, low and high the ends of the areas' 95 % intervals.

    The interval joins, in decades of volume, the error of the area, that of the law and the scatter of single slumps about it; the last
    is by far the largest, and the only one that a sum over many slumps makes small.
    """
    distance = np.log10(area_m2) - LOG10_AREA_CENTRE
    volume = 10 ** (LOG10_VOLUME_AT_CENTRE + EXPONENT * distance)
    law = _Z_95**2 * (CENTRE_SE**2 + (EXPONENT_SE * distance) ** 2 + SCATTER_LOG10**2)
    with np.errstate(divide="ignore"):
        # an area that may be zero has no lower end in decades: the volume may be zero, too
        below = EXPONENT * (np.log10(area_m2) - np.log10(area_low_m2))
    above = EXPONENT * (np.log10(area_high_m2) - np.log10(area_m2))
    return Volume(volume, volume * 10 ** -np.sqrt(law + below**2), volume * 10 ** np.sqrt(law + above**2))
