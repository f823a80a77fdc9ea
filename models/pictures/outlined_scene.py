"""A scene in true colour with outlines on it."""

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from models.pictures.canvas import FAINT, Sheet
from models.pictures.tones import true_colour

_PICTURE_PX: Final = 300


def scene_sheet(rgb: NDArray[np.uint16]) -> tuple[Sheet, Axes]:
    """A picture of a scene (3, y, x), reflectance x 10 000, and its axes, 0 to 1 from the upper left corner."""
    picture = Sheet(_PICTURE_PX, _PICTURE_PX)
    axes = picture.axes(0, 0, _PICTURE_PX, _PICTURE_PX)
    axes.imshow(true_colour(rgb), interpolation="nearest", extent=(0, 1, 1, 0))
    axes.set(xlim=(0, 1), ylim=(1, 0), xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_color(FAINT)
    return picture, axes


def outline(axes: Axes, mask: NDArray[np.bool_], colour: str, style: str) -> None:
    """Draw the outline of a mask (y, x) on axes from 0 to 1; nothing for an empty mask."""
    if not mask.any():
        return
    # a dry rim, so that lakes at the edge of the scene have an outline, too
    padded = np.pad(mask.astype(np.float32), 1)
    height, width = mask.shape
    across, down = (np.arange(-1, size + 1) + 0.5 for size in (width, height))
    axes.contour(across / width, down / height, padded, levels=[0.5], colors=[colour], linewidths=1.8, linestyles=style)
