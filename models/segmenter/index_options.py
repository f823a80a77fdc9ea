"""Every number of the weight-free model, with its physical reason; reflectances are 0..1, heights metres.

The records are NamedTuples so that compiled loops can read their fields by name.
"""

from dataclasses import dataclass, field
from typing import NamedTuple


class SpectralRule(NamedTuple):
    """Where optical evidence is even (log-odds 0), and what one unit of log-odds is."""

    ndwi: float = 0.05
    """McFeeters 1996 proposes 0; 0.05 where no local threshold can be trusted: wet debris reaches 0."""
    ndwi_low: float = -0.05
    ndwi_high: float = 0.20
    """Bounds of a local threshold (Li & Sheng 2012 let it follow every lake)."""
    ndwi_unit: float = 0.08
    mndwi: float = 0.25
    """Xu 2006 tunes 0.1-0.3: rock and debris lie below -0.1, water above 0.5."""
    mndwi_unit: float = 0.12
    awei: float = 0.0
    """Feyisa et al. 2014, AWEI_sh."""
    awei_unit: float = 0.06
    nir: float = 0.14
    """Hall et al. 2002 use 0.11 against snow; milky lakes with much glacial flour reach 0.12 (Giardino et al. 2010)."""
    nir_unit: float = 0.015
    swir: float = 0.09
    """Water is black at 1.6 um even when milky (absorption 6.7 per cm, Kou et al. 1993); what is left is sky glint and haze."""
    swir_unit: float = 0.02
    milky_nir: float = 0.07
    """From here on NIR could be dirty ice as well, so NDWI has to be higher: ice has NIR/green of 0.75 and more."""
    milky_slope: float = 1.2
    """Rise of the NDWI threshold per unit of NIR above `milky_nir`."""
    bright_blue: float = 0.08
    blue_cast: float = 1.10
    """Blue/green above which ground brighter than `bright_blue` is snow or ice lit by the sky only: what makes water bright are
    particles, and they scatter green at least as well (Kirk 2011, ch. 6)."""
    blue_cast_unit: float = 0.05
    dim_bar: float = 0.25
    """Added to the NDWI threshold where dim ground can lie in cast shadow, and then only NDWI counts: skylight alone gives rock an
    NDWI of 0.1 to 0.25, and hardly any SWIR."""
    black_nir: float = 0.035
    black_swir: float = 0.030
    """Humic and very clear lakes are black in all bands and their indices are noise: darkness alone tells them from lit ground."""
    black_unit: float = 0.007
    black_most: float = 2.0
    """Highest log-odds by darkness alone."""
    lone_bar: float = 0.10
    """Added to the NDWI threshold where no SWIR can bear it out: rock and dirty ice reach 0.1 (Xu 2006 on what NDWI mistakes)."""
    lone_nir: float = 0.11
    """Replaces `nir` there: the bound of Hall et al. 2002 against snow, for SWIR cannot tell it from milky water."""
    lone_black_nir: float = 0.025
    """Replaces `black_nir` there."""
    lone_most: float = 2.5
    """Highest log-odds of NDWI alone: 0.92."""
    lone_doubt: float = 2.5
    """Log-odds either way by which MNDWI and AWEI would have differed from NDWI; the spread of a single index."""


class RadarRule(NamedTuple):
    """Backscatter in dB (gamma0)."""

    vv: float = -16.0
    vv_low: float = -20.0
    vv_high: float = -15.0
    """Default and bounds of the local threshold (Martinis et al. 2015; OPERA DSWx-S1 ATBD, section 4)."""
    vv_unit: float = 1.2
    vh: float = -22.5
    vh_unit: float = 1.2
    weight: float = 0.4
    """Share of radar evidence that is added to optical evidence: wind roughens lakes, so radar may doubt but not veto."""
    alone: float = 0.6
    """Factor on log-odds where only radar sees: less confidence, the same decision."""
    seed_slope_deg: float = 8.0
    """Radar alone: radar shadow lies on slopes."""
    min_object_px: int = 20
    """Radar alone: smaller bodies are speckle or radar shadow (0.2 ha)."""
    sole_median: float = 2.5
    """Median log-odds of a body around which no optical sensor has looked: 3 dB darker than the threshold. Smooth ice, wet snow and
    sand reach 2 dB, calm water 4."""
    sole_elongation: float = 4.0
    """Such a body is at most this many widths long: rivers, their ice and shadows are longer."""


class ReliefRule(NamedTuple):
    """A lake is level; the elevation model is not perfect and older than the lake."""

    seed_slope_deg: float = 12.0
    """Seeds must be flatter (Li & Sheng 2012: 10; Reynolds 2000: glaciers steeper than 10 hold no ponds; +2 for noise)."""
    grow_slope_deg: float = 28.0
    """Growing stops where the 30 m model, blurred by walls beside a lake, is steeper."""
    object_slope_deg: float = 15.0
    """Objects with a steeper median are shadow (Chen et al. 2021: 20 on single pixels)."""
    dim: float = 0.045
    """Mean visible reflectance under which shadow is possible at all."""
    dim_slope_deg: float = 7.0
    """Dim pixels on steeper ground lose one log-odd per `dim_slope_unit_deg`."""
    dim_slope_unit_deg: float = 3.0
    shadow_horizon_deg: float = 22.0
    """Where terrain stands no higher, the summer sun lights every pixel."""


class ShapeRule(NamedTuple):
    """What makes narrow water a river."""

    narrow_px: float = 3.0
    """Half width up to which water counts as narrow: 60 m."""
    min_length_px: float = 15.0
    """Shorter narrow water is a pond or a bay, unless it falls steeply and evenly."""
    even_fall_m: float = 3.0
    """Fall of such a short reach: three times the error of the model over 100 m."""
    even_certainty: float = 0.9
    """Share of the variance of height that its fall must explain."""
    elongation: float = 5.0
    """Length over width of narrow rivers; this and the numbers below are ours, tried on simulated worlds."""
    fall: float = 0.012
    """Fall per length from which narrow water flows: lakes are level, models of 30 m good to about 1 m in 100 m."""
    min_fall_m: float = 6.0
    certainty: float = 0.5
    """Share of the variance of height that the fall must explain."""
    wide_elongation: float = 4.0
    wide_fall: float = 0.03
    """The same for wide water: a lake younger than the model may lie on the former tongue of its glacier, which fell by 1 to 3 %
    (Quincey et al. 2007: lakes form where it falls by less than 2 degrees)."""
    long_px: float = 120.0
    """Narrow water longer than 1.2 km is a river even where the model shows no fall."""
    slender: float = 20.0
    """Length over width from which water up to `slender_px` wide flows even where the model shows no fall, as in flat tundra:
    lakes that are twenty times as long as wide are not known to us."""
    slender_px: float = 15.0
    slender_length_px: float = 60.0
    slender_clear: float = 0.5
    """Share of such a body that optics must have seen clearly."""
    river_share: float = 0.5
    """A body with more river than this is river altogether."""
    min_object_px: int = 4
    """Smaller objects are noise: 400 m2."""


class ShoreRule(NamedTuple):
    """Where and how the share of water in a pixel is unmixed."""

    reach_px: int = 2
    """Pixels from the water's edge that may be mixed: bands of 20 m blur over two."""
    search_px: int = 9
    """Half side of the box in which pure water and pure land are looked for."""
    min_pure_px: int = 3
    noise: float = 0.012
    """Standard deviation of a pure surface beside what is measured, reflectance."""
    radar_noise: float = 0.005
    """The same for gamma0 in linear power."""
    coarse_blur: float = 0.2
    """Error of a share from a band of 20 m: half a pixel of its own beyond the shore, averaged and interpolated."""
    min_separation: float = 2.0
    """Ashman et al. 1994: two groups are apart from D = 2 on."""


@dataclass(frozen=True, slots=True)
class IndexOptions:
    """All of them."""

    spectral: SpectralRule = field(default_factory=SpectralRule)
    radar: RadarRule = field(default_factory=RadarRule)
    relief: ReliefRule = field(default_factory=ReliefRule)
    shape: ShapeRule = field(default_factory=ShapeRule)
    shore: ShoreRule = field(default_factory=ShoreRule)
    seed: float = 0.81
    """Probability from which a pixel may start a region (OPERA DSWx-S1)."""
    grow: float = 0.51
    """Probability down to which a region grows (OPERA DSWx-S1)."""
    context: float = 2.5
    """Log-odds added inside bodies: neighbours that are water are evidence too (the Ising prior of Geman & Geman 1984)."""
    block_px: int = 112
    """Side of the blocks of the global lattice that carry a local threshold; a threshold is judged on 3 x 3 of them."""
    window_px: int = 1120
    stride_px: int = 896
    margin_px: int = 48
