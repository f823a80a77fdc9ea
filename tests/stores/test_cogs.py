"""Rasters of a release hold the pixels of the cubes, in their place, with overviews."""

import numpy as np
import pytest
import rasterio

from catalog.facts.bands import s2_index
from catalog.facts.grids import CHIP_PX, Tile
from catalog.facts.schemas import PROBABILITY, SURFACE
from catalog.facts.territory import ZoneTerritory
from catalog.stores import cubes
from catalog.stores.cogs import write_probability, write_surface

TILES = (Tile(32643, 30, 213, 3), Tile(32643, 31, 213, 3))
SIDE = 3 * CHIP_PX
BOX = (CHIP_PX, 5 * CHIP_PX)
"""First and last column of the chips that the region maps: the outer ones are not."""


def zone():
    left, right = np.ones((3, 3), bool), np.ones((3, 3), bool)
    left[:, 0] = right[:, 2] = False
    masks = {tile.id: np.packbits(mask).tobytes() for tile, mask in zip(TILES, (left, right), strict=True)}
    return ZoneTerritory(32643, TILES, (), frozenset(TILES), masks)


def filled(path, specs, name, values):
    cube = cubes.open_cube(path, TILES, specs)
    for tile, part in zip(TILES, np.split(values, 2, axis=-1), strict=True):
        arrays = {spec.name: np.full((*((len(spec.bands),) if spec.bands else ()), SIDE, SIDE), spec.fill, spec.dtype) for spec in specs}
        cubes.write_tile(cube, tile, arrays | {name: part})
    return path


@pytest.fixture
def probability():
    return np.random.default_rng(0).integers(0, 251, (SIDE, 2 * SIDE)).astype(np.uint8)


def test_probability_lies_where_the_cube_has_it(tmp_path, probability):
    cube = filled(tmp_path / "p.zarr", PROBABILITY, "probability", probability)
    raster = write_probability(tmp_path / "p.tif", cube, zone())
    with rasterio.open(tmp_path / "p.tif") as file:
        np.testing.assert_array_equal(file.read(1), probability[:, BOX[0] : BOX[1]])
        assert (file.transform.c, file.transform.f) == (TILES[0].bounds_lbrt[0] + 10 * BOX[0], TILES[0].bounds_lbrt[3])
        assert (file.crs.to_epsg(), file.nodata, file.scales) == (32643, 255, (0.004,))
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.overviews(1)
        assert (raster.shape_yx, raster.code) == (file.shape, "EPSG:32643")
    assert list(tmp_path.glob("*.tif")) == [tmp_path / "p.tif"]


def test_an_overview_averages_what_is_there_and_not_what_is_not(tmp_path):
    probability = np.full((SIDE, 2 * SIDE), 255, np.uint8)
    probability[::2, BOX[0] :] = 100
    write_probability(tmp_path / "p.tif", filled(tmp_path / "p.zarr", PROBABILITY, "probability", probability), zone())
    with rasterio.open(tmp_path / "p.tif", overview_level=0) as file:
        assert set(np.unique(file.read(1))) == {100}


def test_the_surface_is_red_green_and_blue_in_reflectance(tmp_path):
    s2 = np.random.default_rng(1).integers(1, 9000, (12, SIDE, 2 * SIDE)).astype(np.uint16)
    write_surface(tmp_path / "s.tif", filled(tmp_path / "s.zarr", SURFACE, "s2", s2), zone())
    with rasterio.open(tmp_path / "s.tif") as file:
        assert file.descriptions == ("B04", "B03", "B02")
        assert [colour.name for colour in file.colorinterp] == ["red", "green", "blue"]
        np.testing.assert_array_equal(file.read(1), s2[s2_index("B04"), :, BOX[0] : BOX[1]])
        assert file.scales == (1e-4, 1e-4, 1e-4)


def test_equal_cubes_give_equal_bytes(tmp_path, probability):
    cube = filled(tmp_path / "p.zarr", PROBABILITY, "probability", probability)
    for name in ("one.tif", "two.tif"):
        write_probability(tmp_path / name, cube, zone())
    assert (tmp_path / "one.tif").read_bytes() == (tmp_path / "two.tif").read_bytes()
