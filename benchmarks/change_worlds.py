"""Lakes of many years whose truth is known: blobs on pixels of 10 m, scripted to merge, split, drain, vanish, appear and come back.

Each lake has a square of ground of its own. A year draws every lake anew at a random place of the pixel lattice; some lakes are not
observed in some years, or only half. The same seed gives the same world.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from catalog.facts.options import TrackOptions
from models.outlines.geodesy import area_perimeter, to_degrees, to_metres
from models.outlines.identity import Registry, empty_registry, name_features
from models.outlines.interval import area_interval, without_probability
from models.outlines.polygonize import polygons_of
from models.outlines.runs import runs_of
from models.outlines.timeline import YearFeatures
from models.scores.events import Event

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

ZONE, FIRST_ROW, FIRST_COLUMN = 32645, -340_000, 22_000
CELL_PX, ANGLES = 64, 48
FATES = ("rest", "merge", "split", "drain", "vanish", "appear", "reappear")
KEEP_M2 = 1_000.0


@dataclass(frozen=True, slots=True)
class World:
    """One simulated region."""

    years: list[YearFeatures]
    same: dict[str, set[str]]
    """Names that were given -> lakes of the truth that lay under them."""
    events: dict[Event, float]
    """What happened, by names of the truth -> area of the lake, m2."""
    hidden: dict[int, Mask]
    """Year -> lakes that nobody saw."""
    side: int

    def observed(self, year: int, outlines: NDArray[np.object_]) -> Floats:
        """Share of outlines that was seen in a year: 0 on the ground of a hidden lake."""
        metres = shapely.get_coordinates(shapely.centroid(to_metres(outlines, ZONE)))
        column, row = (metres[:, 0] / 10 - FIRST_COLUMN) // CELL_PX, (-metres[:, 1] / 10 - FIRST_ROW) // CELL_PX
        return np.where(self.hidden[year][(row * self.side + column).astype(int)], 0.0, 1.0)


def blobs(rng: np.random.Generator, lakes: int, radius_px: tuple[float, float] = (4.0, 22.0)) -> Floats:
    """Radius by angle in pixels, shape (lakes, ANGLES); sizes are log-uniform."""
    angle = np.linspace(0, 2 * np.pi, ANGLES, endpoint=False)
    mean = np.exp(rng.uniform(np.log(radius_px[0]), np.log(radius_px[1]), lakes))
    waves = sum(rng.normal(0, 0.12 / k, (lakes, 1)) * np.cos(k * angle + rng.uniform(0, 2 * np.pi, (lakes, 1))) for k in range(2, 6))
    radius: Floats = mean[:, None] * (1 + waves)
    return radius


def painted(radius: Floats, centre_yx: tuple[float, float], size: int) -> Mask:
    """Pixels whose middle lies in a blob, shape (size, size)."""
    y, x = np.mgrid[:size, :size] + 0.5
    dy, dx = y - centre_yx[0], x - centre_yx[1]
    limit = np.interp(np.arctan2(dy, dx) % (2 * np.pi), np.linspace(0, 2 * np.pi, ANGLES + 1), [*radius, radius[0]])
    inside: Mask = dy**2 + dx**2 <= limit**2
    return inside


def pixel_areas(radius: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Areas (m2) and stair perimeters (m) of blobs drawn on the lattice at random sub-pixel places."""
    area, perimeter = np.empty(len(radius)), np.empty(len(radius))
    for number, each in enumerate(radius):
        size = 2 * int(np.ceil(each.max())) + 4
        mask = painted(each, tuple(size / 2 + rng.uniform(-0.5, 0.5, 2)), size).astype(np.int8)
        area[number] = 100.0 * mask.sum()
        perimeter[number] = 10.0 * (np.abs(np.diff(mask, axis=0)).sum() + np.abs(np.diff(mask, axis=1)).sum())
    return area, perimeter


def world(seed: int, lakes: int = 100, years: int = 6, unseen: float = 0.08, partly: float = 0.05) -> World:
    """Simulate a region: about half of the lakes have a fate in one of the inner years, the others rest or grow by up to 3 % a year."""
    rng = np.random.default_rng(seed)
    side = int(np.ceil(np.sqrt(lakes)))
    shapes, growth = blobs(rng, lakes), rng.uniform(-0.01, 0.03, lakes)
    fate = rng.choice(FATES, lakes, p=[0.52, *[0.08] * 6])
    when = rng.integers(2, years - 1, lakes)
    listed, hidden, known = [], {}, empty_registry()
    same: dict[str, set[str]] = {}
    for year in range(years):
        hidden[year], halved = rng.random(lakes) < unseen, rng.random(lakes) < partly
        drawn = [
            (cell, _drawn(shapes[cell] * np.sqrt(1 + growth[cell] * year), str(fate[cell]), year - int(when[cell]), rng))
            for cell in np.flatnonzero(~hidden[year]).tolist()
        ]
        features, known, cells = _features(year, drawn, halved, side, known)
        listed.append(features)
        for name, cell in zip(features.ids, cells, strict=True):
            same.setdefault(name, set()).add(str(cell))
    area = (shapes**2).mean(axis=1) * np.pi * 100
    happened = {
        event: float(area[cell])
        for cell in range(lakes)
        for event in _happened(cell, str(fate[cell]), int(when[cell]))
        if event.year < years
    }
    return World(listed, same, happened, hidden, side)


def _drawn(radius: Floats, fate: str, since: int, rng: np.random.Generator) -> Mask:
    """Pixels of a cell, `since` years after its lake's fate (negative before)."""
    middle = CELL_PX / 2 + rng.uniform(-0.5, 0.5, 2)
    gone = {"vanish": since >= 0, "appear": since < 0, "reappear": since in {0, 1}}.get(fate, False)
    if gone:
        return np.zeros((CELL_PX, CELL_PX), bool)
    if fate in {"merge", "split"}:
        joined = (since >= 0) == (fate == "merge")
        half = 0.62 * radius
        apart = (half[0] + half[ANGLES // 2]) / 2 + (-1.0 if joined else 1.5)
        return painted(half, (middle[0], middle[1] - apart), CELL_PX) | painted(half, (middle[0], middle[1] + apart), CELL_PX)
    return painted(radius * (np.sqrt(0.25) if fate == "drain" and since >= 0 else 1.0), tuple(middle), CELL_PX)


def _features(
    year: int, drawn: list[tuple[int, Mask]], halved: Mask, side: int, known: Registry
) -> tuple[YearFeatures, Registry, list[int]]:
    """Outline what a year shows; return the lake under every outline, too."""
    shapes, cells = [], []
    for cell, mask in drawn:
        seen = mask.copy()
        if halved[cell]:
            seen[: CELL_PX // 2] = False
        origin = FIRST_ROW + CELL_PX * (cell // side), FIRST_COLUMN + CELL_PX * (cell % side)
        polygons = [shape for shape in polygons_of(runs_of(seen, origin))[1] if shape.area >= KEEP_M2]
        shapes += polygons
        cells += [cell] * len(polygons)
    metres = np.empty(len(shapes), dtype=object)
    metres[:] = shapes
    outlines = to_degrees(metres, ZONE)
    points = shapely.get_coordinates(shapely.point_on_surface(outlines))
    ids, known = name_features(year, outlines, points, known, min_overlap=TrackOptions().min_overlap)
    area, perimeter = area_perimeter(outlines)
    interval = area_interval(without_probability(area, perimeter))
    share = np.where(halved[cells], 0.5, 1.0)
    return YearFeatures(year, ids, outlines, area, interval.low_m2, interval.high_m2, share, np.full(len(ids), 5.0)), known, cells


def _happened(cell: int, fate: str, when: int) -> Iterator[Event]:
    name = frozenset({str(cell)})
    if fate in {"merge", "split", "drain", "vanish", "appear"}:
        yield Event(fate, when, name)
    if fate == "reappear":
        yield Event("vanish", when, name)
        yield Event("reappear", when + 2, name)
