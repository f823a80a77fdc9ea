"""Chips with features of several classes, for phrases that tell one from another: lakes by the look of their water, snow, ice, slumps.

Drawn alone, as `simulator.chips` draws its lakes. There is no snow and no ice beside the patches and glaciers that are in the truth, so
that no phrase has an answer that the truth does not know.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from simulator.layouts import Layout, Spot
from simulator.noise import Floats, fractal, generator, smoothstep
from simulator.spectra import HAZE, MATERIALS, SKYLIGHT

GROUND_M: Final = 2240.0
"""Width of a chip, however many pixels it has."""
Ground = Literal["mountains", "tundra"]
_CLASSES: Final[dict[Ground, tuple[str, ...]]] = {
    "mountains": ("clear lake", "milky lake", "frozen lake", "snow patch"),
    "tundra": ("clear lake", "milky lake", "frozen lake", "thaw slump"),
}
_GROUNDS: Final[dict[Ground, tuple[str, ...]]] = {
    "mountains": ("rock", "scree", "moraine", "debris"),
    "tundra": ("tundra", "sedge", "lichen"),
}
_RADII: Final = (0.026, 0.095)
"""Shares of the width: lakes of 1 to 14 hectares on 2.24 km."""
_ROUGHNESS: Final = {"snow patch": 1.5, "thaw slump": 1.2}


@dataclass(frozen=True, slots=True)
class ReferredChip:
    """What a chip shows, and the truth about it."""

    s2: npt.NDArray[np.uint16]
    """(12, y, x), reflectance x 10 000, at least 1."""
    dem: Floats
    """(y, x), metres."""
    labels: npt.NDArray[np.int32]
    """(y, x), number of the feature from 1, 0 = ground."""
    kinds: tuple[str, ...]
    """Class of feature 1, 2, ..."""
    ground: Ground


def referred_chip(seed: int, *, size_px: int = 224, year: int = 0) -> ReferredChip:
    """Draw one chip with features of one to four classes; some hold more of a class than may be asked about.

    In another `year` the same ground is seen in other light, and all but glaciers are a little larger or smaller.
    """
    rng = generator(seed, "referred")
    ground: Ground = "mountains" if rng.random() < 0.6 else "tundra"
    shape = (size_px, size_px)
    labels, kinds = np.zeros(shape, np.int32), []
    layout = Layout(rng)
    if ground == "mountains" and rng.random() < 0.45:
        labels[_glacier(rng, shape, layout)] = 1
        kinds.append("glacier")
    names = rng.permutation(_CLASSES[ground])[: int(rng.integers(1, 4))]
    for name in names:
        layout.add(str(name), int(rng.choice(5, p=(0.38, 0.27, 0.2, 0.11, 0.04))) + 1, _RADII, _ROUGHNESS.get(str(name), 0.8))
    for place, spot in enumerate(layout.spots):
        inside = _inside(_changed(spot, seed, place, year), shape) & (labels == 0)
        if inside.any():
            kinds.append(spot.kind)
            labels[inside] = len(kinds)
    dem = _heights(rng, shape, labels, kinds)
    return ReferredChip(_counts(seed, ground, dem, labels, tuple(kinds), year), dem, labels, tuple(kinds), ground)


def _changed(spot: Spot, seed: int, place: int, year: int) -> Spot:
    """A spot as it is in another year."""
    if not year:
        return spot
    return replace(spot, radius=spot.radius * float(generator(seed, "referred", "year", year, place).uniform(0.85, 1.15)))


def _glacier(rng: np.random.Generator, shape: tuple[int, int], layout: Layout) -> npt.NDArray[np.bool_]:
    """A tongue that comes in from an edge and narrows to a round end; room around it stays free."""
    edge, start = int(rng.integers(4)), float(rng.uniform(0.25, 0.75))
    length, half = float(rng.uniform(0.3, 0.6)), float(rng.uniform(0.07, 0.12))
    drift, bend = float(rng.uniform(-0.25, 0.25)), float(rng.uniform(-0.1, 0.1))
    along, across = np.meshgrid((np.arange(shape[0]) + 0.5) / shape[0], (np.arange(shape[1]) + 0.5) / shape[1], indexing="ij")
    middle = start + drift * along + bend * np.sin(along * np.pi / length)
    width = half * np.sqrt(np.clip(1 - (along / length) ** 3, 0, 1)) * (1 + 0.12 * np.sin(along * 37 + drift * 50))
    inside = (np.abs(across - middle) < width) & (along < length)
    for step in np.linspace(0, length, 6):
        place = np.array([start + drift * step + bend * np.sin(step * np.pi / length), step])  # x, y before it is turned
        for _ in range(edge):
            place = np.array([place[1], 1 - place[0]])
        layout.taken.append((float(place[0]), float(place[1]), half * 1.15))
    return np.ascontiguousarray(np.rot90(inside, edge))


def _inside(spot: Spot, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    down, right = (rows + 0.5) / shape[0] - spot.y, (columns + 0.5) / shape[1] - spot.x
    stretch = np.sqrt(spot.aspect)
    along = (np.cos(spot.angle) * right + np.sin(spot.angle) * down) / stretch
    across = (-np.sin(spot.angle) * right + np.cos(spot.angle) * down) * stretch
    turn = np.arctan2(across, along)
    edge = 1.0 + sum(size * np.cos(order * turn + phase) for order, size, phase in spot.harmonics)
    return np.asarray(np.hypot(along, across) < spot.radius * edge)


def _heights(rng: np.random.Generator, shape: tuple[int, int], labels: npt.NDArray[np.int32], kinds: list[str]) -> Floats:
    rows, columns = np.mgrid[: shape[0], : shape[1]] / shape[0]
    tilt, rise = rng.uniform(-200, 200, 2), rng.uniform(20, 110)
    dem = rng.uniform(200, 5000) + rise * fractal(shape, rng, exponent=3.4) + tilt[0] * rows + tilt[1] * columns
    for number, kind in enumerate(kinds, 1):
        if kind.endswith("lake"):
            # water is level, as an elevation model shows it
            dem[labels == number] = dem[labels == number].min()
    return np.asarray(dem + 0.3 * rng.standard_normal(shape), np.float32)


def _counts(
    seed: int, ground: Ground, dem: Floats, labels: npt.NDArray[np.int32], kinds: tuple[str, ...], year: int
) -> npt.NDArray[np.uint16]:
    rng = generator(seed, "referred", "light")
    layers = _land(rng, ground, dem.shape)
    fine = 1 + 0.06 * fractal(dem.shape, rng, exponent=1.6)
    for number, kind in enumerate(kinds, 1):
        inside = labels == number
        layers[:, inside] = _look(kind, rng)[:, None] * fine[inside] ** 0.5
    if year:  # materials are those of the first year, the sun and the air are not
        rng = generator(seed, "referred", "light", year)
    east, south = np.gradient(dem, GROUND_M / len(dem), axis=(1, 0))
    azimuth, height = rng.uniform(2.2, 3.6), rng.uniform(0.6, 1.0)
    tilt = 1 - (east * np.sin(azimuth) - south * np.cos(azimuth)) / np.tan(height)
    level = np.isin(labels, [number for number, kind in enumerate(kinds, 1) if kind.endswith("lake")])
    light = np.clip(np.where(level, 1.0, tilt), 0.0, 1.7)
    sky = SKYLIGHT[:, None, None]
    seen = layers * (sky + (1 - sky) * light) + rng.uniform(0, 0.02) * HAZE[:, None, None]
    noise = rng.standard_normal(seen.shape, dtype=np.float32) * (0.0012 + 0.011 * np.abs(seen))
    return np.asarray(np.clip(np.rint((seen + noise) * 10_000), 1, 16_000), np.uint16)


def _land(rng: np.random.Generator, ground: Ground, shape: tuple[int, int]) -> Floats:
    """Two materials in a mixture that changes from place to place, (12, y, x)."""
    first, second = (
        MATERIALS[str(name)].layers[:12, None, None] * rng.uniform(0.8, 1.2) for name in rng.choice(_GROUNDS[ground], 2, replace=False)
    )
    mix = smoothstep(fractal(shape, rng, exponent=2.6), -0.6, 0.6)
    return np.asarray((first + (second - first) * mix) * (1 + 0.06 * fractal(shape, rng, exponent=1.6)), np.float32)


def _look(kind: str, rng: np.random.Generator) -> Floats:
    """Reflectance (12,) of one feature; a clear lake has a tenth of sediment at most, a milky one half or more."""
    gain = rng.uniform(0.9, 1.1)
    match kind:
        case "clear lake":
            return _mixed({"clear": 1.0, "milky": rng.uniform(0, 0.12)}) * gain
        case "milky lake":
            return _mixed({"clear": rng.uniform(0, 0.4), "milky": rng.uniform(0.3, 1), "grey": rng.uniform(0, 0.7)}) * gain
        case "frozen lake":
            return _mixed({"lake_ice": 1.0}) * gain
        case "snow patch":
            return _mixed({"snow": rng.uniform(0.5, 1), "wet_snow": rng.uniform(0, 0.5)}) * gain
        case "glacier":
            return _mixed({"ice": 1.0, "debris": rng.uniform(0.1, 0.5)}) * gain
        case _:
            return _mixed({"mud": 1.0, "headwall": rng.uniform(0, 0.6)}) * gain


def _mixed(shares: dict[str, float]) -> Floats:
    total = sum(shares.values())
    return np.asarray(sum(share / total * MATERIALS[name].layers[:12] for name, share in shares.items()), np.float32)
