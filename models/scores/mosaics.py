"""Overlapping chips of one region and year laid together, so that every lake and every shore is counted once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from catalog.facts.causes import Cause
from catalog.facts.chips import LABEL_IGNORE
from models.outlines.overlaps import components

Place = NDArray[np.int64]
_SURE: Final = 1e-4
"""Probabilities are kept this far from 0 and 1 before their logits are averaged: one chip must not outvote all others."""


@dataclass(frozen=True, slots=True)
class ChipPlaces:
    """Where N chips lie."""

    origins_yx: Place
    """(N, 2), global pixel of each upper left corner on its lattice."""
    lattice: NDArray[np.object_]
    """(N,), name of region, year and zone: chips of one name share a lattice. A chip without a place needs a name of its own."""


@dataclass(frozen=True, slots=True)
class Mosaic:
    """Chips that touch each other as one raster, all arrays (y, x)."""

    chips: Place
    """Places of its chips among all; `owner` counts through them."""
    origin_yx: tuple[int, int]
    probability: NDArray[np.float32]
    """Sigmoid of the mean of logits, weighted down towards the edges of chips; NaN where nothing answered."""
    spread: NDArray[np.float32]
    """Weighted mean of spreads; 0 where the model gives none."""
    label: NDArray[np.uint8]
    """Coverage x 250; 255 unknown, and outside the chips."""
    cause: NDArray[np.uint8]
    seen: NDArray[np.bool_]
    """Inside a chip, and seen by a sensor."""
    owner: NDArray[np.int32]
    """Chip in whose middle a pixel lies most; -1 outside all chips."""

    @property
    def inside(self) -> NDArray[np.bool_]:
        """(y, x), covered by a chip."""
        return self.owner >= 0


@dataclass(slots=True)
class _Sheet:
    """One mosaic in the making."""

    chips: Place
    origin_yx: tuple[int, int]
    left: int
    logit: NDArray[np.float32]
    weight: NDArray[np.float32]
    spread: NDArray[np.float32]
    label: NDArray[np.uint8]
    cause: NDArray[np.uint8]
    seen: NDArray[np.bool_]
    owner: NDArray[np.int32]
    middle: NDArray[np.float32]
    """Weight of the owner."""


def clusters_of(places: ChipPlaces, size_px: int) -> Place:
    """Number of the group that each chip belongs to, (N,); chips side by side belong together, or their common edge would cut lakes."""
    number = np.empty(len(places.lattice), np.int64)
    first = 0
    for name in sorted(set(places.lattice.tolist())):
        here = np.flatnonzero(places.lattice == name)
        found = np.unique(components(len(here), *_touching(places.origins_yx[here], size_px)), return_inverse=True)[1]
        number[here] = first + found
        first += int(found.max()) + 1
    return number


def _touching(origins: Place, size_px: int) -> tuple[Place, Place]:
    """Pairs of chips that share ground or an edge, found through cells of one chip's size."""
    cells: dict[tuple[int, int], list[int]] = {}
    for index, (row, column) in enumerate((origins // size_px).tolist()):
        cells.setdefault((row, column), []).append(index)
    pairs = [
        (one, other)
        for (row, column), members in cells.items()
        for near in (cells.get((row + dy, column + dx), ()) for dy in (0, 1) for dx in (-1, 0, 1))
        for one in members
        for other in near
        if one != other and (np.abs(origins[one] - origins[other]) <= size_px).all()
    ]
    one, other = np.array(pairs, np.int64).reshape(-1, 2).T
    return one, other


class MosaicMaker:
    """Takes predicted chips cluster by cluster and gives out the mosaics that are complete."""

    def __init__(self, places: ChipPlaces, size_px: int) -> None:
        """Plan the mosaics."""
        self._places, self._size = places, size_px
        self.cluster = clusters_of(places, size_px)
        self._weights = _weights(size_px)
        self._sheets: dict[int, _Sheet] = {}

    @property
    def order(self) -> Place:
        """Chips in an order that keeps few mosaics open."""
        rows, columns = self._places.origins_yx.T
        return np.lexsort((columns, rows, self.cluster)).astype(np.int64)

    def add(self, chips: Place, answers: Sequence[NDArray[np.float32]], known: Sequence[NDArray[Any]]) -> Iterator[Mosaic]:
        """Add chips by their places; `answers` are probability and spread, `known` label, cause and seen, each (n, y, x)."""
        for row, chip in enumerate(chips.tolist()):
            sheet = self._sheet(int(self.cluster[chip]))
            self._lay(sheet, chip, [array[row] for array in answers], [array[row] for array in known])
            sheet.left -= 1
            if sheet.left == 0:
                yield _finished(self._sheets.pop(int(self.cluster[chip])))

    def _sheet(self, cluster: int) -> _Sheet:
        if cluster not in self._sheets:
            members = np.flatnonzero(self.cluster == cluster)
            origins = self._places.origins_yx[members]
            top, left = origins.min(axis=0).tolist()
            shape = tuple((origins.max(axis=0) - (top, left) + self._size).tolist())
            floats = [np.zeros(shape, np.float32) for _ in range(4)]
            self._sheets[cluster] = _Sheet(
                members,
                (top, left),
                len(members),
                floats[0],
                floats[1],
                floats[2],
                np.full(shape, LABEL_IGNORE, np.uint8),
                np.full(shape, Cause.OUTSIDE_REGION, np.uint8),
                np.zeros(shape, bool),
                np.full(shape, -1, np.int32),
                floats[3],
            )
        return self._sheets[cluster]

    def _lay(self, sheet: _Sheet, chip: int, answers: list[NDArray[np.float32]], known: list[NDArray[Any]]) -> None:
        row, column = (self._places.origins_yx[chip] - sheet.origin_yx).tolist()
        part = slice(row, row + self._size), slice(column, column + self._size)
        probability, spread = answers
        weight = self._weights * np.isfinite(probability)
        kept = np.clip(np.nan_to_num(probability, nan=0.5), _SURE, 1 - _SURE)
        sheet.logit[part] += weight * np.log(kept / (1 - kept))
        sheet.spread[part] += weight * np.nan_to_num(spread)
        sheet.weight[part] += weight
        label, cause, seen = known
        # what one chip left open, as at a buffer's edge, another may know
        sheet.label[part] = np.where(sheet.label[part] == LABEL_IGNORE, label, sheet.label[part])
        sheet.cause[part], sheet.seen[part] = cause, sheet.seen[part] | seen
        nearer = self._weights > sheet.middle[part]
        sheet.owner[part][nearer] = int(np.searchsorted(sheet.chips, chip))
        np.maximum(sheet.middle[part], self._weights, out=sheet.middle[part])


def _weights(size_px: int) -> NDArray[np.float32]:
    axis = np.sin(np.pi * (np.arange(size_px) + 0.5) / size_px) ** 2 + 1e-3
    return np.multiply.outer(axis, axis).astype(np.float32)


def _finished(sheet: _Sheet) -> Mosaic:
    answered = sheet.weight > 0
    weight = np.where(answered, sheet.weight, 1.0)
    probability = np.where(answered, 1 / (1 + np.exp(-sheet.logit / weight)), np.nan).astype(np.float32)
    spread = (sheet.spread / weight).astype(np.float32)
    return Mosaic(sheet.chips, sheet.origin_yx, probability, spread, sheet.label, sheet.cause, sheet.seen, sheet.owner)
