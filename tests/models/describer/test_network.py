from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch

from catalog.facts.describer_cards import PUBLISHED, RGB, TINY, AdapterConfig, DecoderConfig, DescriberConfig
from catalog.facts.errors import RecipeWrong, WeightsUnfit
from models.describer.answering import answer, drawn_from
from models.describer.batches import draw_batch
from models.describer.decoder import MaskDecoder, PromptEncoder
from models.describer.encoder import PrithviRes
from models.describer.losses import LossOptions, mask_loss, shore_weights, word_loss
from models.describer.network import Describer, Views, build
from models.describer.recipe import PairOptions, Recipe, StepOptions
from models.describer.training import Training
from models.language.dialogue import TokenIds
from models.language.sentences import SEG
from models.language.vision_language import on_meta, parameter_count
from models.segmenter.optimizer import schedule_factor
from tests.described_scenes import dialogue, scenes

RECIPE = Recipe("test", "Test", loss=LossOptions(patches=0.5), steps=StepOptions(total=20, warmup=2, scenes=3, learning_rate=1e-3))


def network(config: DescriberConfig = TINY, seed: int = 0) -> Describer:
    torch.manual_seed(seed)
    own = dialogue()
    return build(config, own.ids, len(own.tokenizer)).eval()


@pytest.fixture(scope="module")
def tiny() -> Describer:
    return network()


@pytest.fixture(scope="module")
def batch():
    return draw_batch(scenes(3), dialogue(), PairOptions(), np.random.default_rng(0))


def test_words_and_masks_have_their_shapes(tiny, batch):
    with torch.inference_mode():
        said = tiny(batch.views, batch.of_scene, batch.tokens)
    marks = int((batch.tokens.ids == dialogue().ids.seg).sum())
    assert said.words.shape == (*batch.tokens.ids.shape, TINY.language.vocabulary)
    assert said.masks.shape == (marks, 1, 64, 64)
    assert 0 < marks <= len(batch.of_scene) == 12


@pytest.mark.parametrize("adapter", [None, AdapterConfig(rank=2, alpha=4)])
def test_an_image_seen_once_says_what_llava_says_that_looks_at_it_for_every_text(batch, adapter):
    config = TINY if adapter is None else replace(TINY, adapter=adapter, language_path="adapted")
    own = network(config)
    with torch.inference_mode():
        ours = own.states(own.seen(batch.views.rgb)[batch.of_scene], batch.tokens)
        theirs = own.llava.model(
            input_ids=batch.tokens.ids, attention_mask=batch.tokens.attention, pixel_values=batch.views.rgb[batch.of_scene], use_cache=False
        ).last_hidden_state
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)


def test_the_published_sizes_are_the_same_classes():
    with on_meta():
        whole = build(PUBLISHED, TokenIds(32_001, 1, 2, 32_000, 32_002), 32_003)
        tiny = build(TINY, TokenIds(0, 1, 2, 3, 511), 512)
    assert parameter_count(whole.encoder.prithvi) / 1e6 == pytest.approx(303.89, abs=0.01)
    assert {type(module) for module in tiny.encoder.modules()} >= {type(module) for module in whole.encoder.modules()} - {
        torch.nn.MaxPool2d
    }
    trained = {name for name, parameter in whole.named_parameters() if parameter.requires_grad}
    assert any("lora_" in name for name in trained)
    assert any("multi_modal_projector" in name for name in trained)
    assert not any(
        "vision_tower" in name or ("language_model" in name and "lora_" not in name and "trainable_tokens" not in name) for name in trained
    )


def test_published_encoder_gives_the_levels_of_the_specification():
    with on_meta():
        encoder = PrithviRes(PUBLISHED.encoder, (0, 2))
        fine, coarse = encoder(torch.zeros(1, 6, 1024, 1024))
        released = PrithviRes(replace(PUBLISHED.encoder, levels="token_grid"), (0,))(torch.zeros(1, 6, 1024, 1024))
    assert (fine.shape, coarse.shape) == ((1, 256, 256, 256), (1, 256, 64, 64))
    assert released[0].shape == (1, 256, 64, 64)


def test_tiny_sizes():
    counts = {name: parameter_count(part) for name, part in network().named_children()}
    assert sum(counts.values()) < 2e6
    assert len(PrithviRes(TINY.encoder, (0, 1))(torch.zeros(1, 6, 64, 64))) == 2


def test_every_parameter_that_learns_gets_a_gradient_and_no_other_does(batch):
    training = Training(network(), dialogue(), RECIPE, torch.device("cpu"))
    for _ in range(2):
        training.step(training.draw(scenes(3)))
    wrong = []
    for name, parameter in training.network.named_parameters():
        alive = parameter.grad is not None and bool(torch.isfinite(parameter.grad).all()) and float(parameter.grad.abs().sum()) > 0
        if alive != parameter.requires_grad:
            wrong.append(name)
    assert wrong == []


def test_adapted_path_learns_adapters_and_the_mask_path_alone():
    config = replace(TINY, adapter=AdapterConfig(rank=4, dropout=0.0), language_path="adapted")
    training = Training(network(config), dialogue(), replace(RECIPE, network=config, loss=LossOptions()), torch.device("cpu"))
    before = {name: parameter.detach().clone() for name, parameter in training.network.named_parameters()}
    for _ in range(2):
        training.step(training.draw(scenes(3)))
    moved = {name for name, parameter in training.network.named_parameters() if not torch.equal(parameter, before[name])}
    assert any("lora_B" in name for name in moved)
    assert any(name.startswith("encoder.") for name in moved)
    assert not any("vision_tower" in name or "base_layer" in name or "lm_head" in name or "embed_tokens" in name for name in moved)


def test_a_frozen_language_path_stays_as_it_was():
    config = replace(TINY, language_path="frozen")
    training = Training(network(config), dialogue(), replace(RECIPE, network=config, loss=LossOptions()), torch.device("cpu"))
    before = {name: value.clone() for name, value in training.network.llava.state_dict().items()}
    training.step(training.draw(scenes(3)))
    changed = {name for name, value in training.network.llava.state_dict().items() if not torch.equal(value, before[name])}
    assert changed
    assert all("multi_modal_projector" in name for name in changed)


@pytest.mark.parametrize("weights", [(1.0, 0.0), (0.0, 1.0)])
def test_a_part_of_the_loss_that_weighs_nothing_teaches_nothing(weights):
    masks, words = weights
    training = Training(network(), dialogue(), replace(RECIPE, loss=LossOptions(masks=masks, words=words)), torch.device("cpu"))
    report = training.step(training.draw(scenes(3)))
    heads = {
        name: parameter.grad
        for name, parameter in training.network.named_parameters()
        if name in ("decoder.head.5.weight", "language.lm_head.weight")
    }
    assert (heads["decoder.head.5.weight"] is not None) == bool(masks)
    assert (heads["language.lm_head.weight"] is not None) == bool(words)
    assert report.loss == pytest.approx(masks * report.parts["masks"] + words * report.parts["words"], rel=1e-5)


def test_the_encoder_can_be_shown_color_alone():
    config = replace(TINY, encoder=replace(TINY.encoder, channels=RGB))
    own = network(config)
    views = Views(torch.randn(2, 6, 64, 64), torch.randn(2, 3, 112, 112))
    shown = own.shown(views.channels)
    assert torch.equal(shown, views.channels[:, [2, 1, 0]])
    changed = views.channels.clone()
    changed[:, 3:] = 9
    prompts = own.prompts(torch.randn(2, TINY.language.hidden))
    with torch.inference_mode():
        assert torch.equal(own.draw(views.channels, torch.arange(2), prompts), own.draw(changed, torch.arange(2), prompts))


@pytest.mark.parametrize("kind", ["prithvi", "res"])
def test_halves_of_the_encoder_stand_alone(kind):
    encoder = PrithviRes(replace(TINY.encoder, kind=kind), (0, 1))
    assert encoder(torch.randn(2, 6, 64, 64))[0].shape == (2, 32, 32, 32)
    assert (encoder.prithvi is None) == (kind == "res")
    frozen = PrithviRes(replace(TINY.encoder, frozen=True), (0, 1))
    assert parameter_count(frozen, trainable=True) == 0


def test_one_prompt_token_is_refused():
    with pytest.raises(WeightsUnfit, match="attends to a constant"):
        DescriberConfig(decoder=DecoderConfig(prompt_tokens=1))


def gradients_of_attention(tokens: int) -> tuple[float, float]:
    """Gradients of a mask with respect to the queries' and the values' weights, for a prompt of so many tokens."""
    torch.manual_seed(0)
    decoder = MaskDecoder(32, TINY.decoder)
    level = torch.randn(2, 32, 16, 16)
    fine = torch.randn(2, 32, 32, 32)
    decoder((fine, level), torch.randn(2, tokens, 32), (64, 64)).pow(2).sum().backward()
    query, _, value = decoder.coarse.attention.in_proj_weight.grad.chunk(3)
    return float(query.norm()), float(value.norm())


def test_where_a_pixel_is_decides_what_it_hears():
    query, value = gradients_of_attention(8)
    assert query > 1e-3 * value
    # the fault that this guards against: with one token the softmax is 1 everywhere
    lonely, value = gradients_of_attention(1)
    assert lonely < 1e-6 * value


def test_a_prompt_of_several_tokens_differs_by_token_and_by_state():
    prompts = PromptEncoder(96, 32, TINY.decoder)(torch.randn(3, 96))
    assert prompts.shape == (3, 8, 32)
    assert prompts.std(dim=1).min() > 0
    constant = PromptEncoder(96, 32, replace(TINY.decoder, prompt="constant"))(torch.randn(3, 96))
    assert torch.equal(constant[0], constant[1])


def test_permuting_scenes_permutes_answers(tiny):
    some = scenes(3)
    views = Views(torch.stack([s.channels for s in some]), torch.stack([s.rgb for s in some]))
    order = torch.tensor([2, 0, 1])
    questions, texts = ["Count the lakes.", "Draw the center.", "Where?"], [f"One. {SEG}", f"Two in the center. {SEG}", f"There. {SEG}"]
    first = drawn_from(tiny, dialogue(), views, questions, texts)
    mixed = Views(views.channels[order], views.rgb[order])
    second = drawn_from(tiny, dialogue(), mixed, [questions[i] for i in order], [texts[i] for i in order])
    for place, source in enumerate(order.tolist()):
        assert np.abs(second[place].probability - first[source].probability).max() < 1e-4


def test_padding_changes_nothing(tiny):
    some = scenes(3)
    views = Views(some[0].channels[None], some[0].rgb[None])
    alone = drawn_from(tiny, dialogue(), views, ["Draw it."], [f"Here. {SEG}"])[0].probability
    both = Views(torch.stack([some[0].channels, some[1].channels]), torch.stack([some[0].rgb, some[1].rgb]))
    longer = drawn_from(
        tiny,
        dialogue(),
        both,
        ["Draw it.", "Tell me at length where the largest lake lies."],
        [f"Here. {SEG}", f"A long answer, here. {SEG}"],
    )
    assert np.abs(longer[0].probability - alone).max() < 1e-4
    short = answer(tiny, dialogue(), views, ["Draw it."], longest=6)[0].text
    padded = answer(tiny, dialogue(), both, ["Draw it.", "Tell me at length where the largest lake lies."], longest=6)[0].text
    assert short == padded


def test_masks_come_from_words_that_were_said_never_from_the_true_ones(tiny):
    some = scenes(3)
    views = Views(some[0].channels[None], some[0].rgb[None])
    forced = drawn_from(tiny, dialogue(), views, ["Draw it."], [f"Here. {SEG}"])[0]
    said = answer(tiny, dialogue(), views, ["Draw it."], longest=3)[0]
    assert (forced.path, said.path) == ("teacher_forced", "generated")
    assert forced.probability.max() > 0
    # three tokens of an untrained network hold no mark, so there is no mask
    assert SEG not in said.text
    assert said.probability.max() == 0


def test_saved_weights_answer_alike(tiny):
    again = network(seed=5)
    again.load_state_dict(tiny.state_dict())
    views = Views(torch.randn(1, 6, 64, 64), torch.randn(1, 3, 112, 112))
    first, second = (drawn_from(own, dialogue(), views, ["Draw."], [f"Here. {SEG}"])[0].probability for own in (tiny, again))
    assert np.array_equal(first, second)


def test_training_that_is_resumed_goes_on_as_if_it_had_never_stopped():
    whole = Training(network(), dialogue(), RECIPE, torch.device("cpu"))
    for _ in range(2):
        whole.step(whole.draw(scenes(3)))
    resumed = Training(network(seed=9), dialogue(), RECIPE, torch.device("cpu"))
    resumed.restore(deepcopy(whole.state()))
    reports = [own.step(own.draw(scenes(3))) for own in (whole, resumed)]
    assert reports[0] == reports[1]
    assert all(torch.equal(a, b) for a, b in zip(whole.weights().values(), resumed.weights().values(), strict=True))


def test_shores_weigh_more_and_the_weights_are_not_averaged_away():
    target = torch.zeros(1, 1, 16, 16)
    target[..., 4:12, 4:12] = 1
    near = shore_weights(target, 7)
    assert near[0, 0, 4, 4] > near[0, 0, 8, 8] >= 0
    wrong_at_shore, wrong_inside = torch.full_like(target, -4.0), torch.full_like(target, -4.0)
    wrong_at_shore[target > 0] = wrong_inside[target > 0] = 4.0
    wrong_at_shore[..., 4, 4] = wrong_inside[..., 8, 8] = -4.0
    options = LossOptions(boundary=5.0)
    assert mask_loss(wrong_at_shore, target, options) > mask_loss(wrong_inside, target, options)
    plain = LossOptions()
    assert mask_loss(wrong_at_shore, target, plain) == pytest.approx(float(mask_loss(wrong_inside, target, plain)))


def test_an_empty_mask_has_no_dice():
    empty = torch.zeros(1, 1, 8, 8)
    assert mask_loss(torch.full_like(empty, -9.0), empty, LossOptions()) < 1e-3


def test_only_words_of_answers_are_learned():
    labels = torch.tensor([[-100, -100, 2, 1]])
    logits = torch.zeros(1, 4, 3)
    logits[0, 1, 2] = logits[0, 2, 1] = 50.0
    assert float(word_loss(logits, labels)) == pytest.approx(0, abs=1e-6)
    logits[0, 0] = torch.tensor([50.0, 0, 0])  # says the question wrongly: nobody minds
    assert float(word_loss(logits, labels)) == pytest.approx(0, abs=1e-6)


def test_words_that_tell_weigh_more_than_manners_of_speaking():
    own = dialogue()
    tokens = own.learned(["How many?"], ["There are three glacial lakes."])
    told = own.tokenizer.decode(tokens.ids[tokens.telling]).split()
    assert told == ["three"]
    logits = torch.zeros(*tokens.ids.shape, len(own.tokenizer))
    place = int(tokens.telling[0].nonzero()[0])
    wrong_manner, wrong_number = logits.clone(), logits.clone()
    wrong_manner[0, place - 2, 5] = wrong_number[0, place - 1, 5] = 9.0
    plain = [float(word_loss(each, tokens.labels)) for each in (wrong_manner, wrong_number)]
    weighted = [float(word_loss(each, tokens.labels, tokens.telling, 4.0)) for each in (wrong_manner, wrong_number)]
    assert plain[0] == pytest.approx(plain[1])
    assert weighted[0] < plain[0] < weighted[1]


def test_a_tower_learns_alone_first_then_words_then_masks():
    """At each step only what that phase is for moves."""
    recipe = replace(RECIPE, steps=replace(RECIPE.steps, pretext=2, pretext_scenes=3, words=1, warmup=1))
    training = Training(network(), dialogue(), recipe, torch.device("cpu"))
    moved = []
    training.step(training.draw(scenes(3)))
    for _ in range(3):
        before = training.weights()
        training.step(training.draw(scenes(3)))
        after = training.weights()
        moved.append({_part(name) for name in before if not torch.equal(before[name], after[name])})
    assert moved == [{"tower"}, {"words"}, {"words", "masks"}]


def test_a_tower_that_does_not_rest_goes_on_learning():
    recipe = replace(RECIPE, steps=replace(RECIPE.steps, pretext=2, pretext_scenes=3, warmup=1, tower_rests=False))
    training = Training(network(), dialogue(), recipe, torch.device("cpu"))
    for _ in range(2):
        training.step(training.draw(scenes(3)))
    before = training.weights()
    report = training.step(training.draw(scenes(3)))
    assert report.parts["patches"] > 0
    after = training.weights()
    assert {_part(name) for name in before if not torch.equal(before[name], after[name])} == {"tower", "words", "masks"}


def test_while_the_tower_learns_alone_the_language_model_reads_questions():
    recipe = replace(
        RECIPE, loss=replace(RECIPE.loss, reading=0.5), steps=replace(RECIPE.steps, pretext=2, pretext_scenes=3, words=1, warmup=1)
    )
    training = Training(network(), dialogue(), recipe, torch.device("cpu"))
    training.step(training.draw(scenes(3)))
    before, batch = training.weights(), training.draw(scenes(3))
    assert len(batch.asked) == 6
    assert not (batch.tokens.ids == dialogue().ids.image).any()
    report = training.step(batch)
    assert report.parts["reading"] > 0
    assert report.parts["words"] == report.parts["masks"] == 0
    after = training.weights()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert {_part(name) for name in moved} == {"tower", "words"}
    assert not any("multi_modal_projector" in name or "lm_head" in name for name in moved)
    assert training.step(training.draw(scenes(3))).parts["reading"] > 0


def test_a_batch_knows_in_which_patches_the_lakes_of_each_answer_are():
    batch = draw_batch(list(scenes(3)), dialogue(), PairOptions(turns=False), np.random.default_rng(0))
    side = round(batch.points.shape[1] ** 0.5)
    for points, target in zip(batch.points, batch.target, strict=True):
        assert float(points.sum()) == pytest.approx(float(target.max() > 0))
        for patch in points.nonzero().flatten().tolist():
            rows, columns = (slice(place * 64 // side, (place + 1) * 64 // side) for place in divmod(patch, side))
            assert target[0, rows, columns].max() > 0


def test_arithmetic_of_16_bits_learns_and_leaves_weights_of_32():
    training = Training(network(), dialogue(), replace(RECIPE, steps=replace(RECIPE.steps, bfloat16=True)), torch.device("cpu"))
    batch = training.draw(scenes(3))
    losses = [training.step(batch).loss for _ in range(6)]
    assert losses[-1] < losses[0]
    assert {value.dtype for value in training.weights().values() if value.is_floating_point()} == {torch.float32}


def test_every_phase_has_a_schedule_of_its_own():
    recipe = replace(RECIPE, steps=replace(RECIPE.steps, pretext=8, warmup=2))
    factors = [schedule_factor(within, schedule) for schedule, within in map(recipe.schedule_at, range(recipe.steps.total))]
    assert factors[1] == factors[9] == 1
    assert max(factors[7], factors[19]) < 0.1
    with pytest.raises(RecipeWrong, match="warm-up of 2 steps"):
        replace(RECIPE, steps=replace(RECIPE.steps, pretext=1, warmup=2))


def _part(name: str) -> str:
    return "tower" if "vision_tower" in name else "words" if name.startswith("language") else "masks"


@pytest.mark.parametrize(
    ("steps", "loss", "words"),
    [
        ({"pretext": 20}, {"patches": 0.5}, "leave none of 20"),
        ({"pretext": 5}, {}, "a pretext needs loss.patches"),
        ({"words": -1}, {}, "must not be negative"),
        ({"words": 3}, {"words": 0.0}, "nothing is learned in 3 steps of words"),
    ],
)
def test_phases_that_make_no_sense_are_refused(steps, loss, words):
    with pytest.raises(RecipeWrong, match=words):
        replace(RECIPE, steps=replace(RECIPE.steps, **steps), loss=LossOptions(**loss))
