"""Stages follow each other, a run that is resumed goes on as one that never stopped, and losses are what they say."""

from dataclasses import replace
from io import BytesIO

import pytest
import torch

from catalog.facts.describer_cards import AdapterConfig
from catalog.facts.errors import RecipeWrong
from catalog.facts.feature_classes import CLASSES
from models.referrer.batches import batch_of
from models.referrer.losses import LossOptions, dice, overlap, pixel_entropy
from models.referrer.pairs import PairOptions, fixed_pairs
from models.referrer.pretext import CELLS, OF_A_PATCH
from models.referrer.recipe import Recipe, Stage
from models.referrer.references import CELLS as PLACES
from models.referrer.references import RELATIONS
from models.referrer.scenes import patch_of
from models.referrer.training import Training
from tests.referred_scenes import RECIPE, SMALL, dialogue, network, scenes

ADAPTED = replace(SMALL, language_path="adapted", adapter=AdapterConfig(rank=4, alpha=4, dropout=0.1, targets=("q_proj", "v_proj")))
TWO = replace(
    RECIPE,
    network=ADAPTED,
    stages=(RECIPE.stages[0], replace(RECIPE.stages[1], adapter=AdapterConfig(rank=2, alpha=4, dropout=0.1, targets=("q_proj", "v_proj")))),
)


def training(recipe: Recipe) -> Training:
    return Training(network(recipe.network, seed=9), dialogue(), recipe, torch.device("cpu"))


@pytest.fixture(scope="module")
def whole():
    """A run through both stages, its states on the way, and the ranks of its adapters in each step."""
    run, states, ranks = training(TWO), {}, []
    for step in range(TWO.total):
        if step in (1, 3):
            states[step] = BytesIO()
            torch.save(run.state(), states[step])
        run.step(run.draw(scenes(4)))
        ranks.append({parameter.shape[0] for name, parameter in run.network.named_parameters() if "lora_A" in name})
    return run, states, ranks


@pytest.mark.parametrize("stopped", [1, 3])
def test_a_run_that_is_resumed_in_either_stage_ends_as_one_that_never_stopped(whole, stopped):
    run, states, _ = whole
    states[stopped].seek(0)
    again = training(TWO)
    again.restore(torch.load(states[stopped], weights_only=True))
    while again.step_number < TWO.total:
        again.step(again.draw(scenes(4)))
    first, second = run.weights(), again.weights()
    assert all(torch.equal(value, second[name]) for name, value in first.items())


def test_the_second_stage_adapts_afresh(whole):
    assert whole[2] == [{4}] * 2 + [{2}] * 2
    assert whole[0].stage == 1
    assert [TWO.stage_at(step) for step in (1, 2, 4)] == [(0, 1), (1, 0), (1, 2)]


def test_frozen_parts_do_not_move_and_others_do():
    run = training(TWO)
    before = run.weights()
    for _ in range(2):
        run.step(run.draw(scenes(4)))
    after = run.weights()
    moved = {name for name, value in before.items() if not torch.equal(value, after[name])}
    assert not any("vision_tower" in name for name in moved)
    assert all("lora_" in name or "token_adapter" in name or "trainable_tokens" in name for name in moved if "language_model" in name)
    for part in ("lora_", "multi_modal_projector", "projectors.0", "reader", "predictor", "memory.bank", "classes"):
        assert any(part in name for name in moved), part


def test_a_batch_holds_what_its_pairs_say():
    scene = next(each for each in scenes(8) if len(each.ground.kinds) >= 3)
    told = scene.told()
    pairs = [(0, pair) for pair in fixed_pairs(told, 1, held_out=False)]
    batch = batch_of([scene], [told], pairs, dialogue(), 28)
    targets = [(numbers, word) for _, pair in pairs for numbers, word in zip(pair.targets, pair.words, strict=False)]
    assert len(batch.target) == len(targets) == int((batch.tokens.ids == dialogue().mark_ids[0]).sum())
    for place, (numbers, word) in enumerate(targets):
        share = scene.ground.instances.mask(numbers).mean()
        assert float(batch.target[place].mean()) == pytest.approx(share, abs=1e-5)
        assert CLASSES[int(batch.classes[place])] == word
        there = {patch_of(told.features[number - 1], 4) for number in numbers}
        assert set(batch.points[place].nonzero().flatten().tolist()) == there
        assert float(batch.points[place].sum()) == pytest.approx(1.0)
    labels = batch.tokens.labels
    assert (labels[batch.tokens.ids == dialogue().ids.image] == -100).all()
    patches, counts = batch.known.patches[0], batch.known.counts[0]
    assert patches.shape == (16, sum(OF_A_PATCH))
    assert counts.tolist() == [scene.ground.kinds.count(kind) for kind in CLASSES]
    torch.testing.assert_close(patches[:, 1 : 1 + len(CLASSES)].sum(dim=0), counts.float())
    covered = patches[:, 1 + len(CLASSES) :].unflatten(1, (len(CLASSES), CELLS**2))
    assert covered.mean(dim=(0, 2)).sum() == pytest.approx((scene.ground.instances.labels > 0).mean(), rel=0.25)


def test_a_tower_alone_learns_and_nothing_else_does():
    alone = Stage(2, 1, 1e-3, tower=True, scenes=3)
    run = training(replace(RECIPE, stages=(alone, *RECIPE.stages)))
    before, batch = run.weights(), run.draw(scenes(4))
    assert len(batch.images) == 3
    assert len(batch.of_scene) == 0
    report = run.step(batch)
    assert report.parts["patches"] > 0
    assert report.parts["words"] == report.parts["dice"] == 0
    moved = {name for name, value in run.weights().items() if not torch.equal(value, before[name])}
    assert moved
    assert all("vision_tower" in name for name in moved)
    run.step(run.draw(scenes(4)))
    assert run.step(run.draw(scenes(4))).parts["words"] > 0


def test_while_a_tower_learns_alone_the_language_model_reads():
    alone = Stage(2, 1, 1e-3, PairOptions(segment=2, talk=1), tower=True, scenes=3, read=2)
    run = training(replace(RECIPE, stages=(alone, *RECIPE.stages), loss=replace(RECIPE.loss, reading=0.5)))
    before, batch = run.weights(), run.draw(scenes(4))
    assert set(batch.of_scene.tolist()) == {0, 1}
    assert not (batch.tokens.ids == dialogue().ids.image).any()
    assert batch.meanings.shape == (len(batch.classes), 3)
    assert torch.equal(batch.meanings[:, 0], batch.classes)
    report = run.step(batch)
    assert report.parts["reading"] > 0
    assert report.parts["words"] == report.parts["dice"] == 0
    moved = {name for name, value in run.weights().items() if not torch.equal(value, before[name])}
    assert any("vision_tower" in name for name in moved)
    assert any("language_model" in name for name in moved)
    assert not any(part in name for name in moved for part in ("multi_modal_projector", "projectors.", "predictor", "memory", "lm_head"))
    for _ in range(2):
        report = run.step(run.draw(scenes(4)))
    assert report.parts["reading"] > 0
    assert report.parts["words"] > 0


def test_what_a_phrase_says_is_read_from_its_words():
    told = next(each for each in (scene.told() for scene in scenes(8)) if each.phrases.sets)
    scene = next(each for each in scenes(8) if each.scene_id == told.scene_id)
    pairs = [(0, pair) for pair in fixed_pairs(told, 1, held_out=False)]
    meanings = batch_of([scene], [told], pairs, dialogue(), 28, seen=False).meanings.tolist()
    phrases = [phrase for _, pair in pairs if pair.targets for phrase in pair.phrases]
    assert len(meanings) == len(phrases) > 1
    for phrase, (kind, relation, cell) in zip(phrases, meanings, strict=True):
        assert CLASSES[kind].rsplit(" ", 1)[-1].rstrip("s") in phrase
        if RELATIONS[relation] in ("largest", "smallest", "closest", "farthest", "all"):
            assert RELATIONS[relation] in phrase
        assert (cell == 9) == (" in the upper" not in phrase and not any(f"the {each}" in phrase for each in PLACES))


def test_arithmetic_of_16_bits_learns_and_leaves_weights_of_32():
    run = training(replace(RECIPE, steps=replace(RECIPE.steps, bfloat16=True)))
    batch = run.draw(scenes(4))
    losses = [run.step(batch).loss for _ in range(4)]
    assert losses[-1] < losses[0]
    assert {value.dtype for value in run.weights().values() if value.is_floating_point()} == {torch.float32}


def test_losses_of_masks():
    target = torch.zeros(2, 1, 4, 4)
    target[0, 0, :2] = 1
    right = torch.where(target > 0, 20.0, -20.0)
    assert pixel_entropy(right, target) < 1e-6
    assert dice(right, target) < 1e-6
    assert dice(-right[:1], target[:1]) > 0.9
    assert overlap(right, target).tolist() == [1.0, 0.0]
    half = right.clone()
    half[0, 0, 1] = -20.0
    assert overlap(half, target)[0] == 0.5
    # averages over referents, each counted alike
    assert pixel_entropy(-right, target) == pytest.approx(20.0, abs=1e-3)


def test_recipes_that_contradict_themselves_are_refused():
    with pytest.raises(RecipeWrong, match="one stage or more"):
        replace(RECIPE, stages=())
    with pytest.raises(RecipeWrong, match="warm-up of 9 steps"):
        replace(RECIPE, stages=(Stage(3, 9),))
    with pytest.raises(RecipeWrong, match=r"a tower alone needs loss\.patches"):
        replace(RECIPE, stages=(Stage(3, tower=True),), loss=LossOptions())
    with pytest.raises(RecipeWrong, match=r"only a tower alone with loss\.reading"):
        replace(RECIPE, stages=(Stage(3, tower=True, read=2),))
    with pytest.raises(RecipeWrong, match="with shares between 0 and 1"):
        PairOptions(holes=1.0)
    with pytest.raises(RecipeWrong, match="the network has none"):
        replace(RECIPE, stages=TWO.stages)
    with pytest.raises(RecipeWrong, match="keep one"):
        replace(RECIPE, start_from="a", llava_from=("b",), words_from="c")
    with pytest.raises(RecipeWrong, match="of no use without its words"):
        replace(RECIPE, llava_from=("b",))
    with pytest.raises(RecipeWrong, match="ask one or more"):
        PairOptions(segment=0, talk=0)
    with pytest.raises(RecipeWrong, match="must not be negative"):
        LossOptions(dice=-1)
