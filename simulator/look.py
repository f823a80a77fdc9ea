"""How a world looks to sensors: its colours, light, air, snow and radar; the defaults are those of the named worlds."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.spectra import MATERIALS, WATER

Floats = npt.NDArray[np.float32]
Tint = tuple[float, ...]
"""Fourteen factors: of the twelve reflectances, then of VV and VH power; empty when nothing is changed."""


@dataclass(frozen=True, slots=True)
class Snow:
    """Heights of snow and plants, metres."""

    firn_m: float = 4330.0
    permanent_m: float = 4900.0
    fresh_m: tuple[float, float] = (4650.0, 5300.0)
    """Range of the line above which a date of the season shows fresh snow."""
    june_m: float = 4150.0
    treeless_m: float = 4000.0


@dataclass(frozen=True, slots=True)
class Air:
    """Light and haze."""

    skylight: float = 1.0
    """Light left in cast shadow, relative to clear sky over high mountains."""
    corrected: float = 0.88
    """Share of the effect of slopes that the surface reflectance still shows."""
    haze: tuple[float, float] = (-0.006, 0.022)
    clouds: tuple[float, ...] = (0.03, 0.22, 0.12, 0.86, 0.40)
    """Cloud cover of the dates, in no order."""


@dataclass(frozen=True, slots=True)
class Radar:
    """Speckle, geometry and wind."""

    looks: float = 4.4
    incidence_deg: float = 39.0
    wind: float = 1.0
    """Strength of wind on water relative to the named worlds."""
    floor: float = 1.0
    """Noise floor relative to Sentinel-1's."""


@dataclass(frozen=True, slots=True)
class Model:
    """The elevation model."""

    noise_m: float = 0.35
    levelled_m2: float = 0.0
    """Lakes from this size on are exactly level in it; smaller ones share the noise of the land."""


@dataclass(frozen=True, slots=True)
class Look:
    """All of it."""

    gains: tuple[tuple[str, Tint], ...] = ()
    """Factors by material."""
    tints: float = 0.0
    """How much the water of one lake differs from that of another with the same mix; 0 not at all."""
    snow: Snow = Snow()
    air: Air = Air()
    radar: Radar = Radar()
    model: Model = Model()
    june: bool = True
    """There is a scene of June, out of season."""

    def layers(self, material: str) -> Floats:
        """Twelve reflectances, then VV and VH as linear power."""
        gain = next((gain for name, gain in self.gains if name == material), ())
        return tinted(MATERIALS[material].layers, gain)

    def water(self, mix: tuple[float, float, float], tint: Tint = ()) -> Floats:
        """Layers of water mixed from clear, milky and grey."""
        plain = np.asarray(sum(share * self.layers(name) for share, name in zip(mix, WATER, strict=True)), dtype=np.float32)
        return tinted(plain, tint)


PLAIN = Look()


def tinted(layers: Floats, tint: Tint) -> Floats:
    """Layers times their factors; nothing reflects more than all light."""
    return layers if not tint else np.clip(layers * np.array(tint, dtype=np.float32), 0.0, 1.0)
