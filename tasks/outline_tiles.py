"""Stored probability to the stored pixel runs of every tile."""

import io
from functools import partial

import pyarrow.parquet as pq
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.causes import State
from catalog.facts.forecasts import Forecast
from catalog.facts.grids import Tile
from catalog.facts.options import OutlineOptions
from catalog.facts.pools import TilePool
from catalog.facts.records import Job, Outcome, StageReport
from catalog.facts.schemas import PROBABILITY, PROBABILITY_NODATA, PROBABILITY_SCALE
from catalog.stores import cubes, ledger
from catalog.stores.files import write_atomic
from catalog.stores.jobs import mapped_tiles, tile_of, unit_of
from catalog.stores.rounds import retire_all_but, run_round
from catalog.stores.store import open_store
from models.outlines.runs import runs_of, to_table

STAGE = "outline"
VERSION = 1


@task(cache_policy=NO_CACHE, task_run_name="outline-{job.region}-{job.year}")
def outline_tiles(job: Job, options: OutlineOptions, pool: TilePool) -> StageReport:
    """Outline every tile whose probability or threshold changed."""
    store = open_store(job.store)
    segmented = [o for o in ledger.find_all(store, job.region, job.year, "segment") if o.outputs]
    units = [(unit_of(job, outcome.unit.tile, STAGE), outcome) for outcome in segmented]
    retire_all_but(store, (unit_of(job, tile.id, STAGE) for tile in mapped_tiles(job)), {unit.tile for unit, _ in units})
    return run_round(store, STAGE, pool, partial(_outline, job, options.threshold), units)


def expect_outlines(job: Job, options: OutlineOptions, forecast: Forecast) -> None:
    """Tell a forecast what every tile's outlines would be made from."""
    segmented = {o.unit.tile: o for o in forecast.outcomes("segment") if o.outputs}
    for tile, outcome in segmented.items():
        inputs = _inputs(options.threshold, outcome)
        forecast.expect(unit_of(job, tile, STAGE), inputs, maybe=forecast.is_new(outcome.unit))
    gone = (unit_of(job, tile.id, STAGE) for tile in mapped_tiles(job) if tile.id not in segmented)
    forecast.retire(gone, "it has no probability any more")


def _outline(job: Job, threshold: float, segmented: Outcome) -> Outcome:
    store, tile = open_store(job.store), tile_of(job, segmented.unit.tile)
    return ledger.once(store, unit_of(job, tile.id, STAGE), _inputs(threshold, segmented), lambda: _produce(job, threshold, tile))


def _inputs(threshold: float, segmented: Outcome) -> dict[str, object]:
    return {"stage": f"{STAGE} {VERSION}", "threshold": threshold, "probability": dict(segmented.outputs)}


def _produce(job: Job, threshold: float, tile: Tile) -> Outcome:
    store, unit = open_store(job.store), unit_of(job, tile.id, STAGE)
    cube = cubes.read_cube(store.probability(job.target, job.region, job.year, tile.epsg), PROBABILITY)
    stored = cubes.read_window(cube, "probability", (*tile.origin_yx_px, tile.size_px, tile.size_px))
    # the stored steps are compared, so that 0.5 is exactly 0.5
    inside = (stored != PROBABILITY_NODATA) & (stored >= round(threshold / PROBABILITY_SCALE))
    runs = runs_of(inside, tile.origin_yx_px)
    buffer = io.BytesIO()
    pq.write_table(to_table(runs), buffer, compression="zstd")
    path = store.outlines(job.target, job.region, job.year, tile.id)
    write_atomic(path, buffer.getvalue())
    state = State.DONE if runs.size else State.EMPTY
    return Outcome(unit, state, "", outputs=ledger.receipts_for(store, [path]), measures={"pieces": float(runs.labels)})
