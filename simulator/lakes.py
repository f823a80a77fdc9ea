"""Where the lakes of the mountain world lie and how each of them lives."""

from functools import lru_cache

import numpy as np
from shapely.geometry import Polygon, box

from simulator.features import Bridge, Cast, Feature, Life
from simulator.noise import generator
from simulator.plans import Plan, Site
from simulator.shapes import Blob, wobble
from simulator.terrain import Relief, mountain_relief, slope_of
from simulator.valleys import Valley
from simulator.waters import freezes_of, tint_of
from simulator.worlds import World

HECTARE = 10_000.0
GAP_M = 70.0
SEAM_EAST_OF_CORNER_M = {3000.0: 145.0, 5150.0: 68.0}  # the meridian of 78 E in the base system, by northing

BRIDGES = (Bridge(("merge-a", "merge-b"), 60.0, first=2022), Bridge(("split-a", "split-b"), 55.0, last=2018))
SITES = (
    Site("cirque", 13, (0.6, 5.0), (0.15, 0.85), (420, 1700), ((1.0, 0.0, 0.0), (0.6, 0.4, 0.0), (0.15, 0.85, 0.0))),
    Site("shadowed", 4, (0.6, 1.6), (0.55, 1.3), (350, 1700), ((1.0, 0.0, 0.0),), steep=2.6, faces_north=True),
    Site("supraglacial", 8, (0.12, 0.9), (0.0, 0.32), (0, 210), ((0.1, 0.6, 0.3), (0.0, 0.3, 0.7))),
    Site("kettle", 5, (0.12, 0.45), (0.0, 0.45), (130, 420), ((0.8, 0.2, 0.0), (0.3, 0.7, 0.0))),
)


@lru_cache(maxsize=2)
def mountain_lakes(world: World, seed: int) -> Cast:
    """All lakes of the mountain world that touch its region: scripted ones first, then scattered ones that keep clear of them."""
    contacts = [_ice_contact(world, seed, valley) for valley in world.land.valleys if valley.lake_m[0] > 0]
    scripted = contacts + _scripted(world, seed)
    bridges = BRIDGES if world.lakescape is None else ()
    taken = [shape.buffer(GAP_M) for _, shape in Cast(tuple(scripted), bridges, seed).envelopes()]
    scattered = _scatter(world, seed, taken)
    region = box(*world.bounds)
    return Cast((*scripted, *scattered), bridges, seed).within(lambda shape: bool(shape.intersects(region)))


def _ice_contact(world: World, seed: int, valley: Valley) -> Feature:
    length, width = valley.lake_m
    north = valley.terminus + length / 2
    place = world.land.place(valley, north)
    x, y = world.corner[0] + place[0], world.corner[1] + place[1]
    shore = wobble(generator(seed, world.name, valley.name), 0.5)
    blob = Blob(x, y, np.pi / 4 * length * width, length / width, valley.direction_deg(north) + world.land.turn_deg, shore)
    name = f"ice-{valley.name}"
    life = Life(lengthens_m=valley.retreat_m)
    freezes = freezes_of(world, seed, name, otherwise=False)
    return Feature(name, "ice_contact", blob, life, (0.0, 0.55, 0.45), freezes=freezes, tint=tint_of(world, seed, name))


def _scripted(world: World, seed: int) -> list[Feature]:
    if world.lakescape is not None:
        return [_placed(world, seed, plan) for plan in world.lakescape.plans]
    clear, milky, grey = (1.0, 0.0, 0.0), (0.1, 0.9, 0.0), (0.0, 0.1, 0.9)
    plans: list[tuple[str, str, tuple[float | str, float], float, float, tuple[float, float, float], Life]] = [
        ("corner", "corner", (0.0, 0.0), 17.0, 1.4, milky, Life()),
        ("seam-large", "seam", (SEAM_EAST_OF_CORNER_M[3000.0], 3000.0), 46.0, 2.8, (0.4, 0.6, 0.0), Life(0.006)),
        ("seam-small", "seam", (SEAM_EAST_OF_CORNER_M[5150.0], 5150.0), 5.0, 1.5, clear, Life()),
        ("edge-west", "tile_edge", ("west", 20.0), 9.0, 1.6, (0.0, 0.5, 0.5), Life()),
        ("edge-east", "tile_edge", ("east", -10.0), 3.2, 1.3, milky, Life(0.012)),
        ("drain", "moraine", ("east", 1350.0), 8.0, 1.5, (0.2, 0.8, 0.0), Life(drained=2021)),
        ("merge-a", "moraine", ("west", 2050.0), 3.0, 1.2, milky, Life(0.01)),
        ("merge-b", "moraine", ("west", 2350.0), 2.6, 1.1, milky, Life(0.01)),
        ("split-a", "moraine", ("east", 3450.0), 3.2, 1.2, clear, Life(0.0)),
        ("split-b", "moraine", ("east", 3740.0), 2.2, 1.1, clear, Life(0.0)),
        ("birth", "moraine", ("west", -1150.0), 2.4, 1.3, (0.0, 0.6, 0.4), Life(0.05, born=2022)),
        ("turbid-main", "turbid", ("main", 1450.0), 3.5, 1.4, grey, Life()),
        ("turbid-west", "turbid", ("west", 1050.0), 1.8, 1.3, (0.0, 0.0, 1.0), Life()),
        ("turbid-east", "turbid", ("east", 2400.0), 1.3, 1.2, grey, Life()),
        ("rim-north", "region_edge", ("main", 6720.0), 7.0, 1.4, (0.6, 0.4, 0.0), Life()),
        ("valley-west", "valley", ("west", 3700.0), 6.0, 1.7, clear, Life()),
        ("valley-east", "valley", ("east", 5000.0), 12.0, 1.9, (0.4, 0.6, 0.0), Life(0.003)),
        ("rim-west", "region_edge", (-4480.0, 2600.0), 2.0, 1.2, clear, Life()),
        ("rim-east", "region_edge", (4480.0, 300.0), 2.4, 1.3, clear, Life()),
    ]
    return [_placed(world, seed, Plan(*plan)) for plan in plans]


def _placed(world: World, seed: int, plan: Plan) -> Feature:
    place, north = plan.where
    valley = world.land.valley(place) if isinstance(place, str) else world.land.valleys[0]
    east, up = world.land.place(valley, north) if isinstance(place, str) else (place, north)
    shore = wobble(generator(seed, world.name, plan.name), 0.45 if plan.name.endswith(("-a", "-b")) else 1.0)
    centre = world.corner[0] + east, world.corner[1] + up
    blob = Blob(*centre, plan.hectares * HECTARE, plan.aspect, valley.direction_deg(north) + world.land.turn_deg, shore)
    freezes = freezes_of(world, seed, plan.name, otherwise=False)
    return Feature(plan.name, plan.kind, blob, plan.life, plan.mix, freezes=freezes, tint=tint_of(world, seed, plan.name))


def _scatter(world: World, seed: int, taken: list[Polygon]) -> list[Feature]:
    relief = mountain_relief(world, seed)
    features: list[Feature] = []
    for site in SITES if world.lakescape is None else world.lakescape.sites:
        rng = generator(seed, world.name, "scatter", site.kind)
        wanted = round(world.scattered * site.share / 30)
        for _ in range(3000):
            if wanted == 0:
                break
            blob = _candidate(world, site, rng)
            if not _suits(world, relief, site, blob):
                continue
            shape = blob.scaled(1.15).polygon()
            if any(shape.intersects(other) for other in taken):
                continue
            taken.append(shape.buffer(GAP_M))
            features.append(_scattered(world, seed, (site, blob, f"{site.kind}-{len(features):02d}"), rng))
            wanted -= 1
    return features


def _candidate(world: World, site: Site, rng: np.random.Generator) -> Blob:
    left, bottom, right, top = world.bounds
    low, high = np.log(site.hectares)
    area = float(np.exp(rng.uniform(low, high))) * HECTARE
    x, y = float(rng.uniform(left + 120, right - 120)), float(rng.uniform(bottom + 120, top - 120))
    aspect = (1.0, 1.9) if world.lakescape is None else world.lakescape.aspect
    return Blob(x, y, area, float(rng.uniform(*aspect)), float(rng.uniform(0, 180)), wobble(rng))


def _suits(world: World, relief: Relief, site: Site, blob: Blob) -> bool:
    base = world.base
    column, row = int((blob.x - base.left) / 10), int((base.top - blob.y) / 10)
    reach = max(int(np.sqrt(blob.area_m2 / np.pi) / 10), 2)
    window = (slice(max(row - reach, 0), row + reach + 1), slice(max(column - reach, 0), column + reach + 1))
    east, north = slope_of(relief.elevation[window])
    slope = float(np.hypot(east.mean(), north.mean()))
    distances = {name: float(field[row, column]) for name, field in relief.distance.items()}
    nearest = min(distances, key=lambda name: distances[name])
    valley, along = world.land.valley(nearest), float(relief.along[nearest][row, column])
    fits = site.slope[0] <= slope <= site.slope[1] and site.distance_m[0] <= distances[nearest] <= site.distance_m[1]
    if site.kind == "supraglacial":
        return fits and valley.terminus - valley.debris_m + 150 < along < valley.terminus - 150 - 12 * valley.retreat_m
    on_ice = along < valley.terminus + 80 and distances[nearest] < valley.half_width_m + 120
    return fits and not on_ice and not (site.faces_north and north.mean() > -0.75 * slope)


def _scattered(world: World, seed: int, drawn: tuple[Site, Blob, str], rng: np.random.Generator) -> Feature:
    site, blob, name = drawn
    number = int(name.rpartition("-")[2])
    mix = site.mixes[int(rng.integers(len(site.mixes)))]
    life = Life(float(rng.choice([0.0, 0.002, 0.006, 0.012])))
    if site.kind == "supraglacial" and number % 4 == 1:
        life = Life(0.03, gone=2022) if number % 8 == 1 else Life(0.03, born=2020)
    freezes = freezes_of(world, seed, name, otherwise=site.kind == "cirque" and number % 4 == 3)
    return Feature(name, site.kind, blob, life, mix, site.steep, freezes, tint_of(world, seed, name))
