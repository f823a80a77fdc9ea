"""A chip in four panels: what the eye sees, what water looks like, and two masks to compare."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from catalog.facts.bands import s2_index
from catalog.facts.chips import LABEL_IGNORE, LABEL_SCALE
from catalog.facts.grids import PIXEL_M
from models.pictures.canvas import FAINT, INK, RULE, VERMILION, Sheet
from models.pictures.tones import true_colour

_PANEL_PX: Final = 260
_GAP_PX, _TOP_PX, _FOOT_PX = 12, 30, 26
_WATER, _LAND, _UNKNOWN = (0, 114, 178), (240, 238, 232), (190, 190, 190)
_LEAST_OPTICS: Final = 0.5
"""Share of a chip with optics below which radar is shown instead of MNDWI."""


@dataclass(frozen=True, slots=True)
class ChipImage:
    """What a picture of a chip is made of."""

    s2: NDArray[np.uint16]
    """(12, y, x)."""
    s1: NDArray[np.float32]
    """(2, y, x)."""
    label: NDArray[np.uint8]
    predicted: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Caption:
    """Words and marks of a picture."""

    names: tuple[str, str] = ("label", "prediction")
    """Of the last two panels."""
    swapped: bool = False
    """Put the prediction third and the label last."""
    note: str = ""
    mark: tuple[float, float, float, float] | None = None
    """Left, top, right, bottom of the place in question, pixels."""


def four_panels(image: ChipImage, caption: Caption = Caption()) -> bytes:
    """PNG of true colour, MNDWI (VV where optics lack) and two masks; where the label is unknown both masks are grey.

    A grey band in one of them alone would tell a reviewer which is the label.
    """
    unknown = image.label == LABEL_IGNORE
    masks = [_mask_colours(mask, unknown) for mask in (image.label >= LABEL_SCALE / 2, image.predicted)]
    third, fourth = reversed(masks) if caption.swapped else masks
    sheet = Sheet(4 * _PANEL_PX + 5 * _GAP_PX, _TOP_PX + _PANEL_PX + _FOOT_PX)
    water, words = _water(image)
    panels: tuple[tuple[NDArray[Any], str], ...] = (
        (true_colour(_rgb(image.s2)), "true colour"),
        (water, words),
        (third, caption.names[0]),
        (fourth, caption.names[1]),
    )
    for place, (pixels, title) in enumerate(panels):
        left = _GAP_PX + place * (_PANEL_PX + _GAP_PX)
        axes = sheet.axes(left, _TOP_PX, _PANEL_PX, _PANEL_PX)
        if pixels.ndim == 3:
            axes.imshow(pixels, interpolation="nearest")
        else:
            low, high = (-1.0, 1.0) if "MNDWI" in words else (-25.0, 0.0)
            axes.imshow(pixels, cmap="BrBG" if "MNDWI" in words else "gray", vmin=low, vmax=high, interpolation="nearest")
        _framed(axes, caption.mark)
        sheet.text(left, 8, title, 11, fontweight="bold" if place > 1 else "normal")
    side_km = image.label.shape[-1] * PIXEL_M / 1000
    sheet.text(_GAP_PX, _TOP_PX + _PANEL_PX + 6, f"{caption.note}  each panel {side_km:.2f} km wide, north up".strip(), 9, color=FAINT)
    return sheet.png()


def _rgb(s2: NDArray[np.uint16]) -> NDArray[np.uint16]:
    return s2[[s2_index("B04"), s2_index("B03"), s2_index("B02")]]


def _water(image: ChipImage) -> tuple[NDArray[np.float64], str]:
    green, swir = (image.s2[s2_index(band)].astype(np.float64) for band in ("B03", "B11"))
    total = green + swir
    if (total > 0).mean() >= _LEAST_OPTICS:
        index = np.divide(green - swir, total, out=np.full(total.shape, np.nan), where=total > 0)
        return index, "MNDWI, −1 brown to 1 green"
    return image.s1[0].astype(np.float64), "VV, −25 dB black to 0 dB white"


def _mask_colours(mask: NDArray[np.bool_], unknown: NDArray[np.bool_]) -> NDArray[np.uint8]:
    colours = np.where(mask[..., None], np.array(_WATER), np.array(_LAND)).astype(np.uint8)
    colours[unknown] = _UNKNOWN
    return colours


def _framed(axes: Axes, mark: tuple[float, float, float, float] | None) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color(RULE)
    if mark is not None:
        left, top, right, bottom = mark
        for colour, width in ((INK, 2.6), (VERMILION, 1.3)):
            axes.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, joinstyle="miter", ec=colour, lw=width))
