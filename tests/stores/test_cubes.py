import numpy as np
import pytest
import rioxarray  # noqa: F401 - registers the accessor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.facts.errors import GridMismatch
from catalog.facts.grids import Tile
from catalog.facts.schemas import PROBABILITY, SURFACE
from catalog.stores.cubes import lazy_cube, open_cube, read_cube, read_window, shard_files, write_tile

TILES = [Tile(32643, 33, 218, 1), Tile(32643, 34, 218, 1), Tile(32643, 33, 217, 1)]
"""Tiles of one chip, so that tests are small."""


def filled(tile, seed=0):
    rng = np.random.default_rng(seed)
    shape = (tile.size_px, tile.size_px)
    arrays = {spec.name: np.full(((len(spec.bands),) if spec.bands else ()) + shape, spec.fill, spec.dtype) for spec in SURFACE}
    arrays["s2"] = rng.integers(1, 10_000, arrays["s2"].shape, np.uint16)
    arrays["dem"] = rng.normal(4000, 500, shape).astype(np.float32)
    arrays["cause"][:] = 0
    return arrays


def test_a_written_tile_is_read_back_exactly(tmp_path):
    cube = open_cube(tmp_path / "c.zarr", TILES, SURFACE)
    arrays = filled(TILES[0])
    write_tile(cube, TILES[0], arrays)
    window = (*TILES[0].origin_yx_px, 224, 224)
    for spec in SURFACE:
        np.testing.assert_array_equal(read_window(read_cube(tmp_path / "c.zarr", SURFACE), spec.name, window), arrays[spec.name])


def test_one_tile_is_one_shard_and_an_empty_array_has_none(tmp_path):
    cube = open_cube(tmp_path / "c.zarr", TILES, SURFACE)
    write_tile(cube, TILES[0], filled(TILES[0]))
    present = [spec.name for spec, path in zip(SURFACE, shard_files(cube, TILES[0]), strict=True) if path.is_file()]
    assert present == ["s2", "dem", "cause"]  # s1, looks and day hold nothing but their fill value
    assert not any(path.is_file() for path in shard_files(cube, TILES[1]))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(dy=st.integers(-300, 500), dx=st.integers(-300, 500), height=st.integers(1, 300), width=st.integers(1, 300))
def test_any_window_equals_the_same_window_of_the_whole_with_fill_outside(tmp_path_factory, dy, dx, height, width):
    path = tmp_path_factory.getbasetemp() / "windows.zarr"
    cube = open_cube(path, TILES, PROBABILITY)
    top, left, rows, columns = cube.bounds_px
    whole = np.full((rows + 1200, columns + 1200), 255, np.uint8)
    for seed, tile in enumerate(TILES):
        values = np.random.default_rng(seed).integers(0, 250, (224, 224), np.uint8)
        if not any(file.is_file() for file in shard_files(cube, tile)):
            write_tile(cube, tile, {"probability": values, "spread": values})
        y, x = tile.origin_yx_px[0] - top + 600, tile.origin_yx_px[1] - left + 600
        whole[y : y + 224, x : x + 224] = values
    read = read_window(cube, "probability", (top + dy, left + dx, height, width))
    np.testing.assert_array_equal(read, whole[600 + dy : 600 + dy + height, 600 + dx : 600 + dx + width])


def test_users_open_a_cube_with_coordinates_and_crs(tmp_path):
    cube = open_cube(tmp_path / "c.zarr", TILES, SURFACE)
    write_tile(cube, TILES[0], filled(TILES[0]))
    dataset = lazy_cube(tmp_path / "c.zarr")
    assert dataset.rio.crs.to_epsg() == 32643
    assert dataset.rio.transform().f == 219 * 224 * 10
    assert float(dataset.y[0]) == 219 * 2240 - 5
    assert dataset.s2.attrs["band_names"][7] == "B08"


def test_a_cube_made_for_other_tiles_is_refused(tmp_path):
    open_cube(tmp_path / "c.zarr", TILES, SURFACE)
    with pytest.raises(GridMismatch, match="new name"):
        open_cube(tmp_path / "c.zarr", TILES[:1], SURFACE)


def test_a_missing_cube_is_refused(tmp_path):
    with pytest.raises(GridMismatch, match="cryoatlas run"):
        read_cube(tmp_path / "none.zarr", SURFACE)


def test_the_same_tiles_give_the_same_bytes(tmp_path):
    for name in "ab":
        cube = open_cube(tmp_path / name, TILES, SURFACE)
        write_tile(cube, TILES[1], filled(TILES[1]))
    files = [{p.relative_to(tmp_path / name): p.read_bytes() for p in (tmp_path / name).rglob("*") if p.is_file()} for name in "ab"]
    assert files[0] == files[1]
