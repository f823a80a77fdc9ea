"""Sums of weighted predictions of the tiles in flight: integers, so that the order of windows cannot matter."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.facts.errors import UnpredictedPixels
from catalog.facts.grids import Tile
from models.segmenter.amounts import Amounts, Counts, Shares, amounts_of
from models.segmenter.contract import InputContract, Sight
from models.segmenter.windows import UNITY, Window, blend_weights

SPREAD = Shares("spread")


@dataclass(frozen=True, slots=True)
class TilePrediction:
    """A complete tile."""

    tile: Tile
    probability: NDArray[np.uint8]
    """(y, x), probability x 250; 255 = not usable, or the model abstained."""
    spread: NDArray[np.uint8] | None
    """(y, x), spread x 250; 255 where the probability is; None when the model gives none."""


@dataclass(slots=True)
class _Sums:
    """Sums of one tile; fresh pages of zeros take no memory until they are written."""

    left: int
    """Windows still to come."""
    answer: Counts
    weight: NDArray[np.uint16]
    demanded: NDArray[np.bool_]
    spread: Counts | None


class Accumulator:
    """Adds windows to their tiles and gives out the tiles that are complete."""

    def __init__(self, plan: tuple[Window, ...], contract: InputContract) -> None:
        """Count how many windows each tile waits for."""
        self._contract = contract
        self._amounts = amounts_of(contract)
        self._weights = blend_weights(contract.window_px, contract.stride_px, contract.margin_px, contract.profile)
        self._left: dict[Tile, int] = {}
        for window in plan:
            for tile in window.tiles:
                self._left[tile] = self._left.get(tile, 0) + 1
        self._sums: dict[Tile, _Sums] = {}

    def add(self, window: Window, sight: Sight, answer: NDArray[np.float32], spread: NDArray[np.float32] | None) -> None:
        """Add one window (y, x) to its tiles.

        Raises UnpredictedPixels for a value outside 0..1, or a logit that is not finite, on a usable pixel, and for NaN where
        the model may not abstain.
        """
        answered = sight.usable & (sight.demanded | ~np.isnan(answer))
        counts = _counted(answer, answered, self._amounts, window)
        spreads = None if spread is None else _counted(spread, answered, SPREAD, window)
        for tile in window.tiles:
            sums, overlap = self._of(tile), window.overlap(tile)
            weight = self._weights[overlap.window]
            sums.answer[overlap.tile] += counts[overlap.window] * weight
            sums.weight[overlap.tile] += weight * answered[overlap.window]
            sums.demanded[overlap.tile] |= sight.demanded[overlap.window]
            if sums.spread is not None and spreads is not None:
                sums.spread[overlap.tile] += spreads[overlap.window] * weight

    def finish(self, window: Window) -> Iterator[TilePrediction]:
        """Count a window off and give out the tiles that it completes; raises UnpredictedPixels when one has a gap."""
        for tile in window.tiles:
            sums = self._of(tile)
            sums.left -= 1
            if sums.left == 0:
                yield _complete(tile, self._sums.pop(tile), self._amounts)

    def _of(self, tile: Tile) -> _Sums:
        if tile not in self._sums:
            shape = (tile.size_px, tile.size_px)
            spread = np.zeros(shape, np.int32) if self._contract.gives_spread else None
            self._sums[tile] = _Sums(self._left[tile], np.zeros(shape, np.int32), np.zeros(shape, np.uint16), np.zeros(shape, bool), spread)
        return self._sums[tile]


def _counted(values: NDArray[np.float32], answered: NDArray[np.bool_], amounts: Amounts, window: Window) -> Counts:
    kept = np.where(answered, values, np.float32(0))
    right = amounts.right(kept)
    if not right.all():
        row, column = (int(index) for index in np.argwhere(~right)[0])
        where = (window.origin_yx[0] + row, window.origin_yx[1] + column)
        raise UnpredictedPixels(
            f"The {amounts.name} is {kept[row, column]} at global pixel {where} and wrong at {int((~right).sum())} usable pixels of tiles "
            f"{', '.join(tile.id for tile in window.tiles)}: the model or its weights are broken."
        )
    return amounts.counted(kept)


def _complete(tile: Tile, sums: _Sums, amounts: Amounts) -> TilePrediction:
    whole = sums.weight == UNITY
    short = sums.demanded & ~whole
    if short.any():
        row, column = (int(index) for index in np.argwhere(short)[0])
        raise UnpredictedPixels(
            f"Tile {tile.id}: {int(short.sum())} usable pixels, the first at row {row}, column {column}, were not predicted by all their "
            "windows; the reader gives other pixels for the same ground in different windows."
        )
    spread = None if sums.spread is None else SPREAD.stored(sums.spread, whole)
    return TilePrediction(tile, amounts.stored(sums.answer, whole), spread)
