"""What a plan multiplies: windows, fits, and the sums of a small world."""

from dataclasses import replace

import numpy as np
import pytest

from catalog.facts.errors import WrongCall
from catalog.facts.grids import CHIP_PX, Tile
from catalog.facts.model_windows import windows_over
from catalog.facts.unit_costs import SHIPPED, Measured, ModelCost, ModelWork, UnitCosts, Work, costs_of, fitted

TILE = Tile(32643, 33, 219)


def counted_one_by_one(tiles: dict[Tile, np.ndarray], window_px: int, stride_px: int) -> int:
    """The same count, window by window, pixel by pixel of the first axis and the second."""
    found = set()
    for tile, chips in tiles.items():
        for row, column in np.argwhere(chips):
            top, left = tile.origin_yx_px[0] + row * CHIP_PX, tile.origin_yx_px[1] + column * CHIP_PX
            ys, xs = (range(-(-(start - window_px + 1) // stride_px), (start + CHIP_PX - 1) // stride_px + 1) for start in (top, left))
            found |= {(y, x) for y in ys for x in xs}
    return len(found)


@pytest.mark.parametrize(("window_px", "stride_px"), [(224, 192), (112, 56), (1120, 896)])
def test_windows_are_counted_once_however_tiles_lie(window_px: int, stride_px: int) -> None:
    chips = np.zeros((10, 10), bool)
    chips[2:5, 7:] = True
    tiles = {TILE: np.ones((10, 10), bool), Tile(32643, 35, 218): chips, Tile(32643, 34, 219): chips.T}
    assert windows_over(tiles, window_px, stride_px) == counted_one_by_one(tiles, window_px, stride_px)


def test_nothing_mapped_needs_no_window() -> None:
    assert windows_over({}, 224, 192) == 0
    assert windows_over({TILE: np.zeros((10, 10), bool)}, 224, 192) == 0


def test_a_fit_finds_what_a_unit_costs_once_and_what_its_amount_costs() -> None:
    work = [Work(2.6 + 5.8 * gigabytes, gigabytes) for gigabytes in (0.1, 0.4, 0.9, 1.3)]
    assert fitted(work) == pytest.approx((2.6, 5.8))


def test_equal_units_cannot_tell_the_two_apart() -> None:
    assert fitted([Work(4.0, 2.0), Work(4.2, 2.0), Work(3.8, 2.0)]) == pytest.approx((0.0, 2.0))


def test_a_fit_is_never_negative() -> None:
    assert min(fitted([Work(1.0, 1.0), Work(9.0, 2.0), Work(20.0, 3.0)])) >= 0
    assert min(fitted([Work(5.0, 1.0), Work(3.0, 2.0), Work(1.0, 3.0)])) >= 0


def test_what_was_not_measured_keeps_the_shipped_figure() -> None:
    found = costs_of(Measured(), SHIPPED, origin="a test", about={})
    assert replace(found, origin=SHIPPED.origin) == replace(SHIPPED, models=dict(SHIPPED.models))
    windows = ModelWork("lakes-tiny", ModelCost(224, 192, 9.0), [Work(3.0, 4.0), Work(5.0, 4.0)])
    costs = costs_of(Measured(features=[Work(6.0, 10), Work(2.0, 30)], models=[windows]), SHIPPED, origin="a test", about={})
    assert (costs.models["lakes-tiny"].cpu_s, costs.feature_s, costs.tile_s) == (pytest.approx(1.0), pytest.approx(0.2), SHIPPED.tile_s)


def test_a_calibration_is_read_back_as_it_was_written() -> None:
    assert UnitCosts.from_json(SHIPPED.to_json(), "here") == replace(SHIPPED, models=dict(SHIPPED.models))
    with pytest.raises(WrongCall, match=r"calibration\.json is not a calibration"):
        UnitCosts.from_json(b"{}", "calibration.json")
