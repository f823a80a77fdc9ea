"""Pixel runs on the zone's global lattice: the currency between probability and polygons."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.facts.errors import GridMismatch
from models.outlines.kernels import Int32, Int64, count_runs, fill_runs, group_by_label, label_runs, paint_runs

COLUMNS = ("y", "x0", "x1", "label")


@dataclass(frozen=True, slots=True)
class Runs:
    """Horizontal pixel runs of labelled components, sorted by (y, x0), disjoint and maximal.

    Positions are global pixels of one UTM zone: `x = easting / 10`, `y = -northing / 10`, growing downward.
    """

    y: Int32
    x0: Int32
    x1: Int32
    """One behind the last pixel."""
    label: Int32
    """4-connected component: 0, 1, ... in the order of first pixels."""

    @property
    def size(self) -> int:
        """Number of runs."""
        return int(self.y.size)

    @property
    def labels(self) -> int:
        """Number of components; every label below it occurs."""
        return int(self.label.max()) + 1 if self.size else 0


def empty_runs() -> Runs:
    """Return no runs at all."""
    return Runs(*(np.empty(0, np.int32) for _ in COLUMNS))


def runs_of(mask: NDArray[np.bool_], origin_yx: tuple[int, int]) -> Runs:
    """Return the 4-connected components of a mask (y, x) whose upper left pixel lies at `origin_yx`."""
    pixels = np.ascontiguousarray(mask, dtype=np.bool_).view(np.uint8)
    found = np.empty((3, count_runs(pixels)), np.int32)
    fill_runs(pixels, found)
    y, x0, x1 = found
    return Runs(y + np.int32(origin_yx[0]), x0 + np.int32(origin_yx[1]), x1 + np.int32(origin_yx[1]), label_runs(y, x0, x1))


def pixel_counts(runs: Runs) -> Int64:
    """Return pixels per label."""
    return np.bincount(runs.label, weights=runs.x1 - runs.x0, minlength=runs.labels).astype(np.int64)


def bounds_of(runs: Runs) -> Int64:
    """Return (y0, x0, y1, x1) per label, ends exclusive, shape (labels, 4)."""
    bounds = np.empty((runs.labels, 4), np.int64)
    bounds[:, :2], bounds[:, 2:] = np.iinfo(np.int32).max, np.iinfo(np.int32).min
    np.minimum.at(bounds[:, 0], runs.label, runs.y)
    np.minimum.at(bounds[:, 1], runs.label, runs.x0)
    np.maximum.at(bounds[:, 2], runs.label, runs.y + 1)
    np.maximum.at(bounds[:, 3], runs.label, runs.x1)
    return bounds


def by_label(runs: Runs) -> tuple[Int64, Int64]:
    """Return (order, offsets): `order[offsets[k]:offsets[k + 1]]` are the runs of label k, top down."""
    offsets = np.zeros(runs.labels + 1, np.int64)
    np.cumsum(np.bincount(runs.label, minlength=runs.labels), out=offsets[1:])
    return group_by_label(runs.label, offsets), offsets


def select(runs: Runs, keep: NDArray[np.bool_]) -> Runs:
    """Return the components whose entry in `keep` (one per label) is true, relabelled without gaps."""
    if keep.shape != (runs.labels,):
        raise GridMismatch(
            f"The choice of components has {keep.shape} entries, the runs have {runs.labels} labels: pass one entry per label."
        )
    renumbered = (np.cumsum(keep) - 1).astype(np.int32)
    chosen = keep[runs.label]
    return Runs(runs.y[chosen], runs.x0[chosen], runs.x1[chosen], renumbered[runs.label[chosen]])


def between_rows(runs: Runs, top: int, bottom: int) -> Runs:
    """Return the runs of rows top <= y < bottom with their labels; not relabelled, components may be cut."""
    place = slice(*np.searchsorted(runs.y, (top, bottom)))
    return Runs(runs.y[place], runs.x0[place], runs.x1[place], runs.label[place])


def to_labels(runs: Runs, bbox: tuple[int, int, int, int]) -> Int32:
    """Paint labels into a raster over `bbox` (y0, x0, y1, x1), ends exclusive; -1 is outside; runs are clipped."""
    top, left, bottom, right = bbox
    raster = np.full((bottom - top, right - left), -1, np.int32)
    paint_runs(runs.y - np.int32(top), runs.x0 - np.int32(left), runs.x1 - np.int32(left), runs.label, raster)
    return raster


def to_mask(runs: Runs, bbox: tuple[int, int, int, int]) -> NDArray[np.bool_]:
    """Return the mask (y, x) of all runs over `bbox` (y0, x0, y1, x1), ends exclusive; runs are clipped."""
    inside: NDArray[np.bool_] = to_labels(runs, bbox) >= 0
    return inside


def concatenate(pieces: Sequence[Runs]) -> Runs:
    """Put runs of several pieces behind each other with distinct labels; not sorted and not joined (see `join`)."""
    if not pieces:
        return empty_runs()
    shifts = np.cumsum([0, *(piece.labels for piece in pieces[:-1])])
    labels = [piece.label + np.int32(shift) for piece, shift in zip(pieces, shifts, strict=True)]
    y, x0, x1 = (np.concatenate([getattr(piece, name) for piece in pieces]) for name in COLUMNS[:3])
    return Runs(y, x0, x1, np.concatenate(labels))


def to_table(runs: Runs) -> pa.Table:
    """Return the runs as an Arrow table of int32 columns y, x0, x1, label."""
    return pa.table({name: pa.array(getattr(runs, name), pa.int32()) for name in COLUMNS})


def from_table(table: pa.Table) -> Runs:
    """Read what `to_table` wrote; raises GridMismatch when a column is missing."""
    missing = [name for name in COLUMNS if name not in table.column_names]
    if missing:
        raise GridMismatch(
            f"The table of runs lacks {', '.join(missing)} (it has {', '.join(table.column_names)}): outline the tile again."
        )
    return Runs(*(table.column(name).to_numpy().astype(np.int32) for name in COLUMNS))
