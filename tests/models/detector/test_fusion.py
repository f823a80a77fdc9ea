"""Attention between modalities: it looks at the same place first, in windows that are cut and joined without a trace."""

import pytest
import torch

from catalog.facts.detector_cards import FusionConfig
from models.detector.attention import AuxiliaryAttention, RelativeBias, from_windows, sine_positions, to_windows
from models.detector.fusion import Answers, Fusion, only_given

WIDTH = 24


@pytest.mark.parametrize("size", [(14, 14), (16, 9), (4, 4)])
def test_windows_are_cut_and_joined_without_a_trace(size: tuple[int, int]) -> None:
    grid = torch.randn((2, *size, 3), generator=torch.Generator().manual_seed(0))
    windows = to_windows(grid, 7)
    assert windows.shape[1:] == (49, 3)
    assert torch.equal(from_windows(windows, 7, size), grid)
    assert torch.equal(windows[0].reshape(7, 7, 3)[: size[0], : size[1]], grid[0, :7, :7])


def test_attention_starts_at_the_same_place() -> None:
    bias = RelativeBias(7, 2)()
    assert bias.shape == (2, 49, 49)
    assert torch.equal(bias.argmax(-1), torch.arange(49).expand(2, -1))
    # 3 - (dy^2 + dx^2), not below -4: from (0, 0) to itself, (0, 1), (1, 1), (2, 2) and (6, 6)
    assert bias[0, 0, [0, 1, 8, 16, 48]].tolist() == [3, 2, 1, -4, -4]


@pytest.mark.parametrize("scope", ["window", "pooled", "global"])
@pytest.mark.parametrize("side", [14, 10])
def test_padding_is_never_heard(scope: str, side: int) -> None:
    torch.manual_seed(0)
    attention = AuxiliaryAttention(FusionConfig(scope=scope), WIDTH, 2, silent=False)  # type: ignore[arg-type]
    torch.nn.init.zeros_(attention.keys_values.weight)
    # every true cell has the value 1 and the padding has 0, so the answer is 1 where only true cells are heard
    attention.keys_values.bias.data = torch.cat([torch.zeros(WIDTH), torch.ones(WIDTH)])
    attention.out = torch.nn.Identity()  # type: ignore[assignment]
    answer = attention(torch.randn(2, side, side, WIDTH), torch.randn(2, side, side, WIDTH))
    assert answer.shape == (2, side, side, WIDTH)
    assert torch.allclose(answer, torch.ones(()), atol=1e-5)


def test_only_the_window_of_a_place_answers_it() -> None:
    torch.manual_seed(0)
    attention = AuxiliaryAttention(FusionConfig(window=7), WIDTH, 2, silent=False)
    query, features = torch.randn(1, 14, 14, WIDTH), torch.randn(1, 14, 14, WIDTH)
    changed = features.clone()
    changed[0, 10, 3] = torch.randn(WIDTH)
    moved = (attention(query, features) - attention(query, changed)).abs().amax(-1)[0] > 1e-6
    assert moved[7:, :7].all()
    assert int(moved.sum()) == 49


def test_the_order_of_auxiliaries_is_nothing() -> None:
    torch.manual_seed(0)
    fusion = Fusion(FusionConfig(), [(WIDTH, 2, 14)], ("ndvi", "nir"))
    for answer in fusion.stages[0].answers.values():  # type: ignore[operator,union-attr]
        torch.nn.init.normal_(answer.out.weight)
    first, one, other = (torch.randn(1, WIDTH, 14, 14) for _ in range(3))
    here = fusion([first], {"ndvi": Answers([one]), "nir": Answers([other])})[0]
    there = fusion([first], {"nir": Answers([other]), "ndvi": Answers([one])})[0]
    assert torch.equal(here, there)
    assert not torch.allclose(here, fusion([first], {"ndvi": Answers([other]), "nir": Answers([one])})[0])


@pytest.mark.parametrize("kind", ["residual_xattn", "concat"])
def test_fusion_starts_with_the_first_modality_alone(kind: str) -> None:
    torch.manual_seed(0)
    fusion = Fusion(FusionConfig(kind, mlp=True), [(WIDTH, 2, 14)], ("nir",))  # type: ignore[arg-type]
    first, other = torch.randn(1, WIDTH, 14, 14), torch.randn(1, WIDTH, 14, 14)
    assert torch.allclose(fusion([first], {"nir": Answers([other])})[0], first, atol=1e-5)


def test_attention_without_the_residual_hands_on_nothing_but_answers() -> None:
    torch.manual_seed(0)
    fusion = Fusion(FusionConfig("xattn"), [(WIDTH, 2, 14)], ("nir",))
    first, other = torch.randn(1, WIDTH, 14, 14), torch.randn(1, WIDTH, 14, 14)
    assert not fusion([first], {})[0].any()
    assert fusion([first], {"nir": Answers([other])})[0].any()


def test_pooled_keys_are_at_the_middle_of_what_they_stand_for() -> None:
    whole = sine_positions(torch.zeros(1, 16, 16, WIDTH), (16, 16))
    assert torch.allclose(
        sine_positions(torch.zeros(1, 1, 1, WIDTH), (16, 16))[0, 0, 0, :6], torch.sin(8 / 10_000 ** (torch.arange(6) / 6))
    )
    assert torch.equal(whole[0, 3, 7, : WIDTH // 2], whole[0, 3, 2, : WIDTH // 2])
    assert torch.equal(whole[0, 3, 7, WIDTH // 2 :], whole[0, 9, 7, WIDTH // 2 :])


def test_absent_samples_give_zero_whatever_they_hold() -> None:
    features = torch.tensor([[torch.nan, 1.0], [2.0, 3.0]])
    assert only_given(features, torch.tensor([False, True])).tolist() == [[0, 0], [2, 3]]
