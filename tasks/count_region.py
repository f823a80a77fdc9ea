"""Merged slumps and observed ground to counts with their range, of a region-year and per cell of the globe."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import geopandas as gpd
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.causes import Cause, State
from catalog.facts.detector_cards import DetectorCard
from catalog.facts.forecasts import Forecast
from catalog.facts.grids import PIXEL_M, from_lonlat
from catalog.facts.options import SlumpOptions
from catalog.facts.records import Job, Outcome, StageReport
from catalog.facts.schemas import SURFACE
from catalog.facts.slump_schemas import SLUMP_COUNTS, SLUMP_COUNTS_H3
from catalog.facts.territory import ZoneTerritory
from catalog.stores import cubes, ledger
from catalog.stores.jobs import REGION_UNIT, territory, unit_of
from catalog.stores.provenance import provenance_of
from catalog.stores.rounds import report_of, told
from catalog.stores.store import Store, open_store
from catalog.stores.tables import put_table, read_features, read_table
from catalog.stores.weights import find_detector_card
from models.detector.counts import CountingRule, count_row, represent, total
from models.detector.observed import Ground, cells_of, ground_of, looked_at, together
from models.detector.registry import card_named
from models.detector.tables import windows_in

STAGE = "counts"
VERSION = 1
_FROM = ("merge", "detect", "surface")
"""Stages whose products go in."""


@task(cache_policy=NO_CACHE, task_run_name="counts-{job.region}-{job.year}")
def count_region(job: Job, model_name: str, options: SlumpOptions) -> StageReport:
    """Count the slumps of a region-year when they, the ground that was looked at, or the model's calibration changed."""
    store, unit, card = open_store(job.store), unit_of(job, REGION_UNIT, STAGE), card_named(model_name, find_detector_card)
    before, started = {unit: ledger.find(store, unit)}, time.monotonic()
    outcomes, rule = ledger.find_all(store, job.region, job.year), _rule(card, options)
    inputs = _inputs({stage: [o for o in outcomes if o.unit.stage == stage] for stage in _FROM}, card, rule)
    done = told(
        STAGE, map(ledger.once, [store], [unit], [inputs], [partial(_produce, job, store, card, rule, inputs)]), before.get, of=job, total=1
    )
    return report_of(STAGE, done, before.get, since=started)


def expect_counts(job: Job, model_name: str, options: SlumpOptions, forecast: Forecast) -> None:
    """Tell a forecast what the counts of the region-year would be made from."""
    card = card_named(model_name, find_detector_card)
    made = {stage: forecast.outcomes(stage) for stage in _FROM}
    forecast.expect(unit_of(job, REGION_UNIT, STAGE), _inputs(made, card, _rule(card, options)))


def _rule(card: DetectorCard, options: SlumpOptions) -> CountingRule:
    threshold = card.threshold if options.threshold is None else options.threshold
    return CountingRule(listed_score=threshold, minimum_area_m2=options.min_area_m2)


def _inputs(made: Mapping[str, Sequence[Outcome]], card: DetectorCard, rule: CountingRule) -> dict[str, object]:
    features, instances, surfaces = ({o.unit.tile: dict(o.outputs) for o in made[stage]} for stage in _FROM)
    return {
        "stage": f"{STAGE} {VERSION}",
        "features": features,
        "instances": instances,
        "surfaces": surfaces,
        "card": ledger.fingerprint_of(asdict(card)),
        "rule": asdict(rule),
    }


def _produce(job: Job, store: Store, card: DetectorCard, rule: CountingRule, inputs: Mapping[str, object]) -> Outcome:
    frame = read_features(store.features(job.target, job.region, job.year))
    frame = frame[_on_observed_ground(store, job, frame)].reset_index(drop=True)
    ground = together(found for zone in territory(job).zones for found in _grounds(store, job, zone, card.network.window_px))
    stands_for = represent(frame.score.to_numpy(np.float64), frame.area_m2.to_numpy(np.float64), card.calibration, rule=rule)
    cells = np.array(cells_of(frame.utm_epsg, frame.longitude.to_numpy(np.float64), frame.latitude.to_numpy(np.float64)), object)
    observed, mapped = (sum(part[side] for part in ground.values()) for side in (0, 1))
    place = {"region": job.region, "year": job.year, "model": f"{card.name} {card.version}"}
    row = count_row(total(stands_for, observed), rule, place | {"observed_share": observed / mapped if mapped else 0.0})
    rows = [
        count_row(
            total(stands_for, seen, np.flatnonzero(cells == cell), number=number),
            rule,
            place | {"h3": cell, "observed_share": seen / there if there else 0.0},
        )
        for number, (cell, (seen, there)) in enumerate(ground.items(), start=1)
    ]
    return _stored(store, job, [row], rows, provenance_of(store, job, ledger.fingerprint_of(inputs)))


def _stored(store: Store, job: Job, rows: list[dict[str, Any]], cells: list[dict[str, Any]], provenance: Mapping[str, Any]) -> Outcome:
    paths = store.counts(job.target, job.region, job.year), store.counts(job.target, job.region, job.year, cells=True)
    for path, content, schema in zip(paths, (rows, cells), (SLUMP_COUNTS, SLUMP_COUNTS_H3), strict=True):
        put_table(path, pa.Table.from_pylist(content, schema=schema), schema, provenance=provenance)
    observed = rows[0]["observed_km2"]
    measures = {"observed_km2": float(observed)} | ({"count": float(rows[0]["count"])} if rows[0]["count"] is not None else {})
    state = State.DONE if observed else State.UNOBSERVED
    cause, message = ("", "") if observed else ("nothing_predicted", "no ground was looked at, which is not a region without slumps")
    outputs = ledger.receipts_for(store, paths)
    return Outcome(unit_of(job, REGION_UNIT, STAGE), state, "", cause=cause, message=message, outputs=outputs, measures=measures)


def _grounds(store: Store, job: Job, zone: ZoneTerritory, window_px: int) -> Iterator[Ground]:
    """Ground that the region answers for, tile by tile."""
    there = [path for tile in zone.tiles if (path := store.instances(job.target, job.region, job.year, tile.id)).is_file()]
    windows = windows_in([read_table(path, ("window_y", "window_x")) for path in there])
    cube = cubes.read_cube(store.cube(job.region, job.year, zone.epsg), SURFACE) if there else None
    for tile in sorted(zone.claimed):
        observed = looked_at(tile, windows, window_px)
        if cube is not None and observed.any():
            observed &= cubes.read_window(cube, "cause", (*tile.origin_yx_px, *observed.shape)) == Cause.USABLE
        yield ground_of(tile, zone.chip_mask(tile), observed)


def _on_observed_ground(store: Store, job: Job, frame: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Say which slumps have their point on a usable pixel."""
    kept = np.zeros(len(frame), bool)
    for epsg, rows in frame.groupby("utm_epsg").indices.items():
        cube = cubes.read_cube(store.cube(job.region, job.year, int(epsg)), SURFACE)
        points = frame.iloc[rows][["longitude", "latitude"]].to_numpy(np.float64)
        x, y = from_lonlat(int(epsg)).transform(points[:, 0], points[:, 1])
        for row, east, north in zip(rows.tolist(), x, y, strict=True):
            pixel = int(np.floor(-north / PIXEL_M)), int(np.floor(east / PIXEL_M))
            kept[row] = cubes.read_window(cube, "cause", (*pixel, 1, 1))[0, 0] == Cause.USABLE
    return kept
