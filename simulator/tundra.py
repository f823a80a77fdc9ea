"""Where the slumps and lakes of the tundra world lie, and the road and river that look like them."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree
from shapely.geometry import LineString, Polygon, box

from simulator.features import SCRIPT_YEAR, Bridge, Cast, Feature, Life, State
from simulator.noise import fractal, generator
from simulator.plans import Lakescape
from simulator.shapes import Blob, wobble
from simulator.spectra import MATERIALS
from simulator.terrain import enlarge, slope_of
from simulator.waters import freezes_of, tint_of
from simulator.worlds import World

Floats = npt.NDArray[np.float32]
HECTARE = 10_000.0
GAP_M = 60.0
GREY_PERCENT = 13.0
"""Reflectance that till has in every band, nearly."""
WETTING = (0.8, 0.35)
"""How much more than the visible bands near and short infrared darken with water, as exponents of the brightness."""
FAN = (1, 0.24, np.pi)  # wide at the headwall, narrow at the toe
RIVER = ((-4300.0, 6000.0), (-3100.0, 4100.0), (-2700.0, 2300.0), (-1400.0, 1300.0), (-1250.0, -300.0), (300.0, -1400.0), (1500.0, -3600.0))
ROAD = ((-6000.0, 400.0), (-4000.0, 250.0), (-2600.0, -900.0), (-900.0, -1750.0), (700.0, 300.0), (1200.0, 2200.0), (900.0, 6000.0))
RIVER_WIDTH_M = 70.0
RIVER_SHARE_M = 420.0
LAKE_MIXES = ((1.0, 0.0, 0.0), (0.85, 0.0, 0.15), (0.5, 0.2, 0.3))


@dataclass(frozen=True, slots=True)
class Plan:
    """A slump to be placed."""

    name: str
    place: tuple[float, float]
    """East and north of the corner, metres."""
    hectares: float
    aspect: float
    life: Life


@lru_cache(maxsize=2)
def tundra_relief(world: World, seed: int) -> Floats:
    """Rolling ground of 10 to 120 m with a river valley in it, before lakes and slumps."""
    base = world.base
    rolling = fractal(base.shape, generator(seed, world.name, "rolling"), exponent=3.8, longest_px=180)
    fine = gaussian_filter(fractal(base.shape, generator(seed, world.name, "fine"), exponent=2.4, longest_px=30), 1)
    valley = np.exp(-((river_distance(world) / RIVER_SHARE_M) ** 2))
    return np.asarray(world.land.base_m + world.land.rolling_m * rolling * (1 - 0.6 * valley) + 0.5 * fine - 34 * valley, dtype=np.float32)


def river_line(world: World, phase: float = 0.0) -> LineString:
    """Course of the river in the base system; its bends move with `phase`."""
    control = np.array(RIVER if world.lakescape is None else world.lakescape.river)
    along = np.linspace(0, len(control) - 1, 500)
    xy = np.column_stack([np.interp(along, np.arange(len(control)), control[:, axis]) for axis in (0, 1)])
    xy = gaussian_filter(xy, (14, 0)) + np.column_stack([95 * np.sin(along * 5.1 + phase), 40 * np.cos(along * 5.1 + phase)])
    return LineString(xy + np.array(world.corner))


def road_line(world: World) -> LineString:
    """Course of the road in the base system."""
    return LineString(np.array(ROAD if world.lakescape is None else world.lakescape.road) + np.array(world.corner))


def river_width_m(world: World) -> float:
    """Width of the river."""
    return RIVER_WIDTH_M if world.lakescape is None else world.lakescape.river_width_m


def river_distance(world: World) -> Floats:
    """Metres from the river on the base frame."""
    coarse = world.base.rescaled(4)
    x, y = coarse.centres()
    line = river_line(world)
    points = np.array([line.interpolate(metres).coords[0] for metres in np.arange(0, line.length, 25)])
    places = np.column_stack(
        [np.broadcast_to(x + coarse.left, coarse.shape).ravel(), np.broadcast_to(y + coarse.top, coarse.shape).ravel()]
    )
    far = np.asarray(cKDTree(points).query(places)[0], dtype=np.float32).reshape(coarse.shape)
    return enlarge(np.asarray(gaussian_filter(far, 1), dtype=np.float32), world.base.shape)


@lru_cache(maxsize=2)
def tundra_features(world: World, seed: int) -> tuple[Cast, Cast]:
    """Lakes and slumps that touch the region."""
    relief = gaussian_filter(tundra_relief(world, seed), 6)
    lines = [river_line(world).buffer(150), road_line(world).buffer(60)]
    scripted = _scripted_slumps(world, seed, relief) if world.lakescape is None else []
    bridges = (Bridge(("slump-merge-a", "slump-merge-b"), 70.0, first=2021),) if scripted else ()
    taken = lines + [shape.buffer(GAP_M) for _, shape in Cast(tuple(scripted), bridges, seed).envelopes()]
    lakes = _lakes(world, seed, taken)
    slumps = _scattered_slumps(world, seed, relief, taken)
    region = box(*world.bounds)

    def touches(shape: Polygon) -> bool:
        return bool(shape.intersects(region))

    return Cast(tuple(lakes), (), seed).within(touches), Cast((*scripted, *slumps), bridges, seed).within(touches)


def _lakes(world: World, seed: int, taken: list[Polygon]) -> list[Feature]:
    rng = generator(seed, world.name, "lakes")
    left, bottom, right, top = world.bounds
    edge = Blob(world.corner[0] + 30.0, world.corner[1] + 2700.0, 14 * HECTARE, 1.5, 100.0, wobble(rng, 0.6))
    lakes: list[Feature] = []
    blobs = [edge] if world.lakescape is None else []
    wanted = world.lakescape or Lakescape((), (), LAKE_MIXES, hectares=(0.4, 18))
    for _ in range(600):
        area = float(np.exp(rng.uniform(*np.log(wanted.hectares)))) * HECTARE
        place = float(rng.uniform(left, right)), float(rng.uniform(bottom, top))
        blobs.append(Blob(*place, area, float(rng.uniform(1.1, 1.9)), float(rng.normal(100, 12)), wobble(rng, 0.6)))
    for blob in blobs:
        shape = blob.scaled(1.1).polygon()
        if len(lakes) > world.scattered or any(shape.intersects(other) for other in taken):
            continue
        taken.append(shape.buffer(GAP_M))
        life = Life(float(rng.choice([0.0, 0.002, 0.005])))
        name = f"lake-{len(lakes):02d}"
        mix, freezes = wanted.mixes[int(rng.integers(len(wanted.mixes)))], freezes_of(world, seed, name, otherwise=False)
        lakes.append(Feature(name, "thermokarst", blob, life, mix, 0.25, freezes, tint_of(world, seed, name)))
    return lakes


def _scripted_slumps(world: World, seed: int, relief: Floats) -> list[Feature]:
    rows = [
        ("slump-corner", (0.0, 0.0), 4.0, 1.3, Life(lengthens_m=9)),
        ("slump-fast", (-2900.0, 1150.0), 6.5, 1.3, Life(lengthens_m=26)),
        ("slump-merge-a", (-520.0, 2450.0), 2.0, 1.1, Life(lengthens_m=5)),
        ("slump-merge-b", (-520.0, 2690.0), 1.6, 1.1, Life(lengthens_m=5)),
        ("slump-birth", (1250.0, 1000.0), 1.4, 1.2, Life(lengthens_m=14, born=2021)),
        ("slump-rest-a", (-3650.0, 2700.0), 3.0, 1.4, Life(lengthens_m=8, rests=2019)),
        ("slump-rest-b", (1500.0, 3600.0), 2.2, 1.2, Life(lengthens_m=8, rests=2020)),
        ("slump-rim", (2230.0, -900.0), 2.4, 1.3, Life(lengthens_m=6)),
    ]
    return [_slump(world, seed, relief, Plan(*row)) for row in rows]


def _slump(world: World, seed: int, relief: Floats, plan: Plan) -> Feature:
    x, y = world.corner[0] + plan.place[0], world.corner[1] + plan.place[1]
    angle = 0.0 if "merge" in plan.name else downhill_deg(world, relief, x, y)[0]
    blob = Blob(x, y, plan.hectares * HECTARE, plan.aspect, angle, (FAN, *wobble(generator(seed, world.name, plan.name), 0.55)))
    return Feature(plan.name, "stabilising" if plan.life.rests else "active", blob, plan.life)


def _scattered_slumps(world: World, seed: int, relief: Floats, taken: list[Polygon]) -> list[Feature]:
    rng = generator(seed, world.name, "slumps")
    wanted = world.slumps
    left, bottom, right, top = world.bounds
    slumps: list[Feature] = []
    for _ in range(2500):
        hectares = float(np.exp(rng.uniform(*np.log(wanted.hectares))))
        place = float(rng.uniform(left, right)) - world.corner[0], float(rng.uniform(bottom, top)) - world.corner[1]
        rate = float(rng.choice([2.0, 4.0, 7.0, 12.0]))
        slope = downhill_deg(world, relief, world.corner[0] + place[0], world.corner[1] + place[1])[1]
        if len(slumps) >= world.scattered * wanted.per_lake or slope < 0.03:
            continue
        plan = Plan(f"slump-{len(slumps):02d}", place, hectares, float(rng.uniform(*wanted.aspect)), _life(world, rng, rate))
        slump = replace(_slump(world, seed, relief, plan), tint=_floor_tint(world, seed, plan.name))
        shape = Cast((slump,), (), seed).envelopes()[0][1]
        if any(shape.intersects(other) for other in taken):
            continue
        taken.append(shape.buffer(wanted.gap_m))
        slumps.append(slump)
    return slumps


def _life(world: World, rng: np.random.Generator, rate: float) -> Life:
    if not world.slumps.resting:
        return Life(lengthens_m=rate)
    rests = int(rng.integers(SCRIPT_YEAR - 4, SCRIPT_YEAR + 6)) if rng.random() < world.slumps.resting else None
    return Life(lengthens_m=rate, rests=rests)


def _floor_tint(world: World, seed: int, name: str) -> tuple[float, ...]:
    """Factors of a slump floor's fourteen layers: wet mud is darker, most of all in the infrared, and till is greyer than silt.

    Nothing where all floors are alike.
    """
    slumps, rng = world.slumps, generator(seed, world.name, name, "floor")
    if slumps.floors == (1.0, 1.0):
        return ()
    brightness, grey = float(rng.uniform(*slumps.floors)), float(rng.uniform(*slumps.grey))
    wet = brightness < 1
    steps = [brightness] * 5 + [brightness ** (1 + WETTING[0] * wet)] * 5 + [brightness ** (1 + sum(WETTING) * wet)] * 2
    mud = MATERIALS["mud"].percent
    colour = [(GREY_PERCENT / own) ** grey for own in mud]
    return (*(step * tone for step, tone in zip(steps, colour, strict=True)), 1.0, 1.0)


def rafts_of(world: World, seed: int, state: State) -> list[Polygon]:
    """Turf that slid down with the mud: blobs inside the outline of a slump of a year."""
    rng = generator(seed, world.name, state.name, "rafts")
    wanted = world.slumps.rafts * state.shape.area * float(rng.uniform(0, 2))
    rafts: list[Polygon] = []
    left, bottom, right, top = state.shape.bounds
    while wanted > 150 and len(rafts) < 12:
        area = float(rng.uniform(100, 900))
        place = float(rng.uniform(left, right)), float(rng.uniform(bottom, top))
        blob = Blob(*place, area, float(rng.uniform(1, 2.5)), state.feature.blob.angle_deg, wobble(rng, 0.8)).polygon()
        rafts.append(blob)
        wanted -= area
    return [raft for raft in rafts if state.shape.contains(raft)]


def downhill_deg(world: World, relief: Floats, x: float, y: float) -> tuple[float, float]:
    """Direction in which the ground falls, anticlockwise from east, and how steeply."""
    base = world.base
    row = int(np.clip((base.top - y) / base.pixel_m, 4, base.height - 5))
    column = int(np.clip((x - base.left) / base.pixel_m, 4, base.width - 5))
    east, north = slope_of(relief[row - 4 : row + 5, column - 4 : column + 5])
    return float(np.degrees(np.arctan2(-north.mean(), -east.mean()))), float(np.hypot(east.mean(), north.mean()))
