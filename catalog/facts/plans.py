"""What mapping a region-year would read and take, from the catalog alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from catalog.facts.bands import S2_BANDS
from catalog.facts.candidates import Candidates
from catalog.facts.options import DEFAULT_MODELS, SearchOptions
from catalog.facts.records import Choice, Scene
from catalog.facts.regions import Region
from catalog.facts.seasons import season_of
from catalog.facts.selection import choose, orbit_direction
from catalog.facts.territory import Territory
from catalog.facts.tile_ground import TilePart, part_of

CPU_S_PER_GB: Final = 8.0
"""Surface stage: CPU seconds per decoded gigabyte (docs/scale.md tells how it was measured)."""
MODEL_S_PER_MEGAPIXEL: Final = MappingProxyType({"indices": 0.6, "lakes-tiny": 14.5, "slumps-tiny": 100.0})
"""CPU seconds per megapixel of ground (docs/scale.md); a GPU takes a small part of that."""
_OPTICAL_BYTES_PER_PX: Final = sum(2 * (10 / band.resolution_m) ** 2 for band in S2_BANDS) + 0.25
"""Bytes of all twelve bands and the class map over one pixel of 10 m."""
_RADAR_BYTES_PER_PX: Final = 8.0
_ELEVATION_BYTES_PER_PX: Final = 6.0
"""Heights at 10 m, and at 20 m with the ground around that casts shadows; read for whole tiles."""


@dataclass(frozen=True, slots=True)
class YearPlan:
    """What a run would meet."""

    region: str
    year: int
    tiles: int
    optical_per_tile: float
    """Mean number of optical scenes; how cloudy they are over a tile is only known once they are read."""
    radar_per_tile: float
    holes: tuple[str, ...]
    """Tiles over which the catalog has no optical scene in season."""
    read_gb: float
    """Decoded gigabytes."""
    cpu_hours: float
    model_hours: float


def plan_of(
    region: Region, territory: Territory, year: int, candidates: Candidates, options: SearchOptions, *, model: str | None = None
) -> YearPlan:
    """Count what would be used and estimate what it takes; elevation and clouds are not known yet, so it errs high.

    Weights of others are taken to cost what the target's default model does.
    """
    usual = DEFAULT_MODELS[region.target]
    model_s = MODEL_S_PER_MEGAPIXEL.get(model or usual, MODEL_S_PER_MEGAPIXEL[usual])
    optical, radar, read_bytes, ground_px, holes = 0, 0, 0.0, 0.0, []
    for zone in territory.zones:
        orbit = orbit_direction({s.id: s for tile in zone.tiles for s in candidates.over(tile) if isinstance(s, Scene)}.values())
        for tile in sorted(zone.tiles):
            used = _used(region, part_of(tile, zone.chip_mask(tile)), year, candidates, options, orbit)
            looks = {sensor: sum(choice.scene.sensor == sensor for choice in used) for sensor in ("s2", "s1")}
            pixels = float(zone.chip_mask(tile).mean()) * tile.size_px**2
            optical, radar, ground_px = optical + looks["s2"], radar + looks["s1"], ground_px + pixels
            read_bytes += _ELEVATION_BYTES_PER_PX * tile.size_px**2 + pixels * (
                looks["s2"] * _OPTICAL_BYTES_PER_PX + looks["s1"] * _RADAR_BYTES_PER_PX
            )
            holes += [] if looks["s2"] else [tile.id]
    count = max(len(territory.tiles), 1)
    gigabytes = read_bytes / 1e9
    hours = gigabytes * CPU_S_PER_GB / 3600, ground_px / 1e6 * model_s / 3600
    return YearPlan(region.name, year, len(territory.tiles), optical / count, radar / count, tuple(holes), gigabytes, *hours)


def _used(region: Region, part: TilePart, year: int, candidates: Candidates, options: SearchOptions, orbit: str | None) -> Sequence[Choice]:
    choices = choose(candidates.over(part.tile), part, season_of(region, part.tile, year), options, {}, orbit=orbit)
    return [choice for choice in choices if choice.used]
