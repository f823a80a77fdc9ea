"""Where features of a chip lie: scattered, in pairs, in rows and in clusters, none on top of another."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from simulator.noise import Floats
from simulator.shapes import wobble

LAYOUTS: Final = ("scattered", "pair", "row", "cluster")
_CHANCES: Final = (0.5, 0.15, 0.15, 0.2)
_TRIES: Final = 30
_GAP: Final = 0.012
"""Between shores, share of the width."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A bent ellipse; lengths are shares of the width of the chip, places from its upper left corner."""

    kind: str
    x: float
    y: float
    radius: float
    aspect: float
    angle: float
    """Of the long axis, radians clockwise from the east."""
    harmonics: tuple[tuple[int, float, float], ...]

    @property
    def reach(self) -> float:
        """Farthest that its shore can be from its middle."""
        return self.radius * float(np.sqrt(self.aspect)) * (1 + sum(size for _, size, _ in self.harmonics))


@dataclass(slots=True)
class Layout:
    """Spots that were placed so far; what has no room is left out."""

    rng: np.random.Generator
    spots: list[Spot] = field(default_factory=list)
    taken: list[tuple[float, float, float]] = field(default_factory=list)
    """x, y and radius of discs that must stay free, beside the spots."""

    def add(self, kind: str, count: int, radii: tuple[float, float], roughness: float) -> None:
        """Place up to `count` spots of a kind, in some layout that suits the number."""
        for _ in range(_TRIES):
            placed = self._drawn(kind, count, radii, roughness)
            if placed is not None:
                self.spots += placed
                return
        if count > 1:
            self.add(kind, count - 1, radii, roughness)

    def _drawn(self, kind: str, count: int, radii: tuple[float, float], roughness: float) -> list[Spot] | None:
        rng = self.rng
        layout = str(rng.choice(LAYOUTS, p=_CHANCES))
        common = float(np.exp(rng.uniform(*np.log(radii))))
        sizes = [float(np.clip(common * np.exp(rng.uniform(-0.5, 0.5)), *radii)) for _ in range(count)]
        spots = [
            Spot(kind, x, y, size, float(rng.uniform(1, 1.8)), float(rng.uniform(0, np.pi)), wobble(rng, roughness))
            for (x, y), size in zip(_places(layout, count, max(sizes), rng), sizes, strict=True)
        ]
        placed: list[Spot] = []
        for spot in spots:
            if not self._free(spot, placed):
                return None
            placed.append(spot)
        return placed

    def _free(self, spot: Spot, placed: Sequence[Spot]) -> bool:
        inside = min(spot.x, spot.y, 1 - spot.x, 1 - spot.y) > 0.8 * spot.radius
        others = [(each.x, each.y, each.reach) for each in (*self.spots, *placed)] + self.taken
        return inside and all(np.hypot(spot.x - x, spot.y - y) > spot.reach + far + _GAP for x, y, far in others)


def _places(layout: str, count: int, size: float, rng: np.random.Generator) -> Floats:
    """Points (count, 2), x and y."""
    middle, step = rng.uniform(0.12, 0.88, 2), 2.6 * size + rng.uniform(0.01, 0.04)
    if layout == "row" and count >= 3:
        angle = rng.uniform(0, np.pi)
        along = (np.arange(count) - (count - 1) / 2) * step
        return np.asarray(middle + along[:, None] * (np.cos(angle), np.sin(angle)) + rng.normal(0, 0.006, (count, 2)), np.float32)
    if layout == "cluster" and count >= 3:
        angles = rng.uniform(0, 2 * np.pi) + np.arange(count) * 2 * np.pi / count
        far = step / (2 * np.sin(np.pi / count))
        return np.asarray(middle + far * np.stack([np.cos(angles), np.sin(angles)], axis=1), np.float32)
    if layout == "pair" and count >= 2:
        angle = rng.uniform(0, np.pi)
        two = middle + np.array([[-0.5], [0.5]]) * step * np.array([np.cos(angle), np.sin(angle)])
        return np.asarray(np.concatenate([two, rng.uniform(0.06, 0.94, (count - 2, 2))]), np.float32)
    return np.asarray(rng.uniform(0.06, 0.94, (count, 2)), np.float32)
