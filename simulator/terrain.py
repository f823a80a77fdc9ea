"""Glacier valleys: thalwegs, U-shaped walls, ridges of fractal relief and glaciers that fill the upper floors."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter, zoom
from scipy.spatial import cKDTree

from simulator.noise import fractal, generator, smoothstep
from simulator.valleys import Valley
from simulator.worlds import World

Floats = npt.NDArray[np.float32]
FOOT_M = 260.0  # half width over which a floor bends into its wall
SUMMIT_M = 2200.0  # distance from the floor at which walls flatten
COARSE = 4


@dataclass(frozen=True, slots=True)
class Relief:
    """Bare ground of a world on its base frame, before lakes are cut into it."""

    elevation: Floats
    distance: dict[str, Floats]
    """Metres from each thalweg."""
    along: dict[str, Floats]
    """Northing of the nearest point of each thalweg, local metres."""
    rough: Floats
    """Fractal field, mean 0 and deviation 1."""


@lru_cache(maxsize=2)
def mountain_relief(world: World, seed: int) -> Relief:
    """Relief of the mountain world; ridges stand 1 500 m and more above floors at 3 400 to 4 600 m."""
    base, land = world.base, world.land
    coarse = base.rescaled(COARSE)
    distance, along, walls = {}, {}, []
    broad = fractal(coarse.shape, generator(seed, world.name, "broad"), exponent=3.2)
    for valley in land.valleys:
        far, north, floor = _nearest(world, valley)
        distance[valley.name], along[valley.name] = enlarge(far, base.shape), enlarge(north, base.shape)
        side = SUMMIT_M * np.tanh(np.clip(far - land.floor_m, 0, None) / SUMMIT_M)
        wall = land.wall_slope * (1 + 0.15 * broad) * (np.sqrt(side**2 + FOOT_M**2) - FOOT_M)
        spurs = np.abs((north / land.spur_m + 0.9 * broad + 0.0004 * side) % 1 - 0.5) - 0.25
        walls.append(floor + 0.03 * far + wall + 0.55 * np.minimum(side, 520) * spurs)
    ground = enlarge(np.minimum.reduce(walls), base.shape)
    rough = fractal(base.shape, generator(seed, world.name, "rough"), exponent=3.7, longest_px=200)
    nearest = np.minimum.reduce(list(distance.values()))
    crag = smoothstep(nearest, land.floor_m, 1100)
    ridged = 0.8 - np.abs(fractal(base.shape, generator(seed, world.name, "ridged"), exponent=4.3, longest_px=150))
    fine = fractal(base.shape, generator(seed, world.name, "fine"), exponent=2.8, longest_px=24)
    ground = ground + land.crag * crag * (26 * rough + 90 * ridged + 3 * fine) + (1 - crag) * 1.2 * gaussian_filter(fine, 1)
    for valley in land.valleys:
        ground = _with_glacier(ground, valley, distance[valley.name], along[valley.name])
    return Relief(ground.astype(np.float32), distance, along, rough)


def _nearest(world: World, valley: Valley) -> tuple[Floats, Floats, Floats]:
    coarse = world.base.rescaled(COARSE)
    x, y = coarse.centres()
    x = x + coarse.left - world.corner[0]
    y = y + coarse.top - world.corner[1]
    x, y = world.land.to_local(x, y)
    line = valley.line()
    places = np.column_stack([np.broadcast_to(x, coarse.shape).ravel(), np.broadcast_to(y, coarse.shape).ravel()])
    far, index = (np.asarray(found) for found in cKDTree(line[:, :2]).query(places))
    north = gaussian_filter(line[index, 1].reshape(coarse.shape), 2)
    floor = gaussian_filter(line[index, 2].reshape(coarse.shape), 2)
    return far.reshape(coarse.shape).astype(np.float32), north.astype(np.float32), floor.astype(np.float32)


def enlarge(field: Floats, shape: tuple[int, int]) -> Floats:
    """Carry a field of 40 m pixels to the 10 m pixels of the same ground."""
    return np.asarray(
        zoom(field.astype(np.float32), COARSE, order=1, mode="nearest", grid_mode=True)[: shape[0], : shape[1]], dtype=np.float32
    )


def _with_glacier(ground: Floats, valley: Valley, distance: Floats, along: Floats) -> Floats:
    """Fill the upper valley with a convex tongue, line it with moraines and close it with a terminal moraine."""
    thick = 95 * smoothstep(valley.terminus - along, -80, 900)
    tongue = thick * np.clip(1 - (distance / valley.half_width_m) ** 2, 0, None)
    lateral = 22 * np.exp(-(((distance - valley.half_width_m - 40) / 35) ** 2)) * smoothstep(valley.terminus + 500 - along, 0, 200)
    return np.asarray(ground + tongue + lateral, dtype=np.float32)


def slope_of(elevation: Floats, pixel_m: float = 10.0) -> tuple[Floats, Floats]:
    """Rise per metre toward the east and toward the north (central differences)."""
    down, right = (np.asarray(rise, dtype=np.float32) for rise in np.gradient(elevation, pixel_m))
    return right, -down
