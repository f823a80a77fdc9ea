"""A referrer that cannot learn a few pairs by heart cannot learn at all; what it learned hangs on question, memory and order of phrases."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from models.referrer.answering import answer
from models.referrer.batches import batch_of
from models.referrer.evaluation import Question, evaluate
from models.referrer.pairs import PairOptions, draw_pairs
from models.referrer.recipe import Stage
from models.referrer.training import Training
from tests.referred_scenes import RECIPE, dialogue, network, scenes

STEPS = 300
BY_HEART = replace(
    RECIPE,
    stages=(Stage(STEPS, 20, 3e-3, PairOptions(segment=3, talk=1, absent=0.15, most=2, turns=False)),),
    steps=replace(RECIPE.steps, generic=0.1, weight_decay=0.0),
)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_some_pairs_are_learned_by_heart():
    few = scenes(6, first=1)
    told, rng = [scene.told() for scene in few], np.random.default_rng(0)
    pairs = [(number, pair) for number, each in enumerate(told) for pair in draw_pairs(each, BY_HEART.stages[0].pairs, rng)]
    training = Training(network(seed=3), dialogue(), BY_HEART, torch.device("cpu"))
    own, words = training.network, dialogue()
    questions = [Question(few[number], pair) for number, pair in pairs]
    before = evaluate(own, words, questions, longest=40)
    batch = batch_of(few, told, pairs, words, training.mask_px)
    for _ in range(STEPS):
        report = training.step(batch)
    after = evaluate(own, words, questions, longest=40)
    controls = {
        name: evaluate(own, words, questions, control=name, longest=40).miou for name in ("other_question", "no_memory", "other_rows")
    }
    assert report.parts["words"] < 0.05
    assert after.miou > 0.7 > before.miou
    assert after.counted > 0.95
    assert after.class_right > 0.9
    assert np.mean(list(after.exact.values())) > 0.9
    assert controls["other_question"] < after.miou - 0.2
    question = next(each for each in questions if len(each.pair.targets) == 2)
    with torch.inference_mode():
        image, asked = question.scene.image[None], [(0, question.pair.question)]
        known = answer(own, words, image, asked, longest=40)[0].drawings[0].probability
        own.memory.bank.zero_()
        unknown = answer(own, words, image, asked, longest=40)[0].drawings[0].probability
    assert np.abs(known - unknown).mean() > 1e-4
