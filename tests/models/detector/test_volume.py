"""Volumes from areas: the published law, and an interval that knows its scatter."""

import numpy as np
import pytest

from models.detector import volume
from models.detector.volume import volume_of


def _certain(area):
    return volume_of(np.array([area]), np.array([area]), np.array([area]))


def test_the_law_is_the_one_that_was_published():
    found = _certain(10_000.0)
    assert found.volume_m3[0] == pytest.approx(0.03168 * 10_000**1.35768, rel=1e-3)
    assert _certain(100_000.0).volume_m3[0] / found.volume_m3[0] == pytest.approx(10**volume.EXPONENT)


def test_a_certain_area_leaves_the_scatter_of_single_slumps():
    found = _certain(10**volume.LOG10_AREA_CENTRE)
    assert np.log10(found.high_m3 / found.volume_m3)[0] == pytest.approx(1.96 * 0.296, rel=0.01)
    assert found.low_m3[0] > 0


def test_an_uncertain_area_widens_its_own_side_only():
    sure, doubtful = _certain(5e3), volume_of(np.array([5e3]), np.array([5e3]), np.array([5e4]))
    assert doubtful.high_m3[0] > 2 * sure.high_m3[0]
    assert doubtful.low_m3[0] == sure.low_m3[0]


def test_an_area_that_may_be_nothing_may_have_lost_nothing():
    assert volume_of(np.array([5e3]), np.array([0.0]), np.array([6e3])).low_m3[0] == 0


def test_the_source_names_law_exponent_and_doi():
    assert all(word in volume.SOURCE for word in ("1.358", "1.330-1.386", "doi:10.5194/tc-17-4511-2023"))
    assert pytest.approx(1.96 * volume.EXPONENT_SE, abs=2e-3) == 0.028
