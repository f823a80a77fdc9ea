"""What small detectors learn from drawn slumps: minutes each, so not by default."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torchvision.ops import box_iou

from catalog.facts.detector_cards import NIR, RGB, FusionConfig
from models.detector.matching import clip, join
from models.detector.network import SlumpNetwork, build
from models.detector.stages import assemble
from tests.models.detector.drawn_slumps import (
    NANO,
    Windows,
    alone,
    ap50,
    detect_all,
    draw_windows,
    everywhere,
    learn,
    overlaps,
    trained,
)

pytestmark = pytest.mark.slow
LITERAL = FusionConfig(scope="global", positions=False)
"""The published words: everything looks at everything, and nothing says where."""


def test_a_few_windows_are_learned_by_heart_and_the_cascade_gets_better_by_the_stage() -> None:
    windows = draw_windows(4, 3, seen=everywhere)
    network = trained(NANO, windows, steps=240)
    for found, target in zip(detect_all(network, windows), windows.targets, strict=True):
        sure = overlaps(found, target)[found.scores.numpy() > 0.5]
        assert (sure.max(0) >= 0.8).all()
        assert (sure.max(1) >= 0.5).all(), "something else than a slump was found"
    proposed, first, last = _likeness_by_stage(network, windows)
    assert proposed < first < last + 0.02


def test_what_only_an_auxiliary_shows_is_found_through_fusion_alone() -> None:
    hidden, held_out = (draw_windows(count, seed, seen=lambda _: {RGB: False}) for count, seed in ((64, 1), (24, 2)))
    assert ap50(trained(alone(RGB), hidden), held_out) < 0.1
    assert ap50(trained(NANO, hidden), held_out) > 0.9


def test_modalities_complement_each_other_and_attention_without_places_does_not() -> None:
    training, held_out = (draw_windows(count, seed, seen=_sometimes) for count, seed in ((96, 1), (40, 2)))
    unimodal = {name: trained(alone(name), training) for name in (RGB, NIR)}
    single = {name: ap50(network, held_out) for name, network in unimodal.items()}
    assert all(0.5 < value < 0.82 for value in single.values()), single
    staged = _staged(unimodal, NANO.fusion, training)
    fused = ap50(staged, held_out)
    literal = ap50(_staged(unimodal, LITERAL, training), held_out)
    assert fused >= 0.93
    assert literal <= single[RGB] + 0.05
    assert ap50(staged, held_out.swapped(NIR)) <= fused - 0.15


def _sometimes(rng: np.random.Generator) -> dict[str, bool]:
    """Each slump shows in at least one of two modalities, in both for 36 %."""
    return [{RGB: False}, {NIR: False}, {}][rng.choice(3, p=[0.33, 0.31, 0.36])]


def _staged(unimodal: dict[str, SlumpNetwork], fusion: FusionConfig, training: Windows) -> SlumpNetwork:
    torch.manual_seed(0)
    network = build(replace(NANO, fusion=fusion))
    assemble(network, {name: each.state_dict() for name, each in unimodal.items()})
    network.freeze_backbones()
    learn(network, training, steps=300, rate=1e-3)
    return network


@torch.no_grad()
def _likeness_by_stage(network: SlumpNetwork, windows: Windows) -> tuple[float, float, float]:
    """Mean IoU with the slumps of proposals that overlap one by half, before the cascade and after its first and last stage."""
    network.eval()
    levels = network.levels(windows.images)
    proposed = network.proposals.propose(network.proposals(levels), training=False)
    truth = join(windows.targets, torch.device("cpu"))

    def likeness(boxes: torch.Tensor) -> torch.Tensor:
        return torch.where(truth.image[:, None] == image[None], box_iou(truth.boxes, boxes), 0.0).amax(0)

    boxes, image = proposed.boxes, proposed.image
    near = likeness(boxes) >= 0.5
    boxes, image = boxes[near], image[near]
    means = [float(likeness(boxes).mean())]
    for number, code in enumerate(network.boxes.codes):
        _, codes = network.boxes.judge(number, levels, boxes, image)
        boxes, _ = clip(code.decode(codes, boxes), network.config.network_px)
        means.append(float(likeness(boxes).mean()))
    return means[0], means[1], means[-1]
