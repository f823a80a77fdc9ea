"""Pictures of a describer's scores: what it invents and leaves out by the number of lakes, and single scenes with both outlines."""

from collections.abc import Sequence
from typing import Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from models.describer.examples import Example
from models.describer.scorecard import DescribedPass, lakes_group
from models.pictures.canvas import ORANGE, RULE, SKY
from models.pictures.outlined_scene import outline, scene_sheet
from models.pictures.score_plots import COLOURS, STYLE, sheet, svg

TRUTH: Final = ORANGE
DRAWN: Final = SKY
_MOST: Final = 9
_PANELS: Final = (("hallucinated", "described lakes that are not there"), ("omitted", "lakes left out of lists and descriptions"))


def errors_by_count_plot(passes: Sequence[tuple[str, DescribedPass]]) -> bytes:
    """SVG of the share of invented and of omitted lakes against the number of lakes in the scene, with 90 % intervals."""
    with mpl.rc_context(STYLE):
        figure, panels = sheet(9.2, 3.6, columns=2)
        for axes, (name, words) in zip(panels, _PANELS, strict=True):
            for place, (label, one) in enumerate(passes):
                _line(axes, one, name, (label, COLOURS[place], (place - (len(passes) - 1) / 2) * 0.12))
            axes.set(title=words, xlabel="lakes in the scene", ylim=(-0.03, 1.03), xlim=(-0.5, _MOST + 0.5), xticks=range(_MOST + 1))
        panels[0].set_ylabel("share (1)")
        panels[0].legend(loc="lower left", bbox_to_anchor=(0.0, 1.08), ncols=len(passes))
        return svg(figure)


def _line(axes: Axes, one: DescribedPass, name: str, style: tuple[str, str, float]) -> None:
    label, colour, shift = style
    found = [(count, metric) for count in range(_MOST + 1) if (metric := one.get(lakes_group(count), name)) is not None]
    at = np.array([count for count, _ in found], float) + shift
    values, low, high = (np.array([getattr(metric, end) for _, metric in found], float) for end in ("value", "low", "high"))
    axes.plot(at, values, "o-", ms=4, lw=1.4, color=colour, label=label)
    axes.vlines(at, low, high, color=colour, lw=1.2)


def example_picture(example: Example) -> bytes:
    """PNG of a scene in true colour, the outline of the lakes that are meant (solid) and that of the drawn mask (dashed)."""
    picture, axes = scene_sheet(example.rgb)
    outline(axes, example.truth, TRUTH, "solid")
    outline(axes, example.drawn, DRAWN, "dashed")
    for half in (axes.axvline, axes.axhline):
        half(0.5, color=RULE, lw=0.5, alpha=0.6)
    return picture.png()
