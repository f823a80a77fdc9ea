"""The plain composite of other tools: median of what the scene classification calls clear. The yardstick of the benchmark."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from catalog.facts.bands import SCL_NAME
from catalog.facts.pixel_grids import PixelGrid
from catalog.facts.records import Scene
from models.surface.looks import ReadBand
from models.surface.median import masked_median
from models.surface.optical import clear_classes, harmonise

Counts = npt.NDArray[np.uint16]


def scl_median(scenes: Sequence[Scene], read: ReadBand, grid: PixelGrid, bands: Sequence[str], *, max_workers: int = 2) -> Counts:
    """Return the median (band, y, x) over scenes of harmonised counts where SCL is none of 0, 1, 3, 8, 9, 10; 0 = none.

    Classes come first; a band of a scene without any clear pixel is not read. One band's stack is in memory per worker.
    """
    out = np.zeros((len(bands), *grid.shape), dtype=np.uint16)
    with ThreadPoolExecutor(max_workers) as pool:
        classes = list(pool.map(lambda scene: read(scene, SCL_NAME, grid).astype(np.uint8, copy=False), scenes))
        use = np.stack([clear_classes(values) for values in classes])
        needed = [t for t in range(len(scenes)) if use[t].any()]

        def reduce_bands(indices: Sequence[int]) -> None:
            stack = np.zeros((len(scenes), *grid.shape), dtype=np.uint16)  # once per worker: fresh pages cost as much as the median
            for index in indices:
                for t in needed:
                    stack[t] = harmonise(read(scenes[t], bands[index], grid).astype(np.uint16, copy=False), scenes[t].offset_counts)
                masked_median(stack, use, out=out[index])

        for _ in pool.map(reduce_bands, [range(first, len(bands), max_workers) for first in range(max_workers)]):
            pass
    return out
