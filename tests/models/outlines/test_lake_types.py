import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from models.outlines.drainage import BLOCK_PX, CELL_PX, REACH_PX, drainage_window, drains_into, feeding_ice_m2, melt_over
from models.outlines.glaciers import GlacierLinks, Ice
from models.outlines.lake_types import RULE, lake_types, may_be_fed

WINDOW = (-300_048, 60_000, -299_748, 60_300)
Y, X = np.mgrid[:300, :300].astype(np.float32)
VALLEY = (4000 + 2.0 * abs(X - 150) - 0.5 * Y).astype(np.float32)
"""Falls to the south, with walls to a thalweg in the middle."""


def ground(x0, y0, x1, y1):
    """A box of the window's pixels, metres."""
    top, left = WINDOW[:2]
    return shapely.box((left + x0) * 10, -(top + y1) * 10, (left + x1) * 10, -(top + y0) * 10)


def bounds(x0, y0, x1, y1):
    return WINDOW[0] + y0, WINDOW[1] + x0, WINDOW[0] + y1, WINDOW[1] + x1


def fed(lake, ice, dem=VALLEY):
    return drains_into(ground(*lake), bounds(*lake), melt_over(dem, [ground(*place) for place in ice], WINDOW), WINDOW)


def linked(distance, share):
    return GlacierLinks(np.full(len(distance), "g", object), np.array(distance, float), np.array(share, float))


@pytest.mark.parametrize(
    ("distance", "share", "upstream", "expected"),
    [
        (0, 1.0, np.nan, "supraglacial"),
        (0, 0.5, np.nan, "supraglacial"),
        (0, 0.49, np.nan, "ice_contact"),
        (0, 0.0, np.nan, "ice_contact"),
        (60, 0.0, np.nan, "ice_contact"),
        (60.1, 0.0, 10_000, "glacier_fed"),
        (60.1, 0.0, 9_999, "unconnected"),
        (10_000, 0.0, 5e6, "glacier_fed"),
        (10_001, 0.0, 5e6, "unconnected"),
        (np.nan, 0.0, np.nan, "unconnected"),
        (500, 0.0, np.nan, None),
    ],
)
def test_the_rule_at_its_borders(distance, share, upstream, expected):
    assert lake_types(linked([distance], [share]), np.array([upstream])) == [expected]


def test_flow_is_asked_only_where_it_decides():
    found = may_be_fed(linked([0, 0, 60, 61, 10_000, 10_001, np.nan], [1, 0.1, 0, 0, 0, 0, 0]))
    assert found.tolist() == [False, False, False, True, True, False, False]
    assert all(number in RULE for number in ("50%", "60 m", "10 km", "1 ha"))


def test_a_lake_below_a_glacier_is_fed_and_one_on_the_slope_beside_is_not():
    glacier = (100, 10, 200, 60)
    assert fed((141, 200, 159, 220), [glacier]) == pytest.approx(50 * 100 * 100, rel=0.02)
    assert fed((60, 200, 75, 215), [glacier]) == 0
    assert fed((141, 3, 159, 9), [glacier]) == 0, "water does not flow up the valley"


def test_ice_beyond_a_divide_does_not_feed():
    ridge = np.where(X < 150, 4000 + 3 * X, 4000 + 3 * (300 - X)).astype(np.float32) - 0.1 * Y
    assert fed((10, 250, 40, 290), [(200, 20, 280, 60)], ridge) == 0


def test_melt_that_comes_along_many_ways_side_by_side_adds_up():
    gullies = (4000 - 2 * Y - 8 * np.cos(2 * np.pi * (X - 1) / 15)).astype(np.float32)
    whole = fed((90, 200, 165, 220), [(30, 20, 225, 60)], gullies)
    assert whole == pytest.approx(75 * 40 * 100, rel=0.1)
    assert whole > 4 * fed((90, 200, 105, 220), [(30, 20, 225, 60)], gullies), "one gully of five"


def test_a_moraine_dam_is_filled_and_the_melt_goes_on():
    dammed = VALLEY.copy()
    dammed[150:156] += 40
    assert fed((141, 200, 159, 220), [(100, 10, 200, 60)], dammed) > 200_000


def test_unknown_ground_tells_nothing_and_a_part_of_a_lake_is_enough():
    hole = VALLEY.copy()
    hole[195:226, 136:165] = np.nan
    assert np.isnan(fed((141, 200, 159, 220), [(100, 10, 200, 60)], hole))
    hole[195:226, 136:165] = VALLEY[195:226, 136:165]
    hole[210:, :] = np.nan
    assert fed((141, 200, 159, 220), [(100, 10, 200, 60)], hole) > 200_000
    assert np.isnan(melt_over(np.full_like(VALLEY, np.nan), [], WINDOW).upstream_m2).all()


@given(st.integers(-400_000, 400_000), st.integers(0, 80_000), st.integers(1, 1500), st.integers(1, 1500), st.floats(0, 10_000))
def test_windows_lie_on_the_lattice_and_reach_around_the_lake(top, left, height, width, distance):
    window = drainage_window((top, left, top + height, left + width), distance)
    assert all(side % CELL_PX == 0 for side in window)
    assert window[0] <= top - REACH_PX and window[1] <= left - REACH_PX
    assert window[2] >= top + height + REACH_PX and window[3] >= left + width + REACH_PX
    assert window[2] - window[0] <= height + 2 * (BLOCK_PX + 2 * REACH_PX)


def test_lakes_of_one_window_are_worked_out_together_and_each_as_if_it_were_alone():
    lakes = np.array([ground(141, 200, 159, 220), ground(60, 200, 75, 215), ground(141, 3, 159, 9), ground(5, 5, 9, 9)], object)
    ice = Ice(np.array(["g"], object), np.array([ground(100, 10, 200, 60)], object))
    reads = []

    def read(window):
        reads.append(window)
        y, x = np.mgrid[window[0] : window[2], window[1] : window[3]].astype(np.float32)
        return (4000 + 2.0 * abs(x - WINDOW[1] - 150) - 0.5 * (y - WINDOW[0])).astype(np.float32)

    wanted = np.array([True, True, True, False])
    together = feeding_ice_m2(lakes, np.full(4, 500.0), wanted, ice, read)
    assert len(reads) == 1
    assert together[0] > 200_000
    assert together[1:3].tolist() == [0, 0]
    assert np.isnan(together[3])
    for place in range(3):
        alone = np.arange(4) == place
        assert feeding_ice_m2(lakes, np.full(4, 500.0), alone, ice, read)[place] == together[place]
