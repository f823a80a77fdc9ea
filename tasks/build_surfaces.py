"""Scenes of every tile and season to one stored surface: optical, radar and elevation."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.causes import State
from catalog.facts.forecasts import Forecast
from catalog.facts.grids import Tile
from catalog.facts.options import SurfaceOptions
from catalog.facts.pixel_grids import PixelGrid, native_grid
from catalog.facts.pools import TilePool
from catalog.facts.records import Choice, Job, Outcome, Scene, StageReport
from catalog.facts.schemas import SURFACE
from catalog.facts.staleness import open_promise
from catalog.stores import cubes, ledger
from catalog.stores.elevation import read_dem
from catalog.stores.jobs import mapped_tiles, territory, unit_of
from catalog.stores.pixels import ByteMeter, read_grid
from catalog.stores.rounds import retire_all_but, run_round
from catalog.stores.selections import read_choices
from catalog.stores.store import open_store
from models.surface.composite import compose_optical
from models.surface.radar import compose_radar
from models.surface.terrain import Terrain, terrain_grid

STAGE = "surface"
VERSION = 2
_READERS = 2
"""Reads in flight per tile; tiles themselves run side by side."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A tile, its chips inside the territory, and the scenes chosen for it."""

    tile: Tile
    chips_inside: NDArray[np.bool_]
    scenes: tuple[Scene, ...]

    def of(self, sensor: str) -> tuple[Scene, ...]:
        return tuple(scene for scene in self.scenes if scene.sensor == sensor)


@task(cache_policy=NO_CACHE, task_run_name="surface-{job.region}-{job.year}")
def build_surfaces(job: Job, options: SurfaceOptions, pool: TilePool) -> StageReport:
    """Build the surface of every tile whose scenes or options changed."""
    store = open_store(job.store)
    ready = {o.unit.tile for o in ledger.find_all(store, job.region, job.year, "scenes") if o.state == State.DONE}
    choices = read_choices(store.scenes(job.region, job.year), used_only=True)
    units = [(unit_of(job, entry.tile.id, STAGE), entry) for entry in _entries(job, choices, ready)]
    retire_all_but(store, (unit_of(job, tile.id, STAGE) for tile in mapped_tiles(job)), {unit.tile for unit, _ in units})
    for epsg in sorted({entry.tile.epsg for _, entry in units}):
        cubes.open_cube(store.cube(job.region, job.year, epsg), mapped_tiles(job, epsg), SURFACE)
    return run_round(store, STAGE, pool, partial(_build, job, options), units)


def expect_surfaces(job: Job, chosen: Mapping[str, Sequence[Choice]], options: SurfaceOptions, forecast: Forecast) -> None:
    """Tell a forecast what every surface would be made from; where the choice is open, so is the surface."""
    undecided = {tile for tile in chosen if forecast.is_open(unit_of(job, tile, "look"))}
    ready = undecided | {o.unit.tile for o in forecast.outcomes("scenes") if o.state == State.DONE}
    entries = {entry.tile.id: entry for entry in _entries(job, (choice for entry in chosen.values() for choice in entry), ready)}
    for tile, chips in ((tile, zone.chip_mask(tile)) for zone in territory(job).zones for tile in sorted(zone.tiles)):
        choice = unit_of(job, tile.id, "scenes")
        if tile.id in undecided:
            inputs = _inputs(_Entry(tile, chips, ()), options) | {"scenes": open_promise(choice)}
            forecast.expect(unit_of(job, tile.id, STAGE), inputs, maybe=True)
        elif tile.id in entries:
            forecast.expect(unit_of(job, tile.id, STAGE), _inputs(entries[tile.id], options), via=choice)
    gone = [tile for tile in mapped_tiles(job) if tile.id not in undecided and tile.id not in entries]
    forecast.retire((unit_of(job, tile.id, STAGE) for tile in gone), "no scene of it is used any more")


def _entries(job: Job, choices: Iterable[Choice], ready: Collection[str]) -> list[_Entry]:
    used: dict[str, list[Choice]] = {}
    for choice in choices:
        if choice.used and choice.tile in ready:
            used.setdefault(choice.tile, []).append(choice)
    return [
        _Entry(tile, zone.chip_mask(tile), tuple(choice.scene for choice in used[tile.id]))
        for zone in territory(job).zones
        for tile in sorted(zone.tiles)
        if tile.id in used
    ]


def _build(job: Job, options: SurfaceOptions, entry: _Entry) -> Outcome:
    unit, inputs = unit_of(job, entry.tile.id, STAGE), _inputs(entry, options)
    return ledger.once(open_store(job.store), unit, inputs, lambda: _produce(job, options, entry))


def _inputs(entry: _Entry, options: SurfaceOptions) -> dict[str, Any]:
    return {
        "stage": f"{STAGE} {VERSION}",
        "scenes": sorted([scene.id, scene.collection, scene.baseline, scene.offset_counts, scene.etag] for scene in entry.scenes),
        "options": asdict(options),
        "chips": np.packbits(entry.chips_inside).tobytes().hex(),
    }


def _produce(job: Job, options: SurfaceOptions, entry: _Entry) -> Outcome:
    meter = ByteMeter()
    arrays, measures, failed = _compose(entry, options, meter)
    store, unit = open_store(job.store), unit_of(job, entry.tile.id, STAGE)
    cube = cubes.open_cube(store.cube(job.region, job.year, entry.tile.epsg), mapped_tiles(job, entry.tile.epsg), SURFACE)
    files = cubes.write_tile(cube, entry.tile, arrays)
    state, cause, message = _verdict(measures, failed)
    outputs = ledger.receipts_for(store, files)
    return Outcome(unit, state, "", cause, message, outputs=outputs, measures=measures, read_bytes=meter.total)


def _compose(entry: _Entry, options: SurfaceOptions, meter: ByteMeter) -> tuple[dict[str, NDArray[Any]], dict[str, float], dict[str, str]]:
    def read(scene: Scene, band: str, grid: PixelGrid) -> NDArray[np.generic]:
        return read_grid(scene, band, grid, meter=meter)

    elevation = entry.of("dem")
    terrain = _terrain(entry.tile, elevation, options)
    optical = compose_optical(entry.of("s2"), read, entry.tile, entry.chips_inside, terrain, options, max_workers=_READERS)
    radar = compose_radar(entry.of("s1"), read, entry.tile, entry.chips_inside, options, max_workers=_READERS)
    dem = np.full((entry.tile.size_px, entry.tile.size_px), np.nan, np.float32)
    if elevation:
        dem = read_dem(elevation, native_grid(entry.tile, 10), gap_px=options.dem_gap_px, meter=meter)
    arrays: dict[str, NDArray[Any]] = {
        "s2": optical.s2,
        "s1": radar.s1,
        "dem": dem,
        "looks": optical.looks,
        "day": optical.day,
        "cause": optical.cause,
    }
    return arrays, {**optical.measures, **radar.measures}, {**optical.failed, **radar.failed}


def _terrain(tile: Tile, elevation: tuple[Scene, ...], options: SurfaceOptions) -> Terrain | None:
    if not elevation:
        return None
    grid = terrain_grid(tile, options)
    return Terrain(read_dem(elevation, grid, gap_px=options.dem_gap_px), grid)


def _verdict(measures: Mapping[str, float], failed: Mapping[str, str]) -> tuple[State, str, str]:
    if failed:
        # the products hold what the other scenes show; the unit stays open until the scene is mended or refused
        first = min(failed)
        more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        return State.FAILED, "read_failed", f"{failed[first]}{more}; mend the file, or refuse it with --refuse {first}"
    if measures["observed_share"] == 0.0 and measures["radar_observed_share"] == 0.0:
        return State.UNOBSERVED, "nothing_usable", "no pixel was seen clearly on any date"
    return State.DONE, "", ""
