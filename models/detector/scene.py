"""Detections and windows of one zone and year, in one order and on one lattice."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Scene:
    """All detections of one zone and year in one order, and the windows that were looked at."""

    size_px: int
    """Side of a window, network pixels."""
    pixel_m: float
    """Side of a network pixel."""
    windows: Int64
    """(w, 2) upper left network pixel (y, x) on the zone's lattice."""
    window: Int64
    """(n,) position of the window of each detection."""
    boxes: NDArray[np.float32]
    scores: NDArray[np.float64]
    masks: NDArray[np.float32]
    frames: Int64
    """(n, 4) of `mask_pixels.frames_of`."""
    inside: Int64
    """(n,) network pixels inside each mask."""
    cut: Mask
    """(n,) detections that the edge of their window cuts."""

    @property
    def origins(self) -> Int64:
        """Upper left network pixel (n, 2: y, x) of each detection's window."""
        return self.windows[self.window]


class WindowIndex:
    """Finds the windows over a frame."""

    def __init__(self, windows: Int64, size_px: int) -> None:
        """Sort the windows (w, 2: y, x of the upper left network pixel) into squares of their own size."""
        self._windows, self._size = windows.tolist(), size_px
        self._squares: dict[tuple[int, int], list[int]] = defaultdict(list)
        for place, (y, x) in enumerate(self._windows):
            self._squares[y // size_px, x // size_px].append(place)

    def over(self, frame: tuple[int, int, int, int]) -> list[int]:
        """Return the positions of windows that share a pixel with a frame (y0, x0, y1, x1), in ascending order."""
        y0, x0, y1, x1 = frame
        size = self._size
        return sorted(
            place
            for row in range(y0 // size - 1, (y1 - 1) // size + 1)
            for column in range(x0 // size - 1, (x1 - 1) // size + 1)
            for place in self._squares.get((row, column), ())
            if self._windows[place][0] < y1
            and self._windows[place][0] + size > y0
            and self._windows[place][1] < x1
            and self._windows[place][1] + size > x0
        )
