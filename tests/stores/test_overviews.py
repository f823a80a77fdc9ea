"""A cube in pieces gives the overview that it would give whole."""

import numpy as np
import pytest

from catalog.facts.causes import Cause
from catalog.facts.grids import Tile
from catalog.facts.schemas import SURFACE
from catalog.facts.territory import ZoneTerritory
from catalog.stores import cubes, overviews
from catalog.stores.overviews import factor_for, read_overview, rectangle_of
from models.pictures.thumbnails import shrink

TILES = (Tile(32644, 220, 1510, 1), Tile(32644, 221, 1510, 1))


@pytest.fixture
def cube(tmp_path):
    rng = np.random.default_rng(5)
    cube = cubes.open_cube(tmp_path / "32644.zarr", TILES, SURFACE)
    for tile in TILES:
        arrays = {spec.name: np.full(((len(spec.bands),) if spec.bands else ()) + (224, 224), spec.fill, spec.dtype) for spec in SURFACE}
        arrays |= {"s2": rng.integers(0, 5000, (12, 224, 224)).astype(np.uint16), "cause": rng.integers(0, 7, (224, 224)).astype(np.uint8)}
        cubes.write_tile(cube, tile, arrays)
    return cube


@pytest.mark.parametrize("factor", [1, 3, 7])
def test_pieces_of_any_size_give_the_same(cube, factor, monkeypatch):
    zone = ZoneTerritory(32644, TILES, (), frozenset(TILES))
    rectangle = rectangle_of(zone)
    whole = read_overview(cube, rectangle, factor, shrink)
    monkeypatch.setattr(overviews, "_STEP_PX", 50)
    pieces = read_overview(cube, rectangle, factor, shrink)
    assert np.array_equal(whole[0], pieces[0])
    assert np.array_equal(whole[1], pieces[1])
    assert whole[1].shape == (-(-224 // factor), -(-448 // factor))
    assert whole[1].max() < Cause.OUTSIDE_REGION or factor > 1


def test_zones_side_by_side_fit_together():
    assert factor_for([(0, 0, 100, 900), (0, 0, 100, 1100)], 500) == 4
    assert factor_for([(0, 0, 10, 10)], 500) == 1
