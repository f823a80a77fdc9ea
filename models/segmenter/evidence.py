"""Log-odds of water, pixel by pixel: from reflectance, from backscatter, from relief."""

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from catalog.facts.bands import s2_index
from models.segmenter.index_options import IndexOptions, RadarRule, ReliefRule, SpectralRule
from models.segmenter.thresholds import Bounds, local_thresholds, spread_over_pixels

LIMIT: Final = 4.0
"""Evidence is cut to +-4 log-odds (0.018 to 0.982): no index is surer."""
_BLUE, _GREEN, _RED, _NIR, _SWIR1, _SWIR2 = (s2_index(name) for name in ("B02", "B03", "B04", "B08", "B11", "B12"))


def optical_evidence(
    s2: NDArray[np.uint16], valid: NDArray[np.bool_], slope_deg: NDArray[np.float32], options: IndexOptions
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Log-odds (y, x) from the indices, and the spread (y, x) of the three indices as probabilities.

    The mean of three votes, NDWI (McFeeters 1996), MNDWI (Xu 2006) and AWEI_sh (Feyisa et al. 2014), each from its
    threshold in units of its noise; never more than what darkness in NIR and SWIR allows, so that snow, ice and dry ground
    cannot be outvoted; dim ground on slopes is doubted as shadow.
    """
    rule = options.spectral
    ndwi, candidate = _ndwi_kernel(s2, valid, rule)
    bounds = Bounds(rule.ndwi, rule.ndwi_low, rule.ndwi_high, -0.8, 0.9)
    blocks = local_thresholds(ndwi, candidate, bounds, block_px=options.block_px)
    threshold = spread_over_pixels(blocks, ndwi.shape, block_px=options.block_px)
    evidence, spread = _optical_kernel(s2, valid, threshold, slope_deg, (rule, options.relief))
    return evidence, spread


def radar_evidence(s1: NDArray[np.float32], options: IndexOptions) -> NDArray[np.float32]:
    """Log-odds (y, x) from backscatter, NaN where there is none: the less water-like of VV and VH.

    Speckle is averaged over 3 x 3 in linear power; the VV threshold is local (Martinis et al. 2015).
    """
    rule = options.radar
    vv, vh = (_despeckled(band) for band in s1)
    known = np.isfinite(vv)
    bounds = Bounds(rule.vv, rule.vv_low, rule.vv_high, -30.0, 0.0, min_share=0.03)
    blocks = local_thresholds(np.where(known, vv, 0), known, bounds, block_px=options.block_px)
    threshold = spread_over_pixels(blocks, vv.shape, block_px=options.block_px)
    result: NDArray[np.float32] = _radar_kernel(vv, vh, threshold, rule)
    return result


def slope_of(dem: NDArray[np.float32] | None, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Slope in degrees (y, x) over a 50 m baseline; 0 where the elevation is unknown, so that it vetoes nothing."""
    if dem is None:
        return np.zeros(shape, np.float32)
    result: NDArray[np.float32] = _slope_kernel(dem)
    return result


def _despeckled(band: NDArray[np.float32]) -> NDArray[np.float32]:
    known = np.isfinite(band)
    power = np.where(known, np.power(10.0, np.where(known, band, 0) / 10.0), 0).astype(np.float32)
    total = uniform_filter(power, 3, mode="nearest")
    share = uniform_filter(known.astype(np.float32), 3, mode="nearest")
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = 10.0 * np.log10(np.maximum(total, 1e-6) / share)
    return np.where(known, mean, np.nan).astype(np.float32)


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
                judged[y, x] = nir < 1e4 * rule.nir or swir > green
    return ndwi, judged


def _index_votes(
    bands: tuple[float, float, float, float, float, float], threshold: float, rule: SpectralRule
) -> tuple[float, float, float]:
    blue, green, _, nir, swir1, swir2 = bands
    bar = threshold + rule.milky_slope * max(nir - rule.milky_nir, 0.0)
    ndwi = ((green - nir) / (green + nir) - bar) / rule.ndwi_unit
    mndwi = ((green - swir1) / (green + swir1) - rule.mndwi) / rule.mndwi_unit
    awei = (blue + 2.5 * green - 1.5 * (nir + swir1) - 0.25 * swir2 - rule.awei) / rule.awei_unit
    return _cut_kernel(ndwi), _cut_kernel(mndwi), _cut_kernel(awei)


def _shadow_doubt(bands: tuple[float, float, float, float, float, float], slope_deg: float, relief: ReliefRule, blue_cast: float) -> float:
    blue, green, red = bands[0], bands[1], bands[2]
    sky_lit = blue > blue_cast * green and green > 1.1 * red
    dim = (blue + green + red) / 3.0 < relief.dim
    if not (dim or sky_lit):
        return 0.0
    return max(slope_deg - relief.dim_slope_deg, 0.0) / relief.dim_slope_unit_deg


def _optical(
    s2: NDArray[np.uint16],
    valid: NDArray[np.bool_],
    threshold: NDArray[np.float32],
    slope_deg: NDArray[np.float32],
    rules: tuple[SpectralRule, ReliefRule],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    rule, relief = rules
    evidence = np.full(valid.shape, -LIMIT, np.float32)
    spread = np.zeros(valid.shape, np.float32)
    for y in range(valid.shape[0]):
        for x in range(valid.shape[1]):
            nir, swir = 1e-4 * s2[_NIR, y, x], 1e-4 * s2[_SWIR1, y, x]
            dark = min((rule.nir - nir) / rule.nir_unit, (rule.swir - swir) / rule.swir_unit)
            if not valid[y, x] or dark <= -LIMIT:
                continue
            bands = (1e-4 * s2[_BLUE, y, x], 1e-4 * s2[_GREEN, y, x], 1e-4 * s2[_RED, y, x], nir, swir, 1e-4 * s2[_SWIR2, y, x])
            votes = _votes_kernel(bands, threshold[y, x], rule)
            mean = (votes[0] + votes[1] + votes[2]) / 3.0 - _doubt_kernel(bands, slope_deg[y, x], relief, rule.blue_cast)
            evidence[y, x] = _cut_kernel(min(mean, dark))
            spread[y, x] = 0.5 * (_logistic_kernel(max(votes)) - _logistic_kernel(min(votes)))
    return evidence, spread


def _radar(vv: NDArray[np.float32], vh: NDArray[np.float32], threshold: NDArray[np.float32], rule: RadarRule) -> NDArray[np.float32]:
    evidence = np.full(vv.shape, np.nan, np.float32)
    for y in range(vv.shape[0]):
        for x in range(vv.shape[1]):
            if np.isfinite(vv[y, x]):
                value = (threshold[y, x] - vv[y, x]) / rule.vv_unit
                if np.isfinite(vh[y, x]):
                    value = min(value, (rule.vh - vh[y, x]) / rule.vh_unit)
                evidence[y, x] = _cut_kernel(value)
    return evidence


def _slope(dem: NDArray[np.float32]) -> NDArray[np.float32]:
    """Central differences over +-20 m: the model has 30 m, so a shorter baseline adds only interpolation steps."""
    height, width = dem.shape
    slope = np.zeros((height, width), np.float32)
    for y in range(height):
        for x in range(width):
            top, bottom, left, right = max(y - 2, 0), min(y + 2, height - 1), max(x - 2, 0), min(x + 2, width - 1)
            down = (dem[bottom, x] - dem[top, x]) / (10.0 * max(bottom - top, 1))
            along = (dem[y, right] - dem[y, left]) / (10.0 * max(right - left, 1))
            value = np.degrees(np.arctan(np.sqrt(down * down + along * along)))
            if np.isfinite(value):
                slope[y, x] = value
    return slope


def _cut(value: float) -> float:
    return min(max(value, -LIMIT), LIMIT)


def _logistic(value: float) -> float:
    return float(1.0 / (1.0 + np.exp(-value)))


_cut_kernel = njit(cache=True, nogil=True, inline="always")(_cut)
_logistic_kernel = njit(cache=True, nogil=True)(_logistic)
_votes_kernel = njit(cache=True, nogil=True)(_index_votes)
_doubt_kernel = njit(cache=True, nogil=True)(_shadow_doubt)
_ndwi_kernel = njit(cache=True, nogil=True)(_ndwi)
_optical_kernel = njit(cache=True, nogil=True)(_optical)
_radar_kernel = njit(cache=True, nogil=True)(_radar)
_slope_kernel = njit(cache=True, nogil=True)(_slope)
