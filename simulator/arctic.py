"""The tundra world put together: slumps, thermokarst lakes, and what is taken for slumps: river bars, snow patches, road cuts, drained basins."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter
from shapely import affinity
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from simulator.features import EARLIEST, LATEST, SCRIPT_YEAR, Cast, State
from simulator.ground import Patch, cut_lakes, inside, mixed
from simulator.look import Look
from simulator.noise import fractal, generator, smoothstep
from simulator.shapes import Blob, wobble
from simulator.tundra import rafts_of, river_line, river_width_m, road_line, tundra_features, tundra_relief
from simulator.worlds import World

Floats = npt.NDArray[np.float32]
SLUMP_DEPTH_M = 4.0
HEADWALL_M = 16.0
ROAD_WIDTH_M = 13.0
GREENING_PER_YEAR = 0.22
HECTARES = {
    "river_bar": (0.4, 2.0),
    "snow_patch": (0.15, 0.8),
    "road_cut": (0.2, 0.7),
    "drained_basin": (5.0, 12.0),
    "bare_patch": (0.2, 2.5),
    "burn_scar": (1.0, 12.0),
}
ASPECTS = {"river_bar": 3.5, "snow_patch": 2.5, "road_cut": 2.0, "drained_basin": 1.3, "bare_patch": 1.4, "burn_scar": 1.6}
CONFUSERS = (("river_bar", 10), ("snow_patch", 8), ("road_cut", 6), ("drained_basin", 4))


@dataclass(frozen=True, slots=True)
class Tundra:
    """Ground of the tundra world."""

    world: World
    seed: int
    elevation: Floats
    lakes: Cast
    slumps: Cast
    marks: tuple[tuple[str, Polygon], ...]
    """Confusers that do not move."""

    def cover(self, year: int) -> Floats:
        """Fourteen layers on the base frame: sedge in hollows, shrub tundra, lichen on rises; a little drier or wetter by year."""
        height = self.elevation - gaussian_filter(self.elevation, 45)
        rough = fractal(height.shape, generator(self.seed, self.world.name, "moisture"), exponent=2.4, longest_px=90)
        wet = height + 2.2 * rough - float(generator(self.seed, self.world.name, "wet", year).normal(0, 0.3))
        shares = {
            "sedge": 1 - smoothstep(wet, -4, 0.5) + 0.08,
            "lichen": 0.8 * smoothstep(wet, 2.5, 10) + 0.04,
            "tundra": np.full_like(height, 0.55),
            "gravel": 0.45 * smoothstep(wet, 6.5, 10),
        }
        layers = mixed(shares, self.world.look)
        layers *= np.clip(
            1 + 0.07 * fractal(height.shape, generator(self.seed, self.world.name, "texture"), exponent=1.4, longest_px=60), 0.7, 1.3
        )
        return layers

    def patches(self, year: int) -> list[list[Patch]]:
        """Confusers and road, river, slumps, rafts of turf on them, headwalls, lakes."""
        look = self.world.look
        ground = [Patch(shape, _mark_layers(kind, look), wet=False) for kind, shape in self.confusers(year) if kind != "river"]
        road = [Patch(road_line(self.world).buffer(ROAD_WIDTH_M / 2), look.layers("gravel"), wet=False)]
        river = [Patch(shape, look.water((0.0, 0.2, 0.8))) for kind, shape in self.confusers(year) if kind == "river"]
        states = self.slumps.states(year)
        slumps = [Patch(state.shape, _slump_layers(state, look), wet=False) for state in states]
        rafts = [
            Patch(raft, look.layers("tundra"), wet=False)
            for state in states
            if self.world.slumps.rafts
            for raft in rafts_of(self.world, self.seed, state)
        ]
        walls = [Patch(wall, look.layers("headwall"), wet=False) for state in states if state.resting == 0 for wall in _headwall(state)]
        ice = look.layers("lake_ice")
        lakes = [
            Patch(state.shape, ice if state.frozen else look.water(state.feature.mix, state.feature.tint), wet=not state.frozen)
            for state in self.lakes.states(year)
        ]
        return [ground, road, river, slumps, rafts, walls, lakes]

    def glaciers(self, year: int) -> list[tuple[str, BaseGeometry]]:  # noqa: ARG002 - as all worlds are asked
        """None: the island has no glacier."""
        return []

    def confusers(self, year: int) -> list[tuple[str, Polygon]]:
        """River (its bends move), bars, snow patches, road cuts and drained basins."""
        phase = 0.02 * float(np.clip(year - SCRIPT_YEAR, EARLIEST, LATEST))
        river = river_line(self.world, phase).buffer(river_width_m(self.world) / 2)
        return [("river", river), *self.marks]


@lru_cache(maxsize=1)
def tundra(world: World, seed: int) -> Tundra:
    """Build the tundra world once per process."""
    lakes, slumps = tundra_features(world, seed)
    ground = _scooped(tundra_relief(world, seed), world, [state.shape for state in slumps.states(SCRIPT_YEAR + 4)])
    elevation = cut_lakes(ground, world.base, lakes.envelopes())
    return Tundra(world, seed, elevation, lakes, slumps, _marks(world, seed, lakes, slumps))


def _scooped(ground: Floats, world: World, shapes: list[Polygon]) -> Floats:
    """Lower the ground inside slumps: a step at the headwall."""
    hollow = gaussian_filter((inside(shapes, world.base, world.base.epsg) > 0).astype(np.float32), 1.2)
    return np.asarray(ground - SLUMP_DEPTH_M * hollow, dtype=np.float32)


def _slump_layers(state: State, look: Look) -> Floats:
    green = min(GREENING_PER_YEAR * state.resting, 0.85)
    mud = look.layers("mud") * np.array(state.feature.tint or 1.0, np.float32)
    return np.asarray((1 - green) * mud + green * look.layers("tundra"), dtype=np.float32)


def _headwall(state: State) -> list[Polygon]:
    """Crescent along the upper edge: the slump without itself moved downhill."""
    angle = np.radians(state.feature.blob.angle_deg)
    moved = affinity.translate(state.shape, HEADWALL_M * np.cos(angle), HEADWALL_M * np.sin(angle))
    crescent = state.shape.difference(moved)
    return [part for part in getattr(crescent, "geoms", [crescent]) if part.area > 100]


def _mark_layers(kind: str, look: Look) -> Floats:
    mixes = {
        "river_bar": {"gravel": 0.5, "mud": 0.5},
        "snow_patch": {"wet_snow": 1.0},
        "road_cut": {"gravel": 0.6, "mud": 0.4},
        "drained_basin": {"sedge": 0.55, "mud": 0.45},
        "bare_patch": {"gravel": 0.55, "lichen": 0.45},
        "burn_scar": {"headwall": 0.6, "tundra": 0.4},
    }
    return np.asarray(sum(share * look.layers(name) for name, share in mixes[kind].items()), dtype=np.float32)


def _marks(world: World, seed: int, lakes: Cast, slumps: Cast) -> tuple[tuple[str, Polygon], ...]:
    taken = unary_union([shape.buffer(40) for cast in (lakes, slumps) for _, shape in cast.envelopes()])
    marks: list[tuple[str, Polygon]] = []
    for kind, wanted in (world.lakescape.marks if world.lakescape else ()) or CONFUSERS:
        rng = generator(seed, world.name, "marks", kind)
        found = 0
        for _ in range(400):
            shape = _mark(world, kind, rng)
            if found == wanted or shape.intersects(taken):
                continue
            marks.append((kind, shape))
            taken = taken.union(shape.buffer(30))
            found += 1
    return tuple(marks)


def _mark(world: World, kind: str, rng: np.random.Generator) -> Polygon:
    left, bottom, right, top = world.bounds
    hectares = HECTARES[kind]
    area = float(rng.uniform(*hectares)) * 10_000
    x, y, angle = float(rng.uniform(left, right)), float(rng.uniform(bottom, top)), float(rng.uniform(0, 180))
    if kind in {"river_bar", "road_cut"}:
        line = river_line(world) if kind == "river_bar" else road_line(world)
        along = float(rng.uniform(0.1, 0.9))
        point, after = line.interpolate(along, normalized=True), line.interpolate(along + 0.005, normalized=True)
        angle = float(np.degrees(np.arctan2(after.y - point.y, after.x - point.x)))
        aside = (38.0 if kind == "river_bar" else 30.0) * float(rng.choice([-1, 1]))
        x, y = point.x - aside * np.sin(np.radians(angle)), point.y + aside * np.cos(np.radians(angle))
    aspect = ASPECTS[kind]
    return Blob(float(x), float(y), area, aspect, angle, wobble(rng, 0.6)).polygon()
