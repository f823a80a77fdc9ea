"""Counts of slumps per cell of the H3 grid; counts and areas of all cells add up to those of the region."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import h3
import numpy as np
from numpy.typing import NDArray

from models.detector.counts import CountRange, Represented, total

Floats = NDArray[np.float64]
RESOLUTION: Final = 5
"""Cells of 253 km2 on average."""


def cells_at(longitude: Iterable[float], latitude: Iterable[float]) -> list[str]:
    """Return the cell of every point (degrees)."""
    return [h3.latlng_to_cell(float(north), float(east), RESOLUTION) for east, north in zip(longitude, latitude, strict=True)]


def ground_per_cell(longitude: Floats, latitude: Floats, observed_km2: Floats) -> dict[str, float]:
    """Sum observed pieces of ground (n,) into the cells that hold their middle; a chip is small beside a cell."""
    ground: dict[str, float] = {}
    for cell, area in zip(cells_at(longitude, latitude), observed_km2.tolist(), strict=True):
        ground[cell] = ground.get(cell, 0.0) + area
    return dict(sorted(ground.items()))


def cell_counts(represented: Represented, cells: Sequence[str], observed_km2: Mapping[str, float]) -> dict[str, CountRange]:
    """Return the count of every cell that was observed or holds a detection, by cell.

    `cells` (n,) hold the detections of `represented`. A cell with a detection and no ground of its own (a slump whose middle lies beyond
    the last chip) is given the ground of none: its density is unknown, and its slumps still count.
    """
    members: dict[str, list[int]] = {cell: [] for cell in observed_km2}
    for place, cell in enumerate(cells):
        members.setdefault(cell, []).append(place)
    ordered = sorted(members)
    return {
        cell: total(represented, observed_km2.get(cell, 0.0), np.array(members[cell], np.int64), number=number + 1)
        for number, cell in enumerate(ordered)
        if observed_km2.get(cell, 0.0) > 0 or members[cell]
    }
