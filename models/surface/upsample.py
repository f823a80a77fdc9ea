"""Native pixels of 20 m and 60 m drawn onto pixels of 10 m, bilinear, on whatever lattice they lie."""

import numba
import numpy as np
import numpy.typing as npt

from catalog.facts.errors import GridMismatch
from catalog.facts.pixel_grids import PixelGrid

Counts = npt.NDArray[np.uint16]


def upsample(counts: Counts, source: PixelGrid, target: PixelGrid) -> Counts:
    """Return counts on `target`, interpolated between the centres of `source` pixels, 0 being nodata.

    Nodata neighbours are left out of the weights; a pixel whose nearest source pixel is nodata is nodata. Raises GridMismatch
    when the source does not reach half a source pixel beyond the target: edges would then depend on where a tile ends.
    """
    _require_halo(counts, source, target)
    columns, column_weights = _between(target.left - source.left, target.resolution_m, source.resolution_m, target.width)
    rows, row_weights = _between(source.top - target.top, target.resolution_m, source.resolution_m, target.height)
    return np.asarray(_bilinear(counts, (rows, row_weights), (columns, column_weights)))


def _between(offset_m: float, step_m: float, size_m: float, count: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Index of the source pixel before each target centre, and the weight of the one after it."""
    position = (offset_m + (np.arange(count) + 0.5) * step_m) / size_m - 0.5
    before = np.floor(position)
    return before.astype(np.int64), (position - before).astype(np.float32)


def _require_halo(counts: Counts, source: PixelGrid, target: PixelGrid) -> None:
    left, bottom, right, top = source.bounds_lbrt
    half = (source.resolution_m + target.resolution_m) / 2
    inner = target.bounds_lbrt
    reaches = left <= inner[0] - half + target.resolution_m and right >= inner[2] + half - target.resolution_m
    reaches = reaches and bottom <= inner[1] + target.resolution_m - half and top >= inner[3] + half - target.resolution_m
    if source.epsg != target.epsg or counts.shape != source.shape or not reaches:
        raise GridMismatch(
            f"Source {source} with array {counts.shape} does not surround target {target}; read it with a halo of one pixel."
        )


@numba.njit(nogil=True, cache=True)
def _bilinear(counts, down, along):  # type: ignore[no-untyped-def]
    rows, row_weights = down
    columns, column_weights = along
    out = np.empty((rows.shape[0], columns.shape[0]), np.uint16)
    for y in range(rows.shape[0]):
        upper, lower = counts[rows[y]], counts[rows[y] + 1]
        wy = row_weights[y]
        for x in range(columns.shape[0]):
            left, wx = columns[x], column_weights[x]
            a, b, c, d = upper[left], upper[left + 1], lower[left], lower[left + 1]
            wa, wb = (np.float32(1) - wy) * (np.float32(1) - wx), (np.float32(1) - wy) * wx
            wc, wd = wy * (np.float32(1) - wx), wy * wx
            if a != 0 and b != 0 and c != 0 and d != 0:
                out[y, x] = np.uint16(wa * a + wb * b + wc * c + wd * d + np.float32(0.5))
                continue
            nearest = (d if wx >= 0.5 else c) if wy >= 0.5 else (b if wx >= 0.5 else a)
            if nearest == 0:
                out[y, x] = 0
                continue
            wa, wb, wc, wd = wa * (a != 0), wb * (b != 0), wc * (c != 0), wd * (d != 0)
            out[y, x] = np.uint16((wa * a + wb * b + wc * c + wd * d) / (wa + wb + wc + wd) + np.float32(0.5))
    return out
