"""Names that never change: a feature keeps its ID through reruns and added years, merges and splits."""

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_lowercase

import numpy as np
import shapely
from numpy.typing import NDArray

from models.outlines.overlaps import Overlaps, overlaps_of

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Registry:
    """Every ID ever given, with the outlines it had: one row per ID and year, sorted by both."""

    ids: tuple[str, ...]
    years: tuple[int, ...]
    outlines: Geometries
    """Polygons in EPSG:4326, so that zones do not matter."""


def empty_registry() -> Registry:
    """Return the registry before the first year."""
    return Registry((), (), np.empty(0, dtype=object))


def name_features(
    year: int, outlines: Geometries, points: Floats, registry: Registry, *, min_overlap: float, prefix: str = "GL"
) -> tuple[tuple[str, ...], Registry]:
    """Return an ID per outline (EPSG:4326) of a year, and the registry that knows them.

    Outlines are compared with those of known years, the nearest first (the year itself, so that a rerun repeats its names;
    of two equally near years the earlier). Within a year pairs are taken by overlap area, one to one: a merged feature keeps
    the ID of the parent that gave most, the largest child of a split keeps its parent's, and ties go to the more alike, then
    to the smaller ID. Overlaps below `min_overlap` of the smaller outline are other ground. What remains unnamed is minted
    from `points` (longitude, latitude inside each outline, shape (n, 2)). The order of outlines does not matter.
    """
    names: list[str] = [""] * len(outlines)
    known, years = np.array(registry.ids, dtype=object), np.array(registry.years, dtype=np.int64)
    for reference in sorted(set(registry.years), key=lambda other: (abs(other - year), other)):
        given = set(names)
        rows = np.flatnonzero((years == reference) & np.array([name not in given for name in known], dtype=bool))
        unnamed = np.array([place for place, name in enumerate(names) if not name], dtype=np.int64)
        pairs = overlaps_of(outlines[unnamed], registry.outlines[rows])
        for place, name in _one_to_one(pairs, known[rows], min_overlap):
            names[unnamed[place]] = name
    _mint(names, outlines, points, taken=set(registry.ids), prefix=prefix)
    return tuple(names), _updated(registry, year, names, outlines)


def base_name(longitude: float, latitude: float, prefix: str = "GL") -> str:
    """Return the name of a point: thousandths of degrees, for example GL086925E27898N."""
    east, north = round(abs(longitude) * 1000), round(abs(latitude) * 1000)
    return f"{prefix}{east:06d}{'E' if longitude >= 0 else 'W'}{north:05d}{'N' if latitude >= 0 else 'S'}"


def _one_to_one(pairs: Overlaps, ids: NDArray[np.object_], min_overlap: float) -> list[tuple[int, str]]:
    """Pair outlines and IDs greedily: most shared area first, then the more alike, then the smaller ID."""
    candidates = [
        (-area, -likeness, str(ids[row]), int(place))
        for place, row, area, share, likeness in zip(pairs.left, pairs.right, pairs.area_m2, pairs.share, pairs.likeness, strict=True)
        if share >= min_overlap
    ]
    places: set[int] = set()
    given: set[str] = set()
    chosen = []
    for _, _, name, place in sorted(candidates):
        if place not in places and name not in given:
            places.add(place)
            given.add(name)
            chosen.append((place, name))
    return chosen


def _mint(names: list[str], outlines: Geometries, points: Floats, *, taken: set[str], prefix: str) -> None:
    """Fill the empty names, north-westernmost first, with a letter where a name is taken."""
    new = [place for place, name in enumerate(names) if not name]
    for place in sorted(new, key=lambda place: (-points[place, 1], points[place, 0], shapely.to_wkb(outlines[place]))):
        base = base_name(points[place, 0], points[place, 1], prefix)
        names[place] = next(name for name in (base + letters for letters in _letters()) if name not in taken)
        taken.add(names[place])


def _letters() -> Sequence[str]:
    """Return what may follow a name: nothing, a to z, aa to zz."""
    return ["", *ascii_lowercase, *(first + second for first in ascii_lowercase for second in ascii_lowercase)]


def _updated(registry: Registry, year: int, names: Sequence[str], outlines: Geometries) -> Registry:
    """Replace the rows of a year; an ID that would lose its last outline keeps it, so that it is never given again."""
    elsewhere = {name for name, other in zip(registry.ids, registry.years, strict=True) if other != year} | set(names)
    kept = [
        (name, other, outline)
        for name, other, outline in zip(registry.ids, registry.years, registry.outlines, strict=True)
        if other != year or name not in elsewhere
    ]
    rows = sorted([*kept, *((name, year, outline) for name, outline in zip(names, outlines, strict=True))], key=lambda row: row[:2])
    held = np.empty(len(rows), dtype=object)
    held[:] = [row[2] for row in rows]
    return Registry(tuple(row[0] for row in rows), tuple(row[1] for row in rows), held)
