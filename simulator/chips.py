"""Single chips with lakes of known outline, in milliseconds: ground enough to learn words on, not a world.

A world is drawn once and seen on many dates, and takes minutes. Where many different scenes matter more than how each came to be, as
for counting and placing lakes, a chip is drawn alone: materials, light and lakes from its seed.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.noise import Floats, fractal, generator, smoothstep
from simulator.shapes import wobble
from simulator.spectra import HAZE, MATERIALS, SKYLIGHT, WATER

PIXEL_M = 10.0
_ROCKS = ("rock", "scree", "moraine", "debris", "sediment")
_TRIES = 40
_GAP_PX = 3.0


@dataclass(frozen=True, slots=True)
class SimulatedChip:
    """What a chip shows, and the truth about it."""

    s2: npt.NDArray[np.uint16]
    """(12, y, x), reflectance x 10 000, at least 1."""
    dem: Floats
    """(y, x), metres."""
    lakes: npt.NDArray[np.int32]
    """(y, x), number of the lake from 1, 0 = land."""
    before: npt.NDArray[np.int32]
    """The same lakes a year earlier, by the same numbers; new ones are missing."""


@dataclass(frozen=True, slots=True)
class _Lake:
    row: float
    column: float
    radius: float
    aspect: float
    angle: float
    harmonics: tuple[tuple[int, float, float], ...]
    growth: float
    """Radius of the year before relative to this year's; 0 for a new lake."""


def simulated_chip(seed: int, *, size_px: int = 224, most_lakes: int = 7) -> SimulatedChip:
    """Draw one chip with 0 to `most_lakes` lakes; fewer where there is no room."""
    rng = generator(seed, "chip")
    shape = (size_px, size_px)
    ground = fractal(shape, generator(seed, "ground"), exponent=3.4)
    lakes = _placed(rng, size_px, int(rng.integers(most_lakes + 1)))
    now, before = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    for number, lake in enumerate(lakes, 1):
        now[_inside(lake, shape, 1.0)] = number
        if lake.growth:
            before[_inside(lake, shape, lake.growth)] = number
    dem = _heights(rng, ground, now)
    return SimulatedChip(_counts(seed, rng, dem, now), dem, now, before)


def _placed(rng: np.random.Generator, size: int, count: int) -> list[_Lake]:
    lakes: list[_Lake] = []
    for _ in range(count * _TRIES):
        if len(lakes) == count:
            break
        area_px = np.exp(rng.uniform(np.log(60), np.log(2600))) * (size / 224) ** 2
        radius = float(np.sqrt(area_px / np.pi))
        row, column = rng.uniform(radius, size - radius, 2)
        reach = [1.6 * (radius + other.radius) + _GAP_PX for other in lakes]
        if any(np.hypot(row - other.row, column - other.column) < far for other, far in zip(lakes, reach, strict=True)):
            continue
        growth = 0.0 if rng.random() < 0.15 else float(rng.uniform(0.7, 1.08))
        lakes.append(_Lake(row, column, radius, float(rng.uniform(1, 1.9)), float(rng.uniform(0, np.pi)), wobble(rng, 0.8), growth))
    return lakes


def _inside(lake: _Lake, shape: tuple[int, int], scale: float) -> npt.NDArray[np.bool_]:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    down, right = rows - lake.row, columns - lake.column
    along = np.cos(lake.angle) * right + np.sin(lake.angle) * down
    across = -np.sin(lake.angle) * right + np.cos(lake.angle) * down
    stretch = np.sqrt(lake.aspect)
    along, across = along / stretch, across * stretch
    turn = np.arctan2(across, along)
    edge = 1.0 + sum(size * np.cos(order * turn + phase) for order, size, phase in lake.harmonics)
    return np.asarray(np.hypot(along, across) < lake.radius * scale * edge)


def _heights(rng: np.random.Generator, ground: Floats, lakes: npt.NDArray[np.int32]) -> Floats:
    rows, columns = np.mgrid[: ground.shape[0], : ground.shape[1]] / ground.shape[0]
    tilt = rng.uniform(-250, 250, 2)
    dem = rng.uniform(3800, 5300) + rng.uniform(40, 160) * ground + tilt[0] * rows + tilt[1] * columns
    for number in range(1, int(lakes.max()) + 1):
        # water is level, as an elevation model shows it
        dem[lakes == number] = dem[lakes == number].min()
    return np.asarray(dem + 0.4 * rng.standard_normal(dem.shape), np.float32)


def _counts(seed: int, rng: np.random.Generator, dem: Floats, lakes: npt.NDArray[np.int32]) -> npt.NDArray[np.uint16]:
    layers = _land(seed, rng, dem)
    for number in range(1, int(lakes.max()) + 1):
        layers[:, lakes == number] = _water(rng)[:, None]
    east, south = np.gradient(dem, PIXEL_M, axis=1), np.gradient(dem, PIXEL_M, axis=0)
    azimuth, height = rng.uniform(2.2, 3.6), rng.uniform(0.6, 1.0)
    tilt = 1 - (east * np.sin(azimuth) - south * np.cos(azimuth)) / np.tan(height)
    light = np.clip(np.where(lakes > 0, 1.0, tilt), 0.0, 1.7)
    sky = SKYLIGHT[:, None, None]
    seen = layers * (sky + (1 - sky) * light) + rng.uniform(0, 0.03) * HAZE[:, None, None]
    noise = rng.standard_normal(seen.shape, dtype=np.float32) * (0.0012 + 0.011 * np.abs(seen))
    return np.asarray(np.clip(np.rint((seen + noise) * 10_000), 1, 16_000), np.uint16)


def _land(seed: int, rng: np.random.Generator, dem: Floats) -> Floats:
    """Two kinds of rock, grass where it is low and snow where it is high, (12, y, x)."""
    first, second = rng.choice(_ROCKS, 2, replace=False)
    mix = smoothstep(fractal(dem.shape, generator(seed, "mix"), exponent=2.6), -0.6, 0.6)
    gain = rng.uniform(0.75, 1.25, 2)
    land = _material(first) * gain[0] + (_material(second) * gain[1] - _material(first) * gain[0]) * mix
    relative = (dem - dem.mean()) / max(float(dem.std()), 1.0)
    snow = smoothstep(relative + 0.4 * mix, rng.uniform(0.6, 2.2), 3.0) if rng.random() < 0.6 else np.zeros_like(dem)
    grass = smoothstep(-relative + 0.5 * mix, rng.uniform(0.4, 1.6), 2.5) if rng.random() < 0.4 else np.zeros_like(dem)
    land = land + (_material("grass") - land) * grass
    land = land + (_material("snow") - land) * snow
    return np.asarray(land * (1 + 0.06 * fractal(dem.shape, generator(seed, "fine"), exponent=1.6)), np.float32)


def _water(rng: np.random.Generator) -> Floats:
    """Reflectance (12,) of one lake: clear, milky or grey water in any mixture, now and then under ice."""
    if rng.random() < 0.07:
        return MATERIALS["lake_ice"].layers[:12]
    shares = rng.dirichlet((0.7, 0.7, 0.7))
    mixed = sum(share * MATERIALS[name].layers[:12] for share, name in zip(shares, WATER, strict=True))
    return np.asarray(mixed * rng.uniform(0.85, 1.15), np.float32)


def _material(name: str) -> Floats:
    return MATERIALS[name].layers[:12, None, None]
