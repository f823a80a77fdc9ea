"""Lakes are told from the wettest mud, of whatever colour, by light at 1.6 µm."""

import numpy as np
import pytest

from catalog.facts.bands import s2_index
from models.detector.open_water import open_water
from simulator.randomised import randomised
from simulator.spectra import MATERIALS
from simulator.tundra import tundra_features


def pixel(percent) -> np.ndarray:
    return np.round(100 * np.array(percent, float)).astype(np.uint16)[None, :, None, None]


@pytest.mark.parametrize("name", ["clear", "milky", "grey"])
def test_lakes_are_water(name: str) -> None:
    assert open_water(pixel(MATERIALS[name].percent)).all()


@pytest.mark.parametrize("name", ["mud", "headwall", "tundra", "sedge", "rock", "wet_snow"])
def test_ground_is_not(name: str) -> None:
    # snow is black at 1.6 µm too, but it is no usable pixel; wet snow stays above the threshold of reflectance
    assert not open_water(pixel(MATERIALS[name].percent)).any()


@pytest.mark.parametrize("seed", [200, pytest.param(205, marks=pytest.mark.slow)])
def test_no_floor_of_a_slump_is_wet_enough(seed: int) -> None:
    floors = [
        np.array(MATERIALS["mud"].percent) * np.array(slump.tint[:12])
        for slump in tundra_features(randomised(seed, "slumps"), seed)[1].features
    ]
    assert not any(open_water(pixel(floor)).any() for floor in floors)


def test_nothing_is_water_where_a_band_is_missing() -> None:
    lake = pixel(MATERIALS["clear"].percent)
    lake[:, s2_index("B11")] = 0
    assert not open_water(lake).any()
