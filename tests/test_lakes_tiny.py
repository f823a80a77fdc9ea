"""The shipped weights: small, whole, honest about what they saw, and not misled by real ground without lakes."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.real_lakes import Scene, scenes, score, water
from catalog.stores.weights import SHIPPED, WEIGHTS, read_card, read_weights, shipped_names
from models.segmenter.contract import Segmenter
from models.segmenter.registry import model_named

NAME = "lakes-tiny"


@pytest.fixture(scope="module")
def model() -> Segmenter:
    return model_named(NAME, read_weights, shipped=shipped_names())


@pytest.fixture(scope="module")
def real(shared_data: Path) -> dict[str, Scene]:
    return {scene.name: scene for scene in scenes(shared_data)}


def test_the_file_is_small_and_the_card_says_what_it_saw():
    assert (SHIPPED / NAME / WEIGHTS).stat().st_size < 30e6
    card = read_card(SHIPPED / NAME)
    assert "never saw" in card.trained_on
    assert {"val_iou", "temperature"} <= set(card.figures)


@pytest.mark.parametrize("name", ["farmland", "dry land", "frozen river"])
def test_real_ground_without_a_lake_stays_dry(model, real, name):
    assert score(water(model, real[name].window), real[name]) < 0.1  # hectares: nothing that would be listed


def test_no_clear_pixel_of_a_blank_window_is_water(model, real):
    window = real["farmland"].window
    assert window.s2 is not None
    level = np.full((224, 224), 300.0, np.float32)
    grey = np.full((12, 224, 224), 2500, np.uint16)
    assert not water(model, type(window)(window.cause, grey, np.full((2, 224, 224), -9.0, np.float32), level)).any()
