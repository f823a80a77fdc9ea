"""Two stages of training: what is assembled, what stays frozen, and what that saves."""

from dataclasses import replace

import pytest
import torch

from catalog.facts.detector_cards import NDVI, NIR, RGB, DetectorConfig, FusionConfig
from catalog.facts.errors import WeightsUnfit
from models.detector.memory import saved_bytes, static_bytes
from models.detector.network import Found, SlumpNetwork, build
from models.detector.stages import assemble
from tests.models.detector.drawn_slumps import NANO, Windows, alone, draw_windows, everywhere, learn

QUICK = replace(NANO, window_px=32, rois_per_image=16, proposals_training=40)
"""Sees 64 network pixels."""
TRIMODAL = replace(QUICK, modalities=(RGB, NDVI, NIR))


@pytest.fixture(scope="module")
def windows() -> Windows:
    return draw_windows(2, 5, seen=everywhere, config=TRIMODAL)


def test_a_fused_network_starts_with_the_detections_of_its_first_modality(windows: Windows) -> None:
    unimodal = {name: _built(alone(name, QUICK), seed) for seed, name in enumerate(TRIMODAL.modalities)}
    learn(unimodal[RGB], windows, steps=3)
    network = _built(TRIMODAL, 9)
    assemble(network, {name: each.state_dict() for name, each in unimodal.items()})
    _alike(network.eval().detect(windows.images), unimodal[RGB].eval().detect(windows.images), 1e-4)
    own, given = network.backbones[NIR].state_dict(), unimodal[NIR].backbones[NIR].state_dict()
    assert all(torch.equal(own[key], given[key]) for key in given)


def test_networks_that_do_not_fit_are_not_assembled() -> None:
    network, unimodal = _built(QUICK), _built(alone(RGB, QUICK)).state_dict()
    with pytest.raises(WeightsUnfit, match="No trained network for nir"):
        assemble(network, {RGB: unimodal})
    with pytest.raises(WeightsUnfit, match="backbones for rgb"):
        assemble(network, {RGB: unimodal, NIR: unimodal})
    with pytest.raises(WeightsUnfit, match="do not fit"):
        assemble(network, {RGB: _built(replace(alone(RGB, QUICK), channels=32)).state_dict(), NIR: _built(alone(NIR, QUICK)).state_dict()})
    control = _built(replace(QUICK, modalities=(RGB, "rgb:2")))
    assemble(control, {RGB: unimodal, "rgb:2": unimodal})


def test_frozen_backbones_stay_bit_identical_and_out_of_the_optimizer(windows: Windows) -> None:
    network = _built(replace(TRIMODAL, drop_path=0.2))
    network.freeze_backbones()
    before = {name: value.clone() for name, value in network.backbones.state_dict().items()}
    learn(network, windows, steps=5)
    assert network.boxes.training and not network.backbones.training
    assert all(torch.equal(value, before[name]) for name, value in network.backbones.state_dict().items())
    assert all(parameter.grad is None for parameter in network.backbones.parameters())


def test_lasting_state_is_what_the_formula_says(windows: Windows) -> None:
    network = _built(TRIMODAL)
    network.freeze_backbones()
    learning = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learning)
    torch.stack(list(network.losses(windows.images, windows.targets).values())).sum().backward()
    optimizer.step()
    held = [*network.parameters(), *(each.grad for each in learning if each.grad is not None)]
    held += [moment for state in optimizer.state.values() for moment in (state["exp_avg"], state["exp_avg_sq"])]
    assert sum(each.nbytes for each in held) == static_bytes(network)


def test_freezing_saves_most_of_what_a_step_keeps() -> None:
    config = DetectorConfig("mvitv2_tiny", window_px=32, channels=64, head_width=64, rois_per_image=8, proposals_training=20)
    config = replace(config, fusion=FusionConfig(window=2))  # as at full size, where windows divide the grids
    windows = draw_windows(1, 6, seen=everywhere, config=config)
    network = _built(config).train()
    whole = saved_bytes(network, windows.images, windows.targets)
    network.freeze_backbones()
    frozen = saved_bytes(network, windows.images, windows.targets)
    assert 0 < frozen.features < 0.15 * whole.features
    assert frozen.heads > 0


def _built(config: DetectorConfig, seed: int = 0) -> SlumpNetwork:
    torch.manual_seed(seed)
    return build(config)


def _alike(one: list[Found], other: list[Found], tolerance: float) -> None:
    for found, expected in zip(one, other, strict=True):
        assert len(found.boxes) == len(expected.boxes) > 0
        assert torch.allclose(found.boxes, expected.boxes, atol=tolerance)
        assert torch.allclose(found.scores, expected.scores, atol=tolerance)
        assert torch.allclose(found.masks, expected.masks, atol=tolerance)
