"""Chips of one split beside the slumps on them, as training and validation draw from them."""

from dataclasses import dataclass, replace
from typing import Protocol, Self

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from catalog.facts.chips import CHIP_PX, ChipBatch
from models.detector.slumps import SlumpOptions, Slumps, slumps_of_chips

Indices = NDArray[np.int64]


class Chips(Protocol):
    """A set of chips, as `catalog.stores.chips` opens it."""

    @property
    def table(self) -> gpd.GeoDataFrame:
        """Row i describes chip i (`CHIPS`)."""
        ...

    @property
    def labels(self) -> gpd.GeoDataFrame:
        """Outlines (`CHIP_LABELS`)."""
        ...

    def of_split(self, name: str) -> Indices:
        """Places of the chips of a split."""
        ...

    def read(self, indices: Indices) -> ChipBatch:
        """Chips by their places."""
        ...


@dataclass(frozen=True, slots=True)
class ChipGround:
    """Chips with their slumps; arrays and lists of equal length."""

    chips: Chips
    places: Indices
    """In the set."""
    origins_yx: Indices
    """(N, 2), global pixels."""
    slumps: list[Slumps]

    def __len__(self) -> int:
        """Count the chips."""
        return len(self.places)

    def read(self, places: Indices) -> tuple[ChipBatch, list[Slumps], Indices]:
        """Chips by their place here, their slumps and origins."""
        return self.chips.read(self.places[places]), [self.slumps[place] for place in places.tolist()], self.origins_yx[places]

    def apart(self) -> Self:
        """Keep the chips on the lattice of chips, so that no ground is judged twice; all where none lies on it."""
        aligned = (self.origins_yx % CHIP_PX == 0).all(axis=1)
        kept = np.flatnonzero(aligned if aligned.any() else np.ones_like(aligned))
        slumps = [self.slumps[place] for place in kept.tolist()]
        return replace(self, places=self.places[kept], origins_yx=self.origins_yx[kept], slumps=slumps)

    def spread(self, count: int) -> Indices:
        """`count` places spread evenly; all of them for 0."""
        every = np.arange(len(self), dtype=np.int64)
        return every if not count or count >= len(self) else every[np.linspace(0, len(self) - 1, count).round().astype(np.int64)]


def ground_of(chips: Chips, split: str, options: SlumpOptions) -> ChipGround:
    """Lay the outlines beside the chips of a split; raises what `of_split` raises."""
    places = chips.of_split(split)
    table = chips.table.iloc[places]
    origins = table[["origin_y_px", "origin_x_px"]].to_numpy(np.int64)
    return ChipGround(chips, places, origins, slumps_of_chips(table, chips.labels, options))
