"""Which feature of a rerun an edit means: by name, and by the ground that its author saw."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.facts.edits import Edit
from models.outlines.overlaps import overlaps_of, spherical_area_m2

Geometries = NDArray[np.object_]
ALIKE = 0.5
"""Intersection over union from which an outline is still the one that was seen."""


@dataclass(frozen=True, slots=True)
class Named:
    """Features of a year: names, outlines (EPSG:4326) and areas in equal order."""

    ids: tuple[str, ...]
    outlines: Geometries
    area_m2: NDArray[np.float64]
    """As mapped; NaN for what people drew."""


@dataclass(frozen=True, slots=True)
class Found:
    """The feature that an edit means."""

    row: int
    likeness: float
    """Intersection over union with the outline seen; of an edit for every year the share of the smaller, for features grow. 1 when
    the outline seen is unknown."""
    inside: float
    """Share of the feature on the ground that was seen; 1 when unknown."""


def find_all(edits: Sequence[Edit], features: Named) -> tuple[Found | None, ...]:
    """Return, per edit, the feature of its name, else the one that is still like the outline seen, else None."""
    seen = np.array([edit.seen_outline for edit in edits], dtype=object)
    place = {name: row for row, name in enumerate(features.ids)}
    pairs = overlaps_of(seen, features.outlines)
    area = spherical_area_m2(features.outlines)
    met: list[dict[int, Found]] = [{} for _ in edits]
    for left, right, shared, share, likeness in zip(
        pairs.left.tolist(), pairs.right.tolist(), pairs.area_m2, pairs.share, pairs.likeness, strict=True
    ):
        measure = likeness if edits[left].year is not None else share
        met[left][right] = Found(right, float(measure), float(min(shared / area[right], 1.0)))
    return tuple(_found(edit, place, near) for edit, near in zip(edits, met, strict=True))


def _found(edit: Edit, place: dict[str, int], near: dict[int, Found]) -> Found | None:
    if edit.feature_id in place:
        row = place[edit.feature_id]
        return near.get(row, Found(row, 0.0, 0.0)) if edit.seen_outline_wkt else Found(row, 1.0, 1.0)
    best = max(near.values(), key=lambda found: (found.likeness, -found.row), default=None)
    return best if best is not None and best.likeness >= ALIKE else None


def nearest_like(outline: Geometries, features: Named) -> Found | None:
    """Return the feature most like an outline (array of one), when it is alike enough to be the same."""
    pairs = overlaps_of(outline, features.outlines)
    if not pairs.likeness.size or pairs.likeness.max() < ALIKE:
        return None
    best = int(pairs.likeness.argmax())
    return Found(int(pairs.right[best]), float(pairs.likeness[best]), 1.0)
