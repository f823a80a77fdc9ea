"""Published checkpoints run here exactly as they ran there; what does not fit is refused."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from catalog.facts.cards import BACKBONES, CRYOSENTINEL, MODALITIES, PUBLISHED_BACKBONES, Backbone, NetworkConfig, WeightsCard
from catalog.facts.errors import WeightsUnfit
from catalog.stores.checkpoints import read_checkpoint, write_weights
from catalog.stores.weights import read_weights
from models.segmenter.conversion import converted
from models.segmenter.loading import load_encoder, network_of
from models.segmenter.network import LakeNetwork, _NumbersOnCpu, build, build_encoder, parameter_count
from models.segmenter.normalise import NetworkInput

BANDS = {"S2L2A": 12, "S1GRD": 2, "DEM": 1}


def factory_made(backbone: Backbone, channels: int) -> nn.Module:
    """CryoSentinel's network by terratorch's own factory with the published arguments."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from terratorch.models.encoder_decoder_factory import EncoderDecoderFactory  # noqa: PLC0415 - warns when it is imported

        model: nn.Module = EncoderDecoderFactory().build_model(
            task="segmentation",
            backbone=backbone,
            backbone_pretrained=False,
            backbone_modalities=list(MODALITIES),
            decoder="UperNetDecoder",
            decoder_channels=channels,
            decoder_scale_modules=True,
            necks=[
                {"name": "SelectIndices", "indices": [5, 11, 17, 23] if "large" in backbone else [2, 5, 8, 11]},
                {"name": "ReshapeTokensToImage", "remove_cls_token": False},
                {"name": "LearnedInterpolateToPyramidal"},
            ],
            num_classes=1,
        )
    return model


@pytest.fixture(scope="module")
def published() -> nn.Module:
    """The published network with the tiny backbone, its norms as training leaves them."""
    model = factory_made("terramind_v1_tiny", 64)
    generator = torch.Generator().manual_seed(3)
    for tensor in model.state_dict().values():
        # running statistics and norms as training leaves them, not the zeros and ones of a fresh network
        if tensor.is_floating_point() and tensor.ndim == 1:
            tensor.uniform_(0.5, 1.5, generator=generator)
    return model.eval()


@pytest.fixture(scope="module")
def images() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(4)
    return {name: torch.randn(2, bands, 224, 224, generator=generator) for name, bands in BANDS.items()}


def checkpoint_of(model: nn.Module, prefix: str = "model.") -> dict[str, Any]:
    """What Lightning writes around a network: loops, optimizer, schedule, callbacks with EMA and SWA, options."""
    state = model.state_dict()
    ema = {f"{prefix}{name}": torch.zeros_like(tensor) for name, tensor in state.items()}
    return {
        "epoch": 29,
        "global_step": 16050,
        "pytorch-lightning_version": "2.6.0",
        "state_dict": {f"{prefix}{name}": tensor for name, tensor in state.items()}
        | {"loss_fn.pos_weight": torch.tensor(100.0), "ema_model.module.encoder.encoder_norm.weight": torch.zeros(192)},
        "optimizer_states": [{"state": {0: {"step": torch.tensor(5.0), "exp_avg": torch.ones(4)}}, "param_groups": [{"lr": 6e-5}]}],
        "lr_schedulers": [{"last_epoch": 16050, "_last_lr": [1e-6]}],
        "callbacks": {
            "EMACallback": {"shadow": ema, "decay": 0.999},
            "StochasticWeightAveraging": {"n_averaged": torch.tensor(19), "average_model_state": dict(ema)},
            "ModelCheckpoint{'monitor': 'val/iou'}": {"best_model_score": torch.tensor(0.95), "dirpath": "/somewhere"},
        },
        "hparams_name": "kwargs",
        "hyper_parameters": {"backbone": "terramind_v1_tiny", "modalities": ("S2L2A", "S1GRD", "DEM"), "adam_betas": (0.9, 0.999)},
    }


def logits_of(network: LakeNetwork, images: Mapping[str, Tensor]) -> Tensor:
    valid = {name: torch.ones(2, 1, 224, 224, dtype=torch.bool) for name in images}
    with torch.inference_mode():
        result: Tensor = network(NetworkInput(dict(images), valid, None, None))
    return result


def card_of(config: NetworkConfig) -> WeightsCard:
    return WeightsCard("soup", "1", "Soup", "Apache-2.0", "HMA", "CryoSentinel", "", config, CRYOSENTINEL)


@pytest.mark.parametrize("prefix", ["model.", "model._orig_mod."])
def test_a_published_checkpoint_runs_exactly_as_published(
    published: nn.Module, images: dict[str, Tensor], tmp_path: Path, prefix: str
) -> None:
    torch.save(checkpoint_of(published, prefix), tmp_path / "soup.ckpt")
    config, tensors = converted(read_checkpoint(tmp_path / "soup.ckpt"), where="soup.ckpt")
    assert config == NetworkConfig("terramind_v1_tiny", "published", MODALITIES, channels=64, detail=0, indices=False)
    write_weights(tmp_path / "out", tensors, card_of(config))
    network = network_of(*read_weights(str(tmp_path / "out"), tmp_path))
    with torch.inference_mode():
        expected = published(dict(images)).output[:, None]
    assert float(expected.std()) > 0.01
    torch.testing.assert_close(logits_of(network, images), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_every_published_size_is_told_from_its_tensors(backbone: Backbone) -> None:
    with torch.device("meta"), _NumbersOnCpu():
        config, tensors = converted(checkpoint_of(factory_made(backbone, 256)), where="soup.ckpt")
        expected = build(config).state_dict()
    assert config.backbone == backbone
    assert {name: tensor.shape for name, tensor in tensors.items()} == {name: tensor.shape for name, tensor in expected.items()}


def test_one_pyramid_instead_of_two_is_another_network(published: nn.Module) -> None:
    _, tensors = converted(checkpoint_of(published), where="soup.ckpt")
    once = NetworkConfig(decoder="upernet", channels=64, detail=0, indices=False)
    with pytest.raises(WeightsUnfit, match=r"do not fit the network.*of another shape.*unexpected \(decoder\.fpn1"):
        network_of(card_of(once), tensors)


def test_a_published_network_gets_nothing_that_was_not_published_with_it() -> None:
    with pytest.raises(WeightsUnfit, match="neither detail"):
        build(NetworkConfig(decoder="published", channels=64))


@pytest.mark.parametrize("content", [{}, {"state_dict": {}}, {"state_dict": {"model.encoder.weight": torch.zeros(3)}}])
def test_another_layout_is_refused(content: dict[str, Any]) -> None:
    with pytest.raises(WeightsUnfit, match=r"x\.ckpt does not hold a TerraMind encoder.*soup\.ckpt"):
        converted(content, where="x.ckpt")


@pytest.fixture(scope="module")
def pretrained() -> dict[str, Tensor]:
    """A checkpoint as TerraMind's authors publish it: more modalities than we read, and the decoder of the pretraining."""
    encoder = build_encoder(NetworkConfig())
    state = {name: torch.full_like(tensor, 0.25) for name, tensor in encoder.state_dict().items() if not name.endswith("pos_emb")}
    return state | {"decoder.0.norm1.weight": torch.zeros(192), "mask_token": torch.zeros(1, 1, 192)}


def test_a_pretrained_encoder_fills_the_encoder_and_nothing_else(pretrained: dict[str, Tensor]) -> None:
    network = build(NetworkConfig(modalities=("S2L2A", "S1GRD")))
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    count = load_encoder(network, pretrained)
    after = network.state_dict()
    filled = {name for name, tensor in after.items() if not torch.equal(tensor, before[name])}
    assert count == sum(name.startswith("encoder.") and not name.endswith("pos_emb") for name in after)
    assert filled == {name for name in after if name.startswith("encoder.") and not name.endswith("pos_emb")}
    assert all(bool((after[name] == 0.25).all()) for name in filled)


def test_the_encoder_of_another_size_is_refused_and_changes_nothing(pretrained: dict[str, Tensor]) -> None:
    network = build(NetworkConfig())
    before = network.encoder.encoder_norm.weight.clone()
    wide = {name: tensor.repeat(*(2 if size == 192 else 1 for size in tensor.shape)) for name, tensor in pretrained.items()}
    with pytest.raises(WeightsUnfit, match=r"does not fit terramind_v1_tiny.*expected \(1, 1, 192\)"):
        load_encoder(network, wide)
    lacking = {name: tensor for name, tensor in pretrained.items() if not name.startswith("encoder.7.")}
    with pytest.raises(WeightsUnfit, match=r"12 missing \(encoder\.7\."):
        load_encoder(network, lacking)
    assert torch.equal(network.encoder.encoder_norm.weight, before)


def encoder_count(backbone: Backbone) -> int:
    with torch.device("meta"), _NumbersOnCpu():
        return sum(parameter.numel() for parameter in build_encoder(NetworkConfig(backbone)).parameters())


def test_encoders_have_the_published_sizes() -> None:
    counts = {name: encoder_count(name) / 1e6 for name in BACKBONES}
    assert counts == pytest.approx(
        {"terramind_v1_tiny": 6.07, "terramind_v1_small": 22.76, "terramind_v1_base": 87.9, "terramind_v1_large": 305.9}, rel=1e-3
    )


def test_the_published_network_has_the_size_that_was_counted() -> None:
    config = NetworkConfig("terramind_v1_large", "published", channels=256, detail=0, indices=False)
    # encoder 306 M, neck 4.7 M, decoder with its second pyramid 10.9 M, head 257
    assert parameter_count(config) / 1e6 == pytest.approx(306 + 4.7 + 10.9, rel=0.01)


def test_backbones_are_where_terratorch_registers_them() -> None:
    from terratorch.models.backbones.terramind.model.terramind_register import pretrained_weights  # noqa: PLC0415 - takes seconds

    registered = {name: f"hf://{pretrained_weights[name]['hf_hub_id']}/{pretrained_weights[name]['hf_hub_filename']}" for name in BACKBONES}
    assert registered == PUBLISHED_BACKBONES
