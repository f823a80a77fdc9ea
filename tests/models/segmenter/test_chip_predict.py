"""Chips go through the lake network with the modalities asked for, in any batch, and come out as finite logits and spreads."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from catalog.facts.cards import NetworkConfig, WeightsCard
from catalog.facts.chips import CHIP_PX, ChipBatch
from catalog.facts.errors import BandsMissing
from models.segmenter.chip_predict import predict_chips
from models.segmenter.network import build
from models.segmenter.normalise import DEM, S1, S2
from models.segmenter.passes import NOTHING_SEEN, InferenceOptions, Passes

CARD = WeightsCard("toy", "1", "toy", "CC0-1.0", "nothing", "none", "0" * 64, NetworkConfig(), temperature=1.5)
PLAIN = InferenceOptions(dtype="float32", flips=False)


@pytest.fixture(scope="module")
def network() -> nn.Module:
    """A fresh lake network whose last layers say something else than zero."""
    torch.manual_seed(4)
    fresh = build(NetworkConfig()).eval()
    with torch.no_grad():
        for parameter in fresh.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return fresh


def chips(count: int = 3) -> ChipBatch:
    rng = np.random.default_rng(count)
    shape = (CHIP_PX, CHIP_PX)
    return ChipBatch(
        rng.integers(1, 6000, (count, 12, *shape)).astype(np.uint16),
        rng.normal(-12, 4, (count, 2, *shape)).astype(np.float32),
        rng.normal(4000, 300, (count, *shape)).astype(np.float32),
        np.zeros((count, *shape), np.uint8),
        np.zeros((count, *shape), np.uint8),
        np.ones(count, np.float32),
    )


def some(batch: ChipBatch, places: slice) -> ChipBatch:
    return ChipBatch(*(getattr(batch, name)[places] for name in ("s2", "s1", "dem", "cause", "label", "weight")))


def test_hidden_modalities_are_as_if_the_chips_lacked_them(network: nn.Module) -> None:
    batch = chips(2)
    asked, _ = predict_chips(network, CARD, batch, frozenset({S1, DEM}), PLAIN)
    lacking, _ = predict_chips(network, CARD, replace(batch, s2=np.zeros_like(batch.s2)), None, PLAIN)
    everything, _ = predict_chips(network, CARD, batch, None, PLAIN)
    assert np.array_equal(asked, lacking)
    assert np.abs(asked - everything).max() > 0.01


@pytest.mark.parametrize("dtype", ["float32", pytest.param("bfloat16", marks=pytest.mark.slow)])
def test_a_chip_gets_the_same_logits_in_any_batch(network: nn.Module, dtype: str) -> None:
    batch = chips(3)
    passes = Passes(network, InferenceOptions(dtype=dtype, images_per_pass=4))  # type: ignore[arg-type]
    together, spread = predict_chips(passes, CARD, batch)
    alone, lone_spread = predict_chips(passes, CARD, some(batch, slice(1, 2)))
    np.testing.assert_allclose(alone[0], together[1], atol=1e-4)
    np.testing.assert_allclose(lone_spread[0], spread[1], atol=1e-4)
    assert together.shape == spread.shape == (3, CHIP_PX, CHIP_PX)
    assert together.dtype == spread.dtype == np.float32
    assert 0 <= spread.min() < spread.max() <= 0.5


def test_chips_without_data_are_finite_and_dry(network: nn.Module) -> None:
    batch = chips(1)
    empty = replace(batch, s2=np.zeros_like(batch.s2), s1=np.full_like(batch.s1, np.nan), dem=np.full_like(batch.dem, np.nan))
    logits, spread = predict_chips(network, CARD, empty)
    assert (logits == NOTHING_SEEN).all()
    assert (spread == 0).all()


def test_without_flips_there_is_no_spread(network: nn.Module) -> None:
    _, spread = predict_chips(network, CARD, chips(1), frozenset({S2}), PLAIN)
    assert (spread == 0).all()


def test_modalities_the_network_does_not_know_are_refused(network: nn.Module) -> None:
    for asked in (frozenset({"S3OLCI"}), frozenset[str]()):
        with pytest.raises(BandsMissing, match="name some it knows"):
            predict_chips(network, CARD, chips(1), asked, PLAIN)
