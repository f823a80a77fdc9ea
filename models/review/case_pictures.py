"""One case of a sample for the eye: true colour, the same with what is listed, and infrared, where water is black."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from matplotlib.axes import Axes
from numpy.typing import NDArray

from catalog.facts.bands import s2_index
from catalog.facts.grids import PIXEL_M
from models.pictures.canvas import FAINT, RULE, SKY, VERMILION, Sheet
from models.pictures.tones import true_colour

_PANEL_PX: Final = 300
_GAP_PX, _TOP_PX, _FOOT_PX = 12, 30, 26
_TRUE: Final = tuple(s2_index(name) for name in ("B04", "B03", "B02"))
_INFRARED: Final = tuple(s2_index(name) for name in ("B11", "B08", "B04"))


@dataclass(frozen=True, slots=True)
class CaseImage:
    """What a picture is made of."""

    s2: NDArray[np.uint16]
    """(12, y, x)."""
    origin_yx: tuple[int, int]
    """Global pixel of the upper left corner."""
    subject: shapely.Geometry
    """The listed outline, or the cell, in metres of the zone."""
    listed: Sequence[shapely.Geometry]
    """Other listed outlines there, metres."""


def case_picture(image: CaseImage, title: str) -> bytes:
    """PNG of three panels, north up; the subject is drawn in vermilion, what else is listed in blue, in the middle panel alone."""
    sheet = Sheet(3 * _PANEL_PX + 4 * _GAP_PX, _TOP_PX + _PANEL_PX + _FOOT_PX)
    colours, infrared = (true_colour(image.s2[list(bands)]) for bands in (_TRUE, _INFRARED))
    panels = (("true colour", colours), ("with what is listed", colours), ("B11 B08 B04", infrared))
    for place, (name, pixels) in enumerate(panels):
        left = _GAP_PX + place * (_PANEL_PX + _GAP_PX)
        axes = sheet.axes(left, _TOP_PX, _PANEL_PX, _PANEL_PX)
        axes.imshow(pixels, interpolation="nearest")
        _frame(axes)
        if place == 1:
            for outline in image.listed:
                _trace(axes, outline, image.origin_yx, SKY, 1.0)
            _trace(axes, image.subject, image.origin_yx, VERMILION, 1.4)
        sheet.text(left, 8, name, 11)
    height, width = image.s2.shape[1:]
    size = f"{width * PIXEL_M / 1000:.2f} x {height * PIXEL_M / 1000:.2f} km, north up"
    sheet.text(_GAP_PX, _TOP_PX + _PANEL_PX + 6, f"{title}   {size}", 9, color=FAINT)
    return sheet.png()


def _frame(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color(RULE)


def _trace(axes: Axes, outline: shapely.Geometry, origin_yx: tuple[int, int], colour: str, width: float) -> None:
    axes.set_autoscale_on(False)
    for ring in shapely.get_rings(shapely.get_parts(outline)):
        corners = shapely.get_coordinates(ring)
        # the middle of pixel 0 is at 0, its edge at -0.5
        axes.plot(corners[:, 0] / PIXEL_M - origin_yx[1] - 0.5, -corners[:, 1] / PIXEL_M - origin_yx[0] - 0.5, color=colour, lw=width)
