"""What a plan is asked with, and what it tells."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from shapely.geometry.base import BaseGeometry

from catalog.facts.run_records import NO_PRICES, Prices
from catalog.facts.unit_costs import SHIPPED, UnitCosts

FEATURES_PER_MPX: Final = 5.0
"""Lakes or slumps on 100 km2 where nothing is known: many, so that a plan errs high; all of High Mountain Asia has fewer than 1."""


@dataclass(frozen=True, slots=True)
class Known:
    """What an earlier year, or the user, knows of the ground; nothing by default, and then a plan errs high."""

    highest_m: Mapping[str, float] = field(default_factory=dict)
    """Tile ID -> highest ground, by which the elevation floor skips tiles."""
    outlines: BaseGeometry | None = None
    """Glacier outlines in EPSG:4326, beyond whose buffer tiles are skipped."""
    kept_share: float = 1.0
    """Optical scenes that were used after their clouds were seen, per one that a plan would count."""
    features_per_mpx: float = FEATURES_PER_MPX
    """Lakes or slumps on a megapixel of mapped ground."""


NOTHING_KNOWN: Final = Known()


@dataclass(frozen=True, slots=True)
class YearPlan:
    """What a run would meet."""

    region: str
    year: int
    tiles: int
    """Tiles that are looked at."""
    skipped: int
    """Of these, tiles that cannot hold the target, as far as is known."""
    optical_per_tile: float
    """Mean number of optical scenes over tiles that are mapped."""
    radar_per_tile: float
    holes: tuple[str, ...]
    """Tiles over which the catalog has no optical scene in season that is clear enough."""
    observed_share: float
    """Share of the mapped ground that is expected to be seen between clouds, 0 to 1."""
    read_gb: float
    """Decoded gigabytes."""
    travel_gb: float
    """Gigabytes that travel: compressed."""
    stored_gb: float
    windows: int
    """Windows that the model is expected to look at."""
    surface_hours: float
    """CPU hours of everything but the model."""
    model_hours: float
    """CPU hours of the model on a CPU; 0 where a GPU takes it."""
    gpu_hours: float | None
    """None: on a CPU."""
    wall_hours: float
    """On the workers that were asked about, if the line keeps up."""
    cost: float | None = None
    """None without prices."""

    @property
    def cpu_hours(self) -> float:
        """All CPU hours."""
        return self.surface_hours + self.model_hours


@dataclass(frozen=True, slots=True)
class Means:
    """With what a region-year is mapped."""

    model: str | None = None
    """None: the default of the target; weights of others are taken to cost what that does."""
    costs: UnitCosts = SHIPPED
    workers: int = 1
    gpu: bool = False
    line_mb_s: float | None = None
    """Bandwidth to the scenes; None: as fast as needed."""
    prices: Prices = NO_PRICES
    gb_price: float | None = None
    """Of a stored gigabyte."""
