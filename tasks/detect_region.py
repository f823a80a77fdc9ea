"""Stored surface to stored detections: one detector per region-year, streamed over its zones."""

import io
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.causes import State
from catalog.facts.devices import ON_CPU, DeviceTerms
from catalog.facts.forecasts import Forecast
from catalog.facts.grids import Tile
from catalog.facts.records import Job, ModelIdentity, Outcome, StageReport
from catalog.facts.run_events import DeviceUsed
from catalog.facts.schemas import SURFACE
from catalog.stores import cubes, ledger
from catalog.stores.blocks import BlockReader
from catalog.stores.files import write_atomic
from catalog.stores.from_surfaces import by_zone, expect_from_surfaces, surfaces_of
from catalog.stores.gpu_slots import HeldDevice
from catalog.stores.gpu_work import each_on_device
from catalog.stores.jobs import mapped_tiles, unit_of
from catalog.stores.news import tell
from catalog.stores.rounds import report_of, retire_all_but, told
from catalog.stores.store import Store, open_store
from catalog.stores.weights import read_detector, shipped_names
from models.detector.contract import Detector
from models.detector.registry import DETECTORS, detector_named
from models.detector.stream import TileInstances, stream, windows_of
from models.detector.tables import to_table
from models.segmenter.contract import WindowArrays
from models.segmenter.devices import lost, visible_gpus
from models.segmenter.predict import Measures, ReadWindow
from models.segmenter.windows import Window

Predict = Callable[[Sequence[Window], ReadWindow], Iterator[TileInstances]]
STAGE = "detect"
VERSION = 1
_OUTSIDE = next(spec.fill for spec in SURFACE if spec.name == "cause")


@task(cache_policy=NO_CACHE, task_run_name="detect-{job.region}-{job.year}")
def detect_region(job: Job, model_name: str, terms: DeviceTerms = ON_CPU) -> StageReport:
    """Look for slumps in every tile whose surface, or whose neighbours' surface, or whose model changed."""
    store = open_store(job.store)
    surfaces = surfaces_of(store, job)
    retire_all_but(store, (unit_of(job, tile.id, STAGE) for tile in mapped_tiles(job)), surfaces)
    before = {unit_of(job, tile, STAGE): ledger.find(store, unit_of(job, tile, STAGE)) for tile in surfaces}
    started = time.monotonic()
    terms = replace(terms, asked="cpu") if model_name in DETECTORS else terms
    work = partial(_detect, store, job, model_name, terms, surfaces)
    ended = each_on_device(store, tuple(before), work, terms=terms, visible=visible_gpus, lost=lost)
    outcomes = told(STAGE, ended, before.get, of=job, total=len(surfaces))
    return report_of(STAGE, outcomes, before.get, since=started)


def _detect(
    store: Store, job: Job, model_name: str, terms: DeviceTerms, surfaces: Mapping[str, Outcome], held: HeldDevice
) -> Iterator[Outcome]:
    detector, total = detector_named(model_name, read_detector, shipped=shipped_names(), device=held.name), Measures()
    try:
        for tiles in by_zone(job, surfaces).values():
            predict = partial(stream, detector, measures=total, prefetch=terms.prefetch)
            yield from _detect_zone(store, job, detector, tiles, surfaces, predict)
    finally:
        spent = (held.held_s, total.seconds_in_network, total.seconds_waiting, total.seconds_waiting + total.seconds_computing)
        tell(DeviceUsed(job.region, job.year, STAGE, held.name, *spent))


def expect_detections(job: Job, model: ModelIdentity, forecast: Forecast) -> None:
    """Tell a forecast what every tile's detections would be made from."""
    expect_from_surfaces(job, STAGE, partial(_inputs, model), forecast)


def _detect_zone(
    store: Store, job: Job, detector: Detector, tiles: Sequence[Tile], surfaces: Mapping[str, Outcome], predict: Predict
) -> Iterator[Outcome]:
    identity = _identity(detector)
    inputs = {tile.id: _inputs(identity, tile, surfaces) for tile in tiles}
    stale = []
    for tile in tiles:
        current = ledger.is_current(store, unit_of(job, tile.id, STAGE), ledger.fingerprint_of(inputs[tile.id]))
        if current:
            yield current
        else:
            stale.append(tile)
    if not stale:
        return
    contract, clock = detector.contract, time.monotonic()
    reader = BlockReader(cubes.read_cube(store.cube(job.region, job.year, tiles[0].epsg), SURFACE), contract.read_px)
    arrays = ("cause", *(need.modality for need in contract.needs))
    for found in predict(windows_of(tiles, stale, contract), partial(_read, reader, arrays)):
        outcome = _stored(store, job, found.tile, to_table(found), len(found.windows_yx))
        seconds, clock = round(time.monotonic() - clock, 3), time.monotonic()
        of = inputs[found.tile.id]
        yield ledger.put(store, replace(outcome, fingerprint=ledger.fingerprint_of(of), inputs=of, seconds=seconds))


def _identity(detector: Detector) -> ModelIdentity:
    return ModelIdentity(detector.name, detector.version, detector.sha256, detector.contract.stride_px, detector.card.score_floor)


def _inputs(model: ModelIdentity, tile: Tile, surfaces: Mapping[str, Outcome]) -> dict[str, object]:
    # windows reach over the tile's edges, so the neighbours' pixels are inputs too
    around = {t.id: dict(surfaces[t.id].outputs) for t in (tile, *tile.neighbours()) if t.id in surfaces}
    named = {"model": f"{model.name} {model.version}", "model_sha256": model.sha256}
    looks = {"stride_px": model.stride_px, "score_floor": model.score_floor}
    return {"stage": f"{STAGE} {VERSION}", **named, **looks, "surfaces": around}


def _read(reader: BlockReader, names: Sequence[str], origin_yx: tuple[int, int], size: int) -> WindowArrays:
    window = (*origin_yx, size, size)
    cause = reader.read("cause", window)
    if (cause == _OUTSIDE).all():
        return WindowArrays(cause)
    return WindowArrays(cause, **{name: reader.read(name, window) for name in names if name != "cause"})


def _stored(store: Store, job: Job, tile: Tile, rows: pa.Table, windows: int) -> Outcome:
    buffer = io.BytesIO()
    pq.write_table(rows, buffer, compression="zstd")
    path = store.instances(job.target, job.region, job.year, tile.id)
    write_atomic(path, buffer.getvalue())
    found = len(rows) - rows.column("score").null_count
    state = State.UNOBSERVED if not windows else State.DONE if found else State.EMPTY
    cause, message = ("nothing_usable", "no window of the surface shows enough usable ground") if not windows else ("", "")
    measures = {"windows": float(windows), "detections": float(found)}
    outputs = ledger.receipts_for(store, [path])
    return Outcome(unit_of(job, tile.id, STAGE), state, "", cause=cause, message=message, outputs=outputs, measures=measures)
