"""The weight-free model: water from spectral indices, backscatter and relief, as good as thresholds get.

Recipe: votes of NDWI (McFeeters 1996), MNDWI (Xu 2006) and AWEI (Feyisa et al. 2014) against thresholds that follow the
place (Li & Sheng 2012) and are trusted only where two groups are apart (Ashman et al. 1994; Martinis et al. 2015); radar as
a second opinion; regions grown from certain seeds (OPERA DSWx-S1); level ground; rivers cut off; shares of water unmixed
along shores. It is the baseline that every trained model must beat.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, binary_erosion

from catalog.facts.bands import DEM_NAME, S1_NAMES, S2_NODATA, S2_SCALE, native_resolution_m, s2_index
from catalog.facts.causes import Cause
from catalog.facts.grids import PIXEL_M
from models.segmenter.backscatter import Backscatter, despeckled, radar_evidence, smoothed
from models.segmenter.bodies import grown, rivers, slender, steep, unwitnessed
from models.segmenter.contract import (
    ELEVATION,
    OPTICAL,
    RADAR,
    InputContract,
    ModalityNeed,
    Prediction,
    WindowArrays,
    WindowBatch,
    has_optics,
)
from models.segmenter.evidence import LIMIT, optical_evidence
from models.segmenter.index_options import IndexOptions
from models.segmenter.relief import Relief, relief_of
from models.segmenter.shores import Signal, water_share

NAME = "indices"
VERSION = "5"
"""Raised whenever the numbers change."""
_NEEDED = ("B03", "B08")
_HELPFUL = ("B02", "B04", "B11", "B12")
_BANDS = ("B02", "B03", "B04", "B08", "B11", "B12")
_THROUGH_CLOUD = frozenset({Cause.NO_SCENE, Cause.CLOUD, Cause.CLOUD_SHADOW, Cause.TERRAIN_SHADOW})
_MAY_SEE = [int(Cause.USABLE), *sorted(int(cause) for cause in _THROUGH_CLOUD)]
_NEVER_SEEN = [int(Cause.NO_SCENE), int(Cause.READ_FAILED), int(Cause.OUTSIDE_REGION)]
"""No optical look could say what the season was like."""
_REFUSED = 0.1
"""Highest probability of what looks like water but is a river or a shadow."""
_UNSEEDED = 0.15
"""What is left of a half where no seed is near: one such pixel in twenty or fewer was water in simulated worlds."""


@dataclass(frozen=True, slots=True)
class IndexModel:
    """The model; holds its options and nothing else."""

    options: IndexOptions = field(default_factory=IndexOptions)
    name: str = NAME
    version: str = VERSION
    licence: str = "Apache-2.0"

    @property
    def sha256(self) -> str:
        """Hash of version and options."""
        text = json.dumps([self.version, asdict(self.options)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def contract(self) -> InputContract:
        """Green and NIR (better all six bands) or VV and VH, the elevation model when there is one."""
        needs = (
            ModalityNeed(OPTICAL, _NEEDED, "1e-4", required=False, helpful=_HELPFUL),
            ModalityNeed(RADAR, S1_NAMES, "dB", required=False),
            ModalityNeed(ELEVATION, (DEM_NAME,), "m", required=False),
        )
        return InputContract(
            needs,
            self.options.window_px,
            self.options.stride_px,
            self.options.margin_px,
            any_of=frozenset({OPTICAL, RADAR}),
            sees_through=_THROUGH_CLOUD,
            may_abstain=True,
            gives_spread=True,
        )

    def predict(self, batch: WindowBatch) -> Prediction:
        """Probability of water (N, y, x), and the spread of the three indices."""
        probability = np.full(batch.cause.shape, np.nan, np.float32)
        spread = np.zeros(batch.cause.shape, np.float32)
        for index in range(len(batch)):
            window = batch.window(index)
            part = _inside(window.cause, self.options.block_px)
            probability[index][part], spread[index][part] = predict_window(window.part(part), self.options)
        return Prediction(probability, spread)


def _inside(cause: NDArray[np.uint8], block_px: int) -> tuple[slice, slice]:
    """Whole blocks around all that lies in the region: most windows at its edge are mostly empty."""
    inside = cause != Cause.OUTSIDE_REGION
    spans = []
    for axis in (1, 0):
        places = np.flatnonzero(inside.any(axis=axis))
        first, last = (int(places[0]), int(places[-1])) if places.size else (0, 0)
        spans.append(slice(first // block_px * block_px, (last // block_px + 1) * block_px))
    return spans[0], spans[1]


def predict_window(window: WindowArrays, options: IndexOptions) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Probability and spread (y, x) of one window; NaN without clear optics, except in and around water that radar shows."""
    shape = window.cause.shape
    relief = relief_of(window.dem, shape)
    clear = has_optics(window, _NEEDED) & (window.cause == Cause.USABLE)
    backscatter = None if window.s1 is None else _within(despeckled(window.s1), clear | np.isin(window.cause, _MAY_SEE))
    evidence, spread = _evidence(window, clear, relief, backscatter, options)
    water = _water(evidence, clear, relief.slope_deg, options) if (evidence > 0).any() else np.zeros(shape, bool)
    water &= ~unwitnessed(water, evidence, _looked_at(window, options.block_px), options.radar)
    probability = _probability(evidence, clear, water, options)
    for share in _shares(window, clear, water, backscatter, options):
        probability = np.where(np.isfinite(share), share, probability)
    if water.any():
        refused = rivers(water, window.dem, options.shape) | slender(water, clear, options.shape)
        refused |= steep(water, relief.slope_deg, max_slope_deg=options.relief.object_slope_deg)
        probability = np.where(_with_shores(refused, water, options.shore.reach_px), np.minimum(probability, _REFUSED), probability)
    # Radar alone that shows no lake answers nothing: wind and wet snow hide water from it, so it cannot prove absence.
    answered = clear if backscatter is None else clear | (backscatter.known & _near(water & ~clear, options.shore.reach_px))
    return np.where(answered, probability, np.float32(np.nan)).astype(np.float32), spread


def _looked_at(window: WindowArrays, block_px: int) -> NDArray[np.bool_]:
    """Pixels (y, x) that an optical sensor has looked at, cloudy or not, in their block of the lattice or the eight around it."""
    looked = ~np.isin(window.cause, _NEVER_SEEN)
    if looked.all():
        return looked
    height, width = looked.shape
    padded = np.pad(looked, ((0, -height % block_px), (0, -width % block_px)))
    blocks = np.asarray(padded.reshape(padded.shape[0] // block_px, block_px, -1, block_px).any(axis=(1, 3)))
    around = binary_dilation(blocks, np.ones((3, 3), bool))
    return np.repeat(np.repeat(around, block_px, 0), block_px, 1)[:height, :width]


def _within(backscatter: Backscatter, allowed: NDArray[np.bool_]) -> Backscatter:
    """Forget what radar saw where the model does not answer anyway: wet snow must not grow onto lakes."""
    return replace(backscatter, known=backscatter.known & allowed)


def _with_shores(refused: NDArray[np.bool_], water: NDArray[np.bool_], reach_px: int) -> NDArray[np.bool_]:
    """What was refused and its shores, but not the shores of what was kept."""
    return refused | (_near(refused, reach_px) & ~_near(water & ~refused, reach_px))


def _near(water: NDArray[np.bool_], reach_px: int) -> NDArray[np.bool_]:
    result: NDArray[np.bool_] = binary_dilation(water, np.ones((3, 3), bool), iterations=reach_px) if water.any() else water
    return result


def _evidence(
    window: WindowArrays, clear: NDArray[np.bool_], relief: Relief, backscatter: Backscatter | None, options: IndexOptions
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Log-odds and spread from what this window has; -LIMIT where it has nothing."""
    evidence, spread = np.full(clear.shape, -LIMIT, np.float32), np.zeros(clear.shape, np.float32)
    if window.s2 is not None and clear.any():
        evidence, spread = optical_evidence(window.s2, clear, relief, options)
    if backscatter is None:
        return evidence, spread
    radar = radar_evidence(backscatter, options)
    both, alone = clear & backscatter.known, backscatter.known & ~clear
    evidence[both] += options.radar.weight * np.clip(radar[both], -2.0, 1.0)
    if alone.any():
        evidence[alone] = smoothed(radar)[alone]
    return np.clip(evidence, -LIMIT, LIMIT), spread


def _shares(
    window: WindowArrays, clear: NDArray[np.bool_], water: NDArray[np.bool_], backscatter: Backscatter | None, options: IndexOptions
) -> Iterator[NDArray[np.float32]]:
    """Shares of water along shores, from radar where it stands alone and from optics; snow and ice serve as land, too."""
    rule = options.shore
    if backscatter is not None:
        alone = backscatter.known & ~clear
        if (alone & water).any():
            yield water_share(Signal(backscatter.power, (0, 1), 1.0, rule.radar_noise, (0.0, 0.0)), alone, water, rule)
    if window.s2 is not None and (clear & water).any():
        for bands in _band_sets(window.s2, clear):
            seen = has_optics(window, bands)
            ground = seen & ((window.cause == Cause.USABLE) | (window.cause == Cause.SNOW_OR_ICE))
            blur = tuple(rule.coarse_blur if native_resolution_m(band) > PIXEL_M else 0.0 for band in bands)
            signal = Signal(window.s2, tuple(s2_index(band) for band in bands), S2_SCALE, rule.noise, blur)
            yield water_share(signal, clear & seen, water, rule, ground=ground)


def _band_sets(s2: NDArray[np.uint16], clear: NDArray[np.bool_]) -> list[tuple[str, ...]]:
    """Bands that hold data on all clear pixels and, where those are not all, then all: what is missing in places is used elsewhere."""
    everywhere = tuple(band for band in _BANDS if not (clear & (s2[s2_index(band)] == S2_NODATA)).any())
    somewhere = tuple(band for band in _BANDS if (clear & (s2[s2_index(band)] != S2_NODATA)).any())
    return [everywhere] if everywhere == somewhere else [everywhere, somewhere]


def _water(evidence: NDArray[np.float32], clear: NDArray[np.bool_], slope: NDArray[np.float32], options: IndexOptions) -> NDArray[np.bool_]:
    flat = np.where(clear, options.relief.seed_slope_deg, options.radar.seed_slope_deg)
    seeds = (evidence >= _log_odds(options.seed)) & (slope <= flat)
    allowed = (evidence >= _log_odds(options.grow)) & (slope <= options.relief.grow_slope_deg)
    water = grown(seeds, allowed, min_px=options.shape.min_object_px)
    return water if clear.all() else water & (clear | grown(water, water, min_px=options.radar.min_object_px))


def _probability(
    evidence: NDArray[np.float32], clear: NDArray[np.bool_], water: NDArray[np.bool_], options: IndexOptions
) -> NDArray[np.float32]:
    """Logistic of the evidence, surer where all neighbours are water; hardly anything where no seed is."""
    inside = binary_erosion(water, np.ones((3, 3), bool), border_value=1)
    confidence = np.where(clear, np.float32(1), np.float32(options.radar.alone))
    plain = (1.0 / (1.0 + np.exp(-confidence * (evidence + options.context * inside)))).astype(np.float32)
    floor = np.where(evidence <= -LIMIT, np.float32(0), np.float32(_UNSEEDED) * np.minimum(plain, np.float32(0.5)))
    return np.where(water, plain, floor).astype(np.float32)


def _log_odds(probability: float) -> float:
    return float(np.log(probability / (1.0 - probability)))
