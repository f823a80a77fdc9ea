"""Lakes that a model found on a mosaic, measured as the product measures them: geodesic area and its 95 % interval."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.facts.causes import Cause
from catalog.facts.chips import LABEL_IGNORE
from catalog.facts.schemas import PROBABILITY_NODATA, PROBABILITY_SCALE
from models.outlines.geodesy import pixel_area_m2, representative_points, to_degrees, zone_area_perimeter
from models.outlines.interval import AreaEvidence, area_interval
from models.outlines.measure import MARGIN_PX, Statistics, Surroundings, measure, window_of
from models.outlines.polygonize import polygons_of
from models.outlines.runs import Runs, bounds_of, to_labels
from models.scores.mosaics import Mosaic

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FoundLakes:
    """Predicted lakes, arrays of equal length."""

    outlines: NDArray[np.object_]
    """EPSG:4326."""
    area_m2: Floats
    low_m2: Floats
    high_m2: Floats
    probability: Floats
    """Mean inside."""
    known_share: Floats
    """Share of its pixels whose label is known and which a sensor saw."""

    def figures(self, index: int) -> tuple[float, float, float, float]:
        """Area, low, high and probability of one lake."""
        return tuple(float(column[index]) for column in (self.area_m2, self.low_m2, self.high_m2, self.probability))  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class _Padded:
    """A mosaic with a margin as wide as what is measured around a lake."""

    mosaic: Mosaic
    probability: NDArray[np.uint8]
    spread: NDArray[np.uint8]
    cause: NDArray[np.uint8]
    labels: NDArray[np.int32]
    """Number of the predicted lake; -1 elsewhere."""
    known: NDArray[np.bool_]


def found_lakes(mosaic: Mosaic, runs: Runs, epsg: int, threshold: float) -> FoundLakes:
    """Measure predicted lakes, given as runs of pixels."""
    _, polygons = polygons_of(runs)
    area, perimeter = zone_area_perimeter(polygons, epsg)
    points = representative_points(polygons, epsg) if len(polygons) else np.empty((0, 2))
    padded = _padded(mosaic, runs)
    measured, known = [], []
    for number, bounds in enumerate(bounds_of(runs).tolist()):
        pixel_m2 = pixel_area_m2(epsg, *points[number].tolist())
        statistics, share = _measured(padded, number, tuple(bounds), pixel_m2, threshold)
        measured.append(statistics)
        known.append(share)
    names = ("area_probability_m2", "doubt_m2", "variance_px", "shore_seen")
    evidence = (np.array([getattr(statistics, name) for statistics in measured], np.float64) for name in names)
    interval = area_interval(AreaEvidence(area, perimeter, *evidence))
    probability = np.array([statistics.probability for statistics in measured], np.float64)
    return FoundLakes(to_degrees(polygons, epsg), area, interval.low_m2, interval.high_m2, probability, np.array(known, np.float64))


def _padded(mosaic: Mosaic, runs: Runs) -> _Padded:
    top, left = mosaic.origin_yx
    height, width = mosaic.probability.shape
    around = (top - MARGIN_PX, left - MARGIN_PX, top + height + MARGIN_PX, left + width + MARGIN_PX)
    answered = np.isfinite(mosaic.probability)
    known = mosaic.seen & (mosaic.label != LABEL_IGNORE)
    return _Padded(
        mosaic,
        _stored(mosaic.probability, answered),
        _stored(mosaic.spread, answered),
        np.pad(mosaic.cause, MARGIN_PX, constant_values=Cause.OUTSIDE_REGION),
        to_labels(runs, around),
        np.pad(known, MARGIN_PX),
    )


def _stored(values: NDArray[np.float32], answered: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """As the cube keeps them, so that scores are those of the product."""
    scaled = np.rint(np.nan_to_num(values) / PROBABILITY_SCALE).astype(np.uint8)
    return np.pad(np.where(answered, scaled, np.uint8(PROBABILITY_NODATA)), MARGIN_PX, constant_values=PROBABILITY_NODATA)


def _measured(
    padded: _Padded, number: int, bounds: tuple[int, int, int, int], pixel_m2: float, threshold: float
) -> tuple[Statistics, float]:
    y0, x0, y1, x1 = window_of(bounds)
    top, left = padded.mosaic.origin_yx
    part = slice(y0 - top + MARGIN_PX, y1 - top + MARGIN_PX), slice(x0 - left + MARGIN_PX, x1 - left + MARGIN_PX)
    labels = padded.labels[part]
    inside = labels == number
    nothing = np.zeros(labels.shape)
    around = Surroundings(
        (y0, x0),
        padded.probability[part],
        padded.spread[part],
        np.full(labels.shape, np.nan, np.float32),
        nothing.astype(np.uint8),
        nothing.astype(np.uint16),
        padded.cause[part],
        nothing.astype(bool),
    )
    statistics = measure(inside, (labels >= 0) & ~inside, around, pixel_area_m2=pixel_m2, year=2000, threshold=threshold)
    return statistics, float(padded.known[part][inside].mean())
