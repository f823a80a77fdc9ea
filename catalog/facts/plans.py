"""What mapping a region-year would read, keep and take, from the catalog and from what units of work cost."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from catalog.facts.bands import S2_BANDS
from catalog.facts.candidates import Candidates
from catalog.facts.errors import WrongCall
from catalog.facts.grids import CHIP_PX, Tile
from catalog.facts.model_windows import windows_over
from catalog.facts.options import DEFAULT_MODELS, SearchOptions
from catalog.facts.records import Scene
from catalog.facts.regions import Region
from catalog.facts.run_records import NO_PRICES, Prices
from catalog.facts.scenes import Rejected
from catalog.facts.seasons import season_of
from catalog.facts.selection import choose, orbit_direction
from catalog.facts.territory import Territory, ZoneTerritory, skip_reason
from catalog.facts.tile_ground import part_of
from catalog.facts.unit_costs import SHIPPED, UnitCosts

_OPTICAL_BYTES_PER_PX: Final = sum(2 * (10 / band.resolution_m) ** 2 for band in S2_BANDS) + 0.25
"""Bytes of all twelve bands and the class map over one pixel of 10 m."""
_RADAR_BYTES_PER_PX: Final = 8.0
_ELEVATION_BYTES_PER_PX: Final = 6.0
"""Heights at 10 m, and at 20 m with the ground around that casts shadows; read for whole tiles."""
COMPRESSION: Final = 1.5
"""Decoded bytes per byte that travels (docs/scale.md)."""


@dataclass(frozen=True, slots=True)
class Known:
    """What an earlier year, or the user, knows of the ground; nothing by default, and then a plan errs high."""

    highest_m: Mapping[str, float] = field(default_factory=dict)
    """Tile ID -> highest ground, by which the elevation floor skips tiles."""
    outlines: BaseGeometry | None = None
    """Glacier outlines in EPSG:4326, beyond whose buffer tiles are skipped."""
    kept_share: float = 1.0
    """Share of the optical scenes that were used after their clouds were seen, of those that a plan would count."""


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
    """Tiles over which the catalog has no optical scene in season."""
    read_gb: float
    """Decoded gigabytes."""
    travel_gb: float
    """Gigabytes that travel: compressed."""
    stored_gb: float
    windows: int
    """Windows that the model looks at."""
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


@dataclass(slots=True)
class _Sums:
    mapped: int = 0
    skipped: int = 0
    looks: int = 0
    optical: float = 0.0
    radar: int = 0
    read_bytes: float = 0.0
    ground_px: float = 0.0
    windows: int = 0
    holes: list[str] = field(default_factory=list)


def plan_of(  # noqa: PLR0913 - what is asked, and what is known
    region: Region,
    territory: Territory,
    year: int,
    candidates: Candidates,
    options: SearchOptions,
    means: Means | None = None,
    known: Known = NOTHING_KNOWN,
) -> YearPlan:
    """Count what would be used and estimate what it takes; what is not known of heights and clouds makes it err high.

    Raises WrongCall when a GPU is asked about of which nothing was measured.
    """
    means, sums = means or Means(), _Sums()
    usual = DEFAULT_MODELS[region.target]
    model = means.costs.models.get(means.model or usual) or means.costs.models[usual]
    if means.gpu and model.gpu_s is None:
        raise WrongCall("Nothing was measured of this model on a GPU: run `cryoatlas plan --calibrate` on a machine that has one.")
    for zone in territory.zones:
        mapped: dict[Tile, NDArray[np.bool_]] = {}
        for tile, scenes, orbit in _by_tile(zone, candidates):
            sums.looks += sum(isinstance(scene, Scene) and scene.sensor == "s2" for scene in scenes)
            if skip_reason(region, tile, known.highest_m.get(tile.id), known.outlines):
                sums.skipped += 1
                continue
            mapped[tile] = zone.chip_mask(tile)
            _count(sums, tile, mapped[tile], _looks(region, tile, mapped[tile], year, scenes, options, orbit), known.kept_share)
        sums.windows += windows_over(mapped, model.window_px, model.stride_px)
    return _priced(region.name, year, sums, means, model.cpu_s, model.gpu_s)


def _by_tile(zone: ZoneTerritory, candidates: Candidates) -> Iterator[tuple[Tile, tuple[Scene | Rejected, ...], str | None]]:
    over = {tile: candidates.over(tile) for tile in sorted(zone.tiles)}
    orbit = orbit_direction({scene.id: scene for scenes in over.values() for scene in scenes if isinstance(scene, Scene)}.values())
    for tile, scenes in over.items():
        yield tile, scenes, orbit


def _looks(  # noqa: PLR0913 - what a choice hangs on
    region: Region,
    tile: Tile,
    chips: NDArray[np.bool_],
    year: int,
    scenes: Sequence[Scene | Rejected],
    options: SearchOptions,
    orbit: str | None,
) -> tuple[int, int]:
    choices = choose(scenes, part_of(tile, chips), season_of(region, tile, year), options, {}, orbit=orbit)
    used = [choice.scene.sensor for choice in choices if choice.used]
    return used.count("s2"), used.count("s1")


def _count(sums: _Sums, tile: Tile, chips: NDArray[np.bool_], looks: tuple[int, int], kept_share: float) -> None:
    optical, radar = looks[0] * kept_share, looks[1]
    pixels = float(chips.sum()) * CHIP_PX**2
    sums.mapped, sums.optical, sums.radar, sums.ground_px = (
        sums.mapped + 1,
        sums.optical + optical,
        sums.radar + radar,
        sums.ground_px + pixels,
    )
    sums.read_bytes += _ELEVATION_BYTES_PER_PX * tile.size_px**2 + pixels * (optical * _OPTICAL_BYTES_PER_PX + radar * _RADAR_BYTES_PER_PX)
    if not looks[0]:
        sums.holes.append(tile.id)


def _priced(region: str, year: int, sums: _Sums, means: Means, window_s: float, window_gpu_s: float | None) -> YearPlan:
    costs, tiles, mapped = means.costs, sums.mapped + sums.skipped, max(sums.mapped, 1)
    read_gb, stored_gb = sums.read_bytes / 1e9, sums.ground_px * costs.stored_bytes_per_px / 1e9
    surface_s = sums.looks * costs.look_s + sums.mapped * costs.tile_s + read_gb * costs.gb_s
    region_s = tiles * costs.record_s
    spread_s, gpu_s = surface_s + sums.mapped * costs.outline_s, sums.windows * window_gpu_s if means.gpu and window_gpu_s else None
    model_s = 0.0 if gpu_s is not None else sums.windows * window_s
    # tiles spread over the workers; the model runs in one process per region-year, and so does what is done once
    wall_s = costs.wall_share * (spread_s / means.workers + region_s + model_s) + (gpu_s or 0.0)
    if means.line_mb_s:
        wall_s = max(wall_s, read_gb / COMPRESSION * 1e3 / means.line_mb_s)
    hours = (spread_s + region_s) / 3600, model_s / 3600, None if gpu_s is None else gpu_s / 3600
    return YearPlan(
        region,
        year,
        tiles,
        sums.skipped,
        sums.optical / mapped,
        sums.radar / mapped,
        tuple(sums.holes),
        read_gb,
        read_gb / COMPRESSION,
        stored_gb,
        sums.windows,
        *hours,
        wall_s / 3600,
        _cost(hours[0] + hours[1], hours[2] or 0.0, stored_gb, means),
    )


def _cost(cpu_hours: float, gpu_hours: float, stored_gb: float, means: Means) -> float | None:
    prices = means.prices.cpu_hour, means.prices.gpu_hour, means.gb_price
    if all(price is None for price in prices):
        return None
    return sum((price or 0.0) * amount for price, amount in zip(prices, (cpu_hours, gpu_hours, stored_gb), strict=True))
