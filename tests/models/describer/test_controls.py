"""A describer that learned: without the image its counts are those of the commonest count, without the question its masks those of all
lakes, and fresh weights reach neither threshold."""

import numpy as np
import pytest
import torch

from models.describer.answering import Answer
from models.describer.answers import Ask, asks
from models.describer.batches import batch_of
from models.describer.evaluation import CONSTANT, Question, evaluate, score, summary
from models.describer.losses import LossOptions
from models.describer.network import Describer, build
from models.describer.pairs import Pair, pair_of
from models.describer.phrasings import PHRASINGS
from models.describer.recipe import PairOptions, Recipe, StepOptions
from models.describer.scenes import Scene
from models.describer.training import Training
from models.describer.trials import two_quadrants
from tests.described_scenes import dialogue, scenes

PRETEXT, STEPS = 80, 360
RECIPE = Recipe(
    "controls",
    "Pairs by heart, in one phrasing each",
    loss=LossOptions(patches=1.0),
    pairs=PairOptions(turns=False),
    steps=StepOptions(total=STEPS, pretext=PRETEXT, warmup=20, learning_rate=2e-3, weight_decay=0.0),
)
COUNTED, REFERRED = 0.9, 0.7
SLACK = 0.05


def pairs_of(scene: Scene) -> list[Pair]:
    """The count, the description in the words of the constant question, and two quadrants with lakes; the words give no scene away."""
    facts, found = scene.facts(), []
    by_family: dict[str, list[Ask]] = {}
    for ask in asks(facts):
        by_family.setdefault(ask.family, []).append(ask)
    found += [pair_of(by_family["count"][0], facts, 0, 0), pair_of(by_family["describe"][0], facts, 0, 0)]
    assert PHRASINGS["describe"][0] == CONSTANT
    return found + [pair_of(ask, facts, 0, 0) for ask in by_family["refer_quadrant"] if ask.lakes][:2]


def fresh() -> Describer:
    torch.manual_seed(3)
    own = dialogue()
    return build(RECIPE.network, own.ids, len(own.tokenizer))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_without_image_or_question_a_trained_describer_falls_to_what_anybody_could_guess():
    # one scene of every number of lakes, so that no count is commoner than another
    some = list({len(scene.lakes): scene for scene in reversed(scenes(16, first=1)) if two_quadrants([scene])}.values())
    assert len(some) >= 4
    pairs = [(number, pair) for number, scene in enumerate(some) for pair in pairs_of(scene)]
    questions = [Question(some[number], pair) for number, pair in pairs]
    own, training = dialogue(), Training(fresh(), dialogue(), RECIPE, torch.device("cpu"))
    batch = batch_of(some, pairs, own)
    for _ in range(STEPS):
        report = training.step(batch)
    assert report.parts["words"] < 0.05

    learned = evaluate(training.network, own, questions, longest=64)
    assert learned.count_exact > COUNTED
    assert learned.referring_iou > REFERRED
    untrained = evaluate(fresh(), own, questions, longest=64)
    assert untrained.count_exact < COUNTED
    assert untrained.referring_iou < REFERRED

    counts = [len(scene.lakes) for scene in some]
    majority = max(counts.count(count) for count in counts) / len(counts)
    blind = evaluate(training.network, own, questions, control="blind", longest=64)
    assert blind.count_exact <= majority + SLACK < COUNTED
    anything = summary([score(each, _all_lakes(each)) for each in questions], "generated").referring_iou
    deaf = evaluate(training.network, own, questions, control="constant_question", longest=64)
    assert deaf.referring_iou <= anything + SLACK < REFERRED


def _all_lakes(question: Question) -> Answer:
    """What whoever hears no question may draw."""
    mask = question.scene.target(range(1, len(question.scene.lakes) + 1))[0].numpy()
    return Answer("", np.asarray(mask, np.float32), "generated")
