"""The weight-free model on real Sentinel-1 and Sentinel-2: a coast, dry land, a frozen river, a black lake."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning
from scipy.ndimage import zoom

from catalog.facts.bands import S2_NAMES, s2_index
from catalog.facts.causes import Cause
from models.segmenter.contract import WindowArrays
from models.segmenter.index_options import IndexOptions
from models.segmenter.indices import predict_window

COAST, FROZEN_RIVER = "282D_485L_3_3", "609U_541L_3_0"
DRY = ("637U_59R_1_3", "38D_378R_2_3")
SWIR1 = s2_index("B11")


def _read(path: Path) -> NDArray[np.generic]:
    with rasterio.open(path) as raster:
        return np.asarray(raster.read())


def _terramind(shared_data: Path, tile: str, *, radar: bool) -> tuple[WindowArrays, NDArray[np.bool_]]:
    folder = shared_data / "s1_s2_dem_tiles" / "terramind" / tile
    s2 = np.maximum(_read(folder / "S2L2A.tif"), 1).astype(np.uint16)
    s1 = _read(folder / "S1RTC.tif").astype(np.float32) if radar else None
    dem = _read(folder / "DEM.tif")[0].astype(np.float32)
    return WindowArrays(np.zeros(dem.shape, np.uint8), s2, s1, dem), _read(folder / "LULC.tif")[0] == 1


def _water(arrays: WindowArrays) -> NDArray[np.bool_]:
    return predict_window(arrays, IndexOptions())[0] >= 0.5


@pytest.mark.parametrize("radar", [True, False])
def test_the_sea_and_the_lagoon_are_mapped(shared_data: Path, *, radar: bool) -> None:
    arrays, label = _terramind(shared_data, COAST, radar=radar)
    assert arrays.s2 is not None
    # A quarter of the label's water is the bright sand of the spit on this date: SWIR of 0.2 to 0.6, which water cannot have.
    sand = label & (arrays.s2[SWIR1] > 1500)
    assert 0.2 < sand.sum() / label.sum() < 0.35
    found = _water(arrays)
    judged = ~sand
    assert (found & label & judged).sum() / ((found | label) & judged).sum() >= 0.85
    assert (found & ~label).sum() < 20


@pytest.mark.parametrize("radar", [True, False])
@pytest.mark.parametrize("tile", [*DRY, FROZEN_RIVER])
def test_dry_land_and_a_frozen_river_hold_no_water(shared_data: Path, tile: str, *, radar: bool) -> None:
    assert _water(_terramind(shared_data, tile, radar=radar)[0]).sum() == 0


@pytest.mark.parametrize("tile", [*DRY, FROZEN_RIVER])
def test_radar_that_nobody_bears_out_takes_neither_river_ice_nor_sand_for_water(shared_data: Path, tile: str) -> None:
    arrays, _ = _terramind(shared_data, tile, radar=True)
    never = np.full_like(arrays.cause, Cause.NO_SCENE)
    assert _water(WindowArrays(never, None, arrays.s1, arrays.dem)).sum() == 0


@pytest.mark.parametrize("radar", [True, False])
def test_a_black_forest_lake_is_mapped_from_three_resolutions(shared_data: Path, *, radar: bool) -> None:
    folder = shared_data / "s1_s2_dem_tiles" / "bigearthnet_lake_35VPK_69_24"

    def band(name: str) -> NDArray[np.float64]:
        values = _read(next(folder.glob(f"S2B*_{name}.tif")))[0].astype(np.float64)
        return zoom(values, 120 // values.shape[0], order=1, grid_mode=True, mode="nearest")

    s2 = np.clip(np.stack([band(name) for name in S2_NAMES]), 1, 65535).astype(np.uint16)
    s1 = np.concatenate([_read(next(folder.glob(f"S1A*_{name}.tif"))) for name in ("VV", "VH")]).astype(np.float32) if radar else None
    found = _water(WindowArrays(np.zeros((120, 120), np.uint8), s2, s1))
    lake = s2[s2_index("B08")] < 600
    assert (found & lake).sum() / (found | lake).sum() > 0.9


def test_farmland_holds_no_water_in_any_month(shared_data: Path) -> None:
    """Ten monthly composites of Belgian fields, winter included: optics and radar together, and each alone."""
    source = f"netcdf:{shared_data / 's1_s2_dem_tiles' / 'worldcereal_s1s2dem_12months.nc'}:"

    def months(name: str) -> NDArray[np.float64]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(source + name) as raster:
                return np.asarray(raster.read()).astype(np.float64)

    bands = {name: months(f"S2-L2A-{name}") for name in ("B02", "B03", "B04", "B08", "B11", "B12")}
    backscatter = np.stack([20 * np.log10(np.maximum(months(f"S1-SIGMA0-{name}"), 1)) - 83 for name in ("VV", "VH")], axis=1)
    clear_months = [month for month in range(12) if all((band[month] < 65535).all() for band in bands.values())]
    assert len(clear_months) == 10
    for month in clear_months:
        s2 = np.ones((12, 100, 100), np.uint16)
        for name, band in bands.items():
            s2[s2_index(name)] = np.maximum(band[month], 1)
        s1, clear = backscatter[month].astype(np.float32), np.zeros((100, 100), np.uint8)
        assert _water(WindowArrays(clear, s2, s1)).sum() == 0
        assert _water(WindowArrays(clear, s2)).sum() == 0
        assert _water(WindowArrays(np.full_like(clear, Cause.CLOUD), None, s1)).sum() == 0
