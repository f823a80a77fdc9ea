"""Clouds, their shadows and cirrus of one date, on a coarse grid of the base frame."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from simulator.noise import fractal, generator, smoothstep
from simulator.schedule import OpticalPass
from simulator.sky import Sun, displaced
from simulator.worlds import World

Floats = npt.NDArray[np.float32]
CLOUD_PIXEL_M = 40.0
SOFT_EDGE = 0.09
LIKE_THE_OTHER = 0.85  # weight of the field shared by dates with the same key


@dataclass(frozen=True, slots=True)
class Clouds:
    """Fields of 0 to 1 on 40 m pixels."""

    opacity: Floats
    shadow: Floats
    cirrus: Floats
    """Reflectance added by thin ice cloud."""
    bright: Floats
    """Brightness of the cloud tops relative to a flat white one."""
    faults: tuple[Floats, Floats]
    """Smooth fields of deviation 1 that decide where the scene classification errs."""


def clouds_of(world: World, seed: int, pass_: OpticalPass, sun: Sun, convergence_deg: float) -> Clouds:
    """Draw the sky of a date."""
    shape = world.base.rescaled(CLOUD_PIXEL_M / 10).shape
    own = (world.name, "cloud", pass_.when.year, pass_.number)
    shared = fractal(shape, generator(seed, world.name, "cloud", pass_.cloud_key), exponent=3.6, longest_px=60)
    single = fractal(shape, generator(seed, *own), exponent=3.2, longest_px=40)
    field = LIKE_THE_OTHER * shared + (1 - LIKE_THE_OTHER**2) ** 0.5 * single
    rank = (rankdata(field) / field.size).reshape(shape).astype(np.float32)
    clear = 1 - pass_.cloud_cover
    opacity = smoothstep(rank, clear - 0.02, clear - 0.02 + SOFT_EDGE) if pass_.cloud_cover > 0 else np.zeros(shape, dtype=np.float32)
    detail = fractal(shape, generator(seed, *own, "detail"), exponent=2.2, longest_px=25)
    height = float(generator(seed, *own, "height").uniform(900, 2600))
    shadow = displaced(opacity, sun, height_m=height, pixel_m=CLOUD_PIXEL_M, convergence_deg=convergence_deg)
    veil = np.clip(fractal(shape, generator(seed, *own, "cirrus"), exponent=3.2), 0, 2.2) * np.float32(pass_.cirrus)
    faults = tuple(fractal(shape, generator(seed, *own, f"fault{number}"), exponent=2.4, longest_px=16) for number in range(2))
    return Clouds(opacity, shadow, veil.astype(np.float32), (0.95 + 0.14 * detail).astype(np.float32), (faults[0], faults[1]))
