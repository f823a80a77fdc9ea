"""The sheet that every picture is drawn on: sizes in pixels, one typeface, one palette, the same bytes for the same input."""

import io
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

DPI: Final = 100
TYPEFACE: Final = "DejaVu Sans"
"""Comes with matplotlib, so that letters are the same on every machine."""
INK: Final = "#1f2328"
FAINT: Final = "#6b7280"
RULE: Final = "#d6d3cc"
PAPER: Final = "#ffffff"

# Okabe & Ito 2008: told apart with every common kind of colour blindness
ORANGE: Final = "#e69f00"
SKY: Final = "#56b4e9"
GREEN: Final = "#009e73"
YELLOW: Final = "#f0e442"
BLUE: Final = "#0072b2"
VERMILION: Final = "#d55e00"
PURPLE: Final = "#cc79a7"


class Sheet:
    """A figure measured in pixels from its upper left corner."""

    def __init__(self, width_px: int, height_px: int) -> None:
        """Start an empty sheet."""
        self.width_px, self.height_px = width_px, height_px
        self.figure = Figure(figsize=(width_px / DPI, height_px / DPI), dpi=DPI, facecolor=PAPER)
        FigureCanvasAgg(self.figure)

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes whose corner and size are given in pixels."""
        box = (left / self.width_px, 1 - (top + height) / self.height_px, width / self.width_px, height / self.height_px)
        return self.figure.add_axes(box)

    def blank(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes without frame or ticks whose data units are pixels, y downward."""
        axes = self.axes(left, top, width, height)
        axes.set_axis_off()
        axes.set_xlim(0, width)
        axes.set_ylim(height, 0)
        return axes

    def text(self, left: float, top: float, words: str, size: float, **style: Any) -> Text:
        """Text at a pixel position; anchored at its upper left unless `style` says otherwise. `size` in points."""
        given: dict[str, Any] = {"color": INK, "ha": "left", "va": "top", **style}
        return self.figure.text(left / self.width_px, 1 - top / self.height_px, words, fontsize=size, **given)

    def png(self) -> bytes:
        """The finished picture, without date or software in it."""
        for text in self.figure.findobj(Text):
            if isinstance(text, Text):
                text.set_fontfamily(TYPEFACE)
        buffer = io.BytesIO()
        self.figure.savefig(buffer, format="png", dpi=DPI, facecolor=PAPER, metadata={"Software": None})
        return buffer.getvalue()


def thousands(number: float, decimals: int = 0) -> str:
    """A number with thin spaces between thousands."""
    return f"{number:,.{decimals}f}".replace(",", "\u2009")


def area_words(area_km2: float, error_km2: float | None) -> str:
    """`12.34 ± 0.56 km²` with as many decimals as the error deserves."""
    if error_km2 is None:
        return f"{thousands(area_km2, 2)} km²"
    decimals = 0 if error_km2 >= 10 else 1 if error_km2 >= 1 else 2 if error_km2 >= 0.02 else 3
    return f"{thousands(area_km2, decimals)} ± {thousands(error_km2, decimals)} km²"
