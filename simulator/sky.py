"""The sun over a scene, the shadows that mountains cast, and how slopes are lit."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
from scipy.ndimage import shift

Floats = npt.NDArray[np.float32]
SHADOW_PIXEL_M = 20.0
PENUMBRA_M = 6.0


@dataclass(frozen=True, slots=True)
class Sun:
    """Where the sun stands, degrees; azimuth clockwise from true north."""

    zenith_deg: float
    azimuth_deg: float


def sun_at(when: datetime, longitude: float, latitude: float) -> Sun:
    """Position of the sun. Source: NOAA solar calculator (Meeus, Astronomical Algorithms), low-precision form, 0.1 degree."""
    days = (when - datetime(2000, 1, 1, 12, tzinfo=UTC)).total_seconds() / 86400
    mean_longitude, anomaly = np.radians((280.460 + 0.9856474 * days) % 360), np.radians((357.528 + 0.9856003 * days) % 360)
    ecliptic = mean_longitude + np.radians(1.915 * np.sin(anomaly) + 0.020 * np.sin(2 * anomaly))
    tilt = np.radians(23.439 - 4e-7 * days)
    right_ascension = np.arctan2(np.cos(tilt) * np.sin(ecliptic), np.cos(ecliptic))
    declination = np.arcsin(np.sin(tilt) * np.sin(ecliptic))
    sidereal = np.radians((280.46062 + 360.98564737 * days + longitude) % 360)
    hour, place = sidereal - right_ascension, np.radians(latitude)
    height = np.arcsin(np.sin(place) * np.sin(declination) + np.cos(place) * np.cos(declination) * np.cos(hour))
    azimuth = np.arctan2(-np.sin(hour), np.tan(declination) * np.cos(place) - np.sin(place) * np.cos(hour))
    return Sun(float(90 - np.degrees(height)), float(np.degrees(azimuth) % 360))


def cast_shadow(elevation: Floats, sun: Sun, convergence_deg: float) -> Floats:
    """Share of direct light that mountains keep away, 0 to 1, on a grid of 20 m pixels.

    Walks from every pixel toward the sun and compares the ground there with the ray.
    """
    azimuth = np.radians(sun.azimuth_deg - convergence_deg)
    climb = SHADOW_PIXEL_M / np.tan(np.radians(max(sun.zenith_deg, 5.0)))
    steps = int((elevation.max() - elevation.min()) / climb) + 1
    excess = np.full(elevation.shape, -1e6, dtype=np.float32)
    for step in range(1, min(steps, 160)):
        rows, columns = round(step * np.cos(azimuth)), round(-step * np.sin(azimuth))
        np.maximum(excess, _moved(elevation, rows, columns) - step * climb, out=excess)
    return np.asarray(np.clip((excess - elevation) / PENUMBRA_M + 0.5, 0, 1), dtype=np.float32)


def _moved(field: Floats, rows: int, columns: int) -> Floats:
    """Field moved down and right by whole pixels; what comes in from outside lies far below."""
    moved = np.full(field.shape, -1e6, dtype=np.float32)
    height, width = field.shape
    if abs(rows) >= height or abs(columns) >= width:
        return moved
    to = (slice(max(rows, 0), height + min(rows, 0)), slice(max(columns, 0), width + min(columns, 0)))
    source = (slice(max(-rows, 0), height + min(-rows, 0)), slice(max(-columns, 0), width + min(-columns, 0)))
    moved[to] = field[source]
    return moved


def direct_light(rise_east: Floats, rise_north: Floats, sun: Sun, convergence_deg: float) -> Floats:
    """Direct light on a slope relative to flat ground: cosine of the angle to the sun over its cosine on the flat, 0 to 1.7."""
    azimuth, zenith = np.radians(sun.azimuth_deg - convergence_deg), np.radians(sun.zenith_deg)
    toward_sun = np.float32(np.sin(azimuth)) * rise_east + np.float32(np.cos(azimuth)) * rise_north
    normal = np.sqrt(1 + rise_east * rise_east + rise_north * rise_north)
    return np.asarray(np.clip((1 - np.float32(np.tan(zenith)) * toward_sun) / normal, 0, 1.7), dtype=np.float32)


def displaced(field: Floats, sun: Sun, *, height_m: float, pixel_m: float, convergence_deg: float) -> Floats:
    """Field (a cloud) moved to where its shadow falls on the ground."""
    azimuth, reach = np.radians(sun.azimuth_deg - convergence_deg), height_m * np.tan(np.radians(sun.zenith_deg)) / pixel_m
    return np.asarray(shift(field, (reach * np.cos(azimuth), -reach * np.sin(azimuth)), order=1, mode="reflect"), dtype=np.float32)
