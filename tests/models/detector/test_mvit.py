"""Backbones: four maps of the right size, and published weights that come over with their positions resampled."""

import pytest
import torch
from timm.models.mvitv2 import MultiScaleVit

from catalog.facts.errors import GridMismatch, WeightsUnfit
from models.detector.mvit import _OWN, STRIDES, MVitBackbone, load_published
from models.detector.resnet import ResNetBackbone


def test_maps_lie_at_the_strides_of_a_pyramid() -> None:
    for backbone in (MVitBackbone("mvitv2_micro", 2, 96, 0.1), ResNetBackbone("resnet18", 2, 96)):
        maps = backbone(torch.randn(1, 2, 96, 96))
        assert [tuple(each.shape[1:]) for each in maps] == [
            (width, 96 // stride, 96 // stride) for width, stride in zip(backbone.widths, STRIDES, strict=True)
        ]
        assert all(width % heads == 0 for width, heads in zip(backbone.widths, backbone.heads, strict=True))


def test_a_smaller_image_than_the_backbone_was_built_for_is_refused() -> None:
    with pytest.raises(GridMismatch, match="built for 128 x 128 px and was given 96 x 96"):
        MVitBackbone("mvitv2_nano", 1, 128, 0.0)(torch.zeros(1, 1, 96, 96))
    with pytest.raises(GridMismatch, match="given 96 x 64"):
        ResNetBackbone("resnet18", 1, 96)(torch.zeros(1, 1, 96, 64))


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_published_weights_come_over_to_another_size_and_other_channels(channels: int) -> None:
    published = _published(64)
    backbone = MVitBackbone("mvitv2_nano", channels, 128, 0.0)
    load_published(backbone, published)
    own = backbone.trunk.state_dict()
    assert torch.equal(own["stages.2.blocks.1.mlp.fc1.weight"], published["stages.2.blocks.1.mlp.fc1.weight"])
    position = "stages.0.blocks.0.attn.rel_pos_h"
    assert own[position].shape[0] > published[position].shape[0]
    assert torch.allclose(own[position].mean(0), published[position].mean(0), atol=0.02)
    stem = own["patch_embed.proj.weight"]
    # an image of equal channels looks the same to the first convolution, however many channels it has
    assert torch.allclose(stem.sum(1), published["patch_embed.proj.weight"].sum(1), atol=1e-5) or channels == 2
    assert stem.shape[1] == channels


def test_weights_at_the_size_that_they_were_published_for_answer_alike() -> None:
    published = MultiScaleVit(_shape(), img_size=64, in_chans=3, num_classes=10).eval()
    backbone = MVitBackbone("mvitv2_nano", 3, 64, 0.0).eval()
    load_published(backbone, published.state_dict())
    image = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        expected = published.forward_intermediates(image, intermediates_only=True)
        given = backbone.trunk.forward_intermediates(image, intermediates_only=True)
    assert all(torch.equal(one, other) for one, other in zip(expected, given, strict=True))


def test_weights_of_another_network_are_refused_and_nothing_is_changed() -> None:
    backbone = MVitBackbone("mvitv2_nano", 3, 64, 0.0)
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    with pytest.raises(WeightsUnfit, match=r"patch_embed\.proj\.weight"):
        load_published(backbone, {"conv1.weight": torch.zeros(1)})
    with pytest.raises(WeightsUnfit, match="do not fit the backbone"):
        load_published(MVitBackbone("mvitv2_micro", 3, 64, 0.0), _published(64))
    wider = _published(64)
    wider["stages.0.blocks.0.norm1.weight"] = torch.zeros(7)
    with pytest.raises(WeightsUnfit, match=r"\(7,\)"):
        load_published(backbone, wider)
    assert all(torch.equal(value, before[name]) for name, value in backbone.state_dict().items())


def _shape() -> object:
    return _OWN["mvitv2_nano"]


def _published(side: int) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return dict(MultiScaleVit(_shape(), img_size=side, in_chans=3, num_classes=10).state_dict())
