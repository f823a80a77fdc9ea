"""How far predicted shores lie from true ones: boundary precision and recall within a tolerance."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from catalog.facts.errors import GridMismatch

TOLERANCES_PX: Final = (1, 2)
"""10 m and 20 m on the lattice of 10 m."""
Mask = NDArray[np.bool_]
Counts = NDArray[np.int64]
_CROSS: Final = ndimage.generate_binary_structure(2, 1)


@dataclass(frozen=True, slots=True)
class ShoreCounts:
    """Shore pixels per part of a raster; F = 2PR / (P + R), P = near_predicted / predicted, R = near_true / true (Csurka et al. 2013)."""

    predicted: Counts
    """(parts,), shore pixels of the prediction."""
    true: Counts
    """(parts,)."""
    near_predicted: Counts
    """(parts, tolerances), those of `predicted` with a true shore pixel within the tolerance."""
    near_true: Counts
    """(parts, tolerances), those of `true` with a predicted shore pixel within the tolerance."""


def count_shores(predicted: Mask, truth: Mask, seen: Mask, owner: NDArray[np.int32], parts: int) -> ShoreCounts:
    """Count shore pixels (y, x) by the part that `owner` says they belong to; -1 belongs to nobody.

    A shore pixel is one of a mask with a neighbour (4) outside it that was seen: the edge of what was seen is no shore.
    Raises GridMismatch when shapes differ.
    """
    if not predicted.shape == truth.shape == seen.shape == owner.shape:
        raise GridMismatch(f"Shores to compare have shapes {predicted.shape}, {truth.shape}, {seen.shape}, {owner.shape}: use one grid.")
    shores = [_shore(mask & seen, seen) for mask in (predicted, truth)]
    near = [shore[..., None] & _within(other) for shore, other in zip(shores, reversed(shores), strict=True)]
    of_predicted, of_true = (_by_part(shore[..., None], owner, parts)[:, 0] for shore in shores)
    return ShoreCounts(of_predicted, of_true, _by_part(near[0], owner, parts), _by_part(near[1], owner, parts))


def shore_f(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Boundary F of sums (..., 4): near_predicted, predicted, near_true, true."""
    near_predicted, predicted, near_true, true = np.moveaxis(sums, -1, 0)
    precision, recall = near_predicted / np.maximum(predicted, 1), near_true / np.maximum(true, 1)
    both = precision + recall
    score = np.divide(2 * precision * recall, both, out=np.zeros(both.shape), where=both > 0)
    return np.where(predicted + true > 0, score, np.nan)


def _shore(mask: Mask, seen: Mask) -> Mask:
    shore: Mask = mask & ndimage.binary_dilation(seen & ~mask, _CROSS)
    return shore


def _within(shore: Mask) -> Mask:
    if not shore.any():
        return np.zeros((*shore.shape, len(TOLERANCES_PX)), bool)
    distance = ndimage.distance_transform_edt(~shore)
    return np.asarray(distance[..., None] <= np.array(TOLERANCES_PX), bool)


def _by_part(marked: Mask, owner: NDArray[np.int32], parts: int) -> Counts:
    owned = owner >= 0
    return np.stack(
        [np.bincount(owner[owned], weights=marked[..., layer][owned], minlength=parts) for layer in range(marked.shape[-1])], axis=-1
    ).astype(np.int64)
