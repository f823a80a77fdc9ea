"""Simulated worlds small enough for tests."""

from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd

from simulator.worlds import ARCTIC, HMA

SMALL = replace(HMA, chips=(1, 1, 1, 1), optical_dates=5, ascending=2, descending=1, scattered=8)
"""Two by two chips around a tile corner beside a zone seam: four tiles of one zone, and the overlap of the next."""
SMALLEST = replace(HMA, chips=(1, 0, 0, 1), optical_dates=2, ascending=1, descending=1, scattered=3)
"""One chip in a corner of one tile, for what must only run."""

SMALL_TUNDRA = replace(ARCTIC, chips=(1, 1, 1, 1), optical_dates=4, ascending=1, descending=1, scattered=4)
"""Two by two chips around a tile corner, one slump across it."""

SMALLEST_TUNDRA = replace(ARCTIC, chips=(1, 0, 0, 1), optical_dates=2, ascending=1, descending=1, scattered=2)
"""One chip of tundra, for what must only run."""


@dataclass(frozen=True)
class World:
    """Where a simulated world lies."""

    root: Path

    @property
    def region(self) -> str:
        return str(self.root / "region.geojson")

    @property
    def catalog(self) -> str:
        return str(self.root / "catalog")

    def truth(self, year: int) -> gpd.GeoDataFrame:
        return gpd.read_parquet(self.root / "truth" / "lakes" / f"year={year}.parquet")

    def slumps(self, year: int) -> gpd.GeoDataFrame:
        return gpd.read_parquet(self.root / "truth" / "slumps" / f"year={year}.parquet")
