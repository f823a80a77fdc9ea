"""What the cubes say about one feature: probability, coverage, dates, elevation, shore and flags."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from catalog.facts.causes import Cause
from catalog.facts.errors import GridMismatch
from catalog.facts.grids import PIXEL_M
from catalog.facts.options import OutlineOptions
from catalog.facts.schemas import PROBABILITY_NODATA, PROBABILITY_SCALE

Mask = NDArray[np.bool_]
RIM_PX = 2
"""The rim whose probability and coverage count with the feature."""
SHORE_PX = 3
"""The 30 m rim whose slope is the shore's; windows must reach one pixel further for the slope."""
MARGIN_PX = SHORE_PX + 1
FLAG_SHARE = 0.1
"""Share of a feature and its rim from which ice, cloud or terrain shadow is flagged."""
SENSOR_SHARE = 0.5
"""Share of a feature that a sensor must have seen to be named."""
FEW_LOOKS = 2.0
_CAUSE_FLAGS = {
    "lake_ice": (Cause.SNOW_OR_ICE,),
    "cloud_share": (Cause.CLOUD, Cause.CLOUD_SHADOW),
    "terrain_shadow": (Cause.TERRAIN_SHADOW,),
}
_BOX = np.ones((3, 3), bool)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Windows of the cubes around one feature, all (y, x) of one shape, reaching `MARGIN_PX` beyond it.

    Pixels beyond the cube hold the fill values of `schemas.SURFACE` and `schemas.PROBABILITY`.
    """

    origin_yx: tuple[int, int]
    """Global pixel of the upper left corner."""
    probability: NDArray[np.uint8]
    spread: NDArray[np.uint8]
    dem: NDArray[np.float32]
    looks: NDArray[np.uint8]
    day: NDArray[np.uint16]
    cause: NDArray[np.uint8]
    radar: Mask
    """True where both polarizations are finite."""

    @property
    def bbox(self) -> tuple[int, int, int, int]:
        """Window as (y0, x0, y1, x1) in global pixels, ends exclusive."""
        rows, columns = self.cause.shape
        return (*self.origin_yx, self.origin_yx[0] + rows, self.origin_yx[1] + columns)


@dataclass(frozen=True, slots=True)
class Statistics:
    """What is known about one feature of one year beside its outline; names and units as in `schemas.LAKES`."""

    area_probability_m2: float
    doubt_m2: float
    """What members of an ensemble would add or take away (see `interval.AreaEvidence`)."""
    variance_px: float
    """p (1 - p) over feature and rim (see `interval.AreaEvidence`)."""
    elevation_m: float
    elevation_range_m: float
    """Between the 5th and the 95th percentile, so that one bad cell of the elevation model does not make it."""
    shore_slope_deg: float
    probability: float
    spread: float
    observed_share: float
    shore_seen: float
    """Share of the rim that was judged, by optics or by radar; at least `observed_share`. Unjudged shore may be anywhere."""
    cause_shares: Mapping[str, float]
    """Name of the cause in lower case -> share of feature and rim; sums to one."""
    looks: int
    date_first: date | None
    """The cube keeps the median day of each pixel's looks: these are the earliest, median and latest of those."""
    date_median: date | None
    date_last: date | None
    sensors: str
    flags: tuple[str, ...]


def window_of(bounds: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """Return the window (y0, x0, y1, x1) to read around a feature with these pixel bounds."""
    y0, x0, y1, x1 = bounds
    return y0 - MARGIN_PX, x0 - MARGIN_PX, y1 + MARGIN_PX, x1 + MARGIN_PX


def measure(
    inside: Mask, others: Mask, around: Surroundings, *, pixel_area_m2: float, year: int, threshold: float = OutlineOptions().threshold
) -> Statistics:
    """Describe the feature `inside` (y, x); `others` are pixels of other features, which its rim leaves out.

    `threshold` is the probability the outline was cut at. `pixel_area_m2` comes from `geodesy.pixel_area_m2`, so that sums of pixels agree with geodesic areas.
    """
    _require_one_shape(inside, others, around)
    body = body_of(inside, others)
    rim = body & ~inside
    probability, spread = _unscaled(around.probability[body]), _unscaled(around.spread[body])
    shares = _cause_shares(around.cause[body])
    looks = float(np.median(around.looks[inside]))
    sensors = _sensors(inside, around)
    first, middle, last = _dates(around.day[inside], year)
    heights = around.dem[inside]
    return Statistics(
        area_probability_m2=float(np.nansum(probability)) * pixel_area_m2,
        doubt_m2=_doubt_px(probability, spread, threshold) * pixel_area_m2,
        variance_px=float(np.nansum(probability * (1 - probability))),
        elevation_m=_quantile(heights, 0.5),
        elevation_range_m=_quantile(heights, 0.95) - _quantile(heights, 0.05),
        shore_slope_deg=_shore_slope(inside, others, around.dem),
        probability=_mean(_unscaled(around.probability[inside])),
        spread=_mean(_unscaled(around.spread[inside])),
        observed_share=shares["usable"],
        shore_seen=max(shares["usable"], _mean((around.probability[rim] != PROBABILITY_NODATA).astype(np.float64)) if rim.any() else 0.0),
        cause_shares=shares,
        looks=int(looks),
        date_first=first,
        date_median=middle,
        date_last=last,
        sensors=sensors,
        flags=_flags(shares, sensors, looks, touches_region_edge(inside, around.cause)),
    )


def body_of(inside: Mask, others: Mask) -> Mask:
    """Return the pixels (y, x) of a feature and its rim, without those of other features."""
    return np.asarray((ndimage.binary_dilation(inside, _BOX, iterations=RIM_PX) & ~others) | inside, bool)


def touches_region_edge(inside: Mask, cause: NDArray[np.uint8]) -> bool:
    """Say whether the feature meets ground outside the mapped region, through an edge or a corner."""
    neighbours = ndimage.binary_dilation(inside, _BOX)
    return bool((cause[neighbours] == Cause.OUTSIDE_REGION).any())


def _require_one_shape(inside: Mask, others: Mask, around: Surroundings) -> None:
    arrays = (others, around.probability, around.spread, around.dem, around.looks, around.day, around.cause, around.radar)
    wrong = [array.shape for array in arrays if array.shape != inside.shape]
    if wrong or not inside.any():
        raise GridMismatch(
            f"The window at pixel {around.origin_yx} has shapes {wrong or [inside.shape]} for a feature of {int(inside.sum())} pixels"
            f" in {inside.shape}: read every cube over `window_of` the feature."
        )


def _unscaled(stored: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.where(stored == PROBABILITY_NODATA, np.nan, stored * PROBABILITY_SCALE)


def _doubt_px(probability: NDArray[np.float64], spread: NDArray[np.float64], threshold: float) -> float:
    """Return half the pixels that change sides when the probability moves by one spread up or down."""
    moved = np.nan_to_num(spread)
    return float((probability + moved >= threshold).sum() - (probability - moved >= threshold).sum()) / 2


def _mean(values: NDArray[np.float64]) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else float("nan")


def _quantile(values: NDArray[np.float32], share: float) -> float:
    finite = values[np.isfinite(values)]
    return float(np.quantile(finite, share)) if finite.size else float("nan")


def _cause_shares(cause: NDArray[np.uint8]) -> dict[str, float]:
    counts = np.bincount(cause, minlength=len(Cause))
    return {code.name.lower(): float(counts[code] / cause.size) for code in Cause}


def _shore_slope(inside: Mask, others: Mask, dem: NDArray[np.float32]) -> float:
    shore = ndimage.binary_dilation(inside, _BOX, iterations=SHORE_PX) & ~inside & ~others
    down, right = np.gradient(dem.astype(np.float64), PIXEL_M)
    return _quantile(np.degrees(np.arctan(np.hypot(down, right)))[shore].astype(np.float32), 0.5)


def _dates(day: NDArray[np.uint16], year: int) -> tuple[date | None, date | None, date | None]:
    known = np.sort(day[day > 0])
    if not known.size:
        return None, None, None
    first, middle, last = (date(year, 1, 1) + timedelta(days=int(known[place]) - 1) for place in (0, (known.size - 1) // 2, -1))
    return first, middle, last


def _sensors(inside: Mask, around: Surroundings) -> str:
    shares = {"S1": float(around.radar[inside].mean()), "S2": float((around.looks[inside] > 0).mean())}
    return "+".join(name for name, share in shares.items() if share >= SENSOR_SHARE)


def _flags(shares: Mapping[str, float], sensors: str, looks: float, at_edge: bool) -> tuple[str, ...]:
    flags = ["region_edge"] if at_edge else []
    flags += ["few_looks"] if looks < FEW_LOOKS else []
    flags += [flag for flag, causes in _CAUSE_FLAGS.items() if sum(shares[code.name.lower()] for code in causes) >= FLAG_SHARE]
    return tuple(flags + ([] if sensors == "S1+S2" else ["single_sensor"]))
