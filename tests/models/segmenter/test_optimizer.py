"""Layers learn at rates that fall with depth, whatever schedule or averaging scales them."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import SWALR

from catalog.facts.errors import RecipeWrong, WeightsUnfit
from models.segmenter.optimizer import (
    OptimizerOptions,
    Schedule,
    apply_factor,
    build_optimizer,
    parameter_groups,
    plain_name,
    schedule_factor,
)

DEPTH = 24
OPTIONS = OptimizerOptions(learning_rate=6e-5, encoder_factor=0.25, layer_decay=0.9)


class LayerNorm(nn.Module):
    """As TerraMind's: not torch's class, and with a weight only."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(4, 12, bias=False)


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm1 = LayerNorm(4)
        self.attn = Attention()


class Embedding(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.mod_emb = nn.Parameter(torch.zeros(1, 1, 4))
        self.proj = nn.Linear(8, 4, bias=False)


class Encoder(nn.Module):
    def __init__(self, depth: int) -> None:
        super().__init__()
        self.encoder_embeddings = nn.ModuleDict({"untok_sen2l2a@224": Embedding()})
        self.encoder = nn.ModuleList(Block() for _ in range(depth))
        self.encoder_norm = LayerNorm(4)


class Network(nn.Module):
    """Named as the real network, without its size."""

    def __init__(self, depth: int = DEPTH) -> None:
        super().__init__()
        self.encoder = Encoder(depth)
        self.neck = nn.Sequential(nn.ConvTranspose2d(4, 4, 2), nn.BatchNorm2d(4))
        self.decoder = nn.Conv2d(4, 4, 3)
        self.head = nn.Conv2d(4, 1, 1)


class Compiled(nn.Module):
    """What compiling does to names."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self._orig_mod = network


def settings_by_name(network: nn.Module, options: OptimizerOptions = OPTIONS) -> dict[str, tuple[float, float]]:
    groups = parameter_groups(network, options)
    of = {id(parameter): (group["lr"], group["weight_decay"]) for group in groups for parameter in group["params"]}
    return {plain_name(name): of[id(parameter)] for name, parameter in network.named_parameters() if id(parameter) in of}


@pytest.mark.parametrize(("block", "rate"), [(23, 1.35e-5), (12, 4.24e-6), (6, 2.25e-6), (0, 1.20e-6)])
@pytest.mark.parametrize("wrap", [nn.Identity, Compiled])
def test_a_block_learns_at_the_published_rate(block: int, rate: float, wrap: type[nn.Module]) -> None:
    network = Network() if wrap is nn.Identity else wrap(Network())
    assert settings_by_name(network)[f"encoder.encoder.{block}.attn.qkv.weight"][0] == pytest.approx(rate, rel=0.005)


def test_the_rest_of_the_encoder_is_slowest_and_the_decoder_fastest() -> None:
    rates = {name: rate for name, (rate, _) in settings_by_name(Network()).items()}
    assert rates["encoder.encoder_norm.weight"] == pytest.approx(1.08e-6, rel=0.005)
    assert rates["encoder.encoder_embeddings.untok_sen2l2a@224.proj.weight"] == pytest.approx(1.08e-6, rel=0.005)
    assert rates["decoder.weight"] == rates["neck.0.weight"] == rates["head.bias"] == 6e-5
    blocks = [rates[f"encoder.encoder.{index}.attn.qkv.weight"] for index in range(DEPTH)]
    assert all(lower < upper for lower, upper in pairwise([1.08e-6, *blocks, 6e-5]))


def test_every_parameter_is_in_one_group() -> None:
    network = Network()
    grouped = [id(parameter) for group in parameter_groups(network, OPTIONS) for parameter in group["params"]]
    assert sorted(grouped) == sorted(id(parameter) for parameter in network.parameters())


def test_norms_biases_and_modality_vectors_do_not_decay_and_weights_do() -> None:
    decays = {name: decay for name, (_, decay) in settings_by_name(Network()).items()}
    spared = {name for name, decay in decays.items() if decay == 0}
    assert spared == {
        "encoder.encoder_embeddings.untok_sen2l2a@224.mod_emb",
        "encoder.encoder_norm.weight",
        *(f"encoder.encoder.{index}.norm1.weight" for index in range(DEPTH)),
        "neck.0.bias",
        "neck.1.weight",
        "neck.1.bias",
        "decoder.bias",
        "head.bias",
    }
    assert {decay for name, decay in decays.items() if name not in spared} == {1e-4}


def test_a_parameter_of_no_known_part_is_refused() -> None:
    network = Network()
    network.surprise = nn.Linear(2, 2)
    with pytest.raises(WeightsUnfit, match=r"surprise\.weight"):
        parameter_groups(network, OPTIONS)


def test_an_encoder_without_blocks_is_refused() -> None:
    with pytest.raises(WeightsUnfit, match="No block"):
        parameter_groups(Network(depth=0), OPTIONS)


def test_frozen_blocks_and_embeddings_do_not_learn() -> None:
    network = Network()
    optimizer = build_optimizer(network, OptimizerOptions(frozen_blocks=12))
    learning = {plain_name(name) for name, parameter in network.named_parameters() if parameter.requires_grad}
    assert not any(name.startswith("encoder.encoder_embeddings.") for name in learning)
    assert {int(name.split(".")[2]) for name in learning if name.startswith("encoder.encoder.")} == set(range(12, 24))
    assert sum(len(group["params"]) for group in optimizer.param_groups) == len(learning)
    with pytest.raises(RecipeWrong, match="at most 24"):
        build_optimizer(Network(), OptimizerOptions(frozen_blocks=25))


def test_the_rate_warms_up_in_a_line_and_falls_in_half_a_cosine() -> None:
    schedule = Schedule(warmup_steps=10, total_steps=110)
    factors = [schedule_factor(step, schedule) for step in range(111)]
    assert factors[:10] == pytest.approx([(step + 1) / 10 for step in range(10)])
    assert factors[10] == 1.0
    assert factors[60] == pytest.approx(0.5)
    assert factors[110] == pytest.approx(0.0)
    assert all(later < earlier for earlier, later in pairwise(factors[10:]))
    assert schedule_factor(500, schedule) == pytest.approx(0.0)
    assert schedule_factor(110, Schedule(10, 110, minimum=0.1)) == pytest.approx(0.1)


def test_averaging_glides_from_the_cosine_to_a_constant_rate() -> None:
    schedule = Schedule(10, 110, average_from=50, average_factor=0.2, anneal_steps=20)
    plain = Schedule(10, 110)
    assert schedule_factor(49, schedule) == schedule_factor(49, plain)
    assert schedule_factor(50, schedule) == pytest.approx(schedule_factor(50, plain))
    assert schedule_factor(60, schedule) == pytest.approx((schedule_factor(50, plain) + 0.2) / 2)
    assert [schedule_factor(step, schedule) for step in (70, 90, 110)] == pytest.approx([0.2] * 3)


def ratio(optimizer: torch.optim.Optimizer) -> float:
    rates = {group["name"]: group["lr"] for group in optimizer.param_groups}
    return float(rates["block 0"] / rates["decoder"])


def test_averaging_keeps_the_ratios_of_layers_that_a_scalar_rate_erases() -> None:
    ours, published = build_optimizer(Network(), OPTIONS), build_optimizer(Network(), OPTIONS)
    before = ratio(ours)
    assert before == pytest.approx(0.25 * 0.9**24)
    schedule = Schedule(10, 110, average_from=50, anneal_steps=20)
    scalar = SWALR(published, swa_lr=1e-5, anneal_epochs=3)
    for step in range(50, 110):
        apply_factor(ours, schedule_factor(step, schedule))
        published.step()
        scalar.step()
        assert ratio(ours) == pytest.approx(before)
    assert ratio(published) == pytest.approx(1.0)


def test_a_resumed_optimizer_keeps_its_base_rates() -> None:
    network = Network(depth=2)
    first = build_optimizer(network, OPTIONS)
    apply_factor(first, 0.1)
    resumed = build_optimizer(network, OPTIONS)
    resumed.load_state_dict(first.state_dict())
    apply_factor(resumed, 1.0)
    assert [group["lr"] for group in resumed.param_groups] == [group["lr"] for group in build_optimizer(network, OPTIONS).param_groups]


def test_the_groups_step_as_their_rates_say() -> None:
    network = Network(depth=2)
    optimizer = build_optimizer(network, OptimizerOptions(learning_rate=1e-2, weight_decay=0.0))
    before = {name: parameter.detach().clone() for name, parameter in network.named_parameters()}
    loss: Tensor = sum(parameter.sum() for parameter in network.parameters())  # type: ignore[assignment]
    loss.backward()
    optimizer.step()
    moved = {name: (before[name] - parameter).mean().item() for name, parameter in network.named_parameters()}
    # the first step of Adam is the rate itself
    assert moved["head.weight"] == pytest.approx(1e-2, rel=1e-3)
    assert moved["encoder.encoder.0.attn.qkv.weight"] == pytest.approx(1e-2 * 0.25 * 0.9**2, rel=1e-3)


@pytest.mark.parametrize("spans", [(10, 10, None), (10, 100, 5), (10, 100, 100)])
def test_spans_that_do_not_fit_are_refused(spans: tuple[int, int, int | None]) -> None:
    with pytest.raises(RecipeWrong):
        Schedule(spans[0], spans[1], average_from=spans[2])
