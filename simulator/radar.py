"""Sentinel-1 gamma naught of one pass: speckle, wind on water, layover and shadow on slopes, borders."""

import numpy as np
import numpy.typing as npt

from simulator.clouds import CLOUD_PIXEL_M
from simulator.ground import Ground
from simulator.look import PLAIN
from simulator.noise import fractal, generator
from simulator.schedule import RadarPass
from simulator.worlds import World

Floats = npt.NDArray[np.float32]
NO_DATA = -32768.0
LOOKS = PLAIN.radar.looks
LOOK_AZIMUTH_DEG = {True: 78.0, False: 282.0}
"""Direction in which the radar looks, by ascending or not (right-looking, orbit inclined by 98 degrees)."""
NOISE_FLOOR = (0.0028, 0.0011)
STRIPE_PX = 22
KEPT_BITS = np.uint32(0xFFFFC000)  # nine bits of mantissa (0.2 per cent, far below speckle) keep the files small


def render(world: World, ground: Ground, pass_: RadarPass, seed: int) -> dict[str, Floats]:
    """Linear gamma naught of VV and VH on the ground's frame, -32768 where nothing was seen."""
    made = world.look.radar
    azimuth = np.radians(LOOK_AZIMUTH_DEG[pass_.ascending])
    rise = np.float32(np.sin(azimuth)) * ground.rise_east + np.float32(np.cos(azimuth)) * ground.rise_north
    facing = np.degrees(np.arctan(rise))
    layover = np.clip((facing - made.incidence_deg + 7) / 6, 0, 1)
    hidden = np.clip((made.incidence_deg - 90 - facing) / 4, 0, 1)
    slopes = np.clip(1 + 0.012 * facing, 0.4, 1.6) * (1 + 3.5 * layover) * (1 - hidden)
    field = fractal(
        world.base.rescaled(CLOUD_PIXEL_M / 10).shape, generator(seed, "wind", pass_.when.year, pass_.number), exponent=3.0, longest_px=40
    )
    gusts = np.clip(1 + 0.6 * ground.positions.sample(field, CLOUD_PIXEL_M, 10.0), 0.1, 2.5)
    result = {}
    for number, (name, wind_gain) in enumerate((("vv", 7.0), ("vh", 1.6))):
        rough = 1 + made.wind * wind_gain * pass_.wind * gusts * ground.water
        power = ground.layers[12 + number] * slopes * rough + made.floor * NOISE_FLOOR[number]
        rng = generator(seed, "speckle", pass_.when.year, pass_.number, ground.frame.epsg, name)
        power *= rng.standard_gamma(made.looks, power.shape, dtype=np.float32) / np.float32(made.looks)
        result[name] = _framed(power.astype(np.float32), pass_)
    return result


def _framed(power: Floats, pass_: RadarPass) -> Floats:
    """Round to what is stored, and cut the border: zeros in a slanted stripe, no data outside it."""
    stored = (power.view(np.uint32) & KEPT_BITS).view(np.float32).copy()
    height, width = power.shape
    if pass_.border:
        edge = 8 + 0.012 * np.arange(height)[:, None]
        columns = np.arange(width)[None, :]
        columns = columns if pass_.ascending else width - 1 - columns
        stored[columns < edge + STRIPE_PX] = 0.0
        stored[np.broadcast_to(columns < edge, power.shape)] = NO_DATA
    return stored
