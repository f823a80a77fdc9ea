"""Hand-drawn and simulated features, for tests of the referrer."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import torch

from catalog.facts.describer_cards import LanguageConfig, VisionConfig
from catalog.facts.feature_classes import FeatureClass
from catalog.facts.referrer_cards import TINY, ReferrerConfig
from models.language.dialogue import Dialogue
from models.language.instances import Instances
from models.language.tokenizer import train_tokenizer
from models.referrer.chip_scenes import scene_of_labels
from models.referrer.features import Feature, FeatureMap
from models.referrer.losses import LossOptions
from models.referrer.marks import MARKS
from models.referrer.network import Referrer, build
from models.referrer.pairs import PairOptions, Told, corpus
from models.referrer.recipe import Recipe, Stage, StepOptions
from models.referrer.scenes import Scene
from models.referrer.sources import features_of_labels
from simulator.referred import GROUND_M, referred_chip

SIZE = 120


def discs(*places: tuple[float, float, float], kinds: tuple[FeatureClass, ...] | None = None) -> tuple[Feature, ...]:
    """Features from row, column and radius, pixels of a scene of 120."""
    rows, columns = np.mgrid[:SIZE, :SIZE]
    labels = np.zeros((SIZE, SIZE), np.int32)
    for number, (row, column, radius) in enumerate(places, 1):
        labels[np.hypot(rows - row, columns - column) <= radius] = number
    areas = tuple(float((labels == number).sum() * 100) for number in range(1, len(places) + 1))
    return FeatureMap(Instances(labels, areas), kinds or ("clear lake",) * len(places)).features()


@lru_cache(maxsize=2)
def told(count: int, first: int = 0) -> tuple[Told, ...]:
    """Scenes of simulated chips that may be asked about."""
    found, seed = [], first
    while len(found) < count:
        chip = referred_chip(seed, size_px=96)
        ground = features_of_labels(chip.labels, chip.kinds, GROUND_M / 96)
        if ground.usable:
            found.append(Told.of(f"chip-{seed}", ground))
        seed += 1
    return tuple(found)


SMALL = replace(
    TINY,
    vision=VisionConfig(image_px=56, patch_px=14, hidden=32, intermediate=64, layers=3, heads=4, tap=-1, shows="water"),
    language=LanguageConfig(vocabulary=512, hidden=48, intermediate=96, layers=2, heads=4, kv_heads=4, positions=512),
    predictor=replace(TINY.predictor, detail_tap=-3, middle=24, width=32, side=8, intermediate=48),
    memory=replace(TINY.memory, slots=4, depth=8, side=8, attended=8),
)
"""The same classes as `refer-tiny`, small enough for a test to take a moment."""
RECIPE = Recipe(
    "test",
    "Test",
    stages=(Stage(2, 1, 1e-3, PairOptions(segment=2, talk=1)), Stage(2, 1, 1e-3, PairOptions(segment=2, talk=0))),
    network=SMALL,
    loss=LossOptions(patches=0.5, points=0.3),
    steps=StepOptions(scenes=2, validation_scenes=2, longest=30),
)


@lru_cache(maxsize=2)
def scenes(count: int, first: int = 0) -> tuple[Scene, ...]:
    """Simulated scenes that may be asked about, as the small network sees them."""
    found, seed = [], first
    while len(found) < count:
        chip = referred_chip(seed, size_px=56)
        scene = scene_of_labels(f"chip-{seed}", chip.s2, chip.labels, chip.kinds, GROUND_M, RECIPE)
        if scene.ground.usable:
            found.append(scene)
        seed += 1
    return tuple(found)


@lru_cache(maxsize=1)
def dialogue() -> Dialogue:
    """Words of the pairs of some scenes."""
    return Dialogue(train_tokenizer(corpus(told(24)), SMALL.language.vocabulary, MARKS), SMALL.vision.tokens, MARKS)


def network(config: ReferrerConfig = SMALL, seed: int = 0) -> Referrer:
    """A network with fresh weights."""
    torch.manual_seed(seed)
    own = dialogue()
    return build(config, own.ids, own.mark_ids, len(own.tokenizer)).eval()
