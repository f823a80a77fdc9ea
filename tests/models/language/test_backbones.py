import pytest
import torch

from catalog.facts.describer_cards import PUBLISHED, SIX, TINY, AdapterConfig
from catalog.facts.errors import WeightsUnfit
from models.describer.encoder import build_prithvi
from models.language.adapters import adapt, adapted_modules, adapter_tensors, check_covered
from models.language.backbones import load_language, load_prithvi, load_vision
from models.language.vision_language import build_llava, image_tokens, on_meta, parameter_count

MILLION = 1e6
WHERE = "The published weights"


@pytest.fixture(scope="module")
def published():
    with on_meta():
        return build_llava(PUBLISHED.vision, PUBLISHED.language)


def tiny(seed: int = 0, added: int = 0):
    torch.manual_seed(seed)
    return build_llava(TINY.vision, TINY.language, added=added)


def test_the_published_network_has_the_published_numbers_of_parameters(published):
    parts = published.model
    assert parameter_count(published) / MILLION == pytest.approx(7894.5, abs=0.1)
    assert parameter_count(parts.vision_tower) / MILLION == pytest.approx(630.8, abs=0.05)
    assert parameter_count(parts.language_model) / MILLION == pytest.approx(7110.7, abs=0.05)
    assert parameter_count(parts.multi_modal_projector) / MILLION == pytest.approx(22.0, abs=0.05)


def test_adapters_are_on_the_language_model_alone_and_have_the_published_number(published):
    with on_meta():
        adapted = adapt(published, AdapterConfig(), ())
    assert parameter_count(adapted, trainable=True) / MILLION == pytest.approx(13.631, abs=0.001)
    names = adapted_modules(adapted)
    assert len(names) == 4 * 32
    assert all("language_model" in name for name in names)


def test_one_pair_of_rank_8_on_a_square_of_4096_adds_65536():
    layer = torch.nn.Linear(4096, 4096, device="meta")
    assert 8 * (layer.in_features + layer.out_features) == 65_536


def test_adapters_of_the_tiny_network_learn_and_survive_without_the_rest():
    adapted = adapt(tiny(added=2), AdapterConfig(rank=4), (512, 513))
    trained = {name for name, parameter in adapted.named_parameters() if parameter.requires_grad}
    assert trained
    assert all("lora_" in name or "trainable_tokens" in name for name in trained)
    assert not any("vision" in name for name in trained)
    assert len(adapted_modules(adapted)) == 4 * TINY.language.layers
    assert set(adapter_tensors(adapted))
    with pytest.raises(WeightsUnfit, match="would be lost"):
        check_covered(adapted, {})


def test_what_the_tower_sees_is_one_vector_a_patch():
    seen = image_tokens(tiny(), torch.randn(2, 3, 64, 64))
    assert seen.shape == (2, TINY.vision.tokens, TINY.vision.hidden)


def test_a_language_checkpoint_is_placed_whole_and_new_rows_are_the_mean():
    source, target = tiny(1), tiny(2, added=3)
    tensors = {f"model.{name}": value for name, value in source.model.language_model.state_dict().items()}
    tensors["lm_head.weight"] = source.lm_head.weight.detach()
    assert load_language(target, tensors, where=WHERE) == len(tensors)
    rows = target.model.language_model.embed_tokens.weight
    assert torch.equal(rows[:512], source.model.language_model.embed_tokens.weight)
    assert torch.allclose(rows[512:], rows[:512].mean(dim=0).expand(3, -1), atol=1e-6)
    assert torch.equal(target.model.language_model.layers[1].mlp.up_proj.weight, source.model.language_model.layers[1].mlp.up_proj.weight)


def test_half_a_language_checkpoint_is_refused_and_nothing_is_changed():
    source, target = tiny(1), tiny(2)
    before = {name: value.clone() for name, value in target.state_dict().items()}
    half = {f"model.{name}": value for name, value in source.model.language_model.state_dict().items() if "layers.2" not in name}
    with pytest.raises(WeightsUnfit, match="missing"):
        load_language(target, half, where=WHERE)
    assert all(torch.equal(value, before[name]) for name, value in target.state_dict().items())


def test_the_vision_half_of_a_clip_checkpoint_is_placed():
    source, target = tiny(1), tiny(2)
    tower = source.model.vision_tower.state_dict()
    plain = {name.removeprefix("vision_model."): value for name, value in tower.items()}
    tensors = {f"vision_model.{name}": value for name, value in plain.items()} | {"text_model.embeddings": torch.zeros(3)}
    assert load_vision(target, tensors, where=WHERE) == len(plain)
    assert all(torch.equal(value, tower[name]) for name, value in target.model.vision_tower.state_dict().items())
    with pytest.raises(WeightsUnfit, match="missing"):
        load_vision(target, {"vision_model.pre_layrnorm.weight": torch.zeros(64)}, where=WHERE)


def test_prithvi_keeps_what_it_knows_of_our_bands():
    torch.manual_seed(1)
    source = build_prithvi(TINY.encoder)
    target = build_prithvi(TINY.encoder)
    fresh = target.patch_embed.proj.weight.detach().clone()
    tensors = {f"encoder.{name}": value for name, value in source.state_dict().items()} | {"decoder.mask_token": torch.zeros(1)}
    assert load_prithvi(target, tensors, SIX, where=WHERE) == len(source.state_dict())
    assert torch.equal(target.patch_embed.proj.weight[:, :4], source.patch_embed.proj.weight[:, :4])
    assert torch.equal(target.patch_embed.proj.weight[:, 4:], fresh[:, 4:])
    assert torch.equal(target.blocks[2].mlp.fc1.weight, source.blocks[2].mlp.fc1.weight)
    with pytest.raises(WeightsUnfit, match="missing"):
        load_prithvi(target, {name: value for name, value in tensors.items() if "blocks.3" not in name}, SIX, where=WHERE)
