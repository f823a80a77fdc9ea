"""The headwall of a slump: the upslope part of its outline, how long it is and how far it moved; and what sets the slump apart from around."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import ndimage

from catalog.facts.errors import GridMismatch
from catalog.facts.grids import PIXEL_M

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

RING_M: Final = 100.0
"""Width of the ground around a slump that it is compared with."""
MARGIN_PX: Final = int(RING_M / PIXEL_M) + 1
"""Windows must reach that far beyond the outline."""
UPSLOPE_DEG: Final = 60.0
"""An outline belongs to the headwall where it faces upslope within this angle: of a round slump, a third."""
FLATTEST: Final = np.tan(np.radians(0.5))
"""Ground flatter than half a degree has no upslope side that an elevation model could tell."""
_STEP_M: Final = 5.0
_CHORD_M: Final = 30.0
"""Direction and length of the outline are taken over this much of it, so that steps of pixels do not count."""
_REACH_M: Final = 500.0
"""Further than this no headwall retreats between two years (the fastest known: some 30 m a year)."""
_LEAST_SEEN: Final = 0.5
"""Share of the headwall that must find its predecessor downslope or upslope of it."""


@dataclass(frozen=True, slots=True)
class SlumpGround:
    """Where a slump lies, arrays (y, x) of one shape that reach `MARGIN_PX` beyond it."""

    inside: Mask
    others: Mask
    """Pixels of other slumps, which the ground around leaves out."""
    dem: NDArray[np.float32]
    """m; NaN where unknown."""
    ndvi: NDArray[np.float32]
    """-1 to 1; NaN where unusable."""

    def __post_init__(self) -> None:
        """Raise GridMismatch when the arrays differ in shape or the slump has no pixel."""
        shapes = {array.shape for array in (self.inside, self.others, self.dem, self.ndvi)}
        if len(shapes) > 1 or not self.inside.any():
            raise GridMismatch(f"The ground of a slump of {int(self.inside.sum())} pixels has shapes {shapes}: read all over one window.")


@dataclass(frozen=True, slots=True)
class Headwall:
    """Figures of one slump in one year; NaN where they cannot be told."""

    headwall_length_m: float
    headwall_retreat_m: float
    """Upslope movement since the previous outline, median over the headwall; negative where it lies further downslope now."""
    aspect_deg: float
    """Direction downslope, degrees clockwise from north of the zone's grid."""
    ndvi_contrast: float
    """Mean NDVI inside less that of the ground around."""
    relative_elevation_m: float
    """Mean elevation inside less that of the ground around."""


def headwall_of(polygon: shapely.Geometry, ground: SlumpGround, previous: shapely.Geometry | None = None) -> Headwall:
    """Describe a slump (polygon in metres of the zone) with the ground around it; `previous` is its outline of the last observed year."""
    ring = ndimage.distance_transform_edt(~ground.inside) * PIXEL_M
    around = (ring > 0) & (ring <= RING_M) & ~ground.others
    upslope = _upslope(ground.dem, ground.inside | around)
    contrast, height = (_mean(values[ground.inside]) - _mean(values[around]) for values in (ground.ndvi, ground.dem))
    if upslope is None:
        unknown = float("nan")
        return Headwall(unknown, unknown, unknown, contrast, height)
    points, lengths = headwall_points(polygon, upslope)
    retreat = float("nan") if previous is None else _retreat(points, upslope, previous)
    aspect = float(np.degrees(np.arctan2(-upslope[0], -upslope[1])) % 360)
    return Headwall(float(lengths.sum()), retreat, aspect, contrast, height)


def headwall_retreat_m(polygon: shapely.Geometry, previous: shapely.Geometry, aspect_deg: float) -> float:
    """Return how far the headwall moved upslope between two outlines (metres of one zone); NaN where the aspect is or nothing meets."""
    if np.isnan(aspect_deg):
        return float("nan")
    upslope = -float(np.sin(np.radians(aspect_deg))), -float(np.cos(np.radians(aspect_deg)))
    return _retreat(headwall_points(polygon, upslope)[0], upslope, previous)


def ndvi_of(red: NDArray[np.uint16], near_infrared: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Return the NDVI of surface counts (any shape); NaN where a band has no data or both are black."""
    one, other = red.astype(np.float32), near_infrared.astype(np.float32)
    total = one + other
    usable = (one > 0) & (other > 0) & (total >= 100)
    return np.where(usable, (other - one) / np.where(usable, total, 1), np.float32("nan")).astype(np.float32)


def headwall_points(polygon: shapely.Geometry, upslope: tuple[float, float]) -> tuple[Floats, Floats]:
    """Return points (n, 2) along the headwall and the length in m that each stands for; `upslope` is a unit vector (east, north)."""
    points, lengths = [np.empty((0, 2))], [np.empty(0)]
    for part in shapely.get_parts(polygon):
        ring = shapely.get_exterior_ring(shapely.orient_polygons(part, exterior_cw=False))
        place = np.arange(0.0, ring.length, _STEP_M)
        step = ring.length / len(place)
        chord = min(_CHORD_M, ring.length / 4) / 2
        ahead, behind = (_at(ring, (place + side * chord) % ring.length) for side in (1, -1))
        along = ahead - behind
        size = np.hypot(along[:, 0], along[:, 1])
        # counter-clockwise: outward is to the right of the way
        facing = (along[:, 1] * upslope[0] - along[:, 0] * upslope[1]) / np.maximum(size, 1e-9)
        high = facing >= np.cos(np.radians(UPSLOPE_DEG))
        points.append(_at(ring, place[high]))
        lengths.append(size[high] / (2 * chord) * step)
    return np.concatenate(points), np.concatenate(lengths)


def _at(ring: shapely.LinearRing, place: Floats) -> Floats:
    return np.asarray(shapely.get_coordinates(shapely.line_interpolate_point(ring, place)), np.float64)


def _upslope(dem: NDArray[np.float32], among: Mask) -> tuple[float, float] | None:
    """Unit vector (east, north) up the plane through the ground; None where it is flat or unknown.

    One plane for the whole slump: its own floor and headwall make every local slope point elsewhere.
    """
    known = among & np.isfinite(dem)
    if known.sum() < 10:
        return None
    rows, columns = np.nonzero(known)
    terms = np.column_stack([columns * PIXEL_M, -rows * PIXEL_M, np.ones(len(rows))])
    (east, north, _), *_ = np.linalg.lstsq(terms - terms.mean(axis=0) * [1, 1, 0], dem[known].astype(np.float64), rcond=None)
    steepness = float(np.hypot(east, north))
    return (float(east) / steepness, float(north) / steepness) if steepness >= FLATTEST else None


def _retreat(points: Floats, upslope: tuple[float, float], previous: shapely.Geometry) -> float:
    """Median way upslope from the highest point of the previous outline on the same line of slope."""
    direction = np.array(upslope)
    ways = np.stack([points - _REACH_M * direction, points + _REACH_M * direction], axis=1)
    crossings = shapely.intersection(shapely.linestrings(ways), previous) if len(points) else np.empty(0, dtype=object)
    corners, owner = shapely.get_coordinates(crossings, return_index=True)
    highest = np.full(len(points), -np.inf)
    np.maximum.at(highest, owner, ((corners - points[owner]) * direction).sum(axis=1))
    met = np.isfinite(highest)
    return float(np.median(-highest[met])) if met.any() and met.mean() >= _LEAST_SEEN else float("nan")


def _mean(values: NDArray[np.float32]) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")
