"""The scenes of a tile as one lazy array through stackstac: for notebooks and `explain`, and the reference for our own reader."""

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import rasterio.enums
import stackstac
import xarray as xr

from catalog.facts.bands import SCL_NAME
from catalog.facts.errors import SourceBroken
from catalog.facts.grids import PIXEL_M, Tile, to_lonlat
from catalog.facts.records import Scene
from catalog.stores import signing
from catalog.stores.raster_files import OPTIONS, REMOTE_OPTIONS, is_remote

CHUNK_PX: Final = 1024
"""Two blocks of a usual COG; smaller chunks decode the same block several times."""


def lazy_stack(scenes: Sequence[Scene], tile: Tile, bands: Sequence[str], *, resolution_m: float = PIXEL_M) -> xr.DataArray:
    """Return raw counts (time, band, y, x) of a tile as a Dask-backed array, nodata 0; nothing is read until it is computed.

    Coordinates are pixel centres; bands of other resolutions are interpolated (SCL: nearest). Raises SourceBroken when a scene
    lacks a band; a file that fails while computing raises from Dask, because a failed read is never nodata.
    """
    ordered = sorted(scenes, key=lambda scene: (scene.acquired, scene.id))
    smooth = _stack(ordered, tile, [band for band in bands if band != SCL_NAME], resolution_m)
    classes = _stack(ordered, tile, [band for band in bands if band == SCL_NAME], resolution_m)
    parts = [part for part in (smooth, classes) if part is not None]
    joined = xr.concat(parts, dim="band") if len(parts) > 1 else parts[0]
    return joined.sel(band=list(bands)).rename("counts")


def _stack(scenes: Sequence[Scene], tile: Tile, bands: list[str], resolution_m: float) -> xr.DataArray | None:
    if not bands:
        return None
    remote = any(is_remote(scene.assets[band].href) for scene in scenes for band in bands if band in scene.assets)
    values = stackstac.stack(
        [_item(scene, tile, bands) for scene in scenes],
        assets=bands,
        # All three, always: from the epsg alone stackstac 0.5.1 builds a grid of 20.2165 m instead of 20 m, without a word.
        epsg=tile.epsg,
        resolution=resolution_m,
        bounds=tile.bounds_lbrt,
        snap_bounds=False,
        resampling=rasterio.enums.Resampling.nearest if bands == [SCL_NAME] else rasterio.enums.Resampling.bilinear,
        chunksize=CHUNK_PX,
        dtype=np.dtype("uint16"),
        fill_value=np.uint16(0),  # a plain 0 fails under numpy 2 (stackstac#260)
        rescale=False,  # STAC 1.1 scale and offset are ignored without a warning; we do the radiometry
        xy_coords="center",  # the default shifts rioxarray's affine by half a pixel
        properties=False,  # sets and dicts in coordinates cannot be written to Zarr
        band_coords=False,
        sortby_date=False,
        errors_as_nodata=(),
        gdal_env=stackstac.rio_reader.LayeredEnv(always=dict(REMOTE_OPTIONS if remote else OPTIONS)),
    )
    return _plain(values, scenes, tile)


def _plain(values: xr.DataArray, scenes: Sequence[Scene], tile: Tile) -> xr.DataArray:
    """Keep the array and the coordinates that have one meaning; RasterSpec and the like cannot be stored."""
    times = np.array([scene.acquired.replace(tzinfo=None) for scene in scenes], dtype="datetime64[ns]")
    coords = {"time": times, "band": values["band"].values, "y": values["y"].values, "x": values["x"].values}
    array = xr.DataArray(values.data, dims=("time", "band", "y", "x"), coords=coords)
    return array.assign_coords(scene=("time", [scene.id for scene in scenes]), epsg=tile.epsg)


def _item(scene: Scene, tile: Tile, bands: Sequence[str]) -> dict[str, Any]:
    """A STAC item as stackstac expects it: a plain dict, because pystac objects lose `proj:epsg` when they are migrated."""
    missing = [band for band in bands if band not in scene.assets]
    if missing:
        raise SourceBroken(f"Scene {scene.id} has no asset for {', '.join(missing)}; ask for other bands or leave the scene out.")
    assets = {band: {"href": signing.sign(scene.assets[band].href, scene.provider), **_projection(scene, band)} for band in bands}
    left, bottom, right, top = tile.bounds_lbrt
    longitudes, latitudes = to_lonlat(tile.epsg).transform([left, right], [bottom, top])
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": scene.id,
        "geometry": None,
        "bbox": [*(math.floor(v[0]) for v in (longitudes, latitudes)), *(math.ceil(v[1]) for v in (longitudes, latitudes))],
        "properties": {"datetime": scene.acquired.isoformat()},
        "assets": assets,
        "links": [],
    }


def _projection(scene: Scene, band: str) -> dict[str, Any]:
    asset = scene.assets[band]
    return {} if asset.epsg is None else {"proj:epsg": asset.epsg}
