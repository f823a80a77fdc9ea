"""stackstac with its guards gives what our own reader gives."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS

from catalog.facts.errors import SourceBroken
from catalog.facts.grids import Tile
from catalog.facts.pixel_grids import native_grid
from catalog.facts.records import Asset, Scene
from catalog.stores.lazy_stack import lazy_stack
from catalog.stores.pixels import read_grid

TILE = Tile(32643, 200, 1700, 1)
SIZES = {"B03": 10, "B11": 20, "SCL": 20}


def make_scene(folder: Path, name: str, day: int) -> Scene:
    rng = np.random.default_rng(day)
    left, _, _, top = TILE.bounds_lbrt
    assets = {}
    for band, size in SIZES.items():
        count = 3000 // size
        dtype = np.uint8 if band == "SCL" else np.uint16
        values = rng.integers(1, 12 if band == "SCL" else 6000, (count, count)).astype(dtype)
        path = folder / f"{name}_{band}.tif"
        profile = {"driver": "COG", "dtype": dtype, "count": 1, "height": count, "width": count, "nodata": 0}
        with rasterio.open(
            path, "w", **profile, crs=CRS.from_epsg(TILE.epsg), transform=Affine(size, 0, left - 300, 0, -size, top + 200)
        ) as file:
            file.write(values, 1)
        assets[band] = Asset(str(path), TILE.epsg)
    return Scene(name, "s2", "static", "c", datetime(2023, 7, day, tzinfo=UTC), assets, "POLYGON ((0 0, 1 0, 1 1, 0 0))")


@pytest.fixture
def scenes(tmp_path):
    return [make_scene(tmp_path, "b", 9), make_scene(tmp_path, "a", 2)]


def test_the_lazy_stack_equals_our_reader(scenes):
    stack = lazy_stack(scenes, TILE, ["B03"])
    assert stack.dtype == np.uint16
    assert stack["scene"].values.tolist() == ["a", "b"]
    loaded = stack.compute(scheduler="synchronous")  # 2 x 224 x 224 counts
    for scene in scenes:
        expected = read_grid(scene, "B03", native_grid(TILE, 10))
        np.testing.assert_array_equal(loaded.isel(time=loaded["scene"].values.tolist().index(scene.id)).sel(band="B03"), expected)


@pytest.mark.parametrize("band", ["B11", "SCL"])
def test_20_m_bands_equal_our_reader_at_20_m(scenes, band):
    loaded = lazy_stack(scenes, TILE, [band], resolution_m=20).compute(scheduler="synchronous")
    np.testing.assert_array_equal(loaded[1, 0], read_grid(scenes[0], band, native_grid(TILE, 20)))


def test_20_m_bands_drawn_to_10_m_equal_our_reader_within_a_count(scenes):
    loaded = lazy_stack(scenes, TILE, ["B03", "SCL", "B11"]).compute(scheduler="synchronous")
    assert loaded["band"].values.tolist() == ["B03", "SCL", "B11"]
    ours = read_grid(scenes[0], "B11", native_grid(TILE, 10)).astype(int)
    assert np.abs(loaded[1, 2].values.astype(int) - ours).max() <= 1
    np.testing.assert_array_equal(loaded[1, 1], read_grid(scenes[0], "SCL", native_grid(TILE, 10)))


def test_coordinates_are_pixel_centres(scenes):
    stack = lazy_stack(scenes, TILE, ["B03"])
    left, _, _, top = TILE.bounds_lbrt
    assert float(stack["x"][0]) == left + 5
    assert float(stack["y"][0]) == top - 5


def test_nothing_is_read_before_compute_and_a_missing_file_raises_then(scenes, tmp_path):
    for path in tmp_path.glob("a_*.tif"):
        path.unlink()
    stack = lazy_stack(scenes, TILE, ["B03"])
    with pytest.raises(RuntimeError, match="B03"):
        stack.compute(scheduler="synchronous")


def test_a_band_that_a_scene_lacks_is_named(scenes):
    with pytest.raises(SourceBroken, match="B12"):
        lazy_stack(scenes, TILE, ["B12"])
