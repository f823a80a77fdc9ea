"""What mapping a region-year would read, keep and take, from the catalog and from what units of work cost."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from catalog.facts.bands import S2_BANDS
from catalog.facts.candidates import Candidates
from catalog.facts.errors import WrongCall
from catalog.facts.expected_looks import ExpectedLooks, expected_of, likely
from catalog.facts.grids import CHIP_PX, Tile
from catalog.facts.model_windows import windows_over
from catalog.facts.options import DEFAULT_MODELS, SearchOptions
from catalog.facts.records import Scene
from catalog.facts.regions import Region
from catalog.facts.scenes import Rejected
from catalog.facts.seasons import season_of
from catalog.facts.selection import choose, orbit_direction
from catalog.facts.territory import Territory, ZoneTerritory, skip_reason
from catalog.facts.tile_ground import part_of
from catalog.facts.unit_costs import ModelCost, UnitCosts
from catalog.facts.year_plans import NOTHING_KNOWN, Known, Means, YearPlan

_OPTICAL_BYTES_PER_PX: Final = sum(2 * (10 / band.resolution_m) ** 2 for band in S2_BANDS) + 0.25
"""Bytes of all twelve bands and the class map over one pixel of 10 m."""
_RADAR_BYTES_PER_PX: Final = 8.0
_ELEVATION_BYTES_PER_PX: Final = 4.0
"""Heights at 10 m, read for whole tiles; those of the ground around that casts shadows are not metered."""
COMPRESSION: Final = 1.5
"""Decoded bytes per byte that travels (docs/scale.md)."""


@dataclass(slots=True)
class Sums:
    """What a region-year holds of everything that costs."""

    mapped: int = 0
    skipped: int = 0
    looks: int = 0
    optical: float = 0.0
    radar: int = 0
    read_bytes: float = 0.0
    ground_px: float = 0.0
    observed_px: float = 0.0
    windows: float = 0.0
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
    means, sums = means or Means(), Sums()
    usual = DEFAULT_MODELS[region.target]
    model = means.costs.models.get(means.model or usual) or means.costs.models[usual]
    if means.gpu and model.gpu_s is None:
        raise WrongCall(
            f"Nothing was measured of {means.model or usual} on a GPU: run `cryoatlas plan --calibrate` on a machine that has one, "
            "or plan without --gpu."
        )
    for zone in territory.zones:
        mapped: dict[Tile, NDArray[np.bool_]] = {}
        before = sums.ground_px, sums.observed_px
        for tile, scenes, orbit in _by_tile(zone, candidates):
            sums.looks += sum(isinstance(scene, Scene) and scene.sensor == "s2" for scene in scenes)
            if skip_reason(region, tile, known.highest_m.get(tile.id), known.outlines):
                sums.skipped += 1
                continue
            mapped[tile] = zone.chip_mask(tile)
            part = part_of(tile, mapped[tile])
            choices = choose(scenes, part, season_of(region, tile, year), likely(options), {}, orbit=orbit)
            count(sums, tile, mapped[tile], expected_of(part, choices), known.kept_share)
        seen = _share(sums.observed_px - before[1], sums.ground_px - before[0]) if model.only_observed else 1.0
        sums.windows += seen * windows_over(mapped, model.window_px, model.stride_px)
    return priced(region, year, sums, means, model, known.features_per_mpx)


def _by_tile(zone: ZoneTerritory, candidates: Candidates) -> Iterator[tuple[Tile, tuple[Scene | Rejected, ...], str | None]]:
    over = {tile: candidates.over(tile) for tile in sorted(zone.tiles)}
    orbit = orbit_direction({scene.id: scene for scenes in over.values() for scene in scenes if isinstance(scene, Scene)}.values())
    for tile, scenes in over.items():
        yield tile, scenes, orbit


def count(sums: Sums, tile: Tile, chips: NDArray[np.bool_], looks: ExpectedLooks, kept_share: float = 1.0) -> None:
    """Add a tile that is mapped."""
    optical, pixels = looks.optical * kept_share, float(chips.sum()) * CHIP_PX**2
    sums.mapped += 1
    sums.optical += optical
    sums.radar += looks.radar
    sums.ground_px += pixels
    sums.observed_px += pixels * looks.observed_share
    sums.read_bytes += _ELEVATION_BYTES_PER_PX * tile.size_px**2
    sums.read_bytes += pixels * (optical * _OPTICAL_BYTES_PER_PX + looks.radar * _RADAR_BYTES_PER_PX)
    if not looks.optical:
        sums.holes.append(tile.id)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _surface_s(region: Region, sums: Sums, costs: UnitCosts) -> float:
    """CPU seconds of what spreads over workers, tile by tile."""
    outlined = sums.mapped if region.target == "lakes" else 0
    return sums.looks * costs.look_s + sums.mapped * costs.tile_s + sums.read_bytes / 1e9 * costs.gb_s + outlined * costs.outline_s


def priced(region: Region, year: int, sums: Sums, means: Means, model: ModelCost, features_per_mpx: float) -> YearPlan:
    """Multiply what a region-year holds with what it costs."""
    costs, tiles, mapped = means.costs, sums.mapped + sums.skipped, max(sums.mapped, 1)
    read_gb, windows = sums.read_bytes / 1e9, round(sums.windows)
    stored_gb = (sums.ground_px * costs.ground_bytes_per_px + sums.observed_px * costs.optical_bytes_per_px) / 1e9
    spread_s = _surface_s(region, sums, costs)
    region_s = tiles * costs.record_s + sums.ground_px / 1e6 * features_per_mpx * costs.feature_s
    gpu_s = windows * model.gpu_s if means.gpu and model.gpu_s is not None else None
    model_s = 0.0 if gpu_s is not None else windows * model.cpu_s
    # tiles spread over the workers; the model runs in one process per region-year, and so does what is done once
    wall_s = costs.wall_share * (spread_s / means.workers + region_s + model_s) + (gpu_s or 0.0)
    if means.line_mb_s:
        wall_s = max(wall_s, read_gb / COMPRESSION * 1e3 / means.line_mb_s)
    hours = (spread_s + region_s) / 3600, model_s / 3600, None if gpu_s is None else gpu_s / 3600
    return YearPlan(
        region=region.name,
        year=year,
        tiles=tiles,
        skipped=sums.skipped,
        optical_per_tile=sums.optical / mapped,
        radar_per_tile=sums.radar / mapped,
        holes=tuple(sums.holes),
        observed_share=_share(sums.observed_px, sums.ground_px),
        read_gb=read_gb,
        travel_gb=read_gb / COMPRESSION,
        stored_gb=stored_gb,
        windows=windows,
        surface_hours=hours[0],
        model_hours=hours[1],
        gpu_hours=hours[2],
        wall_hours=wall_s / 3600,
        cost=_cost(hours[0] + hours[1], hours[2] or 0.0, stored_gb, means),
    )


def _cost(cpu_hours: float, gpu_hours: float, stored_gb: float, means: Means) -> float | None:
    prices = means.prices.cpu_hour, means.prices.gpu_hour, means.gb_price
    if all(price is None for price in prices):
        return None
    return sum((price or 0.0) * amount for price, amount in zip(prices, (cpu_hours, gpu_hours, stored_gb), strict=True))
