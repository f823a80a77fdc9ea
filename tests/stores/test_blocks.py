"""Windows put together from blocks are those of the cube, each block is decoded once, and damage is told every time."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from catalog.facts.errors import ProductDamaged
from catalog.facts.grids import Tile
from catalog.facts.schemas import PROBABILITY, SURFACE
from catalog.stores.blocks import BlockReader
from catalog.stores.cubes import open_cube, read_cube, read_window, shard_files, write_tile
from models.segmenter.windows import windows_over

TILES = [Tile(32643, 16, 109, 2), Tile(32643, 17, 109, 2), Tile(32643, 16, 108, 2)]


@pytest.fixture(scope="module")
def cube(tmp_path_factory):
    cube = open_cube(tmp_path_factory.mktemp("cube") / "c.zarr", TILES, PROBABILITY)
    for seed, tile in enumerate(TILES[:2]):
        values = np.random.default_rng(seed).integers(0, 250, (448, 448), np.uint8)
        write_tile(cube, tile, {"probability": values, "spread": values[::-1]})
    return cube


@pytest.mark.parametrize("name", ["probability", "spread"])
def test_windows_are_those_of_the_cube_also_over_its_edges(cube, name):
    reader = BlockReader(cube, 224)
    for window in windows_over(TILES, window_px=224, stride_px=160, margin_px=16):
        place = (*window.origin_yx, 224, 224)
        np.testing.assert_array_equal(reader.read(name, place), read_window(cube, name, place))


def test_bands_and_fill_values_are_kept(tmp_path):
    cube = open_cube(tmp_path / "c.zarr", TILES, SURFACE)
    place = (TILES[0].origin_yx_px[0] + 100, TILES[0].origin_yx_px[1] - 50, 300, 224)
    for spec in SURFACE:
        read, wanted = BlockReader(cube, 300).read(spec.name, place), read_window(cube, spec.name, place)
        assert read.dtype == wanted.dtype
        np.testing.assert_array_equal(read, wanted)


def test_each_block_is_decoded_once_whichever_thread_asks(cube):
    decoded = []

    class Counting(BlockReader):
        def _decode(self, key, block):
            decoded.append(key)
            super()._decode(key, block)

    reader = Counting(cube, 224)
    places = [(*window.origin_yx, 224, 224) for window in windows_over(TILES[:1], window_px=224, stride_px=160)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda place: reader.read("probability", place), places))
    assert len(decoded) == len(set(decoded))
    assert len(decoded) < len(places) / 2


def test_old_blocks_are_dropped(cube):
    reader = BlockReader(cube, 224)
    for row in range(40):
        reader.read("probability", (TILES[0].origin_yx_px[0] + 224 * row, TILES[0].origin_yx_px[1], 224, 224))
    assert len(reader._blocks) == reader._limit < 40


def test_a_damaged_shard_is_told_to_every_reader(tmp_path):
    cube = open_cube(tmp_path / "c.zarr", TILES, PROBABILITY)
    values = np.random.default_rng(0).integers(0, 250, (448, 448), np.uint8)
    write_tile(cube, TILES[0], {"probability": values, "spread": values})
    shard = shard_files(cube, TILES[0])[0]
    shard.write_bytes(shard.read_bytes()[:5000])
    reader = BlockReader(read_cube(tmp_path / "c.zarr", PROBABILITY), 224)
    for _ in range(2):
        with pytest.raises(ProductDamaged, match="is damaged"):
            reader.read("probability", (*TILES[0].origin_yx_px, 224, 224))
