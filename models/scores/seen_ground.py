"""Ground of one zone and year that a detector looked at: where, how much of it was clear, and how much of a slump."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from catalog.facts.grids import PIXEL_M
from models.scores.slump_scenes import Blocks
from models.segmenter.labels import coverage_of

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
CELL_PX: Final = 112


@dataclass(slots=True)
class SeenGround:
    """Clear pixels of all windows so far; grows window by window."""

    windows: list[tuple[int, int, int]] = field(default_factory=list)
    """Row, column and side of each, global pixels."""
    cells: dict[tuple[int, int], Mask] = field(default_factory=dict)

    def add(self, origin_yx: tuple[int, int], clear: Mask) -> None:
        """Add a square window (y, x) of clear pixels."""
        self.windows.append((*origin_yx, len(clear)))
        rows, columns = (range(start // CELL_PX, (start + len(clear) - 1) // CELL_PX + 1) for start in origin_yx)
        for row in rows:
            for column in columns:
                cell = self.cells.setdefault((row, column), np.zeros((CELL_PX, CELL_PX), bool))
                there, here = zip(
                    *(_common(n * CELL_PX, start, len(clear)) for n, start in zip((row, column), origin_yx, strict=True)), strict=True
                )
                cell[there] |= clear[here]

    def area(self) -> shapely.Geometry:
        """All windows together, metres of the zone."""
        rows, columns, sides = (PIXEL_M * np.array(part, np.float64) for part in zip(*self.windows, strict=True))
        return shapely.union_all(shapely.box(columns, -(rows + sides), columns + sides, -rows))

    def clear_share(self, outline: shapely.Geometry) -> float:
        """Share of an outline (metres) that was clear."""
        left, bottom, right, top = shapely.bounds(outline).tolist()
        first = int(np.floor(-top / PIXEL_M)), int(np.floor(left / PIXEL_M))
        shape = int(np.ceil(-bottom / PIXEL_M)) - first[0], int(np.ceil(right / PIXEL_M)) - first[1]
        cover = coverage_of(np.array([outline], object), first, shape)
        return float((cover * self.clear_in(first, shape)).sum() / max(cover.sum(), 1e-9))

    def block_km2(self, blocks: Blocks, count: int) -> Floats:
        """Clear ground per block (count,); a cell belongs to the block of the chip whose centre is nearest to its own."""
        names = sorted(self.cells)
        corners = PIXEL_M * CELL_PX * np.array(names, np.float64).reshape(-1, 2)
        centres = np.column_stack([corners[:, 1] + PIXEL_M * CELL_PX / 2, -corners[:, 0] - PIXEL_M * CELL_PX / 2])
        clear = np.array([self.cells[name].sum() for name in names], np.float64)
        return np.bincount(blocks.nearest(centres), weights=clear * PIXEL_M**2 / 1e6, minlength=count).astype(np.float64)

    def clear_in(self, origin_yx: tuple[int, int], shape: tuple[int, int]) -> Mask:
        """Clear pixels (y, x) of a rectangle."""
        result = np.zeros(shape, bool)
        rows, columns = (range(start // CELL_PX, (start + size - 1) // CELL_PX + 1) for start, size in zip(origin_yx, shape, strict=True))
        for row, column in ((row, column) for row in rows for column in columns if (row, column) in self.cells):
            pairs = zip((row, column), origin_yx, shape, strict=True)
            there, here = zip(*(_common(n * CELL_PX, start, size) for n, start, size in pairs), strict=True)
            result[here] = self.cells[row, column][there]
        return result


def _common(cell: int, start: int, size: int) -> tuple[slice, slice]:
    """Pixels that a cell and a window share along one side, within each."""
    first, last = max(cell, start), min(cell + CELL_PX, start + size)
    return slice(first - cell, last - cell), slice(first - start, last - start)
