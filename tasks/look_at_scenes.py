"""What every candidate scene shows over every tile: clear, cloud and snow shares, and whether its offset can be believed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.bands import SCL_NAME
from catalog.facts.candidates import Candidates
from catalog.facts.causes import Cause, State
from catalog.facts.errors import SourceBroken, SourceUnavailable
from catalog.facts.forecasts import Forecast
from catalog.facts.grids import Tile
from catalog.facts.options import SearchOptions
from catalog.facts.pixel_grids import PixelGrid, native_grid
from catalog.facts.pools import TilePool
from catalog.facts.records import Job, Outcome, Scene, StageReport, Unit
from catalog.facts.seasons import season_of
from catalog.stores import ledger
from catalog.stores.elevation import read_dem
from catalog.stores.jobs import refused_for, region_of, territory, unit_of
from catalog.stores.pixels import read_grid
from catalog.stores.rounds import run_round
from catalog.stores.store import open_store
from models.surface.optical import causes_of_classes, offset_evidence

STAGE = "look"
VERSION = 2
LOOK_M = 160
"""Coarse enough to be read from overviews, fine enough that a chip of 2 240 m is 14 x 14 pixels."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A tile, its chips inside the territory, and the scenes that may show it."""

    tile: Tile
    chips_inside: NDArray[np.bool_]
    optical: tuple[Scene, ...]
    elevation: tuple[Scene, ...]


@task(cache_policy=NO_CACHE, task_run_name="look-{job.region}-{job.year}")
def look_at_scenes(job: Job, candidates: Candidates, options: SearchOptions, pool: TilePool) -> StageReport:
    """Look at every tile whose candidate scenes changed; the shares are the measures of its ledger record."""
    units = [(unit_of(job, entry.tile.id, STAGE), entry) for entry in _entries(job, candidates, options)]
    return run_round(open_store(job.store), STAGE, pool, partial(_look, job), units)


def expect_looks(job: Job, candidates: Candidates, options: SearchOptions, forecast: Forecast) -> None:
    """Tell a forecast what every tile would be looked at for."""
    for entry in _entries(job, candidates, options):
        forecast.expect(unit_of(job, entry.tile.id, STAGE), _inputs(entry))


def _entries(job: Job, candidates: Candidates, options: SearchOptions) -> Iterator[_Entry]:
    region, refused = region_of(job), refused_for(job, options.refuse)
    for zone in territory(job).zones:
        for tile in sorted(zone.tiles):
            season = season_of(region, tile, job.year)
            scenes = [scene for scene in candidates.over(tile) if isinstance(scene, Scene) and scene.id not in refused]
            optical = tuple(s for s in scenes if s.sensor == "s2" and season.start <= s.acquired.date() <= season.end)
            yield _Entry(tile, zone.chip_mask(tile), optical, candidates.heights_around(tile))


def _look(job: Job, entry: _Entry) -> Outcome:
    unit = unit_of(job, entry.tile.id, STAGE)
    return ledger.once(open_store(job.store), unit, _inputs(entry), lambda: _outcome(unit, entry))


def _inputs(entry: _Entry) -> dict[str, Any]:
    scenes = [[scene.id, scene.etag] for scene in (*entry.optical, *entry.elevation)]
    return {"stage": f"{STAGE} {VERSION}", "scenes": scenes, "chips": np.packbits(entry.chips_inside).tobytes().hex()}


def _outcome(unit: Unit, entry: _Entry) -> Outcome:
    grid = native_grid(entry.tile, LOOK_M)
    chip_px = grid.height // entry.tile.chips
    wanted = np.repeat(np.repeat(entry.chips_inside, chip_px, axis=0), chip_px, axis=1)
    measures, failed = _elevation(entry, grid, wanted), dict[str, str]()
    for scene in entry.optical:
        try:
            measures |= _shares(scene, grid, wanted)
        except (SourceUnavailable, SourceBroken) as error:
            # judged by the cloud cover of the whole scene for now; the unit stays open, because with its shares the choice may be another
            failed[scene.id] = str(error)
    if not failed:
        return Outcome(unit, State.DONE, "", measures=measures)
    first = min(failed)
    more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
    message = f"{failed[first]}{more}; mend the file, or refuse it with --refuse {first}"
    return Outcome(unit, State.FAILED, "", "read_failed", message, measures=measures)


def _elevation(entry: _Entry, grid: PixelGrid, wanted: NDArray[np.bool_]) -> dict[str, float]:
    if not entry.elevation:
        return {}
    heights = read_dem(entry.elevation, grid)[wanted]
    known = heights[np.isfinite(heights)]
    return {"elevation_max_m": float(known.max()), "elevation_median_m": float(np.median(known))} if known.size else {}


def _shares(scene: Scene, grid: PixelGrid, wanted: NDArray[np.bool_]) -> Mapping[str, float]:
    if SCL_NAME not in scene.assets:
        return {}
    causes = causes_of_classes(read_grid(scene, SCL_NAME, grid).astype(np.uint8))
    seen = wanted & (causes != Cause.NO_SCENE)
    count = max(int(seen.sum()), 1)
    hidden = np.isin(causes, (Cause.CLOUD, Cause.CLOUD_SHADOW)) & seen
    return {
        f"clear:{scene.id}": float((seen & ~hidden).sum() / max(int(wanted.sum()), 1)),
        f"cloud:{scene.id}": float((seen & (causes == Cause.CLOUD)).sum() / count),
        f"snow:{scene.id}": float((seen & (causes == Cause.SNOW_OR_ICE)).sum() / count),
        f"suspect:{scene.id}": float(_is_suspect(scene, grid, seen & ~hidden)),
    }


def _is_suspect(scene: Scene, grid: PixelGrid, clear: NDArray[np.bool_]) -> bool:
    # dry ground can be bright in both bands, so a missing offset is believed unless a catalog's flag, known to lie, says so
    if scene.offset_counts == 0 and scene.offset_evidence != "catalog flag":
        return False
    if not {"B08", "B11"} <= set(scene.assets):
        return False
    nir, swir = (read_grid(scene, band, grid, resampling="nearest").astype(np.uint16) for band in ("B08", "B11"))
    return offset_evidence(nir, swir, clear, scene.offset_counts).verdict == "contradicts"
