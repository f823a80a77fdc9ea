"""The outline in the middle of several: where most of those who saw the ground say it is."""

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from models.outlines.contours import ContourOptions, Shape, outline_of

Floats = NDArray[np.float64]
LATTICE_M = 5.0
_REACH_M = 20.0
"""Distances count up to here: the middle of two outlines further apart than twice this is the vote of the rest."""


def middle_of(outlines: Sequence[Shape], observed: Sequence[shapely.Geometry | None], options: ContourOptions) -> Shape:
    """Return the zero line of the median distance to the outlines (metres, one per image), each where its image sees.

    Of an odd number the median is the vote of the majority; of two it is the line half-way between them, neither their union
    nor their intersection. `observed` is the ground of each image, None where it sees everything. An empty Polygon where the
    outlines agree on no ground of the least area.
    """
    left, bottom, right, top = (edge / LATTICE_M for edge in shapely.total_bounds(np.array(outlines, dtype=object)))
    x0, y0 = int(np.floor(left)) - 2, int(np.floor(-top)) - 2
    columns, rows = np.arange(x0, int(np.ceil(right)) + 2), np.arange(y0, int(np.ceil(-bottom)) + 2)
    x, y = np.meshgrid((columns + 0.5) * LATTICE_M, -(rows + 0.5) * LATTICE_M)
    inward = np.array([_inward(outline, x, y) for outline in outlines])
    seen = np.array([np.ones(x.shape, bool) if ground is None else _inside(ground, x, y) for ground in observed])
    # ground that nobody sees belongs to whoever drew there
    seen |= ~seen.any(0)
    field = 0.5 + np.nanmedian(np.where(seen, inward, np.nan), axis=0) / (2 * _REACH_M)
    return outline_of(np.clip(field, 0.0, 1.0), (y0, x0), pixel_m=LATTICE_M, options=options)


def _inward(outline: Shape, x: Floats, y: Floats) -> Floats:
    """Distance to the outline in metres, positive inside, at most _REACH_M."""
    edge = shapely.boundary(outline)
    shapely.prepare(edge)
    away = np.minimum(shapely.distance(edge, shapely.points(x, y)), _REACH_M)
    return np.where(_inside(outline, x, y), away, -away)


def _inside(ground: shapely.Geometry, x: Floats, y: Floats) -> NDArray[np.bool_]:
    shapely.prepare(ground)
    return np.asarray(shapely.contains_xy(ground, x, y), np.bool_)
