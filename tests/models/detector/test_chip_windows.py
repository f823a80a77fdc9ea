import numpy as np
import pytest

from catalog.facts.causes import Cause
from catalog.facts.chips import CHIP_PX, ChipBatch
from models.detector.chip_windows import KEPT, ChipWindows
from models.detector.contract import DetectorContract

ROOT = np.array([-3_360, 1_120])
SIDE = 448


def contract(window_px: int = 112, halo_px: int = 10) -> DetectorContract:
    return DetectorContract((), window_px, window_px // 2, halo_px, 2, 4)


class Country:
    """Ground of 448 px whose arrays are noise, so that every pixel tells where it is from."""

    def __init__(self, origins: np.ndarray) -> None:
        rng = np.random.default_rng(0)
        self.origins = origins
        self.s2 = rng.integers(1, 10_000, (12, SIDE, SIDE)).astype(np.uint16)
        self.dem = rng.random((SIDE, SIDE)).astype(np.float32)
        self.asked: list[int] = []

    def read(self, places: np.ndarray) -> ChipBatch:
        self.asked += places.tolist()
        parts = [tuple(slice(start, start + CHIP_PX) for start in self.origins[place] - ROOT) for place in places]
        s2 = np.stack([self.s2[:, *part] for part in parts])
        dem = np.stack([self.dem[part] for part in parts])
        s1 = np.full((len(parts), 2, CHIP_PX, CHIP_PX), np.nan, np.float32)
        nothing = np.zeros(dem.shape, np.uint8)
        return ChipBatch(s2, s1, dem, nothing, nothing, np.ones(len(parts), np.float32))


def lattice(stride: int) -> np.ndarray:
    steps = range(0, SIDE - CHIP_PX + 1, stride)
    return ROOT + np.array([[y, x] for y in steps for x in steps])


def windows_over(country: Country, asked: DetectorContract) -> ChipWindows:
    return ChipWindows(country.origins, np.arange(len(country.origins)), country.read, asked)


@pytest.mark.parametrize("stride", [112, 224])
def test_a_window_with_its_halo_is_put_together_from_all_chips(stride: int):
    country = Country(lattice(stride))
    windows = windows_over(country, contract())
    for origin in windows.origins:
        arrays = windows.read(origin)
        top, left = np.array(origin) - ROOT - 10
        whole = np.pad(country.s2, ((0, 0), (10, 10), (10, 10)))[:, top + 10 : top + 142, left + 10 : left + 142]
        assert np.array_equal(arrays.s2, whole)
        outside = np.pad(np.zeros((SIDE, SIDE), np.uint8), 10, constant_values=Cause.OUTSIDE_REGION)
        assert np.array_equal(arrays.cause, outside[top + 10 : top + 142, left + 10 : left + 142])
        assert np.array_equal(np.isnan(arrays.dem), arrays.cause == Cause.OUTSIDE_REGION)


def test_every_window_is_there_once_however_many_chips_show_it():
    overlapping = windows_over(Country(lattice(112)), contract())
    steps = range(0, SIDE - 112 + 1, 56)
    assert overlapping.origins == [(int(ROOT[0]) + y, int(ROOT[1]) + x) for y in steps for x in steps]
    # windows across the edge of chips that only touch lie in neither
    assert len(windows_over(Country(lattice(224)), contract())) == 36
    assert windows_over(Country(lattice(112)), contract(224, 0)).origins == [tuple(origin) for origin in lattice(112).tolist()]


def test_chips_are_read_once_while_they_are_near():
    country = Country(lattice(112))
    windows = windows_over(country, contract())
    for origin in windows.origins:
        windows.read(origin)
    assert sorted(country.asked) == list(range(len(country.origins)))
    assert len(country.origins) < KEPT


def test_a_window_inside_a_chip_needs_no_other():
    country = Country(lattice(112))
    windows = windows_over(country, contract(halo_px=0))
    windows.read(windows.origins[0])
    assert len(country.asked) == 1
