"""Observed ground is added up per cell, once, and the same on tiles of any size."""

import numpy as np
import pytest

from catalog.facts.grids import Tile
from models.detector.observed import cells_of, ground_of, looked_at, together
from models.outlines.geodesy import pixel_area_m2

SMALL = [Tile(32610, 240 + column, 3570 + row, 1) for row in (0, 1) for column in (0, 1)]
LARGE = Tile(32610, 120, 1785, 2)
WINDOWS = np.array([np.array(LARGE.origin_yx_px) + step for step in ((0, 0), (56, 56), (300, 112), (-56, 400), (1000, 1000))])


def chips(tile: Tile) -> np.ndarray:
    return np.ones((tile.chips, tile.chips), bool)


def test_looked_at_is_the_union_of_the_windows():
    seen = looked_at(LARGE, WINDOWS, 112)
    assert seen[:112, :112].all()
    assert seen[56:168, 56:168].all()
    assert seen[300:412, 112:224].all()
    assert seen[:56, 400:].all()
    assert seen.sum() == 3 * 112**2 - 56**2 + 56 * 48


def test_small_tiles_and_a_large_one_give_the_same_sums():
    def sums(tiles):
        return together(ground_of(tile, chips(tile), looked_at(tile, WINDOWS, 112)) for tile in tiles)

    one, four = sums([LARGE]), sums(SMALL)
    assert one == four == sums(SMALL[::-1])
    mapped = sum(mapped for _, mapped in one.values())
    assert mapped == pytest.approx(4.48**2, rel=2e-3)
    observed = sum(observed for observed, _ in one.values())
    assert observed == pytest.approx((3 * 112**2 - 56**2 + 56 * 48) * pixel_area_m2(32610, -122.0, 72.0) / 1e6, rel=1e-3)


def test_chips_outside_the_region_are_no_ground():
    inside = np.array([[True, False], [False, False]])
    ground = ground_of(LARGE, inside, np.zeros((448, 448), bool))
    assert ground.observed_m2.sum() == 0
    assert ground.mapped_m2.sum() == pytest.approx(2240**2, rel=2e-3)


def test_ground_that_two_zones_map_counts_in_the_zone_that_holds_it():
    # across the seam of zones 9 and 10 at 126 W
    beyond = Tile(32610, 12, 1785, 2)
    assert not len(ground_of(beyond, chips(beyond), np.ones((448, 448), bool)).cell)


def test_a_point_lies_in_the_cell_of_its_block():
    ground = together([ground_of(LARGE, chips(LARGE), np.ones((448, 448), bool))])
    left, bottom, right, top = LARGE.bounds_lbrt
    from catalog.facts.grids import to_lonlat  # noqa: PLC0415

    x, y = np.linspace(left + 1, right - 1, 30), np.linspace(bottom + 1, top - 1, 30)
    longitude, latitude = to_lonlat(32610).transform(x, y)
    assert set(cells_of([32610] * 30, longitude, latitude)) <= set(ground)
