"""Stored surface to stored probability: one model call per region-year, streamed over its zones."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.causes import State
from catalog.facts.devices import ON_CPU, DeviceTerms
from catalog.facts.forecasts import Forecast
from catalog.facts.grids import Tile
from catalog.facts.records import Job, ModelIdentity, Outcome, StageReport, Unit
from catalog.facts.run_events import DeviceUsed
from catalog.facts.schemas import PROBABILITY, PROBABILITY_NODATA, SURFACE
from catalog.stores import cubes, ledger
from catalog.stores.blocks import BlockReader
from catalog.stores.from_surfaces import by_zone, expect_from_surfaces, surfaces_of
from catalog.stores.gpu_slots import HeldDevice
from catalog.stores.gpu_work import each_on_device
from catalog.stores.jobs import mapped_tiles, unit_of
from catalog.stores.news import tell
from catalog.stores.rounds import report_of, retire_all_but, told
from catalog.stores.store import Store, open_store
from catalog.stores.weights import read_weights, shipped_names
from models.segmenter.accumulate import TilePrediction
from models.segmenter.contract import Segmenter, WindowArrays
from models.segmenter.devices import lost, visible_gpus
from models.segmenter.predict import Measures, ReadWindow, stream
from models.segmenter.registry import MODELS, model_named

Predict = Callable[[Sequence[Tile], ReadWindow], Iterator[TilePrediction]]
STAGE = "segment"
VERSION = 1


@task(cache_policy=NO_CACHE, task_run_name="segment-{job.region}-{job.year}")
def segment_region(job: Job, model_name: str, terms: DeviceTerms = ON_CPU) -> StageReport:
    """Predict every tile whose surface, or whose neighbours' surface, or whose model changed."""
    store = open_store(job.store)
    surfaces = surfaces_of(store, job)
    retire_all_but(store, (unit_of(job, tile.id, STAGE) for tile in mapped_tiles(job)), surfaces)
    before = {unit_of(job, tile, STAGE): ledger.find(store, unit_of(job, tile, STAGE)) for tile in surfaces}
    started = time.monotonic()
    # a model without a network has no use for a GPU
    terms = replace(terms, asked="cpu") if model_name in MODELS else terms
    work = partial(_segment, store, job, model_name, terms, surfaces)
    ended = each_on_device(store, tuple(before), work, terms=terms, visible=visible_gpus, lost=lost)
    outcomes = told(STAGE, ended, before.get, of=job, total=len(surfaces))
    return report_of(STAGE, outcomes, before.get, since=started)


def _segment(
    store: Store, job: Job, model_name: str, terms: DeviceTerms, surfaces: Mapping[str, Outcome], held: HeldDevice
) -> Iterator[Outcome]:
    model, total = model_named(model_name, read_weights, shipped=shipped_names(), device=held.name), Measures()
    try:
        for tiles in by_zone(job, surfaces).values():
            predict = partial(stream, model, measures=total, prefetch=terms.prefetch)
            yield from _segment_zone(store, job, model, tiles, surfaces, predict, total)
    finally:
        spent = (held.held_s, total.seconds_in_network, total.seconds_waiting, total.seconds_waiting + total.seconds_computing)
        tell(DeviceUsed(job.region, job.year, STAGE, held.name, *spent))


def expect_segments(job: Job, model: ModelIdentity, forecast: Forecast) -> None:
    """Tell a forecast what every probability would be made from."""
    expect_from_surfaces(job, STAGE, partial(_inputs, model), forecast)


def _segment_zone(  # noqa: PLR0913 - what all zones share
    store: Store,
    job: Job,
    model: Segmenter,
    tiles: Sequence[Tile],
    surfaces: Mapping[str, Outcome],
    predict: Predict,
    total: Measures,
) -> Iterator[Outcome]:
    inputs = {tile.id: _inputs(model, tile, surfaces) for tile in tiles}
    stale = []
    for tile in tiles:
        current = ledger.is_current(store, unit_of(job, tile.id, STAGE), ledger.fingerprint_of(inputs[tile.id]))
        if current:
            yield current
        else:
            stale.append(tile)
    if not stale:
        return
    cube = cubes.read_cube(store.cube(job.region, job.year, tiles[0].epsg), SURFACE)
    target = cubes.open_cube(
        store.probability(job.target, job.region, job.year, tiles[0].epsg), mapped_tiles(job, tiles[0].epsg), PROBABILITY
    )
    clock, before = time.monotonic(), replace(total)
    reader = BlockReader(cube, model.contract.window_px)
    for prediction in predict(stale, partial(_read, reader)):
        files = cubes.write_tile(target, prediction.tile, _arrays(prediction))
        seconds, clock = round(time.monotonic() - clock, 3), time.monotonic()
        spent, before = _spent(total, before), replace(total)
        unit = unit_of(job, prediction.tile.id, STAGE)
        measures = {"predicted_share": _predicted_share(prediction), **spent}
        outcome = _outcome(unit, inputs[prediction.tile.id], measures)
        yield ledger.put(store, replace(outcome, outputs=ledger.receipts_for(store, files), seconds=seconds))


def _inputs(model: Segmenter | ModelIdentity, tile: Tile, surfaces: Mapping[str, Outcome]) -> dict[str, object]:
    # windows reach over the tile's edges, so the neighbours' pixels are inputs too
    around = {t.id: dict(surfaces[t.id].outputs) for t in (tile, *tile.neighbours()) if t.id in surfaces}
    return {"stage": f"{STAGE} {VERSION}", "model": f"{model.name} {model.version}", "model_sha256": model.sha256, "surfaces": around}


def _read(reader: BlockReader, origin_yx: tuple[int, int], size: int) -> WindowArrays:
    window = (*origin_yx, size, size)
    cause = reader.read("cause", window)
    if (cause == OUTSIDE).all():
        return WindowArrays(cause)
    return WindowArrays(cause, *(reader.read(name, window) for name in ("s2", "s1", "dem", "looks")))


OUTSIDE = next(spec.fill for spec in SURFACE if spec.name == "cause")


def _arrays(prediction: TilePrediction) -> dict[str, NDArray[np.uint8]]:
    nothing = np.full_like(prediction.probability, PROBABILITY_NODATA)
    return {"probability": prediction.probability, "spread": nothing if prediction.spread is None else prediction.spread}


def _predicted_share(prediction: TilePrediction) -> float:
    return float((prediction.probability != PROBABILITY_NODATA).mean())


def _spent(total: Measures, before: Measures) -> dict[str, float]:
    """What the model did since the tile before; shares of seconds differ from run to run, as `seconds` does."""
    since = Measures(*(getattr(total, f.name) - getattr(before, f.name) for f in fields(Measures) if f.name != "clock"))
    return {
        "windows_predicted": float(since.windows_predicted),
        "windows_skipped": float(since.windows_skipped),
        "waiting_share": round(since.waiting_share, 3),
        "outside_network_share": round(since.outside_network_share, 3),
    }


def _outcome(unit: Unit, inputs: Mapping[str, object], measures: Mapping[str, float]) -> Outcome:
    predicted = measures["predicted_share"] > 0
    return Outcome(
        unit,
        State.DONE if predicted else State.UNOBSERVED,
        ledger.fingerprint_of(inputs),
        cause="" if predicted else "nothing_usable",
        message="" if predicted else "no pixel of the surface was usable",
        inputs=inputs,
        measures=measures,
    )
