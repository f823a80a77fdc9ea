"""Log-odds of water, pixel by pixel, from reflectance and its setting."""

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from catalog.facts.bands import s2_index
from models.segmenter.index_options import IndexOptions, ReliefRule, SpectralRule
from models.segmenter.relief import Relief
from models.segmenter.thresholds import Bounds, local_thresholds, spread_over_pixels

LIMIT: Final = 4.0
"""Evidence is cut to +-4 log-odds (0.018 to 0.982): no index is surer."""
_BLUE, _GREEN, _RED, _NIR, _SWIR1, _SWIR2 = (s2_index(name) for name in ("B02", "B03", "B04", "B08", "B11", "B12"))
_Bands = tuple[float, float, float, float, float, float]


def optical_evidence(
    s2: NDArray[np.uint16], valid: NDArray[np.bool_], relief: Relief, options: IndexOptions
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Log-odds (y, x) from the indices, and the spread (y, x) of the three indices as probabilities.

    Green and NIR must hold data; where SWIR holds none, NDWI votes alone against a higher bar, less surely and with a larger
    spread; green stands in for blue or red without data. Else the mean of three votes, NDWI (McFeeters 1996), MNDWI (Xu 2006) and AWEI_sh (Feyisa et al. 2014), each from its
    threshold in units of its noise; black water, whose indices are noise, by its darkness alone; never more than what
    darkness in NIR and SWIR allows, so that snow, ice and dry ground cannot be outvoted; shadow is doubted.
    """
    rule = options.spectral
    ndwi, judged = _ndwi_kernel(s2, valid, rule)
    bounds = Bounds(rule.ndwi, rule.ndwi_low, rule.ndwi_high, -0.8, 0.9)
    blocks = local_thresholds(ndwi, judged, bounds, block_px=options.block_px)
    threshold = spread_over_pixels(blocks, ndwi.shape, block_px=options.block_px)
    place = np.stack([threshold, relief.slope_deg, relief.horizon_deg])
    evidence, spread = _optical_kernel(s2, valid, place, rule, options.relief)
    return evidence, spread


def _ndwi(s2: NDArray[np.uint16], valid: NDArray[np.bool_], rule: SpectralRule) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """NDWI, and the pixels that its local threshold is judged on: all but snow and ice, which are neither water nor land."""
    height, width = valid.shape
    ndwi = np.zeros((height, width), np.float32)
    judged = np.zeros((height, width), np.bool_)
    for y in range(height):
        for x in range(width):
            if valid[y, x]:
                green, nir, swir = np.float32(s2[_GREEN, y, x]), np.float32(s2[_NIR, y, x]), np.float32(s2[_SWIR1, y, x])
                ndwi[y, x] = (green - nir) / (green + nir)
                # snow and ice are brighter in green than in what shows land: SWIR or, without it, NIR
                judged[y, x] = nir < 1e4 * rule.nir or (swir if swir > 0 else nir) > green
    return ndwi, judged


def _index_votes(bands: _Bands, bar: float, rule: SpectralRule) -> tuple[float, float, float]:
    blue, green, _, nir, swir1, swir2 = bands
    milky_bar = bar + rule.milky_slope * max(nir - rule.milky_nir, 0.0)
    ndwi = ((green - nir) / (green + nir) - milky_bar) / rule.ndwi_unit
    mndwi = ((green - swir1) / (green + swir1) - rule.mndwi) / rule.mndwi_unit
    awei = (blue + 2.5 * green - 1.5 * (nir + swir1) - 0.25 * swir2 - rule.awei) / rule.awei_unit
    return _cut_kernel(ndwi), _cut_kernel(mndwi), _cut_kernel(awei)


def _darkness(nir: float, swir: float, nir_limit: float, swir_limit: float, units: tuple[float, float]) -> float:
    return min((nir_limit - nir) / units[0], (swir_limit - swir) / units[1])


def _skylight_doubt(bands: _Bands, slope_deg: float, rule: SpectralRule, relief: ReliefRule) -> float:
    """Log-odds to take off because the pixel may be lit by the sky only."""
    blue, green, red = bands[0], bands[1], bands[2]
    doubt = 0.0
    if blue > rule.bright_blue:
        doubt = max(blue / green - rule.blue_cast, 0.0) / rule.blue_cast_unit
    if (blue + green + red) / 3.0 < relief.dim:
        doubt += max(slope_deg - relief.dim_slope_deg, 0.0) / relief.dim_slope_unit_deg
    return doubt


def _pixel_evidence(bands: _Bands, place: tuple[float, float, float], rule: SpectralRule, relief: ReliefRule) -> tuple[float, float]:
    """Log-odds and spread of one pixel; `place` is its NDWI threshold, slope and horizon."""
    nir, swir = bands[3], bands[4]
    overlooked = place[2] > relief.shadow_horizon_deg
    in_doubt = overlooked and (bands[0] + bands[1] + bands[2]) / 3.0 < relief.dim
    votes = _votes_kernel(bands, place[0] + rule.dim_bar if in_doubt else place[0], rule)
    spread = 0.5 * (_logistic_kernel(max(votes)) - _logistic_kernel(min(votes)))
    mean = (votes[0] + votes[1] + votes[2]) / 3.0
    if in_doubt:
        mean = min(mean, votes[0])
    elif not overlooked:
        black = _darkness_kernel(nir, swir, rule.black_nir, rule.black_swir, (rule.black_unit, rule.black_unit))
        mean = max(mean, min(black, rule.black_most))
    mean -= _doubt_kernel(bands, place[1], rule, relief)
    dark = _darkness_kernel(nir, swir, rule.nir, rule.swir, (rule.nir_unit, rule.swir_unit))
    return _cut_kernel(min(mean, dark)), spread


def _lone_evidence(bands: _Bands, place: tuple[float, float, float], rule: SpectralRule, relief: ReliefRule) -> tuple[float, float]:
    """The same without SWIR: NDWI and the darkness of NIR."""
    green, nir = bands[1], bands[3]
    overlooked = place[2] > relief.shadow_horizon_deg
    bar = place[0] + rule.lone_bar + rule.milky_slope * max(nir - rule.milky_nir, 0.0)
    if overlooked and (bands[0] + green + bands[2]) / 3.0 < relief.dim:
        bar += rule.dim_bar
    vote = min(_cut_kernel(((green - nir) / (green + nir) - bar) / rule.ndwi_unit), rule.lone_most)
    spread = 0.5 * (_logistic_kernel(vote + rule.lone_doubt) - _logistic_kernel(vote - rule.lone_doubt))
    if not overlooked:
        vote = max(vote, min((rule.lone_black_nir - nir) / rule.black_unit, rule.black_most))
    vote -= _doubt_kernel(bands, place[1], rule, relief)
    return _cut_kernel(min(vote, (rule.lone_nir - nir) / rule.nir_unit)), spread


def _optical(
    s2: NDArray[np.uint16], valid: NDArray[np.bool_], place: NDArray[np.float32], rule: SpectralRule, relief: ReliefRule
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    evidence = np.full(valid.shape, -LIMIT, np.float32)
    spread = np.zeros(valid.shape, np.float32)
    nir_most = 1e4 * (rule.nir + LIMIT * rule.nir_unit)
    swir_most = 1e4 * (rule.swir + LIMIT * rule.swir_unit)
    for y in range(valid.shape[0]):
        for x in range(valid.shape[1]):
            if not valid[y, x] or s2[_NIR, y, x] > nir_most or s2[_SWIR1, y, x] > swir_most:
                continue
            green, swir = 1e-4 * s2[_GREEN, y, x], 1e-4 * s2[_SWIR1, y, x]
            blue, red, swir2 = 1e-4 * s2[_BLUE, y, x], 1e-4 * s2[_RED, y, x], 1e-4 * s2[_SWIR2, y, x]
            blue, red, swir2 = blue if blue > 0.0 else green, red if red > 0.0 else green, swir2 if swir2 > 0.0 else swir
            bands = (blue, green, red, 1e-4 * s2[_NIR, y, x], swir, swir2)
            here = (float(place[0, y, x]), float(place[1, y, x]), float(place[2, y, x]))
            if swir > 0.0:
                evidence[y, x], spread[y, x] = _pixel_kernel(bands, here, rule, relief)
            else:
                evidence[y, x], spread[y, x] = _lone_kernel(bands, here, rule, relief)
    return evidence, spread


def _cut(value: float) -> float:
    return min(max(value, -LIMIT), LIMIT)


def _logistic(value: float) -> float:
    return float(1.0 / (1.0 + np.exp(-value)))


_cut_kernel = njit(cache=True, nogil=True)(_cut)
_logistic_kernel = njit(cache=True, nogil=True)(_logistic)
_darkness_kernel = njit(cache=True, nogil=True)(_darkness)
_votes_kernel = njit(cache=True, nogil=True)(_index_votes)
_doubt_kernel = njit(cache=True, nogil=True)(_skylight_doubt)
_lone_kernel = njit(cache=True, nogil=True)(_lone_evidence)
_pixel_kernel = njit(cache=True, nogil=True)(_pixel_evidence)
_ndwi_kernel = njit(cache=True, nogil=True)(_ndwi)
_optical_kernel = njit(cache=True, nogil=True)(_optical)
