"""The mountain world put together: glaciers, snow, rock, moraine, meadows, rivers and lakes."""

from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter
from shapely.geometry import LineString, Polygon, box
from shapely.ops import unary_union

from simulator.features import EARLIEST, LATEST, SCRIPT_YEAR, Cast
from simulator.ground import Patch, cut_lakes, mixed, water_layers
from simulator.lakes import mountain_lakes
from simulator.noise import fractal, generator, smoothstep
from simulator.spectra import MATERIALS
from simulator.terrain import VALLEYS, Relief, Valley, mountain_relief, slope_of
from simulator.worlds import World

Floats = npt.NDArray[np.float32]
FIRN_LINE_M = 4330.0
SNOW_LINE_M = 4900.0
TREELESS_M = 4000.0
RIVER_M = MappingProxyType(
    {"main": 22.0, "east": 13.0, "west": 6.0}
)  # mean width of the wider braid; it varies from a third to more than twice
RIVER_BAR_M = 32.0
RIVER_CLEARANCE_M = 100.0  # rivers run under the moraine near lakes, so that no lake is joined to a river


@dataclass(frozen=True, slots=True)
class Mountains:
    """Ground of the mountain world."""

    world: World
    seed: int
    relief: Relief
    elevation: Floats
    lakes: Cast
    slumps: Cast

    def cover(self, year: int) -> Floats:
        """Fourteen layers on the base frame, glaciers as they stand in a year."""
        east, north = slope_of(gaussian_filter(self.elevation, 1.5))
        slope = np.hypot(east, north)
        shares = _bare(self.relief, self.elevation, slope, north)
        glaciers = [_glacier(self, valley, year) for valley in VALLEYS]
        for name in ("debris", "firn", "ice"):
            shares[name] = np.sum([glacier[name] for glacier in glaciers], axis=0)
        ice = np.clip(shares["debris"] + shares["ice"] + shares["firn"], 0, 1)
        for name in ("rock", "scree", "moraine", "sediment", "grass", "snow"):
            shares[name] = shares[name] * (1 - ice)
        texture = 1 + 0.09 * fractal(slope.shape, generator(self.seed, self.world.name, "texture"), exponent=1.4, longest_px=60)
        layers = mixed(shares)
        layers *= np.clip(texture, 0.65, 1.35)
        return layers

    def patches(self, year: int) -> list[list[Patch]]:
        """Gravel bars, rivers in them, then lakes."""
        outlines = [shape for _, shape in self.confusers(year)]
        bars = [Patch(shape.buffer(RIVER_BAR_M), MATERIALS["sediment"].layers, wet=False) for shape in outlines]
        rivers = [Patch(shape, water_layers((0.0, 0.45, 0.55))) for shape in outlines]
        ice = MATERIALS["lake_ice"].layers
        lakes = [
            Patch(state.shape, ice if state.frozen else water_layers(state.feature.mix), wet=not state.frozen)
            for state in self.lakes.states(year)
        ]
        return [bars, rivers, lakes]

    def confusers(self, year: int) -> list[tuple[str, Polygon]]:
        """Braided rivers, which no lake inventory should hold."""
        keep_clear = unary_union([shape.buffer(RIVER_CLEARANCE_M) for _, shape in self.lakes.envelopes()])
        parts = [part for valley in VALLEYS for part in _braids(self.world, self.seed, valley, year)]
        water = unary_union(parts).difference(keep_clear).intersection(box(*self.world.bounds).buffer(900))
        return [("river", part) for part in getattr(water, "geoms", [water]) if part.area > 400]


@lru_cache(maxsize=1)
def mountains(world: World, seed: int) -> Mountains:
    """Build the mountain world once per process."""
    relief = mountain_relief(world, seed)
    lakes = mountain_lakes(world, seed)
    return Mountains(world, seed, relief, cut_lakes(relief.elevation, world.base, lakes.envelopes()), lakes, Cast(()))


def _bare(relief: Relief, elevation: Floats, slope: Floats, north: Floats) -> dict[str, Floats]:
    nearest = np.minimum.reduce(list(relief.distance.values()))
    shaded = np.clip(-north, -1, 1)  # falls toward the north: keeps its snow
    floor = 1 - smoothstep(nearest + 30 * relief.rough, 120, 330)
    steep = smoothstep(slope + 0.08 * relief.rough, 0.55, 0.95)
    green = smoothstep(TREELESS_M - elevation + 110 * relief.rough - 150 * shaded, -80, 260) * (1 - smoothstep(slope, 0.5, 0.8))
    snow = smoothstep(elevation + 230 * shaded + 70 * relief.rough, SNOW_LINE_M - 90, SNOW_LINE_M + 120) * (
        1 - smoothstep(gaussian_filter(slope, 4), 0.95, 1.4)
    )
    land = 1 - snow
    return {
        "snow": snow,
        "grass": land * green * 0.85 * (1 - 0.6 * floor),
        "sediment": land * floor * (1 - green * 0.4) * smoothstep(-relief.rough, -0.4, 1.2),
        "moraine": land * (1 - steep) * (0.12 + floor) * (1 - green * 0.6),
        "scree": land * (1 - steep) * (1 - floor) * (1 - green * 0.8),
        "rock": land * (0.05 + steep),
    }


def _glacier(scenery: Mountains, valley: Valley, year: int) -> dict[str, Floats]:
    distance, along = scenery.relief.distance[valley.name], scenery.relief.along[valley.name]
    elapsed = float(np.clip(year - SCRIPT_YEAR, EARLIEST, LATEST))
    end = valley.terminus - valley.retreat_m * elapsed
    ragged = 14 * scenery.relief.rough
    inside = smoothstep(end - along + ragged, -6, 6) * (
        1 - smoothstep(distance + ragged, valley.half_width_m - 40, valley.half_width_m + 5)
    )
    firn = smoothstep(scenery.elevation + 40 * scenery.relief.rough, FIRN_LINE_M - 40, FIRN_LINE_M + 60)
    medial = np.exp(-(((distance - 0.45 * valley.half_width_m) / 28) ** 2)) * 0.8
    debris = smoothstep(along + 90 * scenery.relief.rough, valley.terminus - valley.debris_m - 150, valley.terminus - valley.debris_m + 150)
    debris = np.clip(np.maximum(debris * 0.97, medial * (1 - firn)), 0, 1)
    return {"debris": inside * debris, "firn": inside * firn * (1 - debris), "ice": inside * (1 - firn) * (1 - debris)}


def _braids(world: World, seed: int, valley: Valley, year: int) -> list[Polygon]:
    line = valley.line()
    line = line[line[:, 1] > valley.terminus + 200]
    along = line[:, 1]
    rng = generator(seed, world.name, "river", valley.name)
    phases = rng.uniform(0, 2 * np.pi, 4) + 0.05 * np.clip(year - SCRIPT_YEAR, EARLIEST, LATEST)
    mean = 55 * np.sin(along / 260 + phases[0]) + 25 * np.sin(along / 95 + phases[1])
    spread = np.clip(38 * np.sin(along / 420 + phases[2]), 0, None)
    braids = []
    for side, width in ((-1, RIVER_M[valley.name]), (1, 0.75 * RIVER_M[valley.name])):
        xy = np.column_stack([world.corner[0] + line[:, 0] + mean + side * spread, world.corner[1] + along])
        wide = width * (1.3 + np.sin(along / 330 + phases[3]))
        starts = range(0, len(xy) - 1, 4)
        braids += [LineString(xy[start : start + 5]).buffer(float(wide[start]) / 2 + 1.0, quad_segs=3) for start in starts]
    return braids
