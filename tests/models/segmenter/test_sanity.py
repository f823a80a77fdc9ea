"""The two regimes of the filter, with the numbers of its source."""

import numpy as np
import pytest

from catalog.facts.bands import s2_index
from catalog.facts.chips import LABEL_IGNORE
from models.segmenter.sanity import sanity_of


def scene(green: int = 300, swir: int = 2000) -> np.ndarray:
    s2 = np.full((12, 100, 100), 1000, np.uint16)
    s2[s2_index("B03")], s2[s2_index("B11")] = green, swir
    return s2


def wet(s2: np.ndarray, rows: int) -> np.ndarray:
    s2[s2_index("B03"), :rows], s2[s2_index("B11"), :rows] = 2000, 100
    return s2


def label(rows: int) -> np.ndarray:
    mask = np.zeros((100, 100), np.uint8)
    mask[:rows] = 250
    return mask


@pytest.mark.parametrize(
    ("water_rows", "mask_rows", "sane"),
    [(10, 10, True), (2, 10, True), (1, 10, False), (30, 10, True), (31, 10, False), (5, 0, True), (6, 0, False), (0, 0, True)],
)
def test_both_regimes_decide_at_their_limits(water_rows, mask_rows, sane):
    assert sanity_of(wet(scene(), water_rows), label(mask_rows)).sane is sane


def test_figures_are_reported():
    found = sanity_of(wet(scene(), 20), label(10))
    assert (found.mask_px, found.water_px, found.iou, found.water_per_mask) == (1000, 2000, 0.5, 2.0)
    assert np.isnan(found.background_share)
    dry = sanity_of(wet(scene(), 3), label(0))
    assert dry.background_share == pytest.approx(0.03)
    assert np.isnan(dry.iou)


def test_mndwi_of_exactly_the_limit_and_nodata_are_no_water():
    assert sanity_of(scene(1300, 700), label(0)).water_px == 0
    assert sanity_of(scene(1301, 700), label(0)).water_px == 10_000
    assert sanity_of(np.zeros((12, 100, 100), np.uint16), label(0)).water_px == 0


def test_ignored_pixels_count_on_neither_side():
    mask = label(10)
    mask[:5] = LABEL_IGNORE
    found = sanity_of(wet(scene(), 10), mask)
    assert (found.mask_px, found.water_px, found.iou) == (500, 500, 1.0)
