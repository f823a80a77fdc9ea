"""Cubes as cloud-optimised GeoTIFFs: one per zone, with overviews, read and written tile by tile."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import rasterio
import rasterio.shutil
from affine import Affine
from numpy.typing import NDArray

from catalog.facts.bands import s2_index
from catalog.facts.grids import PIXEL_M, Tile
from catalog.facts.publication import Raster
from catalog.facts.schemas import PROBABILITY, PROBABILITY_NODATA, PROBABILITY_SCALE, SURFACE
from catalog.stores import cubes
from catalog.stores.files import storage_errors
from catalog.stores.raster_files import OPTIONS

_RGB: Final = ("B04", "B03", "B02")
_BLOCK: Final = 512
_PLAIN: Final = {"driver": "GTiff", "tiled": True, "blockxsize": _BLOCK, "blockysize": _BLOCK, "compress": "deflate", "bigtiff": "if_safer"}
_FINAL: Final = {"driver": "COG", "compress": "deflate", "predictor": "standard", "blocksize": _BLOCK, "bigtiff": "if_safer"}


def write_probability(path: Path, cube_path: Path, tiles: Sequence[Tile]) -> Raster:
    """Write the probability of a zone: value x 250 as uint8, 255 where there is no prediction."""
    cube = cubes.read_cube(cube_path, PROBABILITY)
    raster = _raster(cube, tiles[0].epsg, (("probability", "calibrated probability of the target"),), "uint8", PROBABILITY_NODATA)

    def read(tile: Tile) -> NDArray[Any]:
        return cubes.read_window(cube, "probability", (*tile.origin_yx_px, tile.size_px, tile.size_px))[None]

    _write(path, cube, raster, tiles, read, resampling="average")
    return raster


def write_surface(path: Path, cube_path: Path, tiles: Sequence[Tile]) -> Raster:
    """Write red, green and blue of a zone's surface: reflectance x 10 000 as uint16, 0 where there is nothing."""
    cube = cubes.read_cube(cube_path, SURFACE)
    meanings = ("red", "green", "blue")
    bands = tuple((name, f"surface reflectance, {meaning}") for name, meaning in zip(_RGB, meanings, strict=True))
    raster = _raster(cube, tiles[0].epsg, bands, "uint16", 0)

    def read(tile: Tile) -> NDArray[Any]:
        return cubes.read_window(cube, "s2", (*tile.origin_yx_px, tile.size_px, tile.size_px))[[s2_index(name) for name in _RGB]]

    _write(path, cube, raster, tiles, read, resampling="average")
    return raster


def _raster(cube: cubes.Cube, epsg: int, bands: tuple[tuple[str, str], ...], data_type: str, nodata: int) -> Raster:
    top, left = cube.origin_yx_px
    affine = (float(PIXEL_M), 0.0, float(left * PIXEL_M), 0.0, float(-PIXEL_M), float(-top * PIXEL_M))
    scale = PROBABILITY_SCALE if data_type == "uint8" else SURFACE[0].scale
    return Raster(f"EPSG:{epsg}", cube.shape_yx_px, affine, bands, data_type, float(nodata), scale)


def _write(path: Path, cube: cubes.Cube, raster: Raster, tiles: Sequence[Tile], read: Any, *, resampling: str) -> None:
    plain = path.with_suffix(".plain.tif")
    height, width = raster.shape_yx
    profile = {**_PLAIN, "height": height, "width": width, "count": len(raster.bands), "dtype": raster.data_type, "sparse_ok": True}
    with storage_errors(path), rasterio.Env(**OPTIONS):
        with rasterio.open(plain, "w", **profile, nodata=raster.nodata, crs=raster.code, transform=Affine(*raster.transform)) as file:
            for number, (name, _) in enumerate(raster.bands, start=1):
                file.set_band_description(number, name)
            file.scales = [raster.scale] * len(raster.bands)
            for tile in tiles:
                y, x = (a - b for a, b in zip(tile.origin_yx_px, cube.origin_yx_px, strict=True))
                pixels = read(tile)
                if (pixels != np.asarray(raster.nodata, pixels.dtype)).any():
                    file.write(pixels, window=rasterio.windows.Window(x, y, tile.size_px, tile.size_px))
        rasterio.shutil.copy(plain, path, **_FINAL, overview_resampling=resampling, sparse_ok=True)
        plain.unlink()
