from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch

from catalog.facts.cards import NetworkConfig
from catalog.facts.chips import LABEL_IGNORE, ChipBatch
from catalog.facts.errors import RecipeWrong
from models.scores.pixels import PixelCounts
from models.segmenter.augment import AugmentOptions, ModalityOptions
from models.segmenter.fit import Course, Validated, fit
from models.segmenter.network import build
from models.segmenter.normalise import TERRAMIND
from models.segmenter.optimizer import OptimizerOptions
from models.segmenter.recipe import AveragingOptions, Recipe, SelectionOptions, StepOptions
from models.segmenter.sampler import ChipSampler, chip_weights
from models.segmenter.training import StepReport, Training

SIDE, COUNT = 32, 12
RECIPE = Recipe(
    name="test",
    title="Test",
    network=NetworkConfig(channels=16, detail=8),
    statistics="terramind",
    optimizer=OptimizerOptions(learning_rate=2e-3, encoder_factor=0.5, layer_decay=0.9),
    steps=StepOptions(total=6, warmup=1, batch_size=2, precision="fp32", validate_every=2, patience=9),
    averaging=AveragingOptions("ema", decay=0.9),
    seed=5,
)

STILL = replace(
    RECIPE,
    augment=AugmentOptions(
        values=replace(RECIPE.augment.values, probability=0.0),
        places=replace(RECIPE.augment.places, flip=0, quarter_turns=0, scale=0, paste=0, s2_holes=0, s1_holes=0),
        modalities=ModalityOptions(0, 0, 0, 0, 0),
    ),
)
"""Nothing is left to chance."""


def chips() -> ChipBatch:
    """Dark, smooth, level squares in bright ground."""
    rng = np.random.default_rng(0)
    water = np.zeros((COUNT, SIDE, SIDE), bool)
    for index in range(0, COUNT, 2):
        top, left = rng.integers(2, 14, 2)
        water[index, top : top + 14, left : left + 14] = True
    s2 = np.where(water[:, None], 300, 2500) + rng.integers(0, 200, (COUNT, 12, SIDE, SIDE))
    s1 = np.where(water[:, None], -22.0, -9.0) + rng.normal(0, 1, (COUNT, 2, SIDE, SIDE))
    dem = np.where(water, 4000.0, 4000.0 + rng.normal(0, 20, water.shape))
    return ChipBatch(
        s2.astype(np.uint16), s1.astype(np.float32), dem.astype(np.float32), np.zeros(water.shape, np.uint8),
        (250 * water).astype(np.uint8), np.ones(COUNT, np.float32),
    )  # fmt: skip


CHIPS = chips()


def read(places) -> ChipBatch:
    return ChipBatch(*(getattr(CHIPS, name)[places] for name in ("s2", "s1", "dem", "cause", "label", "weight")))


def run_of(recipe: Recipe) -> tuple[Training, ChipSampler, Course]:
    torch.manual_seed(recipe.seed)
    training = Training(build(recipe.network), recipe, TERRAMIND, torch.device("cpu"))
    positive = (CHIPS.label == 250).any(axis=(1, 2))
    return training, ChipSampler(chip_weights(positive, 3.0), recipe.seed), Course()


def score(weights) -> PixelCounts:
    # a figure that follows the weights, so that a run which goes astray is seen
    return PixelCounts(int(1e6 * abs(float(weights["head.logit.bias"][0]))), 10, 10, 10)


def finish(run, recipe: Recipe) -> dict[str, torch.Tensor]:
    for _ in fit(*run, read, score):
        pass
    return run[0].weights()


@pytest.mark.parametrize("kind", ["ema", "swa"])
def test_a_run_that_was_stopped_goes_on_exactly(kind):
    recipe = replace(RECIPE, averaging=AveragingOptions(kind, decay=0.9, swa_from=0.3))
    whole = run_of(recipe)
    undisturbed = finish(whole, recipe)
    first = run_of(recipe)
    states = []
    for event in fit(*first, read, score):
        if isinstance(event, Validated) and event.step == 4:
            states = [part.state() for part in first]
            break
    second = run_of(replace(recipe, seed=5))
    for part, state in zip(second, states, strict=True):
        part.restore(state)
    resumed = finish(second, recipe)
    assert second[0].step_number == whole[0].step_number == 6
    assert second[2].history == whole[2].history
    assert all(torch.equal(undisturbed[name], resumed[name]) for name in undisturbed)


def test_a_network_learns_what_is_plain_to_see():
    quick = OptimizerOptions(learning_rate=2e-3, encoder_factor=0.2, layer_decay=1.0)
    recipe = replace(STILL, optimizer=quick, steps=replace(STILL.steps, total=200, warmup=2), averaging=AveragingOptions("none"))
    training, sampler, _ = run_of(recipe)
    losses = [training.step([read(sampler.batch(4))]).loss for _ in range(50)]
    assert np.mean(losses[-5:]) < 0.6 * np.mean(losses[:5])


def test_a_step_depends_on_the_seed_and_its_number_alone():
    reports = []
    for _ in range(2):
        training, _, _ = run_of(RECIPE)
        torch.manual_seed(int(np.random.default_rng().integers(1 << 30)))  # what others draw must not matter
        reports.append(training.step([read([0, 1])]))
    assert reports[0] == reports[1]


def test_gradients_of_small_batches_add_up_to_those_of_a_large_one():
    training, _, _ = run_of(replace(STILL, steps=replace(STILL.steps, accumulate=2)))
    report = training.step([read([0, 1]), read([2, 3])])
    halves = [run_of(STILL)[0].step([read(part)]) for part in ([0, 1], [2, 3])]
    assert report.loss == pytest.approx(np.mean([half.loss for half in halves]), rel=1e-4)


def test_training_stops_when_the_score_does_not_rise():
    recipe = replace(RECIPE, steps=replace(RECIPE.steps, total=20, validate_every=1, patience=2))
    training, sampler, course = run_of(recipe)
    events = list(fit(training, sampler, course, read, lambda _: PixelCounts(1, 1, 1, 1)))
    assert training.step_number == 3
    assert [event.best for event in events if isinstance(event, Validated)] == [True, False, False]


def test_chips_without_a_judged_pixel_change_nothing_but_are_survived():
    training, _, _ = run_of(replace(RECIPE, optimizer=replace(RECIPE.optimizer, weight_decay=0.0)))
    before = {name: value.clone() for name, value in training.network.state_dict().items()}
    nothing = replace(read([0, 1]), label=np.full((2, SIDE, SIDE), LABEL_IGNORE, np.uint8))
    report = training.step([nothing])
    assert report.loss == pytest.approx(0.0, abs=1e-6)
    assert all(torch.allclose(before[name], value, atol=1e-7) for name, value in training.network.state_dict().items())


def test_reports_come_before_what_they_led_to():
    events = list(islice(fit(*run_of(RECIPE), read, score), 3))
    assert [type(event) for event in events] == [StepReport, StepReport, Validated]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"start_from": "a", "encoder_from": "b"}, "keep one"),
        ({"statistics": "start"}, "start_from is empty"),
        ({"steps": StepOptions(batch_size=0)}, "1 or more"),
        ({"steps": StepOptions(crop_px=100)}, "multiple of 16"),
        ({"selection": SelectionOptions(members=0)}, "1 or more"),
    ],
)
def test_recipes_that_contradict_themselves_are_refused(change, says):
    with pytest.raises(RecipeWrong, match=says):
        replace(RECIPE, **change)
