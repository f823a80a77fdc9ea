"""Smooth outlines with sub-pixel detail, in metres of the base system."""

from dataclasses import dataclass, replace

import numpy as np
from shapely import affinity, get_coordinates
from shapely.geometry import LineString, MultiPolygon, Polygon

VERTEX_M = 4.0


@dataclass(frozen=True, slots=True)
class Blob:
    """Closed curve around (x, y): an ellipse bent by a few harmonics, scaled to an exact planar area."""

    x: float
    y: float
    area_m2: float
    aspect: float = 1.4
    angle_deg: float = 0.0
    """Direction of the long axis, anticlockwise from east."""
    harmonics: tuple[tuple[int, float, float], ...] = ()
    """Order, amplitude relative to the radius, phase."""

    def polygon(self) -> Polygon:
        """Outline with a vertex about every four metres."""
        count = int(np.clip(2 * np.sqrt(np.pi * self.area_m2) * 1.2 / VERTEX_M, 24, 900))
        angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
        radius = np.ones_like(angle)
        for order, amplitude, phase in self.harmonics:
            radius += amplitude * np.cos(order * angle + phase)
        stretch = np.sqrt(self.aspect)
        xy = np.column_stack([radius * np.cos(angle) * stretch, radius * np.sin(angle) / stretch])
        shape = Polygon(xy)
        scale = np.sqrt(self.area_m2 / shape.area)
        turned = affinity.rotate(affinity.scale(shape, scale, scale, origin=(0, 0)), self.angle_deg, origin=(0, 0))
        return affinity.translate(turned, self.x, self.y)

    def scaled(self, factor: float) -> "Blob":
        """The same shape with `factor` times the area."""
        return replace(self, area_m2=self.area_m2 * factor)

    def end(self, sign: int) -> tuple[float, float]:
        """Point where the long axis meets the shore, ahead (+1) or behind (-1)."""
        shape = self.polygon()
        angle = np.radians(self.angle_deg)
        far = (self.x + sign * 1e4 * np.cos(angle), self.y + sign * 1e4 * np.sin(angle))
        inside = LineString([(self.x, self.y), far]).intersection(shape)
        x, y = max(get_coordinates(inside), key=lambda place: float(np.hypot(place[0] - self.x, place[1] - self.y)))
        return float(x), float(y)


def wobble(rng: np.random.Generator, roughness: float = 1.0) -> tuple[tuple[int, float, float], ...]:
    """Draw harmonics of order 2 to 6 that make a natural shore."""
    return tuple(
        (order, float(roughness * rng.uniform(0.02, 0.20) / (order - 0.8)), float(rng.uniform(0, 2 * np.pi))) for order in range(2, 7)
    )


def strip(points: list[tuple[float, float]], width_m: float) -> Polygon:
    """Band along a polyline with round ends."""
    return LineString(points).buffer(width_m / 2, quad_segs=12)


def largest(shape: Polygon | MultiPolygon) -> Polygon:
    """Largest part of a geometry."""
    return shape if shape.geom_type == "Polygon" else max(shape.geoms, key=lambda part: part.area)
