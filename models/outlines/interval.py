"""How wrong an area may be: one standard deviation, and a 95 % interval that is wider where less was seen."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.facts.grids import PIXEL_M

Floats = NDArray[np.float64]

EDGE_SHARE = 0.6872
"""Share of edge pixels that are wrong by half a pixel at one sigma (Hanshaw & Bookhagen 2014, section 3.3)."""
Z_95 = 1.959964
CORRELATED_PX = 9.0
"""Pixels whose errors come and go together: a patch of 3 x 3, the footprint of the 20 and 30 m inputs on our lattice."""
COREGISTRATION_M = 3.0
"""Multi-temporal co-registration of Sentinel-2 at 10 m, one sigma (S2 L1C data quality report: under 0.3 px)."""
LEAST_OBSERVED = 0.05
"""Below this share of observed ground, the high end grows no further: 20 times the area says nothing any more."""


@dataclass(frozen=True, slots=True)
class AreaEvidence:
    """What the error of an area is made of; arrays of equal length, one entry per feature."""

    area_m2: Floats
    perimeter_m: Floats
    """As published: geodesic, holes included, with the stairs of the pixel lattice.

    Stairs are longer than a smooth shore by 4/pi on average. Hanshaw & Bookhagen count edge pixels, and stairs are what
    their formula counts; the published column is used as it is, so that anyone can repeat the figure. It errs wide.
    """
    area_probability_m2: Floats
    """Sum of probability x pixel area over feature and rim; equal to `area_m2` when there is no probability."""
    doubt_m2: Floats
    """Half the area of feature and rim that changes sides when every probability moves by its spread; 0 when there is one model.

    A pixel on which models disagree far from the threshold is water to all of them, and adds nothing.
    """
    variance_px: Floats
    """Sum of p (1 - p) over feature and rim, pixels; 0 when there is no probability."""
    shore_seen: Floats
    """Share of the shore that was judged, by optics or radar (`measure.Statistics.shore_seen`)."""


@dataclass(frozen=True, slots=True)
class AreaInterval:
    """One standard deviation and the 95 % interval, m2: 0 <= low <= area <= high."""

    sigma_m2: Floats
    low_m2: Floats
    high_m2: Floats


def area_interval(evidence: AreaEvidence, *, pixel_m: float = PIXEL_M, coregistration_m: float = COREGISTRATION_M) -> AreaInterval:
    """Combine the error terms of areas mapped with pixels of `pixel_m`.

    Sigma: mixed pixels and co-registration, independent of each other, in quadrature. Mixed pixels are measured twice, by the
    length of the shore and by what the model says of its own doubt; the larger counts, for both speak of the same pixels.
    Low and high: 1.96 sigma, plus what the expected area (`area_probability_m2`) lies beyond the outline on that side, plus,
    on the high side only, the shore that nothing judged: the lake may go on there, so area x (1 - o) / o for a share o seen.
    """
    mixed = np.maximum(shoreline_m2(evidence.perimeter_m, pixel_m), _probability_m2(evidence, pixel_m))
    sigma = np.hypot(mixed, _shift_m2(evidence, pixel_m, coregistration_m))
    excess = evidence.area_probability_m2 - evidence.area_m2
    unseen = evidence.area_m2 * (1.0 / np.clip(evidence.shore_seen, LEAST_OBSERVED, 1.0) - 1.0)
    low = evidence.area_m2 - Z_95 * sigma - np.maximum(-excess, 0.0)
    high = evidence.area_m2 + Z_95 * sigma + np.maximum(excess, 0.0) + unseen
    return AreaInterval(sigma, np.maximum(low, 0.0), high)


def shoreline_m2(perimeter_m: Floats, pixel_m: float = PIXEL_M) -> Floats:
    """Return one sigma of mixed shore pixels: 0.6872 x edge pixels x half a pixel (Hanshaw & Bookhagen 2014, equation 1)."""
    return EDGE_SHARE * (perimeter_m / pixel_m) * pixel_m**2 / 2


def without_probability(area_m2: Floats, perimeter_m: Floats) -> AreaEvidence:
    """Return the evidence of outlines that come without probability and coverage, as foreign inventories do."""
    nothing = np.zeros_like(area_m2)
    return AreaEvidence(area_m2, perimeter_m, area_m2, nothing, nothing, np.ones_like(area_m2))


def _probability_m2(evidence: AreaEvidence, pixel_m: float) -> Floats:
    # Models disagree about a whole feature at once; chance per pixel averages out over patches.
    by_chance = pixel_m**2 * np.sqrt(CORRELATED_PX * evidence.variance_px)
    return np.hypot(evidence.doubt_m2, by_chance)


def _shift_m2(evidence: AreaEvidence, pixel_m: float, coregistration_m: float) -> Floats:
    # A shift of the whole scene moves a lake without changing its area; what is left is independent per edge pixel.
    return coregistration_m * pixel_m * np.sqrt(evidence.perimeter_m / pixel_m)
