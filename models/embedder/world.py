"""Made-up places for simulated scenes, so that a place says something about a look, and a look about a place.

A world is three smooth fields over the globe: how bright the ground is in green, near and short-wave infrared, from -1 to 1. A scene
is put where the fields say what its ground looks like: of places drawn evenly over the globe one is taken, by how well it fits. So places
that are near each other have scenes that look alike, as on the real globe, and far ones may, too. Features have no part in it. No such
place means the real one.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from catalog.facts.bands import S2_NODATA, s2_index
from models.embedder.places import Place, points

Floats = NDArray[np.float64]
_BANDS: Final = ("B03", "B08", "B11")
_LEVEL: Final = (-2.17, -1.54, -1.55)
_SPREAD: Final = (0.33, 0.16, 0.14)
"""Of the logarithm of the mean reflectance of ground, over simulated chips."""
_WAVES: Final = 2.5
"""Radians of a field over the radius of the globe: 20 degrees change it by a third of its range or more, a kilometre by nothing."""
_FITS: Final = 0.12
"""Distance of looks at which a place is a third less likely."""
_CHOICES: Final = 512


@dataclass(frozen=True)
class World:
    """Three smooth fields over the globe."""

    seed: int = 0

    def looks(self, degrees: Floats) -> Floats:
        """Looks (n, 3) of the ground at latitude and longitude (n, 2)."""
        directions, phases = self._fields
        return np.asarray(np.sin(_WAVES * points(degrees) @ directions.T + phases))

    def place_of(self, look: Floats, scene_id: str) -> Place:
        """Draw a place for a look (3,), the same at every call."""
        rng = np.random.default_rng([self.seed, *scene_id.encode()])
        latitudes = np.degrees(np.arcsin(rng.uniform(-1, 1, _CHOICES)))
        degrees = np.stack([latitudes, rng.uniform(-180, 180, _CHOICES)], axis=1)
        away = np.square(self.looks(degrees) - look).sum(axis=1)
        shares = np.exp(-(away - away.min()) / (2 * _FITS**2))
        latitude, longitude = degrees[int(rng.choice(_CHOICES, p=shares / shares.sum()))]
        return Place(float(latitude), float(longitude))

    @cached_property
    def _fields(self) -> tuple[Floats, Floats]:
        rng = np.random.default_rng([self.seed, 3])
        directions, _ = np.linalg.qr(rng.standard_normal((3, 3)))
        return directions, rng.uniform(-np.pi, np.pi, 3)


def ground_look(s2: NDArray[np.uint16], ground: NDArray[np.bool_]) -> Floats:
    """Look (3,) of the ground of a chip (12, y, x), from -1 to 1, features left out; 0 where nothing is known."""
    bands = s2[[s2_index(name) for name in _BANDS]].astype(np.float64)
    known = ground & (bands != S2_NODATA).all(axis=0)
    if not known.any():
        return np.zeros(3)
    level = np.log(bands[:, known].mean(axis=1) / 10_000)
    return np.asarray(erf((level - _LEVEL) / np.multiply(_SPREAD, np.sqrt(2))))
