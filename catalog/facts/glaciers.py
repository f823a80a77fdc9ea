"""Glacier outlines that a user gives: what is kept of them, and how far around a region."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

GLACIERS: Final = pa.schema([("glacier_id", pa.string()), ("date", pa.string()), ("year", pa.int16()), ("source", pa.string())])
"""Columns of regions/<region>.glaciers.parquet beside `geometry`: one row per outline.

`date` is what the file says of the image the outline was drawn on, as it stands there; `year` is read from it; both are null where it says
nothing. `source` is the name of the file.
"""

GLACIER_REACH_M: Final = 50_000.0
"""Outlines are kept within this distance of the region's bounds, and distances are told up to it. Inventories of glacial lakes search 10 km
around glaciers (Zhang et al. 2015; Wang et al. 2020)."""


@dataclass(frozen=True, slots=True)
class Glaciers:
    """Outlines of glaciers, arrays of equal length."""

    ids: NDArray[np.object_]
    dates: NDArray[np.object_]
    """What the file says of the image an outline was drawn on; None where it says nothing."""
    years: NDArray[np.float64]
    """Year of that date; NaN where there is none."""
    outlines: NDArray[np.object_]
    """Valid polygons and multipolygons in EPSG:4326, cut at +-180."""
    source: str
    """Name of the file they came from."""

    def __len__(self) -> int:
        """Count the outlines."""
        return len(self.ids)

    def part(self, which: NDArray[np.int64]) -> "Glaciers":
        """Return some of them, in the order of `which`."""
        return Glaciers(self.ids[which], self.dates[which], self.years[which], self.outlines[which], self.source)
