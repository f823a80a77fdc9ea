"""Offsets never make nodata, and a flag that lies is found by the darkest pixels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.facts.causes import Cause
from models.surface.optical import causes_of_classes, clear_classes, halve, harmonise, offset_evidence


@given(st.lists(st.integers(0, 65_535), min_size=1, max_size=50), st.sampled_from([0, 1000]))
def test_valid_counts_stay_valid_and_nodata_stays_nodata(counts, offset):
    raw = np.array([counts], np.uint16)
    out = harmonise(raw, offset)
    np.testing.assert_array_equal(out == 0, raw == 0)
    np.testing.assert_array_equal(out, np.where(raw == 0, 0, np.maximum(raw.astype(int) - offset, 1)))


def test_dark_water_of_950_to_1050_counts_is_valid():
    raw = np.arange(950, 1051, dtype=np.uint16).reshape(1, -1)
    out = harmonise(raw, 1000)
    assert out.min() == 1
    assert out.max() == 50


def test_the_argument_is_not_changed():
    raw = np.full((3, 3), 1500, np.uint16)
    harmonise(raw, 1000)
    assert (raw == 1500).all()


def test_every_class_has_its_cause():
    expected = [1, 1, 0, 3, 0, 0, 0, 0, 2, 2, 2, 5]
    assert causes_of_classes(np.arange(12, dtype=np.uint8)).tolist() == expected
    assert causes_of_classes(np.array([[200]], np.uint8))[0, 0] == Cause.NO_SCENE
    assert clear_classes(np.arange(12, dtype=np.uint8)).tolist() == [0, 0, 1, 0, 1, 1, 1, 1, 0, 0, 0, 1]


def land(offset: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    nir = rng.integers(1500, 4000, (100, 100)) + offset
    swir = rng.integers(1200, 3500, (100, 100)) + offset
    nir[:3], swir[:3] = 150 + offset, 60 + offset  # a lake: three percent
    return nir.astype(np.uint16), swir.astype(np.uint16)


@pytest.mark.parametrize(
    ("added", "claimed", "verdict"), [(0, 0, "agrees"), (1000, 1000, "agrees"), (1000, 0, "contradicts"), (0, 1000, "contradicts")]
)
def test_the_darkest_pixels_tell_whether_the_flag_lies(added, claimed, verdict):
    nir, swir = land(added)
    evidence = offset_evidence(nir, swir, np.ones(nir.shape, bool), claimed)
    assert evidence.verdict == verdict
    assert evidence.dark_nir == 150 + added


def test_too_few_clear_pixels_decide_nothing():
    nir, swir = land(1000)
    clear = np.zeros(nir.shape, bool)
    clear[0, :50] = True
    assert offset_evidence(nir, swir, clear, 0).verdict == "undecided"


def test_a_mean_of_four_is_nodata_when_one_is():
    counts = np.array([[1, 2, 9, 9], [3, 4, 0, 9]], np.uint16)
    assert halve(counts).tolist() == [[3, 0]]
