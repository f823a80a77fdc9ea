"""Windows of a detector over chips of one zone and year, put together from all chips that show their ground."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from catalog.facts.causes import Cause
from catalog.facts.chips import CHIP_PX, ChipBatch
from models.detector.contract import DetectorContract
from models.segmenter.contract import WindowArrays

Places = NDArray[np.int64]
ReadChips = Callable[[Places], ChipBatch]
"""Reads chips by their places."""
KEPT: Final = 96
"""Chips held in memory: two rows of a tile."""


class ChipWindows:
    """Windows on the lattice of the detector that lie wholly in a chip, each once however many chips show it."""

    def __init__(self, origins_yx: Places, places: Places, read: ReadChips, contract: DetectorContract) -> None:
        """`origins_yx` (N, 2) are the global pixels of chips, `places` (N,) what `read` knows them by."""
        self._origins, self._places, self._read, self._contract = origins_yx, places, read, contract
        self._chips: OrderedDict[int, ChipBatch] = OrderedDict()
        self.origins = _windows(origins_yx, contract)
        """Global pixel (y, x) of every window, in reading order."""

    def __len__(self) -> int:
        """Count the windows."""
        return len(self.origins)

    def read(self, origin_yx: tuple[int, int]) -> WindowArrays:
        """Arrays of one window with its halo; ground that no chip shows has the cause OUTSIDE_REGION."""
        size = self._contract.read_px
        top, left = (start - self._contract.halo_px for start in origin_yx)
        arrays = WindowArrays(
            np.full((size, size), Cause.OUTSIDE_REGION, np.uint8),
            np.zeros((12, size, size), np.uint16),
            None,
            np.full((size, size), np.nan, np.float32),
        )
        assert arrays.s2 is not None
        assert arrays.dem is not None
        for chip in self._near(top, left, size):
            there, here = zip(*(_common(int(o), s, size) for o, s in zip(self._origins[chip], (top, left), strict=True)), strict=True)
            batch = self._chip(chip)
            arrays.cause[here] = batch.cause[0][there]
            arrays.s2[:, *here] = batch.s2[0][:, *there]
            arrays.dem[here] = batch.dem[0][there]
        return arrays

    def _near(self, top: int, left: int, size: int) -> list[int]:
        """Chips that meet a square, those that hold most of it last."""
        apart = self._origins - np.array([top, left])
        near = np.flatnonzero(((apart > -CHIP_PX) & (apart < size)).all(axis=1))
        middle = np.abs(self._origins[near] + CHIP_PX / 2 - np.array([top, left]) - size / 2).max(axis=1)
        order = near[np.lexsort((near, -middle))]
        within = [chip for chip in order.tolist() if (apart[chip] <= 0).all() and (apart[chip] + CHIP_PX >= size).all()]
        return within[-1:] or order.tolist()

    def _chip(self, chip: int) -> ChipBatch:
        if chip not in self._chips:
            self._chips[chip] = self._read(self._places[[chip]])
            if len(self._chips) > KEPT:
                self._chips.popitem(last=False)
        self._chips.move_to_end(chip)
        return self._chips[chip]


def _windows(origins_yx: Places, contract: DetectorContract) -> list[tuple[int, int]]:
    """Windows of the lattice in any chip; a chip that lies off the lattice has those that start at its own corner."""
    steps = np.arange(0, CHIP_PX - contract.window_px + 1, contract.stride_px)
    offsets = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2)
    return sorted({(int(y), int(x)) for y, x in (origins_yx[:, None] + offsets).reshape(-1, 2)})


def _common(chip: int, start: int, size: int) -> tuple[slice, slice]:
    """Pixels that a chip and a window share along one side, within each."""
    first, last = max(chip, start), min(chip + CHIP_PX, start + size)
    return slice(first - chip, last - chip), slice(first - start, last - start)
