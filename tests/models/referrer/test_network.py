"""What the specification counts, and every fault of the released code shown to be none here."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch

from catalog.facts.describer_cards import AdapterConfig
from catalog.facts.errors import WeightsUnfit
from catalog.facts.feature_classes import CLASSES
from catalog.facts.referrer_cards import PUBLISHED, TINY, MemoryConfig
from models.language.adapters import adapted_modules
from models.language.dialogue import TokenIds, Tokens
from models.language.vision_language import build_llava, on_meta, parameter_count
from models.referrer.batches import draw_batch
from models.referrer.fusion import fusion_of
from models.referrer.marks import GROUP, MARKS, whole_groups
from models.referrer.memory import ClassMemory, ClassQuery
from models.referrer.network import build
from models.referrer.predictor import MaskPredictor
from models.referrer.starting import load_llava
from models.referrer.training import Training
from tests.referred_scenes import RECIPE, SMALL, dialogue, network, scenes

FUSIONS = ("conv3d", "conv2d", "argmax", "attention", "dual_attention")


@pytest.fixture(scope="module")
def small():
    return network()


@pytest.fixture(scope="module")
def batch():
    return draw_batch(scenes(4), dialogue(), RECIPE.stages[0].pairs, np.random.default_rng(0), 32)


def drawn(own, batch, rows=None):
    seen = own.see(batch.images)
    groups = own.groups(own.states(seen, batch.of_scene, batch.tokens), batch.tokens)
    return own.draw(seen, batch.of_scene[groups.of_text], groups.prompts, own.query(groups.classes, rows)), groups


def test_published_sizes_have_the_parameters_of_the_paper():
    with on_meta():
        whole = build(PUBLISHED, TokenIds(32_001, 1, 2, 32_000, 32_002), tuple(range(32_002, 32_008)), 32_008)
        plain = build_llava(PUBLISHED.vision, PUBLISHED.language, added=8, image_id=32_000, family="llama")
        tiny = build(TINY, TokenIds(0, 1, 2, 3, 506), tuple(range(506, 512)), 512)
    lora = [parameter.numel() for name, parameter in whole.named_parameters() if "lora_" in name and parameter.requires_grad]
    assert parameter_count(plain) / 1e6 == pytest.approx(7_063.0, abs=0.5)
    assert parameter_count(plain.model.vision_tower) / 1e6 == pytest.approx(303.5, abs=0.1)
    assert sum(lora) == 67_108_864
    assert parameter_count(whole.predictor) / 1e6 == pytest.approx(7.57, rel=2e-3)
    assert parameter_count(whole.projectors[0]) / 1e6 == pytest.approx(5.90, abs=0.005)
    assert parameter_count(whole.memory.fusion) == 2_723
    assert whole.memory.bank.numel() == 629_145_600
    assert {type(module).__name__ for module in tiny.modules()} <= {type(module).__name__ for module in whole.modules()} | {"GroupNorm"}
    assert parameter_count(tiny) < 3e6


def test_rank_eight_adapters_of_the_second_stage_have_the_parameters_of_the_paper():
    with on_meta():
        whole = build(PUBLISHED, TokenIds(32_001, 1, 2, 32_000, 32_002), tuple(range(32_002, 32_008)), 32_008)
        whole.adapted_anew(AdapterConfig(rank=8, alpha=16, dropout=0.05, targets=("q_proj", "v_proj")))
    lora = {name: parameter.numel() for name, parameter in whole.named_parameters() if "lora_" in name and parameter.requires_grad}
    assert sum(lora.values()) == 4_194_304
    assert all("language_model" in name for name in adapted_modules(whole))
    assert not any(parameter.requires_grad for name, parameter in whole.named_parameters() if "vision_tower" in name)


def test_words_and_masks_have_their_shapes(small, batch):
    with torch.inference_mode():
        masks, groups = drawn(small, batch)
    count = int((batch.tokens.ids == dialogue().mark_ids[0]).sum())
    assert 0 < count == len(batch.target) == len(batch.classes) == len(batch.points)
    assert masks.masks.shape == batch.target.shape == (count, 1, 32, 32)
    assert [level.shape[-1] for level in masks.levels] == [16, 32]
    assert groups.prompts.shape == (count, 2, SMALL.predictor.width)
    assert groups.classes.shape == (count, len(CLASSES))


def test_the_memory_learns_in_exactly_the_rows_that_were_read(batch):
    own = network(seed=1)
    rows = torch.arange(len(batch.classes)) % 2 * 3 + 1  # rows 1 and 4
    masks, _ = drawn(own, batch, rows)
    masks.masks.square().mean().backward()
    size = own.memory.bank.grad.flatten(2).abs().amax(dim=2)  # (rows, levels)
    assert size[[1, 4]].min() > 1e-9
    assert size[[0, 2, 3, 5, 6, 7]].max() == 0


@pytest.mark.parametrize("fusion", FUSIONS)
def test_what_the_memory_holds_reaches_the_mask_whatever_fuses_it(batch, fusion):
    own = network(replace(SMALL, memory=replace(SMALL.memory, fusion=fusion)), seed=2)
    rows = torch.full_like(batch.classes, 3)
    with torch.inference_mode():
        before = drawn(own, batch, rows)[0].masks
        with torch.no_grad():
            own.memory.bank.normal_(0, 3)
        after = drawn(own, batch, rows)[0].masks
        other = drawn(own, batch, rows - 1)[0].masks
    assert (before - after).abs().mean() > 1e-4
    assert (after - other).abs().mean() > 1e-4


def test_fusions_have_the_parameters_that_they_are_known_for():
    counts = {fusion: parameter_count(fusion_of(MemoryConfig(fusion=fusion), "batch")) for fusion in FUSIONS}
    assert counts["argmax"] == 0
    assert counts["conv3d"] == 2_723
    assert counts["conv2d"] / 1e3 == pytest.approx(5.3, abs=0.1)
    assert counts["conv3d"] < counts["conv2d"] < counts["attention"] < counts["dual_attention"]


def test_referents_do_not_see_each_other():
    torch.manual_seed(3)
    memory = ClassMemory(SMALL.memory, 32, 2, "group").eval()
    predictor = MaskPredictor(SMALL.predictor).eval()
    rough, detail, prompts = torch.randn(5, 32, 8, 8), torch.randn(5, 32, 8, 8), torch.randn(5, 2, 32)
    rows, order = torch.tensor([0, 1, 2, 3, 1]), torch.tensor([3, 0, 4, 2, 1])
    with torch.inference_mode():
        straight = predictor(rough, detail, prompts, memory, ClassQuery(rows)).masks
        mixed = predictor(rough[order], detail[order], prompts[order], memory, ClassQuery(rows[order])).masks
        alone = predictor(rough[2:3], detail[2:3], prompts[2:3], memory, ClassQuery(rows[2:3])).masks
    assert (straight[order] - mixed).abs().max() < 1e-5
    assert (straight[2:3] - alone).abs().max() < 1e-5
    assert (straight[0] - straight[1]).abs().max() > 1e-3


def test_what_weighs_tokens_levels_and_memory_is_kept_and_learns(small, batch):
    own = deepcopy(small)
    names = ["predictor.weights", "reader.weights", "memory.readers.0.alpha", "memory.readers.1.alpha", "memory.bank"]
    assert set(names) <= set(own.state_dict()) <= set(own.state_dict())
    drawn(own, batch)[0].masks.square().mean().backward()
    for name in names:
        assert own.get_parameter(name).grad.abs().max() > 0, name


def test_everything_that_may_learn_has_a_gradient():
    training = Training(network(seed=4), dialogue(), RECIPE, torch.device("cpu"))
    waiting = {name for name, parameter in training.network.named_parameters() if parameter.requires_grad}
    for _ in range(3):
        training.step(training.draw(scenes(4)))
        for name, parameter in training.network.named_parameters():
            if parameter.grad is not None:
                assert torch.isfinite(parameter.grad).all(), name
                waiting -= {name} if parameter.grad.abs().max() > 0 else set()
            assert parameter.requires_grad or parameter.grad is None
    assert not waiting


def test_the_details_change_the_mask_of_the_rough_level(small, batch):
    with torch.inference_mode():
        masks = drawn(small, batch)[0]
    rough, fine = masks.levels
    whole = torch.nn.functional.interpolate(rough, size=fine.shape[-2:], mode="bilinear", align_corners=False)
    assert torch.allclose(masks.masks, 0.5 * whole + 0.5 * fine, atol=1e-6)
    assert (masks.masks - whole).abs().max() > 1e-3


def test_one_look_serves_the_words_and_both_levels(batch):
    own, looks = network(seed=5), []
    own.llava.model.vision_tower.register_forward_hook(lambda *_: looks.append(1))
    with torch.inference_mode():
        drawn(own, batch)
    assert len(looks) == 1


def test_a_shared_projector_is_one_and_independent_ones_are_two():
    shared = network(replace(SMALL, predictor=replace(SMALL.predictor, projectors="shared")))
    assert (len(shared.projectors), len(network().projectors)) == (1, 2)


def test_states_at_marks_and_before_them_are_not_the_same(small, batch):
    before = deepcopy(small)
    before.config = replace(SMALL, predictor=replace(SMALL.predictor, state="before"))
    with torch.inference_mode():
        states = small.states(small.see(batch.images), batch.of_scene, batch.tokens)
        assert (small.groups(states, batch.tokens).prompts - before.groups(states, batch.tokens).prompts).abs().max() > 1e-3


def test_padding_on_either_side_changes_nothing(small, batch):
    tokens, extra, ids = batch.tokens, 13, dialogue().ids
    pad = torch.full((len(tokens.ids), extra), ids.pad)
    nothing, ignored = torch.zeros_like(pad), torch.full_like(pad, -100)

    def moved(*parts):
        return Tokens(*(torch.cat(part, dim=1) for part in parts))

    with torch.inference_mode():
        seen = small.see(batch.images)
        plain = small.groups(small.states(seen, batch.of_scene, tokens), tokens)
        for padded in (
            moved((pad, tokens.ids), (nothing, tokens.attention), (ignored, tokens.labels), (nothing.bool(), tokens.telling)),
            moved((tokens.ids, pad), (tokens.attention, nothing), (tokens.labels, ignored), (tokens.telling, nothing.bool())),
        ):
            own = small.groups(small.states(seen, batch.of_scene, padded), padded)
            assert (own.prompts - plain.prompts).abs().max() < 1e-4


def test_only_whole_groups_of_marks_are_masks(small):
    marks = dialogue().mark_ids
    found, broken = whole_groups([7, *marks, 8, *marks[:4], 9, *marks], marks)
    assert [places[0] for places in found] == [1, 13]
    assert broken
    assert whole_groups([1, 2, *marks, *marks], marks) == ([tuple(range(2, 8)), tuple(range(8, 14))], False)
    ids = torch.tensor([[7, *marks, 8, *marks[:4], 9, *marks]])
    tokens = Tokens(ids, torch.ones_like(ids), ids, torch.zeros_like(ids))
    with torch.inference_mode():
        groups = small.groups(torch.randn(1, ids.shape[1], SMALL.language.hidden), tokens)
    assert groups.of_text.tolist() == [0, 0]


def test_marks_are_words_of_the_vocabulary_whatever_their_numbers():
    own = dialogue()
    assert own.mark_ids == tuple(own.tokenizer.convert_tokens_to_ids(mark) for mark in MARKS)
    assert own.text(own.answer(f"Sure, it is {GROUP}.")) == f"Sure, it is {GROUP}."
    assert not set(own.prompt(f"Where is {GROUP}?")) & set(own.mark_ids)


@pytest.mark.parametrize("query", ["top", "soft"])
def test_a_class_that_is_named_is_read_and_doubt_reads_the_generic_row(query):
    own = network(replace(SMALL, memory=replace(SMALL.memory, query=query)))
    classes = torch.zeros(3, len(CLASSES))
    classes[0, 2] = 9.0
    found = own.query(classes)
    assert found.rows.tolist() == [2, 7, 7]
    named = own.query(classes, torch.tensor([5, -1, 5]))
    assert named.rows.tolist() == [5, 7, 5]
    if query == "soft":
        assert torch.allclose(found.shares.sum(dim=1), torch.ones(3))
        assert found.shares[1, :7].std() < 1e-6
        assert named.shares[0].tolist() == [0, 0, 0, 0, 0, 1, 0, 0]


def test_reading_all_rows_by_their_probability_is_reading_one_that_is_certain():
    torch.manual_seed(6)
    memory = ClassMemory(SMALL.memory, 32, 2, "group").eval()
    seen, rows = torch.randn(2, 8, 8, 8), torch.tensor([1, 6])
    certain = torch.zeros(2, 8).scatter_(1, rows[:, None], 1.0)
    with torch.inference_mode():
        assert torch.allclose(memory.read(1, ClassQuery(rows), seen), memory.read(1, ClassQuery(rows, certain), seen), atol=1e-5)


def test_fresh_adapters_begin_where_the_merged_ones_ended(batch):
    config = replace(SMALL, language_path="adapted", adapter=AdapterConfig(rank=4, alpha=4, dropout=0.0, targets=("q_proj", "v_proj")))
    own = network(config, seed=7)
    with torch.no_grad():
        for name, parameter in own.named_parameters():
            if "lora_B" in name:
                parameter.normal_(0, 0.2)
    with torch.inference_mode():
        before = drawn(own, batch)[0].masks
        own.adapted_anew(AdapterConfig(rank=2, alpha=4, dropout=0.0, targets=("q_proj", "v_proj")))
        after = drawn(own.eval(), batch)[0].masks
    assert (before - after).abs().max() < 1e-4
    ranks = {parameter.shape[0] for name, parameter in own.named_parameters() if "lora_A" in name}
    assert ranks == {2}
    assert all("language_model" in name for name in adapted_modules(own))


def test_a_published_llava_is_put_in_whole_or_not_at_all():
    torch.manual_seed(8)
    source = build_llava(SMALL.vision, SMALL.language, family="llama")
    files = {
        **{f"language_model.model.{name}": tensor for name, tensor in source.model.language_model.state_dict().items()},
        **{f"vision_tower.{name}": tensor for name, tensor in source.model.vision_tower.state_dict().items()},
        **{f"multi_modal_projector.{name}": tensor for name, tensor in source.model.multi_modal_projector.state_dict().items()},
        "language_model.lm_head.weight": source.lm_head.weight.detach(),
    }
    target = build_llava(SMALL.vision, SMALL.language, added=6, family="llama")
    load_llava(target, files, 512, where="files")
    for part in ("vision_tower", "multi_modal_projector"):
        own, given = getattr(target.model, part).state_dict(), getattr(source.model, part).state_dict()
        assert all(torch.equal(own[name], given[name]) for name in given)
    assert torch.equal(target.lm_head.weight[:512], source.lm_head.weight)
    assert torch.allclose(target.lm_head.weight[512:], source.lm_head.weight.mean(dim=0).expand(6, -1))
    with pytest.raises(WeightsUnfit, match="no projector"):
        load_llava(target, {name: tensor for name, tensor in files.items() if "projector" not in name}, 512, where="files")


def test_parts_that_cannot_work_together_are_refused():
    with pytest.raises(WeightsUnfit, match="no room for 7 classes"):
        replace(SMALL, memory=replace(SMALL.memory, rows=7))
    with pytest.raises(WeightsUnfit, match="goes without an adapter"):
        replace(SMALL, adapter=AdapterConfig())
    with pytest.raises(WeightsUnfit, match="no whole number"):
        replace(SMALL, vision=replace(SMALL.vision, patch_px=15))
