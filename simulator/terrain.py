"""Glacier valleys: thalwegs, U-shaped walls, ridges of fractal relief and glaciers that fill the upper floors."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter, zoom
from scipy.spatial import cKDTree

from simulator.noise import fractal, generator, smoothstep
from simulator.worlds import World

Floats = npt.NDArray[np.float32]
WALL_SLOPE = 0.8
FOOT_M = 260.0  # half width over which a floor bends into its wall
FLOOR_M = 190.0
SUMMIT_M = 2200.0  # distance from the floor at which walls flatten
SPUR_M = 430.0  # from spur to spur along a wall
COARSE = 4


@dataclass(frozen=True, slots=True)
class Valley:
    """A thalweg from its head (t = 0) to its mouth (t = 1), local metres, with its glacier."""

    name: str
    points: tuple[tuple[float, float, float], ...]
    """East, north, elevation of control points."""
    terminus: float
    """Northing of the glacier's end in 2018, local metres."""
    retreat_m: float
    """Metres per year by which the ice withdraws."""
    debris_m: float
    """Length of the debris-covered tongue above the end."""
    half_width_m: float

    def line(self) -> npt.NDArray[np.float64]:
        """Points (n, 3) every 20 m or so."""
        control = np.array(self.points)
        spline = CubicSpline(control[:, 1], control[:, [0, 2]])
        north = np.arange(control[0, 1], control[-1, 1], 20.0)
        east, height = spline(north).T
        return np.column_stack([east, north, height])

    def east_of(self, north: float) -> float:
        """Easting of the thalweg at a northing, local metres."""
        line = self.line()
        return float(np.interp(north, line[:, 1], line[:, 0]))

    def direction_deg(self, north: float) -> float:
        """Direction down the valley, anticlockwise from east."""
        east = self.east_of(north + 60) - self.east_of(north - 60)
        return float(np.degrees(np.arctan2(120.0, east)))


VALLEYS = (
    Valley(
        "main",
        (
            (900, -6400, 4560),
            (620, -4200, 4220),
            (240, -1500, 3830),
            (0, 0, 3700),
            (90, 1500, 3640),
            (150, 3000, 3560),
            (60, 5100, 3470),
            (-60, 8600, 3330),
        ),
        terminus=-1500,
        retreat_m=55,
        debris_m=1700,
        half_width_m=330,
    ),
    Valley(
        "west",
        (
            (-3500, -6400, 4640),
            (-3150, -4300, 4350),
            (-2950, -2300, 4130),
            (-2700, 0, 3930),
            (-2560, 2300, 3760),
            (-1500, 4900, 3560),
            (-250, 8600, 3350),
        ),
        terminus=-2300,
        retreat_m=14,
        debris_m=1100,
        half_width_m=260,
    ),
    Valley(
        "east",
        (
            (3900, -6400, 4700),
            (3400, -3900, 4330),
            (2950, -1700, 4080),
            (2850, 700, 3900),
            (2500, 3500, 3690),
            (1500, 5900, 3520),
            (150, 8600, 3350),
        ),
        terminus=-1900,
        retreat_m=20,
        debris_m=1300,
        half_width_m=280,
    ),
)


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
    base = world.base
    coarse = base.rescaled(COARSE)
    distance, along, walls = {}, {}, []
    broad = fractal(coarse.shape, generator(seed, world.name, "broad"), exponent=3.2)
    for valley in VALLEYS:
        far, north, floor = _nearest(world, valley)
        distance[valley.name], along[valley.name] = enlarge(far, base.shape), enlarge(north, base.shape)
        side = SUMMIT_M * np.tanh(np.clip(far - FLOOR_M, 0, None) / SUMMIT_M)
        wall = WALL_SLOPE * (1 + 0.15 * broad) * (np.sqrt(side**2 + FOOT_M**2) - FOOT_M)
        spurs = np.abs((north / SPUR_M + 0.9 * broad + 0.0004 * side) % 1 - 0.5) - 0.25
        walls.append(floor + 0.03 * far + wall + 0.55 * np.minimum(side, 520) * spurs)
    ground = enlarge(np.minimum.reduce(walls), base.shape)
    rough = fractal(base.shape, generator(seed, world.name, "rough"), exponent=3.7, longest_px=200)
    nearest = np.minimum.reduce(list(distance.values()))
    crag = smoothstep(nearest, FLOOR_M, 1100)
    ridged = 0.8 - np.abs(fractal(base.shape, generator(seed, world.name, "ridged"), exponent=4.3, longest_px=150))
    fine = fractal(base.shape, generator(seed, world.name, "fine"), exponent=2.8, longest_px=24)
    ground = ground + crag * (26 * rough + 90 * ridged + 3 * fine) + (1 - crag) * 1.2 * gaussian_filter(fine, 1)
    for valley in VALLEYS:
        ground = _with_glacier(ground, valley, distance[valley.name], along[valley.name])
    return Relief(ground.astype(np.float32), distance, along, rough)


def _nearest(world: World, valley: Valley) -> tuple[Floats, Floats, Floats]:
    coarse = world.base.rescaled(COARSE)
    x, y = coarse.centres()
    x = x + coarse.left - world.corner[0]
    y = y + coarse.top - world.corner[1]
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
