"""The shipped describer: small, honest about what it saw, and it counts and points where fresh weights of its shape do not."""

import numpy as np
import pytest
import torch

from catalog.facts.describer_cards import CONFIGURATIONS
from catalog.facts.errors import WrongCall
from catalog.facts.seen_data import refuse_seen
from catalog.stores.weights import SHIPPED, WEIGHTS, read_describer
from models.describer.chip_scenes import scene_of_drawn
from models.describer.describing import LoadedDescriber, load
from models.describer.evaluation import Scores, evaluate, questions_of
from models.describer.network import build
from models.describer.recipe import Recipe
from models.describer.scenes import Scene
from simulator.chips import simulated_chip

NAME = "describe-tiny"
FIRST, SCENES = 300_000, 30
COUNTED, DRAWN, TRUE = 0.65, 0.7, 0.6
"""Well below what `python -m benchmarks.describe_scores` measures on 120 scenes."""


@pytest.fixture(scope="module")
def describer() -> LoadedDescriber:
    return load(*read_describer(NAME), "cpu")


@pytest.fixture(scope="module")
def unseen(describer: LoadedDescriber) -> list[Scene]:
    recipe = Recipe(NAME, NAME, network=describer.card.network)
    chips = ((seed, simulated_chip(seed)) for seed in range(FIRST, FIRST + SCENES))
    scenes = [scene_of_drawn(chip, f"simulated-{seed}", recipe, describer.card.scaling) for seed, chip in chips]
    return [scene for scene in scenes if len(scene.lakes) <= 5]


def scores(describer: LoadedDescriber, scenes: list[Scene]) -> Scores:
    families = ("count", "list", "quadrant", "refer_quadrant")
    return evaluate(describer.network, describer.dialogue, questions_of(scenes, 7, held_out=True, families=families))


def test_the_file_is_small_and_the_card_says_what_it_saw(describer: LoadedDescriber) -> None:
    assert (SHIPPED / NAME / WEIGHTS).stat().st_size < 60e6
    assert describer.card.network == CONFIGURATIONS[NAME]
    assert "do not carry over to real ground" in describer.card.trained_on
    assert {name.split("_")[1] for name in describer.card.figures} == {"generated", "teacher"}
    with pytest.raises(WrongCall, match="say nothing about new scenes"):
        refuse_seen(describer.card, ["simulated:100-120"])


def test_it_counts_and_points_on_scenes_that_it_never_saw(describer: LoadedDescriber, unseen: list[Scene]) -> None:
    found = scores(describer, unseen)
    assert found.count_exact > COUNTED
    assert found.lake_iou > DRAWN
    assert found.factual > TRUE


def test_fresh_weights_of_its_shape_do_not(describer: LoadedDescriber, unseen: list[Scene]) -> None:
    torch.manual_seed(1)
    own = describer.dialogue
    fresh = LoadedDescriber(describer.card, build(describer.card.network, own.ids, len(own.tokenizer)).eval(), own)
    found = scores(fresh, unseen[:6])
    assert np.nan_to_num(found.count_exact) < COUNTED
    assert found.lake_iou < DRAWN
    assert np.nan_to_num(found.factual) < TRUE
