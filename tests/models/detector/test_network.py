"""The slump network: its size, what learns, what freezes, what is absent, and what it refuses."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from catalog.facts.detector_cards import NDVI, NIR, RGB, TOPO, DetectorConfig, FusionConfig, channels_of
from catalog.facts.errors import BandsMissing, GridMismatch, RecipeWrong
from models.detector.memory import parameters_by_part, trainable_parameters
from models.detector.network import SlumpNetwork, build
from models.detector.targets import Target
from tests.models.detector.drawn_slumps import NANO, Windows, draw_windows, everywhere, learn

QUICK = replace(NANO, window_px=32, rois_per_image=16, proposals_training=40)
"""Sees 64 network pixels."""
TRIMODAL = replace(QUICK, modalities=(RGB, NDVI, NIR))


@pytest.fixture(scope="module")
def windows() -> Windows:
    return draw_windows(2, 5, seen=everywhere, config=TRIMODAL)


def test_the_smallest_published_size_is_met_and_the_shipped_one_is_small() -> None:
    with torch.device("meta"):
        tiny = build(DetectorConfig(backbone="mvitv2_tiny", modalities=(RGB,), window_px=128))
        shipped = build(
            DetectorConfig("mvitv2_micro", window_px=112, channels=96, head_convolutions=2, head_width=256, mask_convolutions=2)
        )
    assert _millions(tiny) == pytest.approx(75.60, abs=0.05)
    assert _millions(tiny) - _millions(tiny.backbones) == pytest.approx(52.2, abs=0.05)
    assert _millions(shipped) < 9


@pytest.mark.slow
def test_sizes_are_those_of_the_published_networks() -> None:
    with torch.device("meta"):
        small, base = (
            build(DetectorConfig(backbone=size, modalities=(RGB,), window_px=128))  # type: ignore[arg-type]
            for size in ("mvitv2_small", "mvitv2_base")
        )
        paper = build(DetectorConfig(backbone="mvitv2_base", window_px=128, fusion=FusionConfig(mlp=True)))
    assert _millions(small) == pytest.approx(86.30, abs=0.05)
    assert _millions(base) == pytest.approx(102.91, abs=0.05)
    paper.freeze_backbones()
    parts = parameters_by_part(paper)
    assert sum(parts.values()) / 1e6 == pytest.approx(230.2, abs=0.1)
    assert trainable_parameters(paper) == sum(parts.values()) - parts["backbones"] == pytest.approx(78.0e6, abs=0.1e6)


def test_every_parameter_learns_and_attention_starts_silent(windows: Windows) -> None:
    network = _built(TRIMODAL)
    first = _gradients(network, windows)
    assert all(gradient is not None and torch.isfinite(gradient).all() for gradient in first.values())
    asking = [name for name in first if "fusion" in name and any(part in name for part in ("queries", "keys_values", "bias.table"))]
    silent = [name for name in first if name.startswith("fusion.stages.0.answers") and name.endswith("out.weight")]
    assert len(asking) == 4 * (2 + 2 * 3) and len(silent) == 2
    assert all(float(first[name].abs().max()) == 0 for name in asking)
    assert all(float(first[name].abs().max()) > 0 for name in silent)
    learn(network, windows, steps=1)
    later = _gradients(network, windows)
    assert all(float(later[name].abs().max()) > 0 for name in asking if not name.endswith("bias.table") or "stages.0" in name)


def test_an_absent_modality_is_as_if_it_were_not_there(windows: Windows) -> None:
    network = _spoken(_built(TRIMODAL)).eval()
    with torch.no_grad():
        without_any = network.levels(windows.images, torch.zeros((2, 2), dtype=torch.bool))
        without_one = network.levels(windows.images, torch.tensor([[True, False], [True, False]]))
        plain = [*network._pyramid(RGB, network.fusion(network._maps(RGB, windows.images[RGB]), {}))]
        mixed = network.levels(windows.images, torch.tensor([[True, False], [False, False]]))
    assert all(torch.allclose(one, other, atol=1e-5) for one, other in zip(without_any, plain, strict=False))
    assert not torch.allclose(without_any[0], without_one[0], atol=1e-3)
    assert torch.allclose(mixed[0][0], without_one[0][0], atol=1e-5) and torch.allclose(mixed[0][1], without_any[0][1], atol=1e-5)


@pytest.mark.parametrize("fusion", [FusionConfig(window=8), FusionConfig("concat"), FusionConfig("sum"), FusionConfig(level="fpn")])
def test_what_is_not_a_number_in_an_absent_modality_reaches_neither_answers_nor_gradients(windows: Windows, fusion: FusionConfig) -> None:
    network = _spoken(_built(replace(TRIMODAL, fusion=fusion)))
    present = torch.tensor([[False, True], [True, True]])
    spoiled = dict(windows.images) | {NDVI: windows.images[NDVI].clone()}
    spoiled[NDVI][0] = torch.nan
    torch.stack(list(network.losses(spoiled, windows.targets, present).values())).sum().backward()
    assert all(torch.isfinite(each.grad).all() for each in network.parameters() if each.grad is not None)
    with torch.no_grad():
        given = network.eval().levels(spoiled, present), network.levels(windows.images, present)
    assert all(torch.equal(one, other) for one, other in zip(*given, strict=True))


@pytest.mark.parametrize(
    "changes",
    [
        {"backbone": "resnet18", "modalities": (RGB,), "heads": "single"},
        {"stacked": True},
        {"mask_stages": 3},
        {"fusion": FusionConfig("xattn")},
        {"fusion": FusionConfig("concat")},
        {"fusion": FusionConfig("sum")},
        {"fusion": FusionConfig("none")},
        {"fusion": FusionConfig(scope="pooled")},
        {"fusion": FusionConfig(scope="global", positions=False)},
        {"fusion": FusionConfig(level="fpn", mlp=True)},
        {"modalities": (RGB, TOPO), "backbone": "mvitv2_micro"},
    ],
    ids=lambda changes: "-".join(f"{value}"[:24] for value in changes.values()),
)
def test_every_shape_in_the_comparison_learns_and_detects(changes: dict[str, object]) -> None:
    config = replace(QUICK, **changes)  # type: ignore[arg-type]
    some = draw_windows(2, 5, seen=everywhere, config=config)
    network = _built(config)
    told = learn(network, some, steps=1, batch=2)
    assert torch.isfinite(torch.tensor(told)).all()
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert [found.masks.shape[1:] for found in network.eval().detect(some.images, floor=0.0)] == [(28, 28), (28, 28)]


def test_the_same_seed_gives_the_same_losses_and_another_seed_others(windows: Windows) -> None:
    runs = [learn(_built(QUICK, seed), windows, steps=4, seed=seed) for seed in (0, 0, 1)]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


@pytest.mark.slow
def test_twenty_losses_are_the_same_for_the_same_seed(windows: Windows) -> None:
    assert learn(_built(QUICK), windows, steps=20) == learn(_built(QUICK), windows, steps=20)


def test_shapes_that_cannot_be_are_refused(windows: Windows) -> None:
    with pytest.raises(RecipeWrong, match="multiple of 32"):
        build(replace(QUICK, window_px=60))
    with pytest.raises(RecipeWrong, match="grid of 112 x 112"):
        build(replace(QUICK, window_px=224, fusion=FusionConfig(scope="global")))
    with torch.device("meta"):
        build(replace(QUICK, window_px=224, fusion=FusionConfig(scope="global", allow_large_global=True)))
    with pytest.raises(RecipeWrong, match="anchors has 3 sizes"):
        build(replace(QUICK, anchors=(16, 32, 64)))
    network = _built(QUICK)
    smaller = {name: image[..., :24, :24] for name, image in windows.images.items()}
    with pytest.raises(GridMismatch, match="24"):
        network.detect(smaller)
    with pytest.raises(GridMismatch):
        network.detect({name: image[..., :16] for name, image in windows.images.items()})
    with pytest.raises(GridMismatch, match="built for 64 x 64"):
        network.backbones[RGB](torch.zeros(1, 3, 96, 96))
    with pytest.raises(BandsMissing, match="looks at nir"):
        network.detect({RGB: windows.images[RGB]})


def test_windows_without_slumps_and_windows_nobody_asks_about_give_finite_losses() -> None:
    network = _built(QUICK)
    side = QUICK.network_px
    images = {name: torch.randn(1, channels_of(name), QUICK.window_px, QUICK.window_px) for name in QUICK.modalities}
    for asked in (True, False):
        target = Target(
            torch.zeros((0, 4)), torch.zeros((0, side, side)), torch.zeros(0), torch.full((side, side), not asked), torch.zeros((0, 4))
        )
        network.zero_grad()
        losses = network.losses(images, [target])
        assert all(torch.isfinite(loss) for loss in losses.values())
        assert all(float(losses[name].detach()) == 0 for name in ("proposal_box", "box_1", "box_2", "box_3", "mask"))
        assert (float(losses["objectness"].detach()) > 0) is asked and (float(losses["class_1"].detach()) > 0) is asked
        torch.stack(list(losses.values())).sum().backward()


def test_an_uncertain_slump_weighs_less(windows: Windows) -> None:
    network = _built(QUICK).eval()
    sure, unsure = (_losses(network, windows, weight) for weight in (1.0, 0.5))
    assert float(unsure["mask"].detach()) == pytest.approx(0.5 * float(sure["mask"].detach()), rel=1e-5)
    assert float(unsure["class_1"].detach()) < float(sure["class_1"].detach())
    assert float(unsure["box_1"].detach()) == pytest.approx(float(sure["box_1"].detach()), rel=1e-5)


def _losses(network: SlumpNetwork, windows: Windows, weight: float) -> dict[str, Tensor]:
    torch.manual_seed(3)
    return network.losses(windows.images, [replace(target, weights=torch.full((len(target),), weight)) for target in windows.targets])


def _built(config: DetectorConfig, seed: int = 0) -> SlumpNetwork:
    torch.manual_seed(seed)
    return build(config)


def _spoken(network: SlumpNetwork) -> SlumpNetwork:
    """The network with attention that is not silent any more."""
    for name, parameter in network.named_parameters():
        if name.startswith("fusion") and name.endswith("out.weight"):
            nn.init.normal_(parameter, std=0.2)
    return network


def _gradients(network: SlumpNetwork, windows: Windows) -> dict[str, Tensor]:
    network.zero_grad()
    torch.manual_seed(0)
    torch.stack(list(network.train().losses(windows.images, windows.targets).values())).sum().backward()
    return {name: parameter.grad for name, parameter in network.named_parameters()}  # type: ignore[misc]


def _millions(module: nn.Module) -> float:
    return sum(parameter.numel() for parameter in module.parameters()) / 1e6
