"""Pictures of a referrer's scores: overlap by kind of mask, and single scenes with both outlines of every phrase."""

from collections.abc import Sequence
from typing import Final

import matplotlib as mpl
import numpy as np

from models.pictures.canvas import ORANGE, PURPLE, SKY, YELLOW
from models.pictures.outlined_scene import outline, scene_sheet
from models.pictures.score_plots import COLOURS, STYLE, sheet, svg
from models.referrer.examples import Example
from models.referrer.scorecard import ReferredPass

PHRASES: Final = (ORANGE, SKY, YELLOW, PURPLE)
"""Of the first phrase of a question, the second, ..."""


def overlap_plot(passes: Sequence[tuple[str, ReferredPass]], groups: Sequence[tuple[str, str, str]]) -> bytes:
    """SVG of the mIoU of groups of masks (group, metric, words) with 90 % intervals, those that somebody has."""
    shown = [each for each in groups if any(one.get(*each[:2]) for _, one in passes)]
    with mpl.rc_context(STYLE):
        figure, (axes,) = sheet(9.2, 0.8 + 0.28 * max(len(shown), 1), columns=1)
        for place, (label, one) in enumerate(passes):
            found = [(row, metric) for row, (group, name, _) in enumerate(shown) if (metric := one.get(group, name)) is not None]
            at = np.array([row for row, _ in found], float) + (place - (len(passes) - 1) / 2) * 0.22
            values, low, high = (np.array([getattr(metric, end) for _, metric in found], float) for end in ("value", "low", "high"))
            axes.plot(values, at, "o", ms=5, color=COLOURS[place], label=label)
            axes.hlines(at, low, high, color=COLOURS[place], lw=1.4)
        axes.set(xlabel="mIoU", xlim=(-0.02, 1.02), ylim=(len(shown) - 0.4, -0.6), yticks=range(len(shown)))
        axes.set_yticklabels([words for *_, words in shown])
        axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=len(passes))
        return svg(figure)


def example_picture(example: Example) -> bytes:
    """PNG of a scene in true colour: a colour for every phrase, its true outline solid, the drawn one dashed."""
    picture, axes = scene_sheet(example.rgb)
    for mask, colour in zip(example.masks, PHRASES, strict=False):
        outline(axes, mask.truth, colour, "solid")
        outline(axes, mask.drawn, colour, "dashed")
    return picture.png()
