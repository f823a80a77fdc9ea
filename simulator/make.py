"""A world on disk: region, scenes as COGs, a static STAC catalog, and the truth."""

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from types import MappingProxyType

import numpy as np
from pyproj import Proj
from shapely import set_precision, to_geojson
from shapely.geometry import mapping

from simulator import optical, products, radar, stac, truth
from simulator.arctic import tundra
from simulator.clouds import clouds_of
from simulator.elevation import write_elevation
from simulator.frames import reproject
from simulator.ground import Ground, Scenery, stand_on
from simulator.mountains import mountains
from simulator.randomised import KINDS, randomised
from simulator.schedule import OpticalPass, optical_passes, radar_passes
from simulator.sky import cast_shadow, sun_at
from simulator.worlds import ARCTIC, BY_NAME, HMA, World

WORLDS: Mapping[str, str] = MappingProxyType(
    {
        HMA.name: "High mountains at 78 E: glacial lakes across a zone seam and tile corners, 10 km across",
        ARCTIC.name: "Tundra island at 72 N: retrogressive thaw slumps, thermokarst lakes and what looks like them, 7 km across",
        "randomised-mountains": "Mountains in which everything is drawn from the seed, 9 km across: to train and test networks on",
        "randomised-tundra": "Tundra in which everything is drawn from the seed, 9 km across: to train and test networks on",
        "randomised-slumps": "Tundra with many slumps and what resembles them, all drawn from the seed, 9 km across",
    }
)
SEASON_MONTHS = (7, 8, 9)


@dataclass(frozen=True, slots=True)
class WorldSummary:
    """What was made."""

    name: str
    years: tuple[int, ...]
    optical_scenes: int
    radar_scenes: int
    bytes: int
    lakes: Mapping[int, int]
    """Lakes per year."""
    slumps: Mapping[int, int]
    """Slumps per year."""
    events: int


@dataclass(frozen=True, slots=True)
class YearSummary:
    """What was made of one year."""

    year: int
    optical: tuple[str, ...]
    radar: tuple[str, ...]
    bytes: int
    lakes: int
    slumps: int


def make_world(
    name: str, years: Sequence[int], out: str | Path, *, seed: int = 7, workers: int = 2, progress: Callable[[str], None] | None = None
) -> WorldSummary:
    """Simulate a named world; raises ValueError for an unknown name or no years."""
    return make(world_of(name, seed), years, Path(out), seed=seed, workers=workers, progress=progress)


def world_of(name: str, seed: int) -> World:
    """Find a world by its name in WORLDS; a randomised one is drawn from the seed. Raises ValueError for an unknown name."""
    if name in BY_NAME:
        return BY_NAME[name]
    for kind in KINDS:
        if name == f"randomised-{kind}":
            return randomised(seed, kind)
    raise ValueError(f"World {name!r} is not known: take one of {', '.join(WORLDS)}.")


def make(
    world: World, years: Sequence[int], out: Path, *, seed: int = 7, workers: int = 2, progress: Callable[[str], None] | None = None
) -> WorldSummary:
    """Simulate a world given as a record; the files of a year depend on the record, the seed and the year alone."""
    ordered = sorted(set(years))
    if not ordered:
        raise ValueError(f"World {world.name!r} needs at least one year, for example {world.default_years[0]}.")
    tell = progress or (lambda _: None)
    summaries = _make_years(world, seed, ordered, out, workers, tell)
    tell(f"{world.name}: elevation, catalog and events")
    scenery = scenery_of(world, seed)
    _write_region(out / "region.geojson", world)
    _write_glaciers(out / "glaciers.geojson", scenery, ordered)
    items = {
        stac.OPTICAL: [name for summary in summaries for name in summary.optical],
        stac.RADAR: [name for summary in summaries for name in summary.radar],
        stac.ELEVATION: write_elevation(out / "catalog", scenery),
    }
    stac.write_catalog(out / "catalog", world.name, world.region, items, ordered)
    events = {"lakes": scenery.lakes.events(ordered), "slumps": scenery.slumps.events(ordered)}
    for kind in ("lakes", "slumps") if world.target == "slumps" else ("lakes",):
        truth.write_events(out / "truth" / kind / "events.parquet", events[kind])
    return WorldSummary(
        name=world.name,
        years=tuple(ordered),
        optical_scenes=len(items[stac.OPTICAL]),
        radar_scenes=len(items[stac.RADAR]),
        bytes=sum(summary.bytes for summary in summaries),
        lakes={summary.year: summary.lakes for summary in summaries},
        slumps={summary.year: summary.slumps for summary in summaries},
        events=len(events[world.target]),
    )


def scenery_of(world: World, seed: int) -> Scenery:
    """Ground of a world, built once per process."""
    return mountains(world, seed) if world.ground == "mountains" else tundra(world, seed)


def _make_years(world: World, seed: int, years: Sequence[int], out: Path, workers: int, tell: Callable[[str], None]) -> list[YearSummary]:
    if workers <= 1 or len(years) == 1:
        summaries = []
        for year in years:
            summaries.append(make_year(world, seed, year, out))
            tell(f"{world.name}: year {year}")
        return summaries
    with ProcessPoolExecutor(min(workers, len(years)), mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(make_year, world, seed, year, out) for year in years]
        for future in as_completed(futures):
            tell(f"{world.name}: year {future.result().year}")
    return [future.result() for future in futures]


def make_year(world: World, seed: int, year: int, out: Path) -> YearSummary:
    """Write all scenes and the truth of one year."""
    scenery = scenery_of(world, seed)
    cover = scenery.cover(year)
    grounds = {epsg: stand_on(scenery, cover, world.scene_frame(epsg), year) for epsg in world.epsgs}
    first = grounds[world.epsgs[0]]
    looks = truth.Looks(np.zeros(first.frame.shape, dtype=np.float32), np.zeros(first.frame.shape, dtype=np.float32))
    written_optical = [made for pass_ in optical_passes(world, seed, year) for made in _write_pass(scenery, grounds, pass_, looks, out)]
    written_radar = []
    for radar_pass in radar_passes(world, seed, year):
        ground = grounds[world.epsgs[0] if radar_pass.ascending else world.epsgs[-1]]
        scene = radar.render(world, ground, radar_pass, seed)
        written_radar.append(products.write_radar(out / "catalog", ground.frame, scene, radar_pass))
    _write_truth(scenery, year, first, looks, out / "truth")
    return YearSummary(
        year=year,
        optical=tuple(name for name, _ in written_optical),
        radar=tuple(name for name, _ in written_radar),
        bytes=sum(size for _, size in written_optical + written_radar),
        lakes=len(scenery.lakes.states(year)),
        slumps=len(scenery.slumps.states(year)),
    )


def _write_pass(scenery: Scenery, grounds: dict[int, Ground], pass_: OpticalPass, looks: truth.Looks, out: Path) -> list[tuple[str, int]]:
    """Render an acquisition in every zone and write each of its deliveries."""
    world, seed = scenery.world, scenery.seed
    middle = world.region.centroid
    sun = sun_at(pass_.when, middle.x, middle.y)
    convergence = Proj(world.base.epsg).get_factors(middle.x, middle.y).meridian_convergence
    clouds = clouds_of(world, seed, pass_, sun, convergence)
    sky = (clouds, cast_shadow(optical.averaged(scenery.elevation, 2), sun, convergence))
    written = []
    for epsg, ground in grounds.items():
        air = optical.air_over(ground, pass_, sun, convergence, sky)
        if epsg == world.epsgs[0] and pass_.when.month in SEASON_MONTHS:
            looks.add(air)
        scene = optical.render(ground, air, clouds, pass_, seed)
        written += [products.write_optical(out / "catalog", ground.frame, scene, pass_, delivery, sun) for delivery in pass_.deliveries]
    return written


def _write_truth(scenery: Scenery, year: int, ground: Ground, looks: truth.Looks, folder: Path) -> None:
    world = scenery.world
    truth.write_table(folder / "lakes" / f"year={year}.parquet", truth.describe(world, scenery.lakes.states(year), ground, looks))
    if world.target == "slumps":
        truth.write_table(folder / "slumps" / f"year={year}.parquet", truth.describe(world, scenery.slumps.states(year), ground, looks))
    truth.write_table(folder / "confusers" / f"year={year}.parquet", truth.confusers(world, scenery.confusers(year)))


def _write_glaciers(path: Path, scenery: Scenery, years: Sequence[int]) -> None:
    """Write the outlines of every year, in longitude and latitude; a world without glaciers has no such file."""
    world = scenery.world
    features: list[stac.Json] = []
    for year in years:
        for name, outline in scenery.glaciers(year):
            degrees = set_precision(reproject(outline, world.base.epsg, 4326), 1e-7)
            properties = {"glacier_id": f"{world.name}-{name}", "date": f"{year}-08-15"}
            features.append({"type": "Feature", "properties": properties, "geometry": json.loads(to_geojson(degrees))})
    if features:
        stac.write_json(path, {"type": "FeatureCollection", "features": features})


def _write_region(path: Path, world: World) -> None:
    season = {"latitude_from": -90, "latitude_to": 90, "elevation_from_m": -500, "elevation_to_m": 9000, "start": "07-01", "end": "09-30"}
    properties: stac.Json = {
        "name": world.name,
        "title": world.title,
        "target": world.target,
        "family": "user",
        "priority": 0,
        "territory": "geometry",
        "elevation_floor_m": None,
        "outline_buffer_m": None,
        "crs": None,
        "seasons": [season],
    }
    geometry = json.loads(json.dumps(mapping(world.region)))
    stac.write_json(path, {"type": "Feature", "properties": properties, "geometry": geometry})
