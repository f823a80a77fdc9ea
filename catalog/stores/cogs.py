"""Cubes as cloud-optimised GeoTIFFs: one per zone, with overviews, read and written tile by tile."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import rasterio
import rasterio.shutil
from affine import Affine
from numpy.typing import NDArray
from rasterio.windows import Window as FileWindow

from catalog.facts.bands import s2_index
from catalog.facts.grids import PIXEL_M
from catalog.facts.publication import Raster
from catalog.facts.schemas import PROBABILITY, PROBABILITY_NODATA, PROBABILITY_SCALE, SURFACE
from catalog.facts.territory import ZoneTerritory
from catalog.stores import cubes
from catalog.stores.files import storage_errors
from catalog.stores.overviews import Rectangle, rectangle_of
from catalog.stores.raster_files import OPTIONS

_RGB: Final = ("B04", "B03", "B02")
_BLOCK: Final = 512
_PLAIN: Final = {"driver": "GTiff", "tiled": True, "blockxsize": _BLOCK, "blockysize": _BLOCK, "bigtiff": "if_safer", "sparse_ok": True}
_FINAL: Final = {"driver": "COG", "compress": "deflate", "predictor": "standard", "blocksize": _BLOCK, "bigtiff": "if_safer"}
Read = Callable[[cubes.Window], NDArray[Any]]


def write_probability(path: Path, cube_path: Path, zone: ZoneTerritory) -> Raster:
    """Write the probability of a zone: value x 250 as uint8, 255 where there is no prediction."""
    cube, rectangle = cubes.read_cube(cube_path, PROBABILITY), rectangle_of(zone)
    bands = (("probability", "calibrated probability of the target"),)
    raster = _raster(rectangle, zone.epsg, bands, ("uint8", PROBABILITY_NODATA, PROBABILITY_SCALE))
    _write(path, raster, rectangle, zone, lambda window: cubes.read_window(cube, "probability", window)[None])
    return raster


def write_surface(path: Path, cube_path: Path, zone: ZoneTerritory) -> Raster:
    """Write red, green and blue of a zone's surface: reflectance x 10 000 as uint16, 0 where there is nothing."""
    cube, rectangle = cubes.read_cube(cube_path, SURFACE), rectangle_of(zone)
    meanings = ("red", "green", "blue")
    bands = tuple((name, f"surface reflectance, {meaning}") for name, meaning in zip(_RGB, meanings, strict=True))
    raster = _raster(rectangle, zone.epsg, bands, ("uint16", 0, SURFACE[0].scale))
    chosen = [s2_index(name) for name in _RGB]
    _write(path, raster, rectangle, zone, lambda window: cubes.read_window(cube, "s2", window)[chosen])
    return raster


def _raster(rectangle: Rectangle, epsg: int, bands: tuple[tuple[str, str], ...], stored: tuple[str, int, float]) -> Raster:
    top, left, bottom, right = rectangle
    affine = (float(PIXEL_M), 0.0, float(left * PIXEL_M), 0.0, float(-PIXEL_M), float(-top * PIXEL_M))
    data_type, nodata, scale = stored
    return Raster(f"EPSG:{epsg}", (bottom - top, right - left), affine, bands, data_type, float(nodata), scale)


def _write(path: Path, raster: Raster, rectangle: Rectangle, zone: ZoneTerritory, read: Read) -> None:
    plain = path.with_suffix(".plain.tif")
    height, width = raster.shape_yx
    profile = {**_PLAIN, "height": height, "width": width, "count": len(raster.bands), "dtype": raster.data_type, "nodata": raster.nodata}
    if len(raster.bands) == len(_RGB):
        profile["photometric"] = "rgb"
    with storage_errors(path), rasterio.Env(**OPTIONS):
        with rasterio.open(plain, "w", **profile, crs=raster.code, transform=Affine(*raster.transform)) as file:
            for number, (name, _) in enumerate(raster.bands, start=1):
                file.set_band_description(number, name)
            file.scales = [raster.scale] * len(raster.bands)
            for window in _windows(zone, rectangle):
                _write_window(file, raster, rectangle, window, read)
        rasterio.shutil.copy(plain, path, **_FINAL, overview_resampling="average", sparse_ok=True)
        plain.unlink()


def _write_window(file: Any, raster: Raster, rectangle: Rectangle, window: cubes.Window, read: Read) -> None:
    pixels = read(window)
    if (pixels != np.asarray(raster.nodata, pixels.dtype)).any():
        y, x, rows, columns = window
        file.write(pixels, window=FileWindow(x - rectangle[1], y - rectangle[0], columns, rows))


def _windows(zone: ZoneTerritory, rectangle: Rectangle) -> list[cubes.Window]:
    """The parts of the zone's tiles inside the rectangle."""
    found = []
    for tile in zone.tiles:
        y, x = tile.origin_yx_px
        top, left = max(y, rectangle[0]), max(x, rectangle[1])
        bottom, right = min(y + tile.size_px, rectangle[2]), min(x + tile.size_px, rectangle[3])
        if bottom > top and right > left:
            found.append((top, left, bottom - top, right - left))
    return found
