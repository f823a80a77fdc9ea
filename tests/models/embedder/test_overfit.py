"""An embedder that cannot learn a hundred pairs by heart cannot learn at all; what it learned hangs on words and images."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from catalog.facts.embedder_cards import TINY
from models.embedder.batches import parts, sub_batch_of
from models.embedder.captions import caption_of
from models.embedder.instructions import known_instructions
from models.embedder.losses import LossOptions
from models.embedder.recipe import StepOptions
from models.embedder.stream import Item
from models.embedder.tasks import search_of
from models.embedder.training import Training
from tests.embedded_scenes import RECIPE, network, placed, streamer, vectors

PAIRS, STEPS = 100, 220
BY_HEART = replace(
    RECIPE,
    network=TINY,
    loss=LossOptions(warm=0.07, final=0.05, warmup=STEPS // 2, glide=STEPS // 4),
    steps=StepOptions(total=STEPS, warmup=20, learning_rate=2e-3, size=50, hard=0, chunk=50),
)


def pairs():
    """Captions and their images, every caption there once."""
    scenes = placed(2 * PAIRS, size_px=112, image_px=64)
    told = {caption_of(scene.scene.told(asked=False).features): scene for scene in scenes}
    rng = np.random.default_rng(0)
    return [search_of(scene, "text_to_image", BY_HEART.searches, rng) for scene in list(told.values())[:PAIRS]]


def precision(own, queries: list[Item], targets: list[Item]) -> float:
    """Share of queries whose nearest target is their own."""
    own.eval()
    asked, found = (torch.cat([vectors(own, list(some)) for some in parts(items, 50)]) for items in (queries, targets))
    return float(((asked @ found.T).argmax(dim=1) == torch.arange(len(queries))).float().mean())


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_hundred_pairs_are_learned_by_heart():
    searches, rng = pairs(), np.random.default_rng(1)
    assert len(searches) == PAIRS
    queries, targets = [each.query for each in searches], [each.target.item for each in searches]
    training = Training(network(TINY, seed=3), streamer(TINY), BY_HEART, torch.device("cpu"))
    before = precision(training.network, queries, targets)
    for _ in range(STEPS):
        some = [searches[int(place)] for place in rng.permutation(PAIRS)[:50]]
        report = training.step([sub_batch_of(some, 0, rng)])
        assert not report.collapsed
    after = precision(training.network, queries, targets)
    grey = precision(training.network, queries, [replace(each, image=torch.zeros_like(each.image)) for each in targets])
    silent = precision(training.network, [replace(each, text="lake") for each in queries], targets)
    assert before < 0.1
    assert after >= 0.95
    assert report.loss < 0.3
    assert grey <= 1 / PAIRS + 1e-6
    # queries that differ by their instructions alone can find one image each
    assert silent <= len(known_instructions("text_to_image")) / PAIRS + 1e-6
