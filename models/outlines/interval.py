"""How wrong an area may be: one standard deviation, and a 95 % interval that is wider where less was seen."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.facts.grids import PIXEL_M

Floats = NDArray[np.float64]

EDGE_SHARE = 0.6872
"""Share of edge pixels that are wrong by half a pixel at one sigma (Hanshaw & Bookhagen 2014, section 3.3)."""
Z_95 = 1.959964
DISPLACED_PX = 0.12
"""How far the whole shore of an outline lies off, one sigma, pixels, where it was cut from a calibrated probability.

Hanshaw & Bookhagen let every edge pixel err by 0.34 pixels to the same side, as fits an index with one threshold for a scene. Outlines
of trained models err by 0.04 to 0.2 on simulated worlds whose truth is known, and intervals of 0.34 held it in 99 cases of 100.
"""
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
    """Sum of p (1 - p) over feature and rim, pixels; 0 when there is no probability per pixel."""
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
    length of the shore as published and by what the model says of its own doubt; the larger counts, for both speak of the same pixels.
    Low and high: 1.96 sigma; where there is a probability per pixel, a shore `DISPLACED_PX` off, the model's doubt and co-registration
    in quadrature take the place of sigma, for that is what holds the truth in 95 cases of 100. To this comes what the expected area
    (`area_probability_m2`) lies beyond the outline on that side, and, on the high side only, the shore that nothing judged: the lake may
    go on there, so area x (1 - o) / o for a share o seen.
    """
    model, shift = _probability_m2(evidence, pixel_m), _shift_m2(evidence, pixel_m, coregistration_m)
    sigma = np.hypot(np.maximum(shoreline_m2(evidence.perimeter_m, pixel_m), model), shift)
    displaced = DISPLACED_PX * pixel_m * evidence.perimeter_m
    half = Z_95 * np.where(evidence.variance_px > 0, np.sqrt(displaced**2 + model**2 + shift**2), sigma)
    excess = evidence.area_probability_m2 - evidence.area_m2
    unseen = evidence.area_m2 * (1.0 / np.clip(evidence.shore_seen, LEAST_OBSERVED, 1.0) - 1.0)
    low = evidence.area_m2 - half - np.maximum(-excess, 0.0)
    high = evidence.area_m2 + half + np.maximum(excess, 0.0) + unseen
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
