"""Names that never change: a feature keeps its ID through reruns and added years, merges and splits."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, product
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
    years, given = np.array(registry.years, dtype=np.int64), set[str]()
    for reference in sorted(set(registry.years), key=lambda other: (abs(other - year), other)):
        rows = [row for row in np.flatnonzero(years == reference).tolist() if registry.ids[row] not in given]
        unnamed = [place for place, name in enumerate(names) if not name]
        pairs = overlaps_of(outlines[unnamed], registry.outlines[rows])
        for place, row in _one_to_one(pairs, [registry.ids[row] for row in rows], min_overlap):
            names[unnamed[place]] = registry.ids[rows[row]]
            given.add(registry.ids[rows[row]])
    _mint(names, outlines, points, taken=set(registry.ids), prefix=prefix)
    return tuple(names), _updated(registry, year, names, outlines)


def base_name(longitude: float, latitude: float, prefix: str = "GL") -> str:
    """Return the name of a point: thousandths of degrees, for example GL086925E27898N."""
    east, north = round(abs(longitude) * 1000), round(abs(latitude) * 1000)
    return f"{prefix}{east:06d}{'E' if longitude >= 0 else 'W'}{north:05d}{'N' if latitude >= 0 else 'S'}"


def _one_to_one(pairs: Overlaps, ids: Sequence[str], min_overlap: float) -> list[tuple[int, int]]:
    """Pair outlines and rows of known ones greedily: most shared area first, then the more alike, then the smaller ID."""
    enough = pairs.share >= min_overlap
    left, right = pairs.left[enough], pairs.right[enough]
    alone = (np.bincount(left)[left] == 1) & (np.bincount(right)[right] == 1) if left.size else np.empty(0, bool)
    chosen = list(zip(left[alone].tolist(), right[alone].tolist(), strict=True))
    contested = (array[enough][~alone].tolist() for array in (-pairs.area_m2, -pairs.likeness, pairs.left, pairs.right))
    candidates = [(area, likeness, ids[row], place, row) for area, likeness, place, row in zip(*contested, strict=True)]
    places, given = set[int](), set[int]()
    for _, _, _, place, row in sorted(candidates):
        if place not in places and row not in given:
            places.add(place)
            given.add(row)
            chosen.append((place, row))
    return chosen


def _mint(names: list[str], outlines: Geometries, points: Floats, *, taken: set[str], prefix: str) -> None:
    """Fill the empty names, north-westernmost first, with a letter where a name is taken."""
    new = [place for place, name in enumerate(names) if not name]
    at = {place: (-float(points[place, 1]), float(points[place, 0])) for place in new}
    crowds = Counter(at.values())
    for place in sorted(new, key=lambda place: (*at[place], shapely.to_wkb(outlines[place]) if crowds[at[place]] > 1 else b"")):
        base = base_name(points[place, 0], points[place, 1], prefix)
        names[place] = next(name for name in (base + letters for letters in _letters()) if name not in taken)
        taken.add(names[place])


def _letters() -> Iterator[str]:
    """Return what may follow a name: nothing, a to z, aa to zz, and so on."""
    yield ""
    for length in count(1):
        yield from map("".join, product(ascii_lowercase, repeat=length))


def _updated(registry: Registry, year: int, names: Sequence[str], outlines: Geometries) -> Registry:
    """Replace the rows of a year; an ID that would lose its last outline keeps it, so that it is never given again."""
    elsewhere = {name for name, other in zip(registry.ids, registry.years, strict=True) if other != year} | set(names)
    kept = [row for row, other in enumerate(registry.years) if other != year or registry.ids[row] not in elsewhere]
    ids = [*(registry.ids[row] for row in kept), *names]
    years = [*(registry.years[row] for row in kept), *[year] * len(names)]
    held = np.concatenate([registry.outlines[kept], outlines])
    order = sorted(range(len(ids)), key=lambda row: (ids[row], years[row]))
    return Registry(tuple(ids[row] for row in order), tuple(years[row] for row in order), held[order])
