"""The shipped detector: small, whole, honest about what it saw, and able to see a scar in the tundra and nothing in plain tundra."""

import numpy as np
import pytest

from catalog.facts.bands import S2_NAMES
from catalog.stores.weights import SHIPPED, WEIGHTS, read_card, read_detector, shipped_names
from models.detector.contract import Detector, WindowInstances
from models.detector.registry import detector_named
from models.segmenter.contract import WindowArrays, stack
from simulator.spectra import MATERIALS

NAME = "slumps-tiny"
SIDE = 112


@pytest.fixture(scope="module")
def detector() -> Detector:
    return detector_named(NAME, read_detector, shipped=shipped_names())


def look(detector: Detector, mud: np.ndarray) -> WindowInstances:
    """A window of tundra, with mud where it is said."""
    rng = np.random.default_rng(3)
    assert len(MATERIALS["mud"].percent) == len(S2_NAMES)
    percent = np.where(mud[None], np.array(MATERIALS["mud"].percent)[:, None, None], np.array(MATERIALS["tundra"].percent)[:, None, None])
    s2 = np.clip(100 * percent * rng.normal(1, 0.03, percent.shape), 1, None).astype(np.uint16)
    window = WindowArrays(np.zeros((SIDE, SIDE), np.uint8), s2, None, np.full((SIDE, SIDE), 100, np.float32))
    return detector.predict(stack([((0, 0), window)]))[0]


def test_the_file_is_small_and_the_card_says_what_it_saw_and_how_sure_it_is() -> None:
    assert (SHIPPED / NAME / WEIGHTS).stat().st_size < 40e6
    card = read_card(SHIPPED / NAME)
    assert "never saw a real slump" in card.trained_on
    assert len(card.calibration.truth_m2) > 100
    assert card.calibration.source


def test_a_scar_in_the_tundra_is_one_slump_in_its_place(detector: Detector) -> None:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    found = look(detector, ((rows - 60) / 9) ** 2 + ((columns - 40) / 7) ** 2 < 1)
    listed = found.boxes[found.scores >= detector.card.threshold]
    assert len(listed) == 1
    x0, y0, x1, y1 = listed[0] / detector.contract.up
    assert abs((x0 + x1) / 2 - 40.5) < 2
    assert abs((y0 + y1) / 2 - 60.5) < 2
    assert 11 < x1 - x0 < 19
    assert 14 < y1 - y0 < 24


def test_plain_tundra_has_none(detector: Detector) -> None:
    found = look(detector, np.zeros((SIDE, SIDE), bool))
    assert not (found.scores >= detector.card.threshold).any()
