"""Windows on the zone's global pixel lattice, and blend weights that sum to one exactly.

Window origins are multiples of the stride in global pixels, so that a pixel lies in the same windows whatever the
tiles. Weights are integers: a sum of them is exact and does not depend on the order of adding.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from catalog.facts.errors import GridMismatch
from catalog.facts.grids import Tile

AXIS_UNITY: Final = 128
"""What the weights along one axis sum to."""
UNITY: Final = AXIS_UNITY**2
"""What the weights of all windows over a pixel sum to, exactly."""
Profile = Literal["linear", "hann"]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Where a window and a tile meet, as slices of (y, x) into each."""

    window: tuple[slice, slice]
    tile: tuple[slice, slice]


@dataclass(frozen=True, slots=True)
class Window:
    """A square of pixels that a model sees at once."""

    origin_yx: tuple[int, int]
    """Global pixel of the upper left corner."""
    size_px: int
    tiles: tuple[Tile, ...]
    """Wanted tiles that get predictions from it."""

    def overlap(self, tile: Tile) -> Overlap:
        """Slices of the common pixels in the window and in the tile; raises GridMismatch when there are none."""
        pairs = [_common(own, self.size_px, other, tile.size_px) for own, other in zip(self.origin_yx, tile.origin_yx_px, strict=True)]
        return Overlap((pairs[0][0], pairs[1][0]), (pairs[0][1], pairs[1][1]))


def _common(own: int, own_size: int, other: int, other_size: int) -> tuple[slice, slice]:
    start, stop = max(own, other), min(own + own_size, other + other_size)
    if start >= stop:
        raise GridMismatch(
            f"The window at pixel {own} and the tile at pixel {other} have no pixel in common: plan the windows from the tiles."
        )
    return slice(start - own, stop - own), slice(start - other, stop - other)


@lru_cache(maxsize=16)
def axis_weights(window_px: int, stride_px: int, margin_px: int, profile: Profile = "linear") -> NDArray[np.uint16]:
    """Weights (window_px,) along one axis: 0 in the margin, ramps where windows overlap.

    For every residue of the position modulo the stride, the weights sum to AXIS_UNITY exactly. A Hann ramp leaves a window
    and reaches full weight without a kink, and gives the pixels next to the margin, whose context is cut most, half the
    weight of a linear one; two opposite Hann ramps sum to one as linear ones do.
    """
    position = np.arange(window_px) + 0.5
    inside = np.minimum(position - margin_px, window_px - margin_px - position)
    ramp = max(window_px - 2 * margin_px - stride_px, 1)
    raw = np.clip(inside, 0, ramp)
    if profile == "hann":
        raw = np.sin(raw / ramp * (np.pi / 2)) ** 2
    weights = np.zeros(window_px, np.int64)
    for residue in range(stride_px):
        share = raw[residue::stride_px] / raw[residue::stride_px].sum()
        counts = np.floor(share * AXIS_UNITY).astype(np.int64)
        counts[np.argmax(share)] += AXIS_UNITY - counts.sum()
        weights[residue::stride_px] = counts
    result = weights.astype(np.uint16)
    result.setflags(write=False)
    return result


@lru_cache(maxsize=16)
def blend_weights(window_px: int, stride_px: int, margin_px: int, profile: Profile = "linear") -> NDArray[np.uint16]:
    """Weights (window_px, window_px) of a window; over all windows they sum to UNITY at every pixel, exactly."""
    axis = axis_weights(window_px, stride_px, margin_px, profile)
    result = np.multiply.outer(axis, axis)
    result.setflags(write=False)
    return result


def windows_over(tiles: Iterable[Tile], *, window_px: int, stride_px: int, margin_px: int = 0) -> tuple[Window, ...]:
    """Plan every window that gives weight to a wanted tile, in an order that lets tiles be finished early.

    Tiles go from north to south, then west to east; a window goes with the first of its tiles. Raises GridMismatch when
    the tiles are of several zones or sizes.
    """
    wanted = sorted(set(tiles), key=_reading_order)
    if len({(tile.epsg, tile.chips) for tile in wanted}) > 1:
        raise GridMismatch("Tiles of several zones or sizes cannot share windows: stream one zone at a time.")
    members: dict[tuple[int, int], list[Tile]] = {}
    for tile in wanted:
        for origin in _origins(tile, window_px - margin_px, stride_px, margin_px):
            members.setdefault(origin, []).append(tile)
    order = sorted(members, key=lambda origin: (*_reading_order(members[origin][0]), *origin))
    return tuple(Window(origin, window_px, tuple(members[origin])) for origin in order)


def _reading_order(tile: Tile) -> tuple[int, int]:
    return -tile.row, tile.column


def _origins(tile: Tile, support_end_px: int, stride_px: int, margin_px: int) -> list[tuple[int, int]]:
    rows, columns = (
        [step * stride_px for step in _steps(start, tile.size_px, support_end_px, stride_px, margin_px)] for start in tile.origin_yx_px
    )
    return [(row, column) for row in rows for column in columns]


def _steps(start: int, size_px: int, support_end_px: int, stride_px: int, margin_px: int) -> range:
    """Lattice steps k whose support [k x stride + margin, k x stride + support_end) meets [start, start + size)."""
    first = (start - support_end_px) // stride_px + 1
    last = (start + size_px - margin_px - 1) // stride_px
    return range(first, last + 1)
