"""Polygons of a lake mask: pixel runs and crack following against rasterio.features.shapes, equality checked first.

python benchmarks/bench_polygons.py --size 4096 --repeats 3
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import shapes
from scipy import ndimage

from models.outlines.join import join
from models.outlines.polygonize import polygons_of
from models.outlines.runs import Runs, runs_of

TILE = 2240


def lake_mask(size: int, water_share: float = 0.03, seed: int = 7) -> NDArray[np.bool_]:
    """Smooth noise over two scales with some pixel noise at the shores, cut so that `water_share` is water."""
    rng = np.random.default_rng(seed)
    coarse = ndimage.zoom(rng.standard_normal((size // 32 + 2, size // 32 + 2)), 32, order=1)[:size, :size]
    fine = ndimage.uniform_filter(rng.standard_normal((size, size)), 5)
    field = coarse + 0.8 * fine
    return field > np.quantile(field[::7, ::7], 1 - water_share)


def gdal(mask: NDArray[np.bool_]) -> NDArray[np.object_]:
    found = shapes(mask.view(np.uint8), mask=mask, connectivity=4, transform=Affine(10, 0, 0, 0, -10, 0))
    return np.array([shapely.geometry.shape(geometry) for geometry, _ in found], dtype=object)


def ours(mask: NDArray[np.bool_]) -> NDArray[np.object_]:
    return polygons_of(runs_of(mask, (0, 0)))[1]


def pieces_of(mask: NDArray[np.bool_]) -> list[Runs]:
    starts = [(y, x) for y in range(0, mask.shape[0], TILE) for x in range(0, mask.shape[1], TILE)]
    return [runs_of(mask[y : y + TILE, x : x + TILE], (y, x)) for y, x in starts]


def cpu_seconds(work: Callable[[], object], repeats: int) -> float:
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return float(np.median(taken))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--repeats", type=int, default=3)
    call = parser.parse_args()
    mask = lake_mask(call.size)
    first, second = (sorted(shapely.to_wkb(shapely.normalize(polygons(mask))).tolist()) for polygons in (ours, gdal))
    assert first == second, "polygons differ from GDAL's"
    pieces = pieces_of(mask)
    runs = join(pieces)
    assert shapely.to_wkb(polygons_of(runs)[1]).tolist() == shapely.to_wkb(ours(mask)).tolist(), "tiles left a trace"
    print(
        f"{call.size} x {call.size} px, {mask.mean():.1%} water, {runs.size} runs, {len(first)} polygons: equal to GDAL, tiles leave no trace"
    )
    seconds = {
        "rasterio.features.shapes + shapely": cpu_seconds(lambda: gdal(mask), call.repeats),
        "runs + polygons (ours)": cpu_seconds(lambda: ours(mask), call.repeats),
        "  of which runs": cpu_seconds(lambda: runs_of(mask, (0, 0)), call.repeats),
        "  of which polygons": cpu_seconds(lambda: polygons_of(runs), call.repeats),
        f"join of {len(pieces)} tiles": cpu_seconds(lambda: join(pieces), call.repeats),
    }
    reference = seconds["rasterio.features.shapes + shapely"]
    for name, taken in seconds.items():
        print(f"{name:<38} {taken:8.4f} CPU s   {call.size**2 / 1e6 / taken:9.1f} Mpx/s   {reference / taken:6.1f}x")


if __name__ == "__main__":
    main()
