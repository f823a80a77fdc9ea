"""One region in one year: true colour, what could not be seen and why, and the outlines."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import shapely
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from catalog.facts.causes import Cause
from models.pictures.canvas import FAINT, RULE, Sheet, area_words, thousands
from models.pictures.kinds import KINDS, SURENESS, Kind, Outline, sureness_of
from models.pictures.map_frame import Extent, draw_degrees, draw_north, draw_scale_bar
from models.pictures.thumbnails import Thumbnail, cause_shares, fit
from models.pictures.tones import CAUSE_NAMES, shade, swatch, true_colour

LONGEST_PX: Final = 1700
"""Longer side of the map itself; thumbnails are made no larger than this."""
_SMALLEST_PX: Final = 900
_NARROWEST_PX: Final = 820
"""Header and legend need as much."""
_MARGIN_LEFT, _MARGIN_RIGHT, _HEADER, _FOOTER = 52, 24, 92, 174
_LINE, _SCALE_ROOM = 25, 330
_ANY_STATUS: Final = "#e8e4da"
_TINY_PX: Final = 7.0
"""Outlines smaller than this on the picture are ringed, or nobody would find them."""


@dataclass(frozen=True, slots=True)
class MapCaption:
    """The words and numbers around a map."""

    title: str
    year: int
    target: str
    """`lakes` or `slumps`."""
    count: int | None
    """Features at or above the minimum area; None when no model looked, which is not the same as none."""
    area_km2: float
    area_error_km2: float | None
    """Half of the 95 % interval of the total."""
    source: str
    """Model and data, for example `model indices 1`."""

    @property
    def attribution(self) -> str:
        """The notice that the data's licence asks for."""
        return f"Contains modified Copernicus Sentinel data {self.year}"


def map_picture(thumbnail: Thumbnail, outlines: Sequence[Outline], caption: MapCaption) -> bytes:
    """Draw a region-year as PNG; `outlines` lie in the thumbnail's CRS and have kinds of the caption's target."""
    image = fit(thumbnail, _SMALLEST_PX, LONGEST_PX)
    height, width = image.cause.shape
    sheet = Sheet(_MARGIN_LEFT + max(width, _NARROWEST_PX) + _MARGIN_RIGHT, _HEADER + height + _FOOTER)
    extent = Extent(image.epsg, image.left_m, image.top_m - height * image.pixel_m, image.left_m + width * image.pixel_m, image.top_m)
    _draw_map(sheet, image, extent, outlines, KINDS[caption.target])
    _draw_header(sheet, caption, cause_shares(image.cause).get(Cause.USABLE, 0.0))
    _draw_footer(sheet, image, extent, outlines, caption)
    return sheet.png()


def _draw_map(sheet: Sheet, image: Thumbnail, extent: Extent, outlines: Sequence[Outline], kinds: Mapping[str, Kind]) -> None:
    height, width = image.cause.shape
    axes = sheet.axes(_MARGIN_LEFT, _HEADER, width, height)
    colours = shade(true_colour(image.rgb), np.asarray((image.rgb > 0).any(0)), image.cause)
    axes.imshow(colours, extent=(extent.left, extent.right, extent.bottom, extent.top), interpolation="nearest", aspect="auto")
    draw_degrees(axes, extent)
    for spine in axes.spines.values():
        spine.set_color(FAINT)
        spine.set_linewidth(0.8)
    for name in reversed(list(kinds)):
        # the surest last, so that a doubtful outline never covers it
        for step in (None, *reversed(SURENESS)):
            shapes = [outline.shape for outline in outlines if outline.kind == name and sureness_of(outline.score) == step]
            look = kinds[name] if step is None else replace(kinds[name], dashes=step.dashes)
            _draw_outlines(axes, shapes, look, image.pixel_m)


def _draw_outlines(axes: Axes, geometries: Sequence[BaseGeometry], kind: Kind, pixel_m: float) -> None:
    if not geometries:
        return
    shapes = np.array(geometries, dtype=object)
    bounds = shapely.bounds(shapes)
    tiny = np.maximum(bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1]) < _TINY_PX * pixel_m
    casing = [patheffects.Stroke(linewidth=2.6, foreground="#101010", alpha=0.75), patheffects.Normal()]
    rings = _rings(shapes[~tiny])
    if rings:
        # a dashed line over an unbroken dark one stays visible on snow, rock and water alike
        axes.add_collection(LineCollection(rings, colors="#101010", linewidths=2.4, alpha=0.7, capstyle="round"))
        style = (0, kind.dashes) if kind.dashes else "solid"
        axes.add_collection(LineCollection(rings, colors=kind.colour, linewidths=1.3, linestyles=[style]))
    if tiny.any():
        x, y = (bounds[tiny, 0] + bounds[tiny, 2]) / 2, (bounds[tiny, 1] + bounds[tiny, 3]) / 2
        axes.plot(x, y, "o", ms=6, mfc="none", mec=kind.colour, mew=1.2, path_effects=casing)


def _rings(shapes: NDArray[np.object_]) -> list[NDArray[np.float64]]:
    lines = shapely.get_rings(shapely.get_parts(shapes))
    return [shapely.get_coordinates(line) for line in lines]


def _draw_header(sheet: Sheet, caption: MapCaption, observed_share: float) -> None:
    right = sheet.width_px - _MARGIN_RIGHT
    sheet.text(_MARGIN_LEFT, 22, caption.title, 19, fontweight="bold")
    what = {"lakes": "Glacial lakes", "slumps": "Retrogressive thaw slumps"}[caption.target]
    sheet.text(_MARGIN_LEFT, 57, f"{what}, {caption.year}", 12.5, color=FAINT)
    sheet.text(right, 22, _count_words(caption), 19, ha="right", fontweight="bold")
    seen = f"{100 * observed_share:.0f} % seen clearly" if observed_share >= 0.005 else "nothing seen clearly"
    area = f"{area_words(caption.area_km2, caption.area_error_km2)}, " if caption.count else ""
    sheet.text(right, 57, area + seen, 12.5, ha="right", color=FAINT)


def _count_words(caption: MapCaption) -> str:
    if caption.count is None:
        return "not mapped"
    return f"{thousands(caption.count) if caption.count else 'no'} {caption.target if caption.count != 1 else caption.target[:-1]}"


def _draw_footer(sheet: Sheet, image: Thumbnail, extent: Extent, outlines: Sequence[Outline], caption: MapCaption) -> None:
    below = _HEADER + image.cause.shape[0] + 30
    panel = sheet.blank(0, below, sheet.width_px, sheet.height_px - below)
    right = sheet.width_px - _MARGIN_RIGHT
    _draw_legend(panel, image, outlines, KINDS[caption.target], limit=right - _SCALE_ROOM)
    draw_north(panel, x=right - 12, y=24, extent=extent)
    draw_scale_bar(panel, right=right - 40, top=10, pixel_m=image.pixel_m, room_px=_SCALE_ROOM - 100)
    panel.plot([_MARGIN_LEFT, right], [_FOOTER - 62] * 2, color=RULE, lw=0.8)
    error = "" if caption.area_error_km2 is None else f"± is 95 %, errors of {caption.target} independent. "
    note = f"Surface reflectance on one tone curve for all years. {error}EPSG:{image.epsg}. {caption.source}."
    sheet.text(_MARGIN_LEFT, below + _FOOTER - 54, note, 7.5, color=FAINT)
    sheet.text(right, below + _FOOTER - 54, caption.attribution, 7.5, color=FAINT, ha="right")


def _draw_legend(panel: Axes, image: Thumbnail, outlines: Sequence[Outline], kinds: Mapping[str, Kind], *, limit: float) -> None:
    """Only what the picture shows, with its number or share; wrapped before `limit`."""
    place = (float(_MARGIN_LEFT), 12.0)
    numbers = Counter(outline.kind for outline in outlines)
    steps = Counter(step.words for outline in outlines if (step := sureness_of(outline.score)))
    lines = [(kind.words, kind, numbers[name]) for name, kind in kinds.items()]
    lines += [(step.words, Kind(step.words, _ANY_STATUS, step.dashes), steps[step.words]) for step in SURENESS]
    for words, kind, number in lines:
        if number:
            place = _draw_line(panel, _room(place, words, limit), kind, f"{words} ({thousands(number)})")
    if outlines:
        place = (float(_MARGIN_LEFT), place[1] + _LINE)
    for code, share in cause_shares(image.cause).items():
        if code in CAUSE_NAMES and share >= 5e-4:
            left, middle = place = _room(place, CAUSE_NAMES[code], limit)
            box = (left, left + 24, middle + 7.5, middle - 7.5)
            panel.imshow(swatch(code, 15, 24), extent=box, interpolation="nearest", aspect="auto")
            panel.plot(
                [left, left + 24, left + 24, left, left], [middle - 7.5] * 2 + [middle + 7.5] * 2 + [middle - 7.5], color=RULE, lw=0.8
            )
            place = _label(panel, place, f"{CAUSE_NAMES[code]} {100 * share:.1f} %")
    panel.set_xlim(0, panel.bbox.width)
    panel.set_ylim(panel.bbox.height, 0)


def _draw_line(panel: Axes, place: tuple[float, float], kind: Kind, words: str) -> tuple[float, float]:
    left, middle = place
    style = (0, kind.dashes) if kind.dashes else "solid"
    panel.plot([left, left + 24], [middle] * 2, color="#101010", lw=3.2, alpha=0.75, solid_capstyle="round")
    panel.plot([left, left + 24], [middle] * 2, color=kind.colour, lw=1.6, linestyle=style)
    return _label(panel, place, words)


def _room(place: tuple[float, float], words: str, limit: float) -> tuple[float, float]:
    """Where an entry fits: here, or at the start of the next line."""
    width = 31 + 7.5 * (len(words) + 6)
    return place if place[0] + width <= limit or place[0] <= _MARGIN_LEFT else (float(_MARGIN_LEFT), place[1] + _LINE)


def _label(panel: Axes, place: tuple[float, float], words: str) -> tuple[float, float]:
    """Write a label beside its symbol and return where the next entry starts."""
    text = panel.text(place[0] + 31, place[1], words, fontsize=8.5, va="center", color=FAINT)
    return place[0] + 31 + float(text.get_window_extent().width) + 22, place[1]
