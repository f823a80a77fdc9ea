"""The elevation model as users get it: one arc second, a file per degree cell, a few voids."""

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
from affine import Affine
from pyproj import Transformer
from scipy.ndimage import map_coordinates, uniform_filter
from shapely.geometry import box

from simulator import cog, stac
from simulator.ground import Scenery, inside
from simulator.noise import generator

VOID = -32767.0
ARC_SECOND_DEG = 1 / 3600
COARSER_ABOVE_DEG = 70.0  # the Copernicus model keeps every third column from there to 80 degrees


def write_elevation(folder: Path, scenery: Scenery) -> list[str]:
    """Write the model over the region and a margin, cut at whole degrees; returns the names of the items."""
    base = scenery.world.base
    smooth = np.asarray(uniform_filter(scenery.elevation, 3))
    level = [shape for _, shape in scenery.lakes.envelopes() if shape.area >= scenery.world.look.model.levelled_m2]
    wet = inside(level, base, base.epsg) > 0
    ground = np.where(wet, scenery.elevation, smooth)
    west, south, east, north = scenery.world.region.buffer(0.012).bounds
    names = []
    for latitude in range(math.floor(south), math.floor(north) + 1):
        for longitude in range(math.floor(west), math.floor(east) + 1):
            window = (max(west, longitude), max(south, latitude), min(east, longitude + 1), min(north, latitude + 1))
            names.append(_write_cell(folder, scenery, (ground, wet), longitude, latitude, window))
    return names


def _write_cell(
    folder: Path,
    scenery: Scenery,
    ground: tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]],
    longitude: int,
    latitude: int,
    window: tuple[float, float, float, float],
) -> str:
    step_y = ARC_SECOND_DEG
    step_x = step_y * (3 if latitude >= COARSER_ABOVE_DEG else 1)
    first, last = math.floor((window[0] - longitude) / step_x), math.ceil((window[2] - longitude) / step_x)
    top, bottom = math.floor((latitude + 1 - window[3]) / step_y), math.ceil((latitude + 1 - window[1]) / step_y)
    lon = longitude + np.arange(first, last, dtype=np.float64) * step_x
    lat = latitude + 1 - np.arange(top, bottom, dtype=np.float64) * step_y
    pixels = _sampled(scenery, ground, lon, lat)
    transform = Affine(step_x, 0.0, float(lon[0] - step_x / 2), 0.0, -step_y, float(lat[0] + step_y / 2))
    east, north = f"{'E' if longitude >= 0 else 'W'}{abs(longitude):03d}", f"{'N' if latitude >= 0 else 'S'}{abs(latitude):02d}"
    name = f"Copernicus_DSM_COG_10_{north}_00_{east}_00_DEM"
    here = folder / stac.ELEVATION / name
    cog.write(here / f"{name}.tif", pixels, epsg=4326, transform=transform, nodata=VOID)
    frame = box(transform.c, transform.f - step_y * len(lat), transform.c + step_x * len(lon), transform.f)
    dialect = stac.Dialect(code=False)
    properties: stac.Json = {"gsd": 30, "datetime": "2021-04-22T00:00:00Z", "platform": "TanDEM-X", "proj:epsg": 4326}
    properties |= {"proj:shape": list(pixels.shape), "proj:transform": list(transform)[:6]}
    assets: dict[str, stac.Json] = {
        "data": {"href": f"./{name}.tif", "type": stac.COG_TYPE, "roles": ["data"], "title": f"{north}_00_{east}_00"}
    }
    record = stac.item(stac.ELEVATION, name, frame, dialect=dialect, properties=properties, assets=assets)
    stac.write_json(here / f"{name}.json", record)
    return name


def _sampled(
    scenery: Scenery,
    ground: tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]],
    lon: npt.NDArray[np.float64],
    lat: npt.NDArray[np.float64],
) -> npt.NDArray[np.float32]:
    base = scenery.world.base
    mesh = np.meshgrid(lon, lat)
    x, y = Transformer.from_crs(4326, base.epsg, always_xy=True).transform(*mesh)
    places = [(base.top - y) / base.pixel_m - 0.5, (x - base.left) / base.pixel_m - 0.5]
    height = np.asarray(map_coordinates(ground[0], places, output=np.float32, order=1, mode="nearest"))
    wet = np.asarray(map_coordinates(ground[1].astype(np.float32), places, order=1, mode="nearest")) > 0
    rng = generator(scenery.seed, scenery.world.name, "elevation", int(lon[0] * 3600), int(lat[0] * 3600))
    height += np.where(wet, 0, np.float32(scenery.world.look.model.noise_m) * rng.standard_normal(height.shape, dtype=np.float32)).astype(
        np.float32
    )
    for _ in range(3):
        row, column = int(rng.integers(2, height.shape[0] - 3)), int(rng.integers(2, height.shape[1] - 3))
        if not wet[row : row + 2, column : column + 2].any():
            height[row, column : column + 2] = VOID
    return height
