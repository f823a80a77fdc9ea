"""A describer that cannot learn a few pairs by heart cannot learn at all; one that never saw them must not know them."""

import numpy as np
import pytest
import torch

from models.describer.batches import batch_of
from models.describer.evaluation import Question, evaluate
from models.describer.losses import LossOptions
from models.describer.network import build
from models.describer.pairs import draw_pairs
from models.describer.phrasings import PHRASINGS, REFERRING
from models.describer.recipe import PairOptions, Recipe, StepOptions
from models.describer.training import Training
from tests.described_scenes import dialogue, scenes

STEPS = 260
RECIPE = Recipe(
    "overfit",
    "Pairs by heart",
    loss=LossOptions(patches=0.5),
    pairs=PairOptions(turns=False),
    steps=StepOptions(total=STEPS, warmup=20, learning_rate=3e-3, weight_decay=0.0),
)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_thirty_two_pairs_are_learned_by_heart():
    few = scenes(8, first=1)
    rng = np.random.default_rng(0)
    pairs = []
    for number, scene in enumerate(few):
        facts = scene.facts()
        referring = draw_pairs(facts, 2, rng, {f: float(f in REFERRING) for f in PHRASINGS})
        others = draw_pairs(facts, 4 - len(referring), rng, {f: float(f not in REFERRING and f != "point") for f in PHRASINGS})
        pairs += [(number, pair) for pair in (*referring, *others)]
    assert len(pairs) == 32
    torch.manual_seed(3)
    own = dialogue()
    training = Training(build(RECIPE.network, own.ids, len(own.tokenizer)), own, RECIPE, torch.device("cpu"))
    questions = [Question(few[number], pair) for number, pair in pairs]
    before = evaluate(training.network, own, questions, longest=64)
    batch = batch_of(few, pairs, own)
    for _ in range(STEPS):
        report = training.step(batch)
    after = evaluate(training.network, own, questions, longest=64)
    assert report.parts["words"] < 0.05
    assert after.text.exact > 0.9 > before.text.exact
    assert after.factual > 0.95
    assert after.referring_iou > 0.7 > before.referring_iou
    other = evaluate(training.network, own, questions, control="other_question", longest=64)
    assert other.referring_iou < after.referring_iou - 0.1
