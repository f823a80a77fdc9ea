import numpy as np
import pytest
import shapely

from models.scores.seen_ground import SeenGround
from models.scores.slump_scenes import Blocks

ORIGIN = (-700_000 - 37, 40_000 + 51)
"""Off the lattice of the cells that pixels are kept in."""


def looked(*windows: tuple[int, int, np.ndarray]) -> SeenGround:
    seen = SeenGround()
    for row, column, clear in windows:
        seen.add((ORIGIN[0] + row, ORIGIN[1] + column), clear)
    return seen


def box(top: float, left: float, bottom: float, right: float) -> shapely.Polygon:
    """In pixels from the origin, as metres."""
    return shapely.box((ORIGIN[1] + left) * 10, -(ORIGIN[0] + bottom) * 10, (ORIGIN[1] + right) * 10, -(ORIGIN[0] + top) * 10)


def test_pixels_come_back_where_they_were_put():
    rng = np.random.default_rng(0)
    ground = rng.random((300, 260)) > 0.4
    seen = looked(
        *((row, column, ground[row : row + 112, column : column + 112]) for row in (0, 56, 112, 168, 188) for column in (0, 100, 148))
    )
    assert np.array_equal(seen.clear_in(ORIGIN, (300, 260)), ground)
    assert np.array_equal(seen.clear_in((ORIGIN[0] + 20, ORIGIN[1] + 130), (150, 90)), ground[20:170, 130:220])
    assert not seen.clear_in((ORIGIN[0] + 5_000, ORIGIN[1]), (10, 10)).any()


def test_overlapping_windows_count_their_ground_once():
    whole = np.ones((112, 112), bool)
    seen = looked((0, 0, whole), (56, 0, whole))
    assert seen.area().area == pytest.approx(168 * 112 * 100)
    one_block = Blocks(np.array([[ORIGIN[1] * 10.0, -ORIGIN[0] * 10.0]]), np.array([1]))
    assert seen.block_km2(one_block, 3) == pytest.approx([0, 168 * 112 * 1e-4, 0])


def test_the_clear_share_of_an_outline_is_by_area():
    clear = np.ones((112, 112), bool)
    clear[:, 50:] = False
    seen = looked((0, 0, clear))
    assert seen.clear_share(box(10, 40, 30, 60)) == pytest.approx(0.5)
    assert seen.clear_share(box(10, 47.5, 20, 52.5)) == pytest.approx(0.5)
    # what lies beyond the windows was not clear
    assert seen.clear_share(box(-20, 0, 20, 20)) == pytest.approx(0.5)
