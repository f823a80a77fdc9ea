"""Stratified random samples: who is in which stratum, how many of each, and which."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from catalog.facts.errors import WrongCall
from catalog.facts.schemas import SIZE_CLASSES, size_class

Floats = NDArray[np.float64]
LEAST: Final = 5
"""Cases of a stratum, or all where it has fewer: below, its variance is a guess."""
SMALL_FLAGS: Final = frozenset({"below_minimum_area", "below_darts_minimum"})
"""Tell the size, which is a stratum already; every other flag tells of a reason for doubt."""
CELL_STRATA: Final = {"near features": 1.5, "suspicious": 3.0, "plain": 1.0}
"""Stratum of cells -> how much more likely such a cell is to be drawn: where misses are likelier, their number is surer."""
SUSPICIOUS_SHARE: Final = 0.002
"""Share of a cell in doubt (100 pixels of 2.24 km), from which it is suspicious."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A sample: arrays of equal length, one entry per case, in the order of the population."""

    rows: NDArray[np.int64]
    population: NDArray[np.int64]
    sampled: NDArray[np.int64]


def feature_strata(area_m2: Floats, flags: Sequence[Sequence[str]]) -> list[str]:
    """Return `<size class>, clean` or `<size class>, flagged` per feature."""
    doubts = ["flagged" if set(names) - SMALL_FLAGS else "clean" for names in flags]
    return [f"{size_class(area)}, {doubt}" for area, doubt in zip(area_m2.tolist(), doubts, strict=True)]


def stratum_order(stratum: str) -> tuple[str, int, str]:
    """Sort key: strata of features by doubt and size, so that neighbours are alike; cells by name."""
    size, _, doubt = stratum.partition(", ")
    labels = [label for label, _ in SIZE_CLASSES]
    return doubt, labels.index(size) if size in labels else -1, stratum


def cell_strata(near: NDArray[np.bool_], doubtful_share: Floats) -> list[str]:
    """Return the stratum of each cell: whether listed features are in it, whether the model was in doubt, or neither."""
    plain = np.where(doubtful_share >= SUSPICIOUS_SHARE, "suspicious", "plain")
    return [str(name) for name in np.where(near, "near features", plain)]


def area_weights(area_m2: Floats) -> Floats:
    """Return how likely each feature is to be drawn beside the others: half by number, half by area.

    Errors of an outline grow with its area, so that total area wants large lakes (Neyman 1934), and counts want all alike.
    """
    mean = area_m2.mean() if area_m2.size else 1.0
    return 0.5 + 0.5 * area_m2 / mean


def draw(strata: Sequence[str], weights: Floats, size: int, rng: np.random.Generator) -> Drawn:
    """Draw `size` of a population: so many of each stratum as the sum of its weights asks for, then at random without replacement.

    Within a stratum all are equally likely. Raises WrongCall when the sample is too small to have any of each stratum.
    """
    names = sorted(set(strata), key=stratum_order)
    place = np.array([names.index(name) for name in strata], np.int64)
    sizes = np.bincount(place, minlength=len(names))
    if size < len(names):
        raise WrongCall(f"A sample of {size} cannot hold all {len(names)} strata ({'; '.join(names)}). Ask for at least {2 * len(names)}.")
    counts = allocate(sizes, np.asarray(np.bincount(place, weights, minlength=len(names)), np.float64), size)
    chosen = [rng.choice(np.flatnonzero(place == stratum), count, replace=False) for stratum, count in enumerate(counts.tolist())]
    rows = np.sort(np.concatenate(chosen)) if chosen else np.empty(0, np.int64)
    return Drawn(rows, sizes[place[rows]], counts[place[rows]])


def allocate(sizes: NDArray[np.int64], demand: Floats, total: int, least: int = LEAST) -> NDArray[np.int64]:
    """Return cases per stratum: `least` of each (all where it has fewer), the rest by demand, never more than a stratum holds.

    Adds up to `total`, or to the population where that is smaller.
    """
    total = min(total, int(sizes.sum()))
    share = max(1, min(least, total // max(len(sizes), 1)))
    counts = np.minimum(sizes, share)
    while (left := total - int(counts.sum())) > 0:
        open_strata = counts < sizes
        wanted = np.where(open_strata, demand, 0.0)
        more = np.minimum(np.floor(left * wanted / wanted.sum()).astype(np.int64), sizes - counts)
        if not more.any():
            # what is left is less than one each: to those that want most
            order = np.lexsort((np.arange(len(sizes)), -wanted))
            more[order[open_strata[order]][:left]] = 1
        counts = counts + more
    return counts
