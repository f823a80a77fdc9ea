"""How the water of one lake differs from that of another: colour, wind shelter, ice."""

import numpy as np

from simulator.look import Tint
from simulator.noise import generator
from simulator.spectra import BANDS
from simulator.worlds import World

GREEN_UM, GREEN_WIDTH_UM = 0.56, 0.05
EDGE_UM, EDGE_WIDTH_UM = 0.72, 0.06
CENTRES_UM = np.array((0.443, 0.49, 0.56, 0.665, 0.704, 0.74, 0.783, 0.842, 0.865, 0.945, 1.61, 2.19))
ALGAE_SHARE = 0.12


def tint_of(world: World, seed: int, name: str) -> Tint:
    """Draw the factors of one lake's water: brightness, slope over the spectrum, now and then algae, and roughness to the radar."""
    spread = world.look.tints
    if spread == 0:
        return ()
    rng = generator(seed, world.name, "tint", name)
    log = spread * (0.9 * rng.standard_normal() + 0.6 * rng.standard_normal() * (CENTRES_UM - 0.65) / 0.6)
    if rng.random() < ALGAE_SHARE:
        green = np.exp(-(((CENTRES_UM - GREEN_UM) / GREEN_WIDTH_UM) ** 2))
        edge = np.exp(-(((CENTRES_UM - EDGE_UM) / EDGE_WIDTH_UM) ** 2))
        log = log + float(rng.uniform(0.2, 0.8)) * green + float(rng.uniform(0.2, 1.2)) * edge
    rough_db = float(rng.normal(0, 4 * spread))
    assert len(log) == len(BANDS)
    return (*(float(factor) for factor in np.exp(np.clip(log, -1.2, 1.2))), 10 ** (rough_db / 10), 10 ** (0.6 * rough_db / 10))


def freezes_of(world: World, seed: int, name: str, otherwise: bool) -> bool:
    """Say whether a lake is frozen in some years; `otherwise` in the named worlds."""
    if world.lakescape is None:
        return otherwise
    return bool(generator(seed, world.name, "freezes", name).random() < world.lakescape.freezes)
