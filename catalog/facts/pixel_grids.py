"""A rectangle of square, north-up pixels in one projected CRS: what a read is asked to fill."""

import math
from dataclasses import dataclass

from affine import Affine

from catalog.facts.grids import Tile

BoundsLBRT = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class PixelGrid:
    """Where pixels lie: upper left corner, size of a pixel and number of rows and columns."""

    epsg: int
    left: float
    top: float
    resolution_m: float
    height: int
    width: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows, columns."""
        return self.height, self.width

    @property
    def transform(self) -> Affine:
        """North-up affine from (column, row) to metres."""
        return Affine(self.resolution_m, 0, self.left, 0, -self.resolution_m, self.top)

    @property
    def bounds_lbrt(self) -> BoundsLBRT:
        """Left, bottom, right, top in metres of the CRS."""
        return self.left, self.top - self.height * self.resolution_m, self.left + self.width * self.resolution_m, self.top


def covering_grid(epsg: int, bounds_lbrt: BoundsLBRT, resolution_m: float, halo_px: int = 0) -> PixelGrid:
    """Return the smallest grid on the zone's lattice (edges at multiples of `resolution_m`) that covers bounds, grown by a halo.

    Sentinel-2 files of every resolution lie on that lattice: their corners are multiples of 60 m.
    """
    left, bottom, right, top = bounds_lbrt
    first_column = math.floor(left / resolution_m) - halo_px
    last_column = math.ceil(right / resolution_m) + halo_px
    first_row = math.ceil(top / resolution_m) + halo_px
    last_row = math.floor(bottom / resolution_m) - halo_px
    return PixelGrid(
        epsg, first_column * resolution_m, first_row * resolution_m, resolution_m, first_row - last_row, last_column - first_column
    )


def native_grid(tile: Tile, resolution_m: float, halo_px: int = 0) -> PixelGrid:
    """Return the pixels of a native resolution that cover a tile, with a halo in those pixels.

    60 m pixels do not divide a tile of 22 400 m: the grid then reaches up to 40 m beyond it on each side.
    """
    return covering_grid(tile.epsg, tile.bounds_lbrt, resolution_m, halo_px)
