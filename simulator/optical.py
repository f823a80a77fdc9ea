"""Sentinel-2 L2A scenes: light, snow, clouds, haze and noise over the ground, as counts, with a scene classification."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.clouds import CLOUD_PIXEL_M, Clouds
from simulator.ground import Ground
from simulator.look import Look
from simulator.noise import generator, smoothstep
from simulator.schedule import OpticalPass
from simulator.sky import SHADOW_PIXEL_M, Sun, direct_light
from simulator.spectra import BANDS, CLOUD, HAZE, RESOLUTION_M, SKYLIGHT

Floats = npt.NDArray[np.float32]
Counts = npt.NDArray[np.uint16]
Labels = npt.NDArray[np.uint8]
NO_DATA, DARK, CLOUD_SHADOW, VEGETATION, BARE, WATER, UNCLASSIFIED, CLOUD_MEDIUM, CLOUD_HIGH, CIRRUS, SNOW = (
    0,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    11,
)
CLEAR_OPACITY = 0.25
SCL_FACTOR = 2


@dataclass(frozen=True, slots=True)
class Air:
    """What lies between sun, ground and satellite, per 10 m pixel of a zone."""

    light: Floats
    """Direct light relative to flat open ground, cast shadow and cloud shadow included."""
    cast: Floats
    shadow: Floats
    opacity: Floats
    cirrus: Floats
    bright: Floats
    fresh_snow: Floats
    missing: npt.NDArray[np.bool_]
    """Beyond the edge of the swath."""

    @property
    def clear(self) -> npt.NDArray[np.bool_]:
        """Where the ground is seen in direct or sky light, not under cloud or cloud shadow."""
        return (self.opacity < CLEAR_OPACITY) & (self.shadow < 0.5) & ~self.missing


@dataclass(frozen=True, slots=True)
class OpticalScene:
    """Counts per band without the offset of later baselines (0 where nothing was seen), and the classification."""

    bands: dict[str, Floats]
    valid: dict[int, npt.NDArray[np.bool_]]
    scl: Labels

    def counts(self, band: str, offset: int) -> Counts:
        """Stored counts of a band: 0 is no data, all else at least 1."""
        values = np.clip(np.rint(self.bands[band] * 10_000) + offset, 1, 65_535)
        return np.where(self.valid[RESOLUTION_M[band] // 10], values, 0).astype(np.uint16)


def air_over(ground: Ground, pass_: OpticalPass, sun: Sun, convergence_deg: float, sky: tuple[Clouds, Floats]) -> Air:
    """Carry the sky of a date (clouds, cast shadow on their own grids) to the pixels of a zone."""
    clouds, cast_coarse = sky

    def sample(field: Floats, pixel_m: float) -> Floats:
        return ground.positions.sample(field, pixel_m, 10.0)

    cast, shadow = sample(cast_coarse, SHADOW_PIXEL_M), sample(clouds.shadow, CLOUD_PIXEL_M)
    slopes = 1 + ground.look.air.corrected * (direct_light(ground.rise_east, ground.rise_north, sun, convergence_deg) - 1)
    steep = np.hypot(ground.rise_east, ground.rise_north)
    height = ground.elevation + 130 * np.clip(-ground.rise_north, -1, 1) + 60 * sample(clouds.faults[1], CLOUD_PIXEL_M)
    snow = smoothstep(height, pass_.snow_line_m - 60, pass_.snow_line_m + 90) * (1 - smoothstep(steep, 1.0, 1.6))
    return Air(
        light=slopes * (1 - cast) * (1 - 0.88 * shadow),
        cast=cast,
        shadow=shadow,
        opacity=sample(clouds.opacity, CLOUD_PIXEL_M),
        cirrus=sample(clouds.cirrus, CLOUD_PIXEL_M),
        bright=sample(clouds.bright, CLOUD_PIXEL_M),
        fresh_snow=snow * (1 - 0.97 * ground.water),
        missing=_beyond_swath(ground, pass_),
    )


def _beyond_swath(ground: Ground, pass_: OpticalPass) -> npt.NDArray[np.bool_]:
    if pass_.missing == 0:
        return np.zeros(ground.frame.shape, dtype=bool)
    rows, columns = ground.positions.rows, ground.positions.columns
    across = columns + 0.2 * rows
    return np.asarray(across > (1 - pass_.missing) * float(across.max()))


def render(ground: Ground, air: Air, clouds: Clouds, pass_: OpticalPass, seed: int) -> OpticalScene:
    """Reflectance of every band at its own resolution, and the classification at 20 m."""
    bands: dict[str, Floats] = {}
    valid = {}
    for factor in (1, 2, 6):
        fields = {name: averaged(getattr(air, name), factor) for name in ("light", "opacity", "cirrus", "bright", "fresh_snow")}
        valid[factor] = averaged(air.missing.astype(np.float32), factor) < 0.5
        for band in (name for name in BANDS if RESOLUTION_M[name] == 10 * factor):
            rng = generator(seed, "noise", pass_.when.year, pass_.number, ground.frame.epsg, band)
            bands[band] = _band(
                BANDS.index(band), averaged(ground.layers[BANDS.index(band)], factor), fields, (ground.look, pass_.haze), rng
            )
    scl = classify(ground, air, clouds, bands)
    return OpticalScene(bands, valid, np.where(valid[SCL_FACTOR], scl, NO_DATA).astype(np.uint8))


def averaged(field: Floats, factor: int) -> Floats:
    """Mean over blocks of `factor` x `factor` pixels."""
    if factor == 1:
        return field
    if factor % 2 == 0 and factor > 2:
        return averaged(averaged(field, 2), factor // 2)
    parts = [field[row::factor, column::factor] for row in range(factor) for column in range(factor)]
    return np.asarray(sum(parts[1:], start=parts[0]) / np.float32(factor**2), dtype=np.float32)


def _band(number: int, ground: Floats, air: dict[str, Floats], seen: tuple[Look, float], rng: np.random.Generator) -> Floats:
    look, haze = seen
    sky, snow = SKYLIGHT[number] * np.float32(look.air.skylight), look.layers("snow")[number]
    surface = ground + air["fresh_snow"] * (snow - ground)
    surface = surface * (sky + (1 - sky) * air["light"])
    surface += np.float32(haze * HAZE[number] * 0.9) * (1 - surface) - np.float32(0.0025)
    surface += air["cirrus"] * (1 - surface)
    surface += air["opacity"] * (CLOUD[number] * air["bright"] - surface)
    noise = rng.standard_normal(surface.shape, dtype=np.float32)
    return np.asarray(surface + noise * (0.0012 + 0.011 * np.abs(surface)), dtype=np.float32)


def classify(ground: Ground, air: Air, clouds: Clouds, bands: dict[str, Floats]) -> Labels:
    """Scene classification with the faults of the real one.

    Some water is called shadow, some cast shadow water, some bright snow cloud; some cloud is missed.
    """
    green, red, near = (averaged(bands[name], SCL_FACTOR) for name in ("B03", "B04", "B08"))
    opacity, shadow, cast, water, cirrus = (
        averaged(field, SCL_FACTOR) for field in (air.opacity, air.shadow, air.cast, ground.water, air.cirrus)
    )
    fault, other = (averaged(ground.positions.sample(field, CLOUD_PIXEL_M, 10.0), SCL_FACTOR) for field in clouds.faults)
    snowy = ((green - bands["B11"]) / np.maximum(green + bands["B11"], 0.01) > 0.42) & (green > 0.16)
    green_plants = (near - red) / np.maximum(near + red, 0.01) > 0.33
    labels = np.full(green.shape, BARE, dtype=np.uint8)
    labels[other > 2.0] = UNCLASSIFIED
    labels[green_plants] = VEGETATION
    labels[cast > 0.5] = DARK
    labels[(cast > 0.5) & (fault > 0.7)] = WATER
    labels[water > 0.5] = WATER
    labels[(water > 0.5) & ((other > 0.9) | (cast > 0.5))] = CLOUD_SHADOW
    labels[snowy] = SNOW
    labels[snowy & (green > 0.6) & (fault > 1.0)] = CLOUD_HIGH
    labels[(shadow > 0.35) & (fault > -1.4) & (opacity < CLEAR_OPACITY)] = CLOUD_SHADOW
    labels[(cirrus > 0.014) | ((opacity > 0.08) & (other > 0))] = CIRRUS
    seen = (opacity > 0.2) & (other < 1.7)
    labels[seen] = CLOUD_MEDIUM
    labels[seen & (opacity > 0.6)] = CLOUD_HIGH
    return labels
