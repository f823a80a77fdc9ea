"""Models on the real scenes that none was trained on: `python -m benchmarks.real_lakes --data SHARED_DATA --models indices lakes-tiny`.

A coast, a forest lake, two dry tiles, a frozen river, and three mapped glacial lakes on Landsat 7 (Everest, 2000; bands mapped to
Sentinel-2's, 30 m drawn to 10 m, no SWIR, no elevation). IoU counts water against the label; dry tiles count hectares found.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.features import geometry_mask
from scipy.ndimage import zoom

from catalog.facts.bands import S2_NAMES, s2_index
from catalog.stores.weights import read_weights, shipped_names
from models.segmenter.contract import Segmenter, WindowArrays, stack
from models.segmenter.registry import model_named

SIDE = 224
SUN_ELEVATION_DEG, SUN_DISTANCE_AU = 45.7, 0.993
LANDSAT = {"B04": (1, 152.9, -5.0, 1547.0), "B03": (2, 196.5, -6.4, 1842.0), "B02": (3, 191.6, -6.2, 1970.0)}
"""Band of Sentinel-2 -> layer, greatest and least radiance, solar irradiance (Chander et al. 2009, high gain)."""
NIR = (241.1, -5.1, 1044.0)
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Scene:
    """One window with what is known of it."""

    name: str
    window: WindowArrays
    lake: Mask | None
    """None: nothing here is water."""
    judged: Mask


def scenes(data: Path) -> Iterator[Scene]:
    """All scenes, from the folder of shared data."""
    tiles = data / "s1_s2_dem_tiles" / "terramind"
    for radar in (True, False):
        arrays, label = _terramind(tiles / "282D_485L_3_3", radar=radar)
        dry = arrays.s2[s2_index("B11")] >= 1000  # the sandbar lay dry that day
        yield Scene(f"coast{'' if radar else ', optics only'}", arrays, label, ~(label & dry))
    yield _forest_lake(data / "s1_s2_dem_tiles" / "bigearthnet_lake_35VPK_69_24")
    for name, tile in (("farmland", "637U_59R_1_3"), ("dry land", "38D_378R_2_3"), ("frozen river", "609U_541L_3_0")):
        arrays, _ = _terramind(tiles / tile, radar=True)
        yield Scene(name, arrays, None, np.ones((SIDE, SIDE), bool))
    yield from _everest(data / "lake_cases" / "everest_landsat7_2000")


def _read(path: Path) -> NDArray[np.generic]:
    with rasterio.open(path) as raster:
        return np.asarray(raster.read())


def _terramind(folder: Path, *, radar: bool) -> tuple[WindowArrays, Mask]:
    s2 = np.maximum(_read(folder / "S2L2A.tif"), 1).astype(np.uint16)
    s1 = _read(folder / "S1RTC.tif").astype(np.float32) if radar else None
    dem = _read(folder / "DEM.tif")[0].astype(np.float32)
    return WindowArrays(np.zeros(dem.shape, np.uint8), s2, s1, dem), _read(folder / "LULC.tif")[0] == 1


def _forest_lake(folder: Path) -> Scene:
    def band(name: str) -> NDArray[np.float64]:
        values = _read(next(folder.glob(f"S2B*_{name}.tif")))[0].astype(np.float64)
        return zoom(values, 120 // values.shape[0], order=1, grid_mode=True, mode="nearest")

    s2 = np.zeros((12, SIDE, SIDE), np.uint16)
    s2[:, :120, :120] = np.clip(np.stack([band(name) for name in S2_NAMES]), 1, 65535)
    s1 = np.full((2, SIDE, SIDE), np.nan, np.float32)
    s1[:, :120, :120] = np.concatenate([_read(next(folder.glob(f"S1A*_{name}.tif"))) for name in ("VV", "VH")])
    judged = np.zeros((SIDE, SIDE), bool)
    judged[:120, :120] = True
    cause = np.where(judged, 0, 7).astype(np.uint8)
    return Scene("forest lake", WindowArrays(cause, s2, s1), judged & (s2[s2_index("B08")] < 600), judged)


def _everest(folder: Path) -> Iterator[Scene]:
    with rasterio.open(next(folder.glob("*_RGB.tif"))) as image:
        transform, crs, numbers = image.transform, image.crs, image.read()
    bands = {name: _reflectance(numbers[layer - 1], *numbers_of) for name, (layer, *numbers_of) in LANDSAT.items()}
    bands["B08"] = _reflectance(_read(next(folder.glob("*_B4.tif")))[0], *NIR)
    counts = np.zeros((12, *(3 * side for side in numbers.shape[1:])), np.uint16)
    for name, values in bands.items():
        counts[s2_index(name)] = np.clip(zoom(values, 3, order=1, grid_mode=True, mode="nearest") * 10_000, 1, 16_000)
    fine = transform @ transform.scale(1 / 3)
    lakes = gpd.read_file(folder / "hkh_lakes_2000_in_scene.gpkg").to_crs(crs)
    for number, lake in enumerate(lakes.geometry, start=1):
        row, column = (int(value) for value in rasterio.transform.rowcol(fine, lake.centroid.x, lake.centroid.y))
        rows, columns = (_around(place, side) for place, side in zip((row, column), counts.shape[1:], strict=True))
        inside = ~geometry_mask([lake], counts.shape[1:], fine)[rows, columns]
        near = ~geometry_mask([lake.buffer(90)], counts.shape[1:], fine)[rows, columns]
        window = WindowArrays(np.zeros((SIDE, SIDE), np.uint8), counts[:, rows, columns])
        yield Scene(f"Everest lake {number} ({lake.area / 1e4:.1f} ha)", window, inside, near)


def _around(place: int, side: int) -> slice:
    start = min(max(place - SIDE // 2, 0), side - SIDE)
    return slice(start, start + SIDE)


def _reflectance(numbers: NDArray[np.generic], greatest: float, least: float, irradiance: float) -> NDArray[np.float64]:
    radiance = (greatest - least) / 254 * (numbers.astype(np.float64) - 1) + least
    return np.pi * radiance * SUN_DISTANCE_AU**2 / (irradiance * np.sin(np.radians(SUN_ELEVATION_DEG)))


def water(model: Segmenter, window: WindowArrays) -> Mask:
    """Where a model says water; a logit above 0 is a probability above a half."""
    answer = model.predict(stack([((0, 0), window)])).answer[0]
    return np.nan_to_num(answer, nan=0.0) >= (0.0 if model.contract.blends == "logit" else 0.5)


def score(found: Mask, scene: Scene) -> float:
    """IoU with the lake over judged pixels; hectares found where there is none."""
    if scene.lake is None:
        return float(found.sum()) / 100
    lake = scene.lake & scene.judged
    kept = found & scene.judged
    return float((kept & lake).sum() / (kept | lake).sum())


def main() -> None:
    """Print one row per scene, one column per model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--models", nargs="+", default=["indices", "lakes-tiny"])
    args = parser.parse_args()
    models = {name: model_named(name, read_weights, shipped=shipped_names()) for name in args.models}
    print(f"{'scene':32}" + "".join(f"{Path(name).name:>14}" for name in models))
    for scene in scenes(args.data):
        values = "".join(f"{score(water(model, scene.window), scene):14.3f}" for model in models.values())
        print(f"{scene.name:32}{values}  {'ha found, none is there' if scene.lake is None else 'IoU'}")


if __name__ == "__main__":
    main()
