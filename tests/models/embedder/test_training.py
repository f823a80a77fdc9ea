"""A run that is resumed goes on as one that never stopped, however its batches are cut, and says when it learns nothing."""

from dataclasses import replace
from io import BytesIO

import pytest
import torch
from pydantic import TypeAdapter, ValidationError

from catalog.facts.describer_cards import AdapterConfig
from catalog.facts.errors import RecipeWrong
from models.embedder.instructions import TASKS
from models.embedder.recipe import Recipe
from models.embedder.training import Training
from tests.embedded_scenes import RECIPE, SMALL, network, placed, streamer

ADAPTED = replace(SMALL, adapter=AdapterConfig(rank=4, alpha=8, dropout=0.2, targets=("q_proj", "v_proj")), language_path="adapted")
SCENES = placed(24)


def training(recipe: Recipe) -> Training:
    return Training(network(recipe.network, seed=9), streamer(recipe.network), recipe, torch.device("cpu"))


@pytest.mark.parametrize("config", [SMALL, ADAPTED], ids=["full", "adapted"])
def test_a_run_that_is_resumed_ends_as_one_that_never_stopped(config):
    recipe = replace(RECIPE, network=config)
    run, kept = training(recipe), BytesIO()
    for step in range(4):
        if step == 2:
            torch.save(run.state(), kept)
        run.step(run.draw(SCENES))
    kept.seek(0)
    again = training(recipe)
    again.restore(torch.load(kept, weights_only=True))
    torch.rand(7)  # what others draw meanwhile is of no concern
    while again.step_number < 4:
        again.step(again.draw(SCENES))
    first, second = run.weights(), again.weights()
    assert all(torch.equal(value, second[name]) for name, value in first.items())


def test_frozen_parts_do_not_move():
    run = training(replace(RECIPE, network=ADAPTED))
    before = run.weights()
    run.step(run.draw(SCENES))
    after = run.weights()
    moved = {name for name, value in before.items() if not torch.equal(value, after[name])}
    assert moved
    assert all("lora_" in name for name in moved)


def test_what_is_read_at_once_changes_nothing_that_is_learned():
    whole, cut = (training(replace(RECIPE, steps=replace(RECIPE.steps, chunk=chunk))) for chunk in (64, 2))
    reports = [run.step(run.draw(SCENES)) for run in (whole, cut)]
    assert reports[0].loss == pytest.approx(reports[1].loss, rel=1e-5)
    assert reports[0].gradient == pytest.approx(reports[1].gradient, rel=1e-4)


def test_a_step_draws_every_task_before_one_twice():
    run = training(replace(RECIPE, steps=replace(RECIPE.steps, sub_batches=10)))
    tasks = [batch.task for batch in run.draw(SCENES)]
    assert set(tasks[:9]) == set(TASKS)
    assert len(tasks) == 10
    report = run.step(run.draw(SCENES))
    assert set(report.by_task) <= set(TASKS)
    assert report.step == 0


def test_the_loss_is_warm_first():
    loss = replace(RECIPE.loss, warm=0.1, final=0.02, warmup=1, glide=2)
    run = training(replace(RECIPE, loss=loss))
    found = [run.step(run.draw(SCENES)).temperature for _ in range(4)]
    assert found == pytest.approx([0.1, 0.1, (0.1 * 0.02) ** 0.5, 0.02])


@pytest.mark.parametrize("symmetric", [False, True])
def test_vectors_that_are_all_alike_raise_an_alarm_in_time(symmetric):
    run = training(replace(RECIPE, loss=replace(RECIPE.loss, symmetric=symmetric, patience=2)))
    with torch.no_grad():  # nothing but the last norm is left, the same for all
        for parameter in run.network.qwen.language_model.norm.parameters():
            parameter.zero_()
    run.network.qwen.language_model.norm.register_forward_hook(lambda _norm, _given, states: states + 1)
    for group in run.optimizer.param_groups:
        group["base_lr"] = 0.0
    first = run.step(run.draw(SCENES))
    assert (first.flat_steps, first.collapsed) == (1, False)
    kept = run.state()
    assert run.step(run.draw(SCENES)).collapsed
    healthy = training(RECIPE)
    assert healthy.step(healthy.draw(SCENES)).flat_steps == 0
    healthy.restore(kept)
    assert healthy.flat_steps == 1


def test_sixteen_bits_learn_about_the_same():
    whole, short = (training(replace(RECIPE, steps=replace(RECIPE.steps, bfloat16=bits))) for bits in (False, True))
    reports = [run.step(run.draw(SCENES)) for run in (whole, short)]
    assert reports[0].loss == pytest.approx(reports[1].loss, rel=0.05)
    assert reports[0].gradient == pytest.approx(reports[1].gradient, rel=0.2)
    assert all(value.dtype == torch.float32 for value in short.weights().values() if value.is_floating_point())


def test_a_recipe_is_the_same_after_a_round_trip_and_unknown_options_are_refused():
    kind = TypeAdapter(Recipe)
    told = kind.dump_python(replace(RECIPE, network=ADAPTED), mode="json")
    assert kind.validate_python(told) == replace(RECIPE, network=ADAPTED)
    for part in ("network", "searches", "loss", "steps"):
        with pytest.raises(ValidationError, match="heat"):
            kind.validate_python({**told, part: {**told[part], "heat": 1}})


def test_recipes_that_contradict_themselves_are_refused():
    for change, said in (
        ({"steps": replace(RECIPE.steps, size=1)}, "sub-batches of 1 searches"),
        ({"steps": replace(RECIPE.steps, warmup=9)}, "does not fit into 4 steps"),
        ({"loss": replace(RECIPE.loss, warmup=3, glide=2)}, "comes after 5 steps"),
    ):
        with pytest.raises(RecipeWrong, match=said):
            replace(RECIPE, **change)
