"""How many windows a model looks at, by the chips that are mapped."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from catalog.facts.grids import CHIP_PX, Tile


def windows_over(tiles: Mapping[Tile, NDArray[np.bool_]], window_px: int, stride_px: int) -> int:
    """Return how many windows of one zone's lattice, whose origins are multiples of the stride, touch a mapped chip."""
    if not tiles:
        return 0
    places = [(-(tile.row + 1) * tile.chips, tile.column * tile.chips, chips) for tile, chips in tiles.items()]
    top, left = min(row for row, _, _ in places), min(column for _, column, _ in places)
    bottom, right = (max(place[axis] + place[2].shape[axis] for place in places) for axis in (0, 1))
    mapped = np.zeros((bottom - top + 1, right - left + 1), np.int64)
    for row, column, chips in places:
        mapped[row - top + 1 : row - top + 1 + len(chips), column - left + 1 : column - left + 1 + len(chips)] = chips
    total = mapped.cumsum(axis=0).cumsum(axis=1)
    (first_row, last_row), (first_column, last_column) = (
        _reach(start, stop, window_px, stride_px) for start, stop in ((top, bottom), (left, right))
    )
    inside = total[last_row] - total[first_row]  # (windows, chips + 1)
    return int((inside[:, last_column] - inside[:, first_column] > 0).sum())


def _reach(start: int, stop: int, window_px: int, stride_px: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Chips from `first` to before `last` that each window along one axis touches, counted from `start`."""
    steps = np.arange((start * CHIP_PX - window_px) // stride_px + 1, -(-stop * CHIP_PX // stride_px)) * stride_px
    first, last = steps // CHIP_PX - start, -(-(steps + window_px) // CHIP_PX) - start
    return np.clip(first, 0, stop - start), np.clip(last, 0, stop - start)
