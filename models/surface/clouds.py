"""Why each look at each pixel is unusable: two independent opinions on clouds, and neither may veto water.

Opinion one is the scene classification. Opinion two compares a look with the pixel's own clear past (blue rises under
cloud, NIR and SWIR drop under cloud shadow: Hagolle et al. 2010, RSE 114, MAJA) or, with fewer than three looks, judges
its spectrum (brightness, whiteness and haze index: Zhu & Woodcock 2012, RSE 118, Fmask).
"""

from dataclasses import dataclass, fields
from typing import Final

import numba
import numpy as np
import numpy.typing as npt

from catalog.facts.causes import Cause
from catalog.facts.options import SurfaceOptions
from models.surface.median import masked_median, masked_quantile
from models.surface.optical import causes_of_classes

Counts = npt.NDArray[np.uint16]
Codes = npt.NDArray[np.uint8]

DATA, WATER, SNOW, BRIGHT = np.uint8(1), np.uint8(2), np.uint8(4), np.uint8(8)
"""Bits of what a single look resembles."""
MIN_LOOKS: Final = 3
"""Looks of a pixel from which its past is a better witness than its spectrum."""
CLOUD_EDGE_PX: Final = 2
"""Clouds grow by 40 m: their thin rims pass both tests."""
SHADOW_EDGE_PX: Final = 1
REACH_PX: Final = 1 + CLOUD_EDGE_PX
"""How far, in 20 m pixels, a look's reason depends on its neighbours."""
STRIP_PX: Final = 224
"""Rows judged at once: a dozen flags per look would otherwise add half a gigabyte to a tile with 20 dates."""


@dataclass(frozen=True, slots=True)
class LookStack:
    """The looks of one window at 20 m: arrays (date, y, x), counts harmonised, 0 = nodata."""

    blue: Counts
    green: Counts
    red: Counts
    nir: Counts
    swir: Counts
    classes: Codes
    """Sen2Cor scene classification."""

    def rows(self, first: int, last: int) -> "LookStack":
        """Return the looks of some rows (last exclusive)."""
        return LookStack(**{entry.name: np.ascontiguousarray(getattr(self, entry.name)[:, first:last]) for entry in fields(LookStack)})


def judge_looks(looks: LookStack, terrain_shadow: npt.NDArray[np.bool_], options: SurfaceOptions) -> Codes:
    """Return one `Cause` per look (date, y, x): usable, or the first of no scene, cloud, cloud shadow, terrain shadow, snow or ice.

    Terrain shadow keeps its veto over water: it is computed from the sun, and it looks like water on every date.
    """
    reasons = np.empty_like(looks.classes)
    height = reasons.shape[1]
    for top in range(0, height if len(reasons) else 0, STRIP_PX):
        bottom = min(top + STRIP_PX, height)
        first, last = max(top - REACH_PX, 0), min(bottom + REACH_PX, height)
        strip = _judge(looks.rows(first, last), terrain_shadow[:, first:last], options)
        reasons[:, top:bottom] = strip[:, top - first : bottom - first]
    return reasons


def _judge(looks: LookStack, terrain_shadow: npt.NDArray[np.bool_], options: SurfaceOptions) -> Codes:
    tags = causes_of_classes(looks.classes)
    seems = _resemble(looks, tags, options)
    cloud, shadow = _second_opinion(looks, tags, seems, options)
    voters = ((seems & DATA) != 0) & (cloud == 0)
    seems_water = (seems & WATER) != 0
    water = seems_water & _is_water(seems_water, voters, tags, options.water_vote_share)
    dark = tags == Cause.CLOUD_SHADOW
    # The shadow of a cloud does not come back to the same place: a tag that does marks dark ground, and terrain is computed.
    dark &= ~_most(dark, voters & (tags != Cause.CLOUD), options.water_vote_share, at_least=MIN_LOOKS)
    dates = range(len(tags))
    core = (cloud != 0) | (tags == Cause.CLOUD)
    # The rim of a cloud is brighter than water in NIR, so what looks like water beside a cloud is beside it.
    cloudy = np.stack([core[t] | (grow(core[t], CLOUD_EDGE_PX) & ~seems_water[t]) for t in dates])
    shadow = np.stack([grow(shadow[t] != 0, SHADOW_EDGE_PX) | dark[t] for t in dates])
    snow = ((seems & SNOW) != 0) | (tags == Cause.SNOW_OR_ICE)
    reasons = np.zeros_like(tags)
    reasons[snow & ~water] = Cause.SNOW_OR_ICE
    reasons[terrain_shadow] = Cause.TERRAIN_SHADOW
    reasons[shadow & ~water] = Cause.CLOUD_SHADOW
    reasons[cloudy & ~water] = Cause.CLOUD
    reasons[(seems & DATA) == 0] = Cause.NO_SCENE
    return reasons


def grow(mask: npt.NDArray[np.bool_], radius_px: int) -> npt.NDArray[np.bool_]:
    """Return a mask (y, x) grown by a square of `radius_px` pixels on every side."""
    wide = mask.copy()
    for step in range(1, radius_px + 1):
        wide[:, step:] |= mask[:, :-step]
        wide[:, :-step] |= mask[:, step:]
    tall = wide.copy()
    for step in range(1, radius_px + 1):
        tall[step:] |= wide[:-step]
        tall[:-step] |= wide[step:]
    return tall


def _resemble(looks: LookStack, tags: Codes, options: SurfaceOptions) -> Codes:
    limits = np.array([options.snow_ndsi, options.snow_min_nir * 1e4], dtype=np.float32)
    out = np.empty_like(looks.classes)
    for t in range(len(out)):
        _resemble_kernel((looks.blue[t], looks.green[t], looks.red[t], looks.nir[t], looks.swir[t]), tags[t], limits, out[t])
    return out


def _second_opinion(looks: LookStack, tags: Codes, seems: Codes, options: SurfaceOptions) -> tuple[Codes, Codes]:
    """Cloud and cloud shadow (date, y, x) as 0 or 1, single pixels removed."""
    bare = (seems & (DATA | SNOW)) == DATA
    tagged_clear = bare & (tags == Cause.USABLE)
    use = np.where(tagged_clear.any(axis=0), tagged_clear, bare).astype(np.uint8)
    looks_per_px = ((seems & DATA) != 0).sum(axis=0, dtype=np.uint8)
    # A low blue is clear air: the lower quartile also stands when half of the clouds were missed by the classification.
    low_blue, low_red = masked_quantile(looks.blue, use, 0.25), masked_quantile(looks.red, use, 0.25)
    past = [masked_median(band, use) for band in (looks.green, looks.nir, looks.swir)]
    cloud, shadow = np.empty_like(seems), np.empty_like(seems)
    jump = np.float32(options.cloud_jump_reflectance * 1e4)
    for t in range(len(seems)):
        _cloud_kernel((looks.blue[t], looks.red[t]), (low_blue, low_red), looks_per_px, seems[t], jump, cloud[t])
        _shadow_kernel((looks.green[t], looks.nir[t], looks.swir[t]), tuple(past), looks_per_px, seems[t], shadow[t])
        cloud[t], shadow[t] = _without_specks(cloud[t]), _without_specks(shadow[t])
    return cloud, shadow


def _without_specks(mask: Codes) -> Codes:
    """Keep what has at least two more of its kind among its eight neighbours: roofs and boulders have not."""
    padded = np.pad(mask, 1)
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    crowd = rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]
    return np.where(crowd >= 3, mask, np.uint8(0))


def _is_water(water: npt.NDArray[np.bool_], voters: npt.NDArray[np.bool_], tags: Codes, share: float) -> npt.NDArray[np.bool_]:
    """Pixels (y, x) that are water on most looks: of two or more that the classification calls clear, or, without any, of three or more.

    Ground in cloud shadow looks like water too, so looks that are themselves in doubt only decide where there are no others.
    """
    clear = voters & (tags == Cause.USABLE)
    by_clear = _most(water, clear, share, at_least=2)
    return np.where(clear.any(axis=0), by_clear, _most(water, voters, share, at_least=MIN_LOOKS))


def _most(yes: npt.NDArray[np.bool_], voters: npt.NDArray[np.bool_], share: float, *, at_least: int) -> npt.NDArray[np.bool_]:
    """Pixels (y, x) where `yes` holds in `share` of the looks that may vote, those that are not plainly cloud, and in some at least."""
    count = (yes & voters).sum(axis=0, dtype=np.uint8)
    return np.asarray((count >= at_least) & (count >= np.float32(share) * voters.sum(axis=0, dtype=np.uint8)))


@numba.njit(nogil=True, cache=True)
def _resemble_kernel(bands, tags, limits, out):  # type: ignore[no-untyped-def]
    """Bits of resemblance; thresholds in counts (reflectance x 10 000)."""
    blue, green, red, nir, swir = bands
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            b, g, r, n, s = (
                np.float32(blue[y, x]),
                np.float32(green[y, x]),
                np.float32(red[y, x]),
                np.float32(nir[y, x]),
                np.float32(swir[y, x]),
            )
            data = (b > 0) & (g > 0) & (r > 0) & (n > 0) & (tags[y, x] != 1)
            infrared = s > 0  # some catalogs offer no B11; then snow is left to the classification
            # Turbid glacier water passes Hall's snow test, but snow as dark as this is neither so much darker in NIR than in
            # green nor, lit by the blue sky alone, darker in blue.
            turbid = (n < 1500) & ((g > np.float32(1.5) * n) | (b < np.float32(0.9) * g))
            snow = infrared & (g - s > limits[0] * (g + s)) & (n > limits[1]) & (not turbid)
            water = (g > n) & (n < 1500) & (s < 800) & (not snow)
            mean = (b + g + r) / np.float32(3)
            whiteness = abs(b - mean) + abs(g - mean) + abs(r - mean)
            haze = b - np.float32(0.5) * r - np.float32(800)
            bright = (mean > 1800) & (whiteness < np.float32(0.7) * mean) & (haze > 0) & (n > np.float32(0.75) * s) & (not snow)
            # Sand and bright rock rise towards SWIR, clouds never do.
            bright = bright & (((s > 1000) & (s < np.float32(1.25) * b)) | (not infrared))
            code = np.uint8(data) + np.uint8(2) * np.uint8(water) + np.uint8(4) * np.uint8(snow) + np.uint8(8) * np.uint8(bright)
            out[y, x] = code if data else np.uint8(0)


@numba.njit(nogil=True, cache=True)
def _cloud_kernel(now, past, looks_per_px, seems, jump, out):  # type: ignore[no-untyped-def]
    """Blue far above the clear past, and red not rising much more (that would be ploughed or dried ground)."""
    (blue, red), (low_blue, low_red) = now, past
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            rise = np.float32(blue[y, x]) - np.float32(low_blue[y, x])
            red_rise = np.float32(red[y, x]) - np.float32(low_red[y, x])
            known = low_blue[y, x] != 0
            jumped = known & (rise > jump + np.float32(0.25) * low_blue[y, x]) & (red_rise < np.float32(1.5) * rise)
            judged = jumped if looks_per_px[y, x] >= MIN_LOOKS else (seems[y, x] & BRIGHT) != 0
            out[y, x] = np.uint8(judged & ((seems[y, x] & (SNOW | WATER)) == 0) & ((seems[y, x] & DATA) != 0))


@numba.njit(nogil=True, cache=True)
def _shadow_kernel(now, past, looks_per_px, seems, out):  # type: ignore[no-untyped-def]
    """NIR and SWIR far below a clear past that was land, and green lower too (turbid water would keep it)."""
    (green, nir, swir), (past_green, past_nir, past_swir) = now, past
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            darker = nir[y, x] < np.float32(0.6) * past_nir[y, x]
            darker = darker & ((swir[y, x] < np.float32(0.6) * past_swir[y, x]) | (past_swir[y, x] == 0))
            darker = darker & (green[y, x] < np.float32(0.85) * past_green[y, x]) & (past_nir[y, x] > 1000)
            out[y, x] = np.uint8(darker & (looks_per_px[y, x] >= MIN_LOOKS) & ((seems[y, x] & (DATA | SNOW)) == DATA))
