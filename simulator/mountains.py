"""The mountain world put together: glaciers, snow, rock, moraine, meadows, rivers and lakes."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from rasterio.features import shapes
from scipy.ndimage import gaussian_filter
from shapely.geometry import LineString, Polygon, box, shape
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from simulator.features import EARLIEST, LATEST, SCRIPT_YEAR, Cast
from simulator.ground import Patch, cut_lakes, mixed
from simulator.lakes import mountain_lakes
from simulator.look import Snow
from simulator.marks import beds, mark_layers, marks_of
from simulator.noise import fractal, generator, smoothstep
from simulator.terrain import Relief, mountain_relief, slope_of
from simulator.valleys import Valley
from simulator.worlds import World

Floats = npt.NDArray[np.float32]
LEAST_GLACIER_M2 = 10_000.0  # inventories of glaciers draw nothing smaller
OUTLINE_M = 8.0  # no corner of an outline is worth less
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
    marks: tuple[tuple[str, Polygon], ...] = ()
    """Ground that is easily taken for a lake."""

    def cover(self, year: int) -> Floats:
        """Fourteen layers on the base frame, glaciers as they stand in a year."""
        east, north = slope_of(gaussian_filter(self.elevation, 1.5))
        slope = np.hypot(east, north)
        shares = _bare(self.world.look.snow, self.relief, self.elevation, (slope, north))
        glaciers = [_glacier(self, valley, year) for valley in self.world.land.valleys]
        for name in ("debris", "firn", "ice"):
            shares[name] = np.sum([glacier[name] for glacier in glaciers], axis=0)
        ice = np.clip(shares["debris"] + shares["ice"] + shares["firn"], 0, 1)
        for name in ("rock", "scree", "moraine", "sediment", "grass", "snow"):
            shares[name] = shares[name] * (1 - ice)
        texture = 1 + 0.09 * fractal(slope.shape, generator(self.seed, self.world.name, "texture"), exponent=1.4, longest_px=60)
        layers = mixed(shares, self.world.look)
        layers *= np.clip(texture, 0.65, 1.35)
        return layers

    def patches(self, year: int) -> list[list[Patch]]:
        """Gravel bars, rivers in them, then lakes."""
        look = self.world.look
        marks = [Patch(shape, mark_layers(kind, look), wet=False) for kind, shape in self.marks]
        outlines = [shape for kind, shape in self.confusers(year) if kind == "river"]
        bars = [Patch(shape.buffer(RIVER_BAR_M), look.layers("sediment"), wet=False) for shape in outlines]
        rivers = [Patch(shape, look.water((0.0, 0.45, 0.55))) for shape in outlines]
        ice = look.layers("lake_ice")
        lakes = [
            Patch(state.shape, ice if state.frozen else look.water(state.feature.mix, state.feature.tint), wet=not state.frozen)
            for state in self.lakes.states(year)
        ]
        return [*([marks] if marks else []), bars, rivers, lakes]

    def glaciers(self, year: int) -> list[tuple[str, BaseGeometry]]:
        """Outlines of the glaciers as an analyst would draw them on an image of the year, debris and the lakes on it included."""
        drawn = []
        for valley in self.world.land.valleys:
            ice = _inside(self, valley, year) > 0.5
            parts = [shape(part) for part, _ in shapes(ice.astype(np.uint8), ice, transform=self.world.base.transform)]
            large = [part for part in parts if part.area >= LEAST_GLACIER_M2]
            if large:
                drawn.append((valley.name, unary_union(large).simplify(OUTLINE_M)))
        return drawn

    def confusers(self, year: int) -> list[tuple[str, Polygon]]:
        """Braided rivers, which no lake inventory should hold."""
        keep_clear = unary_union([shape.buffer(RIVER_CLEARANCE_M) for _, shape in self.lakes.envelopes()])
        parts = [part for valley in self.world.land.valleys for part in _braids(self.world, self.seed, valley, year)]
        water = unary_union(parts).difference(keep_clear).intersection(box(*self.world.bounds).buffer(900))
        return [*(("river", part) for part in getattr(water, "geoms", [water]) if part.area > 400), *self.marks]


@lru_cache(maxsize=1)
def mountains(world: World, seed: int) -> Mountains:
    """Build the mountain world once per process."""
    relief = mountain_relief(world, seed)
    lakes = mountain_lakes(world, seed)
    marks = marks_of(world, seed, [shape for _, shape in lakes.envelopes()])
    elevation = cut_lakes(relief.elevation, world.base, lakes.envelopes() + beds(marks))
    return Mountains(world, seed, relief, elevation, lakes, Cast(()), marks)


def _bare(line: Snow, relief: Relief, elevation: Floats, slopes: tuple[Floats, Floats]) -> dict[str, Floats]:
    slope, north = slopes
    nearest = np.minimum.reduce(list(relief.distance.values()))
    shaded = np.clip(-north, -1, 1)  # falls toward the north: keeps its snow
    floor = 1 - smoothstep(nearest + 30 * relief.rough, 120, 330)
    steep = smoothstep(slope + 0.08 * relief.rough, 0.55, 0.95)
    green = smoothstep(line.treeless_m - elevation + 110 * relief.rough - 150 * shaded, -80, 260) * (1 - smoothstep(slope, 0.5, 0.8))
    snow = smoothstep(elevation + 230 * shaded + 70 * relief.rough, line.permanent_m - 90, line.permanent_m + 120) * (
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


def _inside(scenery: Mountains, valley: Valley, year: int) -> Floats:
    """Share of ice in every pixel, of whatever surface."""
    distance, along = scenery.relief.distance[valley.name], scenery.relief.along[valley.name]
    elapsed = float(np.clip(year - SCRIPT_YEAR, EARLIEST, LATEST))
    end = valley.terminus - valley.retreat_m * elapsed
    ragged = 14 * scenery.relief.rough
    across = 1 - smoothstep(distance + ragged, valley.half_width_m - 40, valley.half_width_m + 5)
    return np.asarray(smoothstep(end - along + ragged, -6, 6) * across, np.float32)


def _glacier(scenery: Mountains, valley: Valley, year: int) -> dict[str, Floats]:
    line = scenery.world.look.snow.firn_m
    distance, along = scenery.relief.distance[valley.name], scenery.relief.along[valley.name]
    inside = _inside(scenery, valley, year)
    firn = smoothstep(scenery.elevation + 40 * scenery.relief.rough, line - 40, line + 60)
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
    course, across = world.land.to_corner(line[:, 0], along), world.land.across
    braids = []
    for side, width in ((-1, valley.river_m), (1, 0.75 * valley.river_m)):
        xy = np.column_stack([world.corner[axis] + course[axis] + mean * across[axis] + side * spread * across[axis] for axis in (0, 1)])
        wide = width * (1.3 + np.sin(along / 330 + phases[3]))
        starts = range(0, len(xy) - 1, 4)
        braids += [LineString(xy[start : start + 5]).buffer(float(wide[start]) / 2 + 1.0, quad_segs=3) for start in starts]
    return braids
