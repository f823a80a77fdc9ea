"""Detections of all tiles to whole, measured slumps of a region-year, each owned once; names come later."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np
import shapely
from numpy.typing import NDArray
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.bands import s2_index
from catalog.facts.causes import Cause, State
from catalog.facts.detector_cards import DetectorCard
from catalog.facts.forecasts import Forecast
from catalog.facts.grids import PIXEL_M
from catalog.facts.options import SlumpOptions
from catalog.facts.records import Choice, Job, Outcome, StageReport
from catalog.facts.schemas import PROBABILITY_NODATA, SURFACE
from catalog.facts.slump_schemas import SLUMPS
from catalog.facts.territory import ZoneTerritory
from catalog.stores import cubes, ledger
from catalog.stores.jobs import REGION_UNIT, territory, unit_of
from catalog.stores.provenance import incomplete, provenance_of, providers_among, providers_of
from catalog.stores.rounds import report_of, told
from catalog.stores.store import Store, open_store
from catalog.stores.tables import put_features, read_table
from catalog.stores.weights import find_detector_card
from models.detector.counts import CountingRule
from models.detector.headwall import MARGIN_PX, SlumpGround, headwall_of, ndvi_of
from models.detector.inventory import Described, as_probability, calibrated, slumps_table, with_own_doubt
from models.detector.merge import Merged, merge
from models.detector.registry import card_named
from models.detector.tables import detected_of
from models.detector.volume import SOURCE
from models.outlines.geodesy import pixel_area_m2, representative_points
from models.outlines.ground import claimed_shapes, extent_of, pixel_bounds, pixels_inside
from models.outlines.inventory import Origin
from models.outlines.measure import Surroundings, measure
from models.outlines.seams import OwnedFeature, ZoneFeatures, own

STAGE = "merge"
VERSION = 2
_FROM = ("detect", "surface")
"""Stages whose products go in."""


@dataclass(frozen=True, slots=True)
class _Zone:
    """One zone's merged detections and the cube they were seen in."""

    ground: ZoneTerritory
    merged: tuple[Merged, ...]
    tree: shapely.STRtree
    surface: cubes.Cube
    windows: int
    """Windows that were predicted."""


@task(cache_policy=NO_CACHE, task_run_name="merge-{job.region}-{job.year}")
def merge_instances(job: Job, model_name: str, options: SlumpOptions) -> StageReport:
    """Merge, own and measure the slumps of a region-year when a detection, a surface, the model's card or an option changed."""
    store, unit, card = open_store(job.store), unit_of(job, REGION_UNIT, STAGE), card_named(model_name, find_detector_card)
    before, started = {unit: ledger.find(store, unit)}, time.monotonic()
    outcomes = ledger.find_all(store, job.region, job.year)
    made = {stage: [o for o in outcomes if o.unit.stage == stage] for stage in _FROM}
    inputs = _inputs(made, card, options, providers_of(store, job)) | incomplete(outcomes)
    done = told(
        STAGE,
        map(ledger.once, [store], [unit], [inputs], [partial(_produce, job, store, card, options, inputs)]),
        before.get,
        of=job,
        total=1,
    )
    return report_of(STAGE, done, before.get, since=started)


def expect_merge(job: Job, model_name: str, chosen: Mapping[str, Sequence[Choice]], options: SlumpOptions, forecast: Forecast) -> None:
    """Tell a forecast what the slumps of the region-year would be made from."""
    made = {stage: forecast.outcomes(stage) for stage in _FROM}
    card = card_named(model_name, find_detector_card)
    forecast.expect(unit_of(job, REGION_UNIT, STAGE), _inputs(made, card, options, providers_among(chosen.values())))


def _inputs(made: Mapping[str, Sequence[Outcome]], card: DetectorCard, options: SlumpOptions, providers: str) -> dict[str, object]:
    instances, surfaces = ({o.unit.tile: dict(o.outputs) for o in made[stage]} for stage in _FROM)
    return {
        "stage": f"{STAGE} {VERSION}",
        "instances": instances,
        "surfaces": surfaces,
        "card": ledger.fingerprint_of(asdict(card)),
        "options": {"keep_score": options.keep_score, "min_area_m2": options.min_area_m2},
        "providers": providers,
    }


def _produce(job: Job, store: Store, card: DetectorCard, options: SlumpOptions, inputs: Mapping[str, object]) -> Outcome:
    zones = {ground.epsg: zone for ground in territory(job).zones if (zone := _zone(job, store, ground, card)) is not None}
    owned = own([ZoneFeatures(epsg, _polygons(zone.merged), extent_of(zone.ground)) for epsg, zone in zones.items()])
    sure = [(feature, zones[feature.epsg]) for feature in owned if _merged(feature, zones[feature.epsg]).score >= options.keep_score]
    shapes, geometry, kept = claimed_shapes([(feature, zone.ground) for feature, zone in sure], options.min_area_m2)
    figures = zip(kept.tolist(), shapes.area_m2.tolist(), shapes.perimeter_m.tolist(), strict=True)
    described = [_described(job.year, sure[int(place)], area, perimeter) for place, area, perimeter in figures]
    scores = np.array([one.merged.score for one in described], np.float64)
    origin = Origin(job.year, ledger.fingerprint_of(inputs), providers_of(store, job))
    rule = CountingRule(minimum_area_m2=options.min_area_m2)
    table = slumps_table(shapes, described, calibrated(scores, card.calibration, rule), origin)
    path, provenance = store.features(job.target, job.region, job.year), provenance_of(store, job, ledger.fingerprint_of(inputs))
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    put_features(path, geometry, columns, SLUMPS, provenance=provenance | {"volume_law": SOURCE})
    unit, outputs, measures = unit_of(job, REGION_UNIT, STAGE), ledger.receipts_for(store, [path]), {"features": float(len(described))}
    if not any(zone.windows for zone in zones.values()):
        # nothing was looked at: that is not a region without slumps
        return Outcome(unit, State.UNOBSERVED, "", "nothing_predicted", "no window could be predicted", outputs=outputs, measures=measures)
    return Outcome(unit, State.DONE if described else State.EMPTY, "", outputs=outputs, measures=measures)


def _zone(job: Job, store: Store, ground: ZoneTerritory, card: DetectorCard) -> _Zone | None:
    paths = [store.instances(job.target, job.region, job.year, tile.id) for tile in ground.tiles]
    present = [path for path in paths if path.is_file()]
    if not present:
        return None
    detected = detected_of([read_table(path) for path in present], card.network)
    merged = merge(detected)
    surface = cubes.read_cube(store.cube(job.region, job.year, ground.epsg), SURFACE)
    return _Zone(ground, merged, shapely.STRtree(_polygons(merged)), surface, len(detected.windows_yx))


def _polygons(merged: Sequence[Merged]) -> NDArray[np.object_]:
    polygons = np.empty(len(merged), object)
    polygons[:] = [slump.polygon for slump in merged]
    return polygons


def _merged(feature: OwnedFeature, zone: _Zone) -> Merged:
    return zone.merged[feature.pieces[0][1]]


def _described(year: int, owned: tuple[OwnedFeature, _Zone], area_m2: float, perimeter_m: float) -> Described:
    feature, zone = owned
    top, left, bottom, right = pixel_bounds(feature.polygon)
    window = top - MARGIN_PX, left - MARGIN_PX, bottom + MARGIN_PX, right + MARGIN_PX
    inside = pixels_inside([feature.polygon], window)
    if not inside.any():
        # a sliver between the pixels
        inside = pixels_inside([feature.polygon], window, touched=True)
    others = pixels_inside(_neighbours(feature, zone), window) & ~inside
    around, merged = _surroundings(zone.surface, window, inside), _merged(feature, zone)
    longitude, latitude = representative_points(np.array([feature.polygon], object), feature.epsg)[0]
    pixel = pixel_area_m2(feature.epsg, float(longitude), float(latitude))
    found = measure(inside, others, around, pixel_area_m2=pixel, year=year)
    headwall = headwall_of(feature.polygon, SlumpGround(inside, others, around.dem, _ndvi(zone.surface, around)))
    return Described(merged, with_own_doubt(found, merged, area_m2=area_m2, perimeter_m=perimeter_m), headwall)


def _neighbours(feature: OwnedFeature, zone: _Zone) -> list[shapely.Geometry]:
    own = {place for epsg, place in feature.pieces if epsg == feature.epsg}
    near = zone.tree.query(shapely.buffer(feature.polygon, MARGIN_PX * PIXEL_M), predicate="intersects")
    return [zone.merged[place].polygon for place in sorted(near.tolist()) if place not in own]


def _ndvi(surface: cubes.Cube, around: Surroundings) -> NDArray[np.float32]:
    counts = cubes.read_window(surface, "s2", (*around.origin_yx, *around.cause.shape))
    seen = np.where(around.cause == Cause.USABLE, counts, 0)
    return ndvi_of(seen[s2_index("B04")], seen[s2_index("B08")])


def _surroundings(surface: cubes.Cube, window: tuple[int, int, int, int], inside: NDArray[np.bool_]) -> Surroundings:
    top, left, bottom, right = window
    place = (top, left, bottom - top, right - left)
    dem, looks, day, cause = (cubes.read_window(surface, name, place) for name in ("dem", "looks", "day", "cause"))
    radar = np.isfinite(cubes.read_window(surface, "s1", place)).all(axis=0)
    probability = as_probability(inside, cause)
    return Surroundings((top, left), probability, np.full_like(probability, PROBABILITY_NODATA), dem, looks, day, cause, radar)
