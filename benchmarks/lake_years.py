"""Lakes of several years as the pipeline would outline them: pixel stairs of a 10 m lattice in EPSG:4326, any number of them.

Sizes are lognormal around 2 ha. Between years shores move by part of a pixel; lakes grow and shrink, pairs merge, some split, drain or are
missed for a year. The same seed gives the same bytes.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from models.outlines.geodesy import to_degrees
from models.outlines.kernels import compiled
from models.outlines.polygonize import polygons_of
from models.outlines.runs import runs_of

ZONE = 32645
CELL_PX = 96
"""Every lake has a square of its own; two lobes of a lake that merges share one."""
ANGLES = 64
MEDIAN_RADIUS_PX, SIGMA, RADII_PX = 8.0, 0.5, (2.0, 40.0)
MERGING, SPLITTING, DRAINING, MISSED = 0.01, 0.01, 0.01, 0.01
_FIRST_ROW, _FIRST_COLUMN = -340_000, 22_000
"""Upper left pixel of the field: 3 400 km north, 220 km east."""
Floats = NDArray[np.float64]


def lake_years(lakes: int, years: int, seed: int = 0) -> Iterator[NDArray[np.object_]]:
    """Yield the outlines of every year (EPSG:4326) in random order."""
    rng = np.random.default_rng(seed)
    side = int(np.ceil(np.sqrt(lakes)))
    shapes = _shapes(rng, lakes)
    fate = rng.choice(4, lakes, p=[1 - MERGING - SPLITTING - DRAINING, MERGING, SPLITTING, DRAINING])
    trend = np.where(rng.random(lakes) < 0.5, rng.normal(0, 0.04, lakes), 0.0)
    for year in range(years):
        radius = shapes * (1 + trend * year + rng.normal(0, 0.004, lakes))[:, None]
        radius[(fate == 3) & (year >= years // 2)] *= 0.4
        radius[rng.random(lakes) < MISSED * (year > 0)] = 0.0
        # two lobes that touch in some years only: before the middle a splitting lake is one, a merging lake two
        gap = np.where((fate == 1) & (year < years // 2) | (fate == 2) & (year >= years // 2), 2.0, -2.0)
        lobes = np.where(np.isin(fate, (1, 2)), gap, np.nan)
        shift = rng.uniform(-0.5, 0.5, 2) + rng.normal(0, 0.1, (lakes, 2))
        polygons = np.concatenate(list(_drawn(radius, lobes, shift, side)))
        yield to_degrees(polygons[rng.permutation(len(polygons))], ZONE)


def _shapes(rng: np.random.Generator, lakes: int) -> Floats:
    """Radius by angle, shape (lakes, ANGLES)."""
    angle = np.linspace(0, 2 * np.pi, ANGLES, endpoint=False)
    mean = np.clip(rng.lognormal(np.log(MEDIAN_RADIUS_PX), SIGMA, lakes), *RADII_PX)
    waves = sum(
        rng.normal(0, 0.15 / order, (lakes, 1)) * np.cos(order * angle + rng.uniform(0, 2 * np.pi, (lakes, 1))) for order in range(1, 7)
    )
    return np.clip(mean[:, None] * (1 + waves), 1.5, CELL_PX / 2 - 4)


def _drawn(radius: Floats, lobes: Floats, shift: Floats, side: int) -> Iterator[NDArray[np.object_]]:
    """Polygons in metres of the zone, a row of cells at a time."""
    for row in range(0, len(radius), side):
        cells = slice(row, row + side)
        mask = np.zeros((CELL_PX, CELL_PX * side), np.bool_)
        _paint(mask, radius[cells], lobes[cells], shift[cells])
        yield polygons_of(runs_of(mask, (_FIRST_ROW + CELL_PX * (row // side), _FIRST_COLUMN)))[1]


@compiled
def _paint(mask: NDArray[np.bool_], radius: Floats, lobes: Floats, shift: Floats) -> None:
    for lake in range(len(radius)):
        two = not np.isnan(lobes[lake])
        scale = 0.45 if two else 1.0
        for lobe in range(2 if two else 1):
            reach = radius[lake].max() * scale
            # lobes lie side by side: their radii towards each other, and the gap
            across = scale * radius[lake, 0] + scale * radius[lake, ANGLES // 2] + lobes[lake] if two else 0.0
            centre_y = CELL_PX / 2 + shift[lake, 0]
            centre_x = CELL_PX / 2 + shift[lake, 1] + (lobe - 0.5) * across
            for y in range(max(1, int(centre_y - reach - 1)), min(CELL_PX - 1, int(centre_y + reach + 2))):
                for x in range(max(1, int(centre_x - reach - 1)), min(CELL_PX - 1, int(centre_x + reach + 2))):
                    dy, dx = y + 0.5 - centre_y, x + 0.5 - centre_x
                    place = (np.arctan2(dy, dx) / (2 * np.pi) % 1.0) * ANGLES
                    at = int(place) % ANGLES
                    limit = radius[lake, at] + (radius[lake, (at + 1) % ANGLES] - radius[lake, at]) * (place - int(place))
                    if dy * dy + dx * dx <= (scale * limit) ** 2:
                        mask[y, x + CELL_PX * lake] = True
