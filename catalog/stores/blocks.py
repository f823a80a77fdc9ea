"""Windows of a cube from blocks that are decoded once: windows overlap, and to decode a chunk takes longer than to copy it."""

from collections import OrderedDict
from concurrent.futures import Future
from threading import Lock
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from catalog.facts.grids import CHIP_PX
from catalog.stores.cubes import Cube, Window, read_window

ROWS_PX: Final = CHIP_PX
COLUMNS_PX: Final = 5 * CHIP_PX
"""Half a tile: a call of the store costs as much as two chunks, but the window at a tile's edge needs only a few columns more."""
_Key = tuple[str, int, int]


class BlockReader:
    """Reads windows of one size from a cube, in any number of threads; keeps the blocks that the last windows touched."""

    def __init__(self, cube: Cube, window_px: int) -> None:
        """Keep as many blocks as a row of windows over a tile and its neighbours touches."""
        self._cube = cube
        rows, columns = -(-window_px // ROWS_PX) + 2, -(-window_px // COLUMNS_PX) + 3
        self._limit = rows * columns * len(cube.specs)
        self._blocks: OrderedDict[_Key, Future[NDArray[Any]]] = OrderedDict()
        self._lock = Lock()

    def read(self, name: str, window: Window) -> NDArray[Any]:
        """Read a window of an array as `cubes.read_window` does; raises ProductDamaged."""
        spec = next(spec for spec in self._cube.specs if spec.name == name)
        y, x, height, width = window
        result = np.empty((*((len(spec.bands),) if spec.bands else ()), height, width), spec.dtype)
        for row in range(y // ROWS_PX, (y + height - 1) // ROWS_PX + 1):
            for column in range(x // COLUMNS_PX, (x + width - 1) // COLUMNS_PX + 1):
                top, left = row * ROWS_PX, column * COLUMNS_PX
                rows = slice(max(y, top), min(y + height, top + ROWS_PX))
                columns = slice(max(x, left), min(x + width, left + COLUMNS_PX))
                block = self._block((name, top, left))
                part = block[..., rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
                result[..., rows.start - y : rows.stop - y, columns.start - x : columns.stop - x] = part
        return result

    def _block(self, key: _Key) -> NDArray[Any]:
        """Return a block; of the threads that want it, one decodes it and the others wait."""
        with self._lock:
            known = self._blocks.get(key)
            block: Future[NDArray[Any]] = Future() if known is None else known
            self._blocks[key] = block
            self._blocks.move_to_end(key)
            if len(self._blocks) > self._limit:
                self._blocks.popitem(last=False)
        if known is None:
            self._decode(key, block)
        return block.result()

    def _decode(self, key: _Key, block: Future[NDArray[Any]]) -> None:
        name, top, left = key
        try:
            block.set_result(read_window(self._cube, name, (top, left, ROWS_PX, COLUMNS_PX)))
        except BaseException as error:
            # whoever waits for the block must hear of it, and the next reader tries again
            with self._lock:
                self._blocks.pop(key, None)
            block.set_exception(error)
            raise
