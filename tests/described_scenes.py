"""Simulated chips as scenes with words, for tests of the describer."""

from functools import lru_cache

import numpy as np

from catalog.facts.describer_cards import TINY
from catalog.facts.scene_facts import Whereabouts
from models.describer.inputs import views_of
from models.describer.pairs import corpus
from models.describer.scenes import Scene, scenes_of
from models.language.dialogue import Dialogue
from models.language.instances import instances_of_labels
from models.language.tokenizer import train_tokenizer
from simulator.chips import simulated_chip
from tests.language_scenes import scene

PIXEL_M = 10.0


@lru_cache(maxsize=1)
def dialogue() -> Dialogue:
    texts = corpus([scene(seed)[0] for seed in range(24)])
    return Dialogue(train_tokenizer(texts, TINY.language.vocabulary), TINY.vision.tokens)


@lru_cache(maxsize=4)
def scenes(count: int, first: int = 0, size_px: int = 128, most_lakes: int = 5) -> tuple[Scene, ...]:
    chips = [simulated_chip(first + seed, size_px=size_px, most_lakes=most_lakes) for seed in range(count)]
    lakes = []
    for chip in chips:
        areas = [float((chip.lakes == number).sum() * PIXEL_M**2) for number in range(1, int(chip.lakes.max()) + 1)]
        lakes.append(instances_of_labels(chip.lakes, areas, [""] * len(areas)))
    views = views_of(np.stack([chip.s2 for chip in chips]), np.stack([chip.dem for chip in chips]), PIXEL_M, TINY)
    return tuple(scenes_of(views, lakes, PIXEL_M, [f"chip-{first + seed}" for seed in range(count)], [Whereabouts()] * count))
