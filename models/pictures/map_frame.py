"""What makes an image a map: degrees along the edge, a bar of known length, and where north is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.axes import Axes

from catalog.facts.grids import from_lonlat, to_lonlat
from models.pictures.canvas import FAINT, INK

_STEPS_DEG: Final = (10.0, 5.0, 2.0, 1.0, 1 / 2, 1 / 3, 1 / 6, 1 / 12, 1 / 30, 1 / 60, 1 / 120, 1 / 240)
_LABELS_WANTED: Final = 3
_EDGE_POINTS: Final = 257


@dataclass(frozen=True, slots=True)
class Extent:
    """The map's rectangle in metres of a projected CRS."""

    epsg: int
    left: float
    bottom: float
    right: float
    top: float


def draw_degrees(axes: Axes, extent: Extent) -> None:
    """Ticks where meridians cross the lower edge and parallels the left edge, and small crosses where they meet."""
    x, y = np.linspace(extent.left, extent.right, _EDGE_POINTS), np.linspace(extent.bottom, extent.top, _EDGE_POINTS)
    longitudes = np.unwrap(to_lonlat(extent.epsg).transform(x, np.full_like(x, extent.bottom))[0], period=360)
    latitudes = np.asarray(to_lonlat(extent.epsg).transform(np.full_like(y, extent.left), y)[1])
    meridians, parallels = _round_values(longitudes), _round_values(latitudes)
    axes.set_xticks([_crossing(longitudes, x, value) for value in meridians], [degree_words(value, "EW") for value in meridians])
    axes.set_yticks(
        [_crossing(latitudes, y, value) for value in parallels],
        [degree_words(value, "NS") for value in parallels],
        rotation=90,
        va="center",
    )
    axes.tick_params(length=5, width=0.8, color=FAINT, labelcolor=FAINT, labelsize=8, pad=3)
    corners = np.array([(m, p) for m in meridians for p in parallels])
    if len(corners):
        cross_x, cross_y = from_lonlat(extent.epsg).transform(corners[:, 0], corners[:, 1])
        axes.plot(cross_x, cross_y, "+", ms=7, mew=0.7, color="white", alpha=0.7, zorder=2)
    axes.set_xlim(extent.left, extent.right)
    axes.set_ylim(extent.bottom, extent.top)


def degree_words(value: float, letters: str) -> str:
    """Degrees, minutes and seconds as far as needed, with the hemisphere: `86°30′E`."""
    wrapped = (value + 180) % 360 - 180 if letters == "EW" else value
    seconds = round(abs(wrapped) * 3600)
    text = f"{seconds // 3600}°"
    if seconds % 3600:
        text += f"{seconds % 3600 // 60:02d}′"
    if seconds % 60:
        text += f"{seconds % 60:02d}″"
    return text + ("" if seconds in (0, 180 * 3600) else letters[0] if wrapped > 0 else letters[1])


def bar_length_m(width_m: float) -> float:
    """The longest of 1, 2, 5 x 10^n metres that fits into a width."""
    power = 10.0 ** math.floor(math.log10(width_m))
    return max(step * power for step in (1, 2, 5) if step * power <= width_m)


def draw_scale_bar(axes: Axes, *, right: float, top: float, pixel_m: float, room_px: float) -> None:
    """A bar in pixel axes that ends at `right`, with its length in words."""
    length_m = bar_length_m(room_px * pixel_m)
    length_px = length_m / pixel_m
    axes.plot(
        [right - length_px, right - length_px, right, right], [top, top + 7, top + 7, top], color=INK, lw=1.4, solid_joinstyle="miter"
    )
    axes.plot([right - length_px / 2] * 2, [top + 3, top + 7], color=INK, lw=1.0)
    words = f"{length_m / 1000:g} km" if length_m >= 1000 else f"{length_m:g} m"
    axes.text(right - length_px / 2, top + 11, words, ha="center", va="top", fontsize=8.5, color=INK)


def draw_north(axes: Axes, *, x: float, y: float, extent: Extent) -> None:
    """An arrow to true north in pixel axes (y downward); grid and true north differ by the convergence of the meridians."""
    angle = convergence_rad(extent)
    dx, dy = math.sin(angle), -math.cos(angle)
    axes.annotate(
        "",
        xy=(x + 13 * dx, y + 13 * dy),
        xytext=(x - 13 * dx, y - 13 * dy),
        arrowprops={"arrowstyle": "-|>,head_width=0.32,head_length=0.6", "color": INK, "lw": 1.4, "shrinkA": 0, "shrinkB": 0},
    )
    axes.text(x + 21 * dx, y + 21 * dy, "N", ha="center", va="center", fontsize=9, color=INK, fontweight="bold")


def convergence_rad(extent: Extent) -> float:
    """Angle from grid north to true north at the map's centre, clockwise."""
    x, y = (extent.left + extent.right) / 2, (extent.bottom + extent.top) / 2
    longitude, latitude = to_lonlat(extent.epsg).transform(x, y)
    north_x, north_y = from_lonlat(extent.epsg).transform(longitude, latitude + 1e-3)
    return math.atan2(north_x - x, north_y - y)


def _round_values(values: Sequence[float] | np.ndarray) -> list[float]:
    """Round degrees inside a range, spaced so that at least three fit where possible, and never a crowd."""
    low, high = float(np.min(values)), float(np.max(values))
    for step in _STEPS_DEG:
        first, last = math.ceil(low / step), math.floor(high / step)
        if last - first + 1 >= _LABELS_WANTED:
            return [number * step for number in range(first, last + 1)]
    return []


def _crossing(values: np.ndarray, positions: np.ndarray, value: float) -> float:
    order = np.argsort(values)
    return float(np.interp(value, values[order], positions[order]))
