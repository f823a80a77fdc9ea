"""Loops over pixel runs that numpy cannot express, compiled by numba and cached on disk."""

from collections.abc import Callable
from typing import TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
_F = TypeVar("_F", bound=Callable[..., object])


def compiled(function: _F) -> _F:
    """Compile on first call; the lock of the interpreter is released so that threads run side by side."""
    try:
        return cast(_F, njit(cache=True, nogil=True)(function))
    except RuntimeError:
        # numba refuses to cache where neither the package nor the user's cache folder can be written, as in read-only images.
        return cast(_F, njit(nogil=True)(function))


@compiled
def count_runs(pixels: NDArray[np.uint8]) -> int:
    """Return the number of horizontal runs of nonzero pixels."""
    count = 0
    rows, columns = pixels.shape
    for row in range(rows):
        before = np.uint8(0)
        for column in range(columns):
            inside = pixels[row, column]
            if inside != 0 and before == 0:
                count += 1
            before = inside
    return count


@compiled
def fill_runs(pixels: NDArray[np.uint8], out: Int32) -> None:
    """Write (row, first column, column behind the last) of every run into `out` (3, runs), row by row."""
    count = 0
    rows, columns = pixels.shape
    for row in range(rows):
        column = 0
        while column < columns:
            if pixels[row, column] == 0:
                column += 1
                continue
            start = column
            while column < columns and pixels[row, column] != 0:
                column += 1
            out[0, count] = row
            out[1, count] = start
            out[2, count] = column
            count += 1


@compiled
def merge_rows(y: Int32, x0: Int32, x1: Int32) -> int:
    """Unite runs of one row that touch or overlap, in place; arrays are sorted by (y, x0). Returns how many remain."""
    kept = 0
    for i in range(y.size):
        if kept > 0 and y[i] == y[kept - 1] and x0[i] <= x1[kept - 1]:
            x1[kept - 1] = max(x1[kept - 1], x1[i])
        else:
            y[kept], x0[kept], x1[kept] = y[i], x0[i], x1[i]
            kept += 1
    return kept


@compiled
def root_of(parent: Int32, i: int) -> int:
    """Return the root of `i`, halving the path on the way."""
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@compiled
def label_runs(y: Int32, x0: Int32, x1: Int32) -> Int32:
    """Return 4-connected labels of sorted, disjoint runs: 0, 1, ... in the order of each component's first pixel.

    Two-pointer sweep over neighbouring rows with union-find (Rosenfeld & Pfaltz 1966; He, Chao & Suzuki 2008).
    """
    count = y.size
    parent = np.arange(count).astype(np.int32)
    above = 0
    for i in range(count):
        while above < i and (y[above] < y[i] - 1 or (y[above] == y[i] - 1 and x1[above] <= x0[i])):
            above += 1
        j = above
        while j < i and y[j] == y[i] - 1 and x0[j] < x1[i]:
            a, b = root_of(parent, j), root_of(parent, i)
            # The smaller index wins, so a root is its component's first run.
            parent[max(a, b)] = min(a, b)
            j += 1
    labels = np.empty(count, np.int32)
    found = 0
    for i in range(count):
        root = root_of(parent, i)
        if root == i:
            labels[i] = found
            found += 1
        else:
            labels[i] = labels[root]
    return labels


@compiled
def group_by_label(label: Int32, offsets: Int64) -> Int64:
    """Return the order that sorts runs by label and keeps their order within one (counting sort)."""
    place = offsets.copy()
    order = np.empty(label.size, np.int64)
    for i in range(label.size):
        order[place[label[i]]] = i
        place[label[i]] += 1
    return order


@compiled
def paint_runs(y: Int32, x0: Int32, x1: Int32, value: Int32, out: Int32) -> None:
    """Write `value` of each run into `out` (y, x), clipped to it."""
    rows, columns = out.shape
    for i in range(y.size):
        if 0 <= y[i] < rows:
            out[y[i], max(x0[i], 0) : min(x1[i], columns)] = value[i]
