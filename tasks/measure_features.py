"""Outlines of all tiles to whole, measured features of a region-year, each owned once; names come later."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.causes import State
from catalog.facts.forecasts import Forecast
from catalog.facts.grids import CHIP_PX, PIXEL_M
from catalog.facts.options import OutlineOptions
from catalog.facts.records import Choice, Job, Outcome, StageReport
from catalog.facts.schemas import LAKES, PROBABILITY, SURFACE
from catalog.facts.territory import ZoneTerritory
from catalog.stores import cubes, ledger
from catalog.stores.blocks import BlockReader
from catalog.stores.glaciers import find_glaciers, glaciers_checksum
from catalog.stores.jobs import REGION_UNIT, territory, unit_of
from catalog.stores.provenance import incomplete, provenance_of, providers_among, providers_of
from catalog.stores.rounds import report_of, told
from catalog.stores.store import Store, open_store
from catalog.stores.tables import put_features, read_table
from models.outlines.agreement import Part, Shared, agreement, parts_of, shared_water
from models.outlines.drainage import Window, feeding_ice_m2
from models.outlines.geodesy import pixel_area_m2, pixel_areas_m2, representative_points
from models.outlines.glaciers import ice_near, links, together
from models.outlines.ground import claimed_shapes, extent_of, pixel_bounds, pixels_inside
from models.outlines.inventory import Company, Origin, Shapes, lakes_table
from models.outlines.join import join
from models.outlines.lake_types import RULE, lake_types, may_be_fed
from models.outlines.measure import Statistics, Surroundings, body_of, measure, window_of
from models.outlines.polygonize import polygons_of
from models.outlines.runs import Runs, between_rows, from_table, pixel_counts, select, to_mask
from models.outlines.seams import OwnedFeature, ZoneFeatures, own
from models.segmenter.contract import WindowArrays

STAGE = "features"
VERSION = 7
_FROM = ("outline", "surface", "segment")
"""Stages whose products go in."""
_AGREEMENT_PX = 336
"""Side of the window that most lakes need for `agreement`; what is kept decoded is sized by it."""
_Feature = tuple[OwnedFeature, "_Zone"]


@dataclass(frozen=True, slots=True)
class _Zone:
    """One zone's joined runs, their polygons, and the cubes they were seen in."""

    ground: ZoneTerritory
    runs: Runs
    polygons: NDArray[np.object_]
    surface: cubes.Cube
    probability: cubes.Cube
    blocks: BlockReader
    """Reads `surface`; neighbouring lakes need the same pixels."""


@task(cache_policy=NO_CACHE, task_run_name="features-{job.region}-{job.year}")
def measure_features(job: Job, options: OutlineOptions) -> StageReport:
    """Join, own and measure the features of a region-year when an outline, a surface or an option changed."""
    store, unit = open_store(job.store), unit_of(job, REGION_UNIT, STAGE)
    before, started = {unit: ledger.find(store, unit)}, time.monotonic()
    outcomes = ledger.find_all(store, job.region, job.year)
    made = {stage: [o for o in outcomes if o.unit.stage == stage] for stage in _FROM}
    inputs = _inputs(made, options, providers_of(store, job), glaciers_checksum(store, job.region)) | incomplete(outcomes)
    done = told(
        STAGE, map(ledger.once, [store], [unit], [inputs], [partial(_produce, job, store, options, inputs)]), before.get, of=job, total=1
    )
    return report_of(STAGE, done, before.get, since=started)


def expect_features(job: Job, chosen: Mapping[str, Sequence[Choice]], options: OutlineOptions, forecast: Forecast) -> None:
    """Tell a forecast what the features of the region-year would be made from."""
    made = {stage: forecast.outcomes(stage) for stage in _FROM}
    glaciers = glaciers_checksum(open_store(job.store), job.region)
    forecast.expect(unit_of(job, REGION_UNIT, STAGE), _inputs(made, options, providers_among(chosen.values()), glaciers))


def _inputs(made: Mapping[str, Sequence[Outcome]], options: OutlineOptions, providers: str, glaciers: str) -> dict[str, object]:
    outlines, surfaces, probabilities = ({o.unit.tile: dict(o.outputs) for o in made[stage]} for stage in _FROM)
    return {
        "stage": f"{STAGE} {VERSION}",
        "outlines": outlines,
        "surfaces": surfaces,
        "probabilities": probabilities,
        "models": sorted({str(o.inputs.get("model_sha256")) for o in made["segment"]}),
        "options": asdict(options),
        "providers": providers,
        "glaciers": glaciers,
    }


def _produce(job: Job, store: Store, options: OutlineOptions, inputs: Mapping[str, object]) -> Outcome:
    zones = {ground.epsg: zone for ground in territory(job).zones if (zone := _zone(job, store, ground, options)) is not None}
    owned = own([ZoneFeatures(epsg, zone.polygons, extent_of(zone.ground)) for epsg, zone in zones.items()])
    features = [(feature, zones[feature.epsg]) for feature in owned]
    shapes, geometry, kept = claimed_shapes([(feature, zone.ground) for feature, zone in features], options.keep_area_m2)
    features = [features[place] for place in kept]
    statistics, agreements = _measured(job.year, features, options.threshold)
    company, told_of_ice = _company(job, store, features, shapes, agreements)
    origin = Origin(job.year, ledger.fingerprint_of(inputs), providers_of(store, job))
    table = lakes_table([""] * len(features), shapes, statistics, company, origin=origin, min_area_m2=options.min_area_m2)
    path = store.features(job.target, job.region, job.year)
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    put_features(path, geometry, columns, LAKES, provenance=provenance_of(store, job, ledger.fingerprint_of(inputs)) | told_of_ice)
    unit, outputs, measures = unit_of(job, REGION_UNIT, STAGE), ledger.receipts_for(store, [path]), {"features": float(len(features))}
    if not zones:
        # no tile was predicted: that is not a region without lakes
        return Outcome(unit, State.UNOBSERVED, "", "nothing_predicted", "no tile could be predicted", outputs=outputs, measures=measures)
    return Outcome(unit, State.DONE if features else State.EMPTY, "", outputs=outputs, measures=measures)


def _zone(job: Job, store: Store, ground: ZoneTerritory, options: OutlineOptions) -> _Zone | None:
    paths = [store.outlines(job.target, job.region, job.year, tile.id) for tile in ground.tiles]
    present = [path for path in paths if path.is_file()]
    if not present:
        return None
    joined = join([from_table(read_table(path)) for path in present])
    # only after joining: three small pieces on a seam may be one lake
    kept = select(joined, pixel_counts(joined) * PIXEL_M**2 >= options.keep_area_m2)
    _, polygons = polygons_of(kept)
    surface = cubes.read_cube(store.cube(job.region, job.year, ground.epsg), SURFACE)
    probability = cubes.read_cube(store.probability(job.target, job.region, job.year, ground.epsg), PROBABILITY)
    return _Zone(ground, kept, polygons, surface, probability, BlockReader(surface, _AGREEMENT_PX))


def _measured(year: int, features: Sequence[_Feature], threshold: float) -> tuple[list[Statistics], NDArray[np.float64]]:
    """Statistics and agreement of the sensors of every feature, worked out along rows of chips, so that blocks are decoded once."""
    found: dict[int, Statistics] = {}
    agreements = np.full(len(features), np.nan)
    for place in sorted(range(len(features)), key=lambda place: _row_of_chips(features[place])):
        feature, zone = features[place]
        window = window_of(pixel_bounds(feature.polygon))
        inside = pixels_inside([feature.polygon], window)
        others = to_mask(between_rows(zone.runs, window[0], window[2]), window) & ~inside
        found[place] = _statistics(year, feature, zone, (inside, others), threshold)
        if found[place].sensors == "S1+S2":
            agreements[place] = _agreement(zone, window, body_of(inside, others))
    return [found[place] for place in range(len(features))], agreements


def _row_of_chips(one: _Feature) -> tuple[int, int, int]:
    top, left, _, _ = pixel_bounds(one[0].polygon)
    return one[0].epsg, top // CHIP_PX, left


def _statistics(
    year: int, feature: OwnedFeature, zone: _Zone, masks: tuple[NDArray[np.bool_], NDArray[np.bool_]], threshold: float
) -> Statistics:
    longitude, latitude = representative_points(np.array([feature.polygon], object), feature.epsg)[0]
    area = pixel_area_m2(feature.epsg, float(longitude), float(latitude))
    around = _surroundings(zone, window_of(pixel_bounds(feature.polygon)))
    return measure(*masks, around, pixel_area_m2=area, year=year, threshold=threshold)


def _agreement(zone: _Zone, window: Window, body: NDArray[np.bool_]) -> float:
    return agreement((_shared(zone, part, window, body) for part in parts_of(window)), int(body.sum()))


def _shared(zone: _Zone, part: Part, window: Window, body: NDArray[np.bool_]) -> Shared:
    (top, left, bottom, right), core = part.window, part.core
    place = (top, left, bottom - top, right - left)
    here = np.zeros(place[2:], bool)
    inside = body[core[0] - window[0] : core[2] - window[0], core[1] - window[1] : core[3] - window[1]]
    here[core[0] - top : core[2] - top, core[1] - left : core[3] - left] = inside
    cause, s2, s1, dem = (zone.blocks.read(name, place) for name in ("cause", "s2", "s1", "dem"))
    return shared_water(here, WindowArrays(cause, s2, s1, dem))


def _company(
    job: Job, store: Store, features: Sequence[_Feature], shapes: Shapes, agreements: NDArray[np.float64]
) -> tuple[Company, dict[str, str]]:
    """What sensors and glaciers say, and what the metadata must say of the outlines; nothing without outlines."""
    glaciers = find_glaciers(store, job.region)
    if glaciers is None:
        return Company(agreements), {}
    points, zones = np.column_stack([shapes.longitude, shapes.latitude]), np.asarray(shapes.utm_epsg, np.int64)
    parts, upstream = [], np.full(len(features), np.nan)
    for epsg in np.unique(zones).tolist():
        places = np.flatnonzero(zones == epsg)
        lakes = np.array([features[place][0].polygon for place in places.tolist()], np.object_)
        zone = features[int(places[0])][1]
        ice = ice_near(glaciers, epsg, points[places], job.year)
        found = links(lakes, ice, PIXEL_M / np.sqrt(pixel_areas_m2(epsg, *points[places].T)))
        upstream[places] = feeding_ice_m2(lakes, found.distance_m, may_be_fed(found), ice, partial(_elevation, zone))
        parts.append((places, found))
    linked = together(parts, len(features))
    return Company(agreements, linked, lake_types(linked, upstream)), {"glacier_outlines": glaciers.source, "lake_type_rule": RULE}


def _elevation(zone: _Zone, window: Window) -> NDArray[np.float32]:
    top, left, bottom, right = window
    return cubes.read_window(zone.surface, "dem", (top, left, bottom - top, right - left))


def _surroundings(zone: _Zone, window: tuple[int, int, int, int]) -> Surroundings:
    top, left, bottom, right = window
    place = (top, left, bottom - top, right - left)
    probability, spread = (cubes.read_window(zone.probability, name, place) for name in ("probability", "spread"))
    dem, looks, day, cause = (cubes.read_window(zone.surface, name, place) for name in ("dem", "looks", "day", "cause"))
    radar = np.isfinite(cubes.read_window(zone.surface, "s1", place)).all(axis=0)
    return Surroundings((top, left), probability, spread, dem, looks, day, cause, radar)
