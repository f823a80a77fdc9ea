"""Which chips are drawn together when intervals are made: neighbours are alike, so they are no independent evidence."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

ENOUGH: Final = 10
"""Blocks of the split from which intervals are made of them; with fewer, finer cells are used."""
CELL_DEG: Final = 0.05


def score_blocks(
    grounds: Sequence[str], blocks: Sequence[str], longitude: NDArray[np.float64], latitude: NDArray[np.float64]
) -> tuple[NDArray[np.int64], str]:
    """Number of the block of every chip, and in words what the blocks are.

    Simulated worlds may use the same coordinates, so a block never reaches over two grounds. A chip without a place is a block.
    """
    names = np.array([f"{ground}|{block}" for ground, block in zip(grounds, blocks, strict=True)], object)
    words = "blocks of the split"
    if len(set(names.tolist())) < ENOUGH:
        cells = [np.floor(degrees / CELL_DEG) for degrees in (latitude, longitude)]
        names = np.array([f"{ground}|{row}|{column}" for ground, row, column in zip(grounds, *cells, strict=True)], object)
        words = f"cells of {CELL_DEG} degrees, as there are fewer than {ENOUGH} blocks of the split"
    nowhere = ~np.isfinite(longitude)
    names[nowhere] = [f"chip {place}" for place in np.flatnonzero(nowhere)]
    return np.unique(names.astype(str), return_inverse=True)[1].astype(np.int64), words
