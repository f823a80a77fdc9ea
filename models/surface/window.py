"""The part of a tile that is wanted, and the grids on which it is read."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from catalog.facts.grids import CHIP_PX, PIXEL_M, Tile
from catalog.facts.pixel_grids import PixelGrid, covering_grid


@dataclass(frozen=True, slots=True)
class Window:
    """The bounding rectangle of the wanted chips of a tile, in chips: only this is read and computed."""

    HALO_10M_PX: ClassVar[int] = 24
    HALO_20M_PX: ClassVar[int] = 12
    """240 m: masks reach 60 m, 60 m pixels and their interpolation up to 160 m beyond the window."""

    tile: Tile
    top: int
    left: int
    bottom: int
    right: int

    def grid(self, resolution_m: float, halo_px: int = 0) -> PixelGrid:
        """Pixels of a resolution that cover the window, with a halo."""
        chip_m = CHIP_PX * PIXEL_M
        left, _, _, top = self.tile.bounds_lbrt
        bounds = (left + self.left * chip_m, top - self.bottom * chip_m, left + self.right * chip_m, top - self.top * chip_m)
        return covering_grid(self.tile.epsg, bounds, resolution_m, halo_px)

    def native(self, resolution_m: float) -> PixelGrid:
        """The grid on which bands of a resolution are read."""
        return self.grid(resolution_m, {10: self.HALO_10M_PX, 20: self.HALO_20M_PX, 60: 1}[round(resolution_m)])

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns of the window in an array of the whole tile at 10 m."""
        return slice(self.top * CHIP_PX, self.bottom * CHIP_PX), slice(self.left * CHIP_PX, self.right * CHIP_PX)


def wanted_window(tile: Tile, chips_inside: npt.NDArray[np.bool_]) -> Window | None:
    """Return the rectangle around the wanted chips (rows, columns from the north-west), or None when none is wanted."""
    if chips_inside.shape != (tile.chips, tile.chips):
        raise ValueError(f"Tile {tile.id} has {tile.chips} x {tile.chips} chips, the mask has shape {chips_inside.shape}.")
    rows, columns = np.flatnonzero(chips_inside.any(axis=1)), np.flatnonzero(chips_inside.any(axis=0))
    if not len(rows):
        return None
    return Window(tile, int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)
