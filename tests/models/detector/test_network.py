"""The slump network: its size, what learns, what freezes, what is absent, and what it refuses."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from catalog.facts.detector_cards import NDVI, NIR, RGB, TOPO, DetectorConfig, FusionConfig, channels_of
from catalog.facts.errors import BandsMissing, GridMismatch, RecipeWrong, WeightsUnfit
from models.detector.memory import parameters_by_part, saved_bytes, static_bytes, trainable_parameters
from models.detector.network import Found, SlumpNetwork, build
from models.detector.stages import assemble
from models.detector.targets import Target
from tests.models.detector.drawn_slumps import NANO, Windows, alone, draw_windows, everywhere, learn

TRIMODAL = replace(NANO, modalities=(RGB, NDVI, NIR))


@pytest.fixture(scope="module")
def windows() -> Windows:
    return draw_windows(2, 5, seen=everywhere, config=TRIMODAL)


def test_sizes_are_those_of_the_published_networks() -> None:
    with torch.device("meta"):
        unimodal = {size: build(DetectorConfig(backbone=size, modalities=(RGB,), window_px=128)) for size in ("mvitv2_tiny", "mvitv2_base")}
        paper = build(DetectorConfig(backbone="mvitv2_base", window_px=128, fusion=FusionConfig(mlp=True)))
        shipped = build(
            DetectorConfig("mvitv2_micro", window_px=112, channels=96, head_convolutions=2, head_width=256, mask_convolutions=2)
        )
    assert _millions(unimodal["mvitv2_tiny"]) == pytest.approx(75.60, abs=0.05)
    assert _millions(unimodal["mvitv2_base"]) == pytest.approx(102.91, abs=0.05)
    heads = unimodal["mvitv2_tiny"]
    assert _millions(heads) - _millions(heads.backbones) == pytest.approx(52.2, abs=0.05)
    paper.freeze_backbones()
    parts = parameters_by_part(paper)
    assert sum(parts.values()) / 1e6 == pytest.approx(230.2, abs=0.1)
    assert trainable_parameters(paper) == sum(parts.values()) - parts["backbones"] == pytest.approx(78.0e6, abs=0.1e6)
    assert _millions(shipped) < 9


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


def test_a_fused_network_starts_with_the_detections_of_its_first_modality(windows: Windows) -> None:
    unimodal = {name: _built(alone(name), seed) for seed, name in enumerate(TRIMODAL.modalities)}
    learn(unimodal[RGB], windows, steps=3)
    network = _built(TRIMODAL, 9)
    assemble(network, {name: each.state_dict() for name, each in unimodal.items()})
    _alike(network.eval().detect(windows.images), unimodal[RGB].eval().detect(windows.images), 1e-4)
    own, given = network.backbones[NIR].state_dict(), unimodal[NIR].backbones[NIR].state_dict()
    assert all(torch.equal(own[key], given[key]) for key in given)


def test_networks_that_do_not_fit_are_not_assembled() -> None:
    network, unimodal = _built(NANO), _built(alone(RGB)).state_dict()
    with pytest.raises(WeightsUnfit, match="No trained network for nir"):
        assemble(network, {RGB: unimodal})
    with pytest.raises(WeightsUnfit, match="backbones for rgb"):
        assemble(network, {RGB: unimodal, NIR: unimodal})
    with pytest.raises(WeightsUnfit, match="do not fit"):
        assemble(network, {RGB: _built(replace(alone(RGB), channels=32)).state_dict(), NIR: _built(alone(NIR)).state_dict()})
    control = _built(replace(NANO, modalities=(RGB, "rgb:2")))
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
    config = DetectorConfig("mvitv2_tiny", window_px=64, channels=64, head_width=64, rois_per_image=8, proposals_training=20)
    windows = draw_windows(1, 6, seen=everywhere, config=config)
    network = _built(config).train()
    whole = saved_bytes(network, windows.images, windows.targets)
    network.freeze_backbones()
    frozen = saved_bytes(network, windows.images, windows.targets)
    assert 0 < frozen.features < 0.15 * whole.features
    assert frozen.heads > 0


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
    config = replace(NANO, **changes)  # type: ignore[arg-type]
    some = draw_windows(2, 5, seen=everywhere, config=config)
    network = _built(config)
    told = learn(network, some, steps=1, batch=2)
    assert torch.isfinite(torch.tensor(told)).all()
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert [found.masks.shape[1:] for found in network.eval().detect(some.images, floor=0.0)] == [(28, 28), (28, 28)]


def test_the_same_seed_gives_the_same_losses_and_another_seed_others(windows: Windows) -> None:
    runs = [learn(_built(NANO, seed), windows, steps=4, seed=seed) for seed in (0, 0, 1)]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


@pytest.mark.slow
def test_twenty_losses_are_the_same_for_the_same_seed(windows: Windows) -> None:
    assert learn(_built(NANO), windows, steps=20) == learn(_built(NANO), windows, steps=20)


def test_shapes_that_cannot_be_are_refused(windows: Windows) -> None:
    with pytest.raises(RecipeWrong, match="multiple of 32"):
        build(replace(NANO, window_px=60))
    with pytest.raises(RecipeWrong, match="grid of 112 x 112"):
        build(replace(NANO, window_px=224, fusion=FusionConfig(scope="global")))
    with torch.device("meta"):
        build(replace(NANO, window_px=224, fusion=FusionConfig(scope="global", allow_large_global=True)))
    with pytest.raises(RecipeWrong, match="anchors has 3 sizes"):
        build(replace(NANO, anchors=(16, 32, 64)))
    network = _built(NANO)
    smaller = {name: image[..., :48, :48] for name, image in windows.images.items()}
    with pytest.raises(GridMismatch, match="48"):
        network.detect(smaller)
    with pytest.raises(GridMismatch):
        network.detect({name: image[..., :32] for name, image in windows.images.items()})
    with pytest.raises(GridMismatch, match="built for 128 x 128"):
        network.backbones[RGB](torch.zeros(1, 3, 96, 96))
    with pytest.raises(BandsMissing, match="looks at nir"):
        network.detect({RGB: windows.images[RGB]})


def test_windows_without_slumps_and_windows_nobody_asks_about_give_finite_losses() -> None:
    network = _built(NANO)
    side = NANO.network_px
    images = {name: torch.randn(1, channels_of(name), NANO.window_px, NANO.window_px) for name in NANO.modalities}
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
    network = _built(NANO).eval()
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


def _alike(one: list[Found], other: list[Found], tolerance: float) -> None:
    for found, expected in zip(one, other, strict=True):
        assert len(found.boxes) == len(expected.boxes) > 0
        assert torch.allclose(found.boxes, expected.boxes, atol=tolerance)
        assert torch.allclose(found.scores, expected.scores, atol=tolerance)
        assert torch.allclose(found.masks, expected.masks, atol=tolerance)


def _millions(module: nn.Module) -> float:
    return sum(parameter.numel() for parameter in module.parameters()) / 1e6
