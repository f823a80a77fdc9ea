"""Simulated scenes with places, and a small network, for tests of the embedder."""

from dataclasses import replace
from functools import lru_cache

import torch

from catalog.facts.embedder_cards import TINY, EmbedderConfig, GeoConfig, ReaderConfig, TowerConfig
from models.embedder.network import Embedder, build
from models.embedder.recipe import Recipe, StepOptions
from models.embedder.scenes import PlacedScene, SceneMaker
from models.embedder.stream import ADDED, Item, Streamer
from models.embedder.tasks import SearchOptions
from models.embedder.vocabulary import corpus
from models.embedder.world import World
from models.language.instances import InstanceOptions
from models.language.tokenizer import train_tokenizer
from simulator.referred import GROUND_M, referred_chip

SMALL = replace(
    TINY,
    vision=TowerConfig(image_px=32, patch_px=8, hidden=32, layers=2, heads=4, shows="water"),
    language=ReaderConfig(
        vocabulary=448,
        hidden=48,
        intermediate=96,
        layers=2,
        heads=4,
        kv_heads=2,
        sections=(2, 2, 2),
        positions=512,
        rope_theta=1e4,
    ),
)
"""The same classes as `embed-tiny`, small enough for a test to take a moment."""
RECIPE = Recipe(
    "test",
    "Test",
    network=SMALL,
    searches=SearchOptions(distractors=2),
    steps=StepOptions(total=4, warmup=1, learning_rate=1e-3, sub_batches=2, size=4, hard=1, chunk=3),
)


def soft(encoding: str) -> EmbedderConfig:
    """The small network with places as one soft token."""
    return replace(SMALL, geo=GeoConfig(encoding=encoding, decimals=2, waves=4, degree=4))


@lru_cache(maxsize=4)
def placed(count: int, first: int = 0, size_px: int = 56, image_px: int = 32) -> tuple[PlacedScene, ...]:
    """Scenes of simulated chips that may be asked about."""
    maker = SceneMaker(replace(SMALL.vision, image_px=image_px), GROUND_M, InstanceOptions(), World())
    found, seed = [], first
    while len(found) < count:
        chip, later = (referred_chip(seed, size_px=size_px, year=year) for year in (0, 1))
        scene = maker.of_labels(f"chip-{seed}", chip.s2, chip.labels, chip.kinds, later.s2)
        if scene.scene.ground.usable:
            found.append(scene)
        seed += 1
    return tuple(found)


@lru_cache(maxsize=8)
def streamer(config: EmbedderConfig = SMALL) -> Streamer:
    """Words of the searches of some scenes."""
    return Streamer(train_tokenizer(corpus(placed(24), RECIPE.searches), config.language.vocabulary, ADDED), config)


def network(config: EmbedderConfig = SMALL, seed: int = 0) -> Embedder:
    """A network with fresh weights."""
    torch.manual_seed(seed)
    own = streamer(config)
    return build(config, own.ids, len(own.tokenizer)).eval()


def image(seed: int = 0, side: int = 32) -> torch.Tensor:
    """An image of noise."""
    return torch.randn(3, side, side, generator=torch.Generator().manual_seed(seed))


def vectors(own: Embedder, items: list[Item]) -> torch.Tensor:
    """Vectors (n, d) of items, nothing learned."""
    with torch.inference_mode():
        return own(streamer(own.config).of(items))
