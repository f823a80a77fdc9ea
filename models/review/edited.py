"""The columns of a region-year with the edits in them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.facts.edits import Edit, Verdict, edits_of_year
from models.outlines.identity import Registry
from models.review.drawings import Lattice, drawn_figures, points_of
from models.review.matching import Geometries, Named
from models.review.rulings import Ruled, additions, rule

Naming = Callable[[Geometries, NDArray[np.float64]], tuple[tuple[str, ...], Registry]]
"""Outlines (EPSG:4326) and points inside them (n, 2) -> names, and the registry that knows them."""
FLAG = "edited"
"""Of features whose outline a person drew."""


@dataclass(frozen=True, slots=True)
class Features:
    """Measured features of a region-year, without names yet."""

    outlines: Geometries
    """EPSG:4326."""
    columns: Mapping[str, Sequence[Any]]
    """Beside geometry and name, as in the schema of the target."""

    @property
    def points(self) -> NDArray[np.float64]:
        """A point inside each outline, longitude and latitude, (n, 2)."""
        return np.array([self.columns["longitude"], self.columns["latitude"]], np.float64).T.reshape(-1, 2)


@dataclass(frozen=True, slots=True)
class EditedFeatures:
    """What the inventory lists, and every name that was given for it."""

    ids: tuple[str, ...]
    outlines: Geometries
    columns: dict[str, list[Any]]
    registry: Registry
    """Knows the outlines as mapped, rejected ones too, and what was added: names do not follow edits."""
    verdicts: tuple[Verdict, ...]


def with_edits(year: int, features: Features, edits: Sequence[Edit], naming: Naming, lattice: Lattice) -> EditedFeatures:
    """Apply the edits that speak for a year. Without any, names are all that is added."""
    speaking, points = edits_of_year(edits, year), features.points
    ids, registry = naming(features.outlines, points)
    columns = {name: list(values) for name, values in features.columns.items()}
    if not speaking:
        return EditedFeatures(ids, features.outlines, columns, registry, ())
    new = additions(year, _named(ids, features.outlines, columns), speaking)
    outlines, points = _joined(features.outlines, points, new, lattice)
    if new:
        ids, registry = naming(outlines, points)
    added = {edit.number: len(features.outlines) + place for place, edit in enumerate(new)}
    columns = {name: values + [None] * len(new) for name, values in columns.items()}
    ruled = rule(year, _named(ids, outlines, columns), speaking, added)
    verdicts = tuple(ruled.verdicts[edit.number] for edit in speaking)
    kept = np.flatnonzero(ruled.keep).tolist()
    final = _edited_columns(columns, ruled, lattice)
    return EditedFeatures(
        tuple(ids[row] for row in kept),
        ruled.outlines[ruled.keep],
        {name: [values[row] for row in kept] for name, values in final.items()},
        registry,
        verdicts,
    )


def _named(ids: Sequence[str], outlines: Geometries, columns: Mapping[str, Sequence[Any]]) -> Named:
    area = np.array([np.nan if value is None else value for value in columns["area_m2"]], np.float64)
    return Named(tuple(ids), outlines, area)


def _joined(
    outlines: Geometries, points: NDArray[np.float64], new: Sequence[Edit], lattice: Lattice
) -> tuple[Geometries, NDArray[np.float64]]:
    drawn = np.array([edit.geometry for edit in new], dtype=object)
    return np.concatenate([outlines, drawn]), np.concatenate([points, points_of(drawn, lattice)])


def _edited_columns(columns: dict[str, list[Any]], ruled: Ruled, lattice: Lattice) -> dict[str, list[Any]]:
    rows = np.flatnonzero(ruled.drawn & ruled.keep).tolist()
    figures = drawn_figures(ruled.outlines[rows], [columns["utm_epsg"][row] for row in rows], lattice)
    for name in set(figures) & set(columns):
        for row, value in zip(rows, figures[name], strict=True):
            columns[name][row] = value
    flags = columns["flags"]
    for row in rows:
        small = [lattice.small_flag] if columns["area_m2"][row] < lattice.small_m2 else []
        flags[row] = [*(flag for flag in flags[row] or () if flag not in {lattice.small_flag, FLAG}), *small, FLAG]
    return columns | {"edit": ruled.edit, "edit_note": ruled.notes}
