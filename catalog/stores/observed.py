"""Whether ground was seen in a year, from the cubes of that year."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import rasterio.features
import shapely
from affine import Affine

from catalog.facts.causes import Cause
from catalog.facts.grids import PIXEL_M, from_lonlat
from catalog.facts.schemas import SURFACE
from catalog.stores import cubes
from catalog.stores.store import Store


def observed_share(store: Store, region: str, year: int, outline: shapely.Geometry, looks: int) -> float:
    """Share of an outline (EPSG:4326) that was seen often enough in a year, in the zone where most of it was mapped."""
    return max((_share_in(path, outline, looks) for path in _cubes_of(store, region, year)), default=0.0)


def _cubes_of(store: Store, region: str, year: int) -> list[Path]:
    return sorted(store.cube(region, year, 0).parent.glob("*.zarr"))


@lru_cache(maxsize=64)
def _open(path: Path) -> cubes.Cube:
    return cubes.read_cube(path, SURFACE)


def _share_in(path: Path, outline: shapely.Geometry, looks: int) -> float:
    move = from_lonlat(int(path.stem)).transform
    polygon = shapely.transform(outline, lambda corners: np.column_stack(move(corners[:, 0], corners[:, 1])))
    left, bottom, right, top = shapely.bounds(polygon)
    y, x = int(np.floor(-top / PIXEL_M)), int(np.floor(left / PIXEL_M))
    shape = int(np.ceil(-bottom / PIXEL_M)) - y, int(np.ceil(right / PIXEL_M)) - x
    transform = Affine(PIXEL_M, 0, x * PIXEL_M, 0, -PIXEL_M, -y * PIXEL_M)
    inside = np.asarray(rasterio.features.rasterize([polygon], shape, transform=transform, all_touched=True, dtype="uint8"), bool)
    cause, seen = (cubes.read_window(_open(path), name, (y, x, *shape))[inside] for name in ("cause", "looks"))
    return float(((cause == Cause.USABLE) & (seen >= looks)).mean()) if inside.any() else 0.0
