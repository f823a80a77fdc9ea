"""Features of other modalities joined to those of the first, stage by stage.

Source: residual cross-modality attention of arXiv 2504.17822 (queries from RGB, keys and values from each other modality, sum,
projection). It is bound to windows with a learned relative bias that starts on the diagonal: attention without places cannot
know where it looks, trains without an error and learns nothing (docs/detector.md).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from catalog.facts.detector_cards import FusionConfig
from catalog.facts.errors import RecipeWrong
from models.detector.attention import AuxiliaryAttention

LARGEST_GLOBAL: Final = 4096
"""Cells of a grid on which everything may look at everything."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Features of one other modality."""

    maps: list[Tensor]
    """Per stage (B, width, y, x)."""
    given: Tensor | None = None
    """(B,) bool, whether a sample has the modality; None where all have."""


class Fusion(nn.Module):
    """Fusion of every stage of a pyramid."""

    def __init__(self, config: FusionConfig, stages: Sequence[tuple[int, int, int]], auxiliaries: Sequence[str]) -> None:
        """Take (width, heads, side) of every stage and the names of the other modalities.

        Raises RecipeWrong for global attention on a grid of more than 4 096 cells.
        """
        super().__init__()
        largest = max(side for _, _, side in stages)
        attends = config.kind in {"residual_xattn", "xattn"}
        if attends and config.scope == "global" and largest**2 > LARGEST_GLOBAL and not config.allow_large_global:
            raise RecipeWrong(
                f"Global attention on a grid of {largest} x {largest} cells takes memory that grows with the square of its cells: "
                "choose scope window or pooled, or set allow_large_global."
            )
        self.stages = nn.ModuleList([_stage(config, width, heads, auxiliaries) for width, heads, _ in stages])

    def forward(self, first: Sequence[Tensor], others: Mapping[str, Answers]) -> list[Tensor]:
        """Return maps of the shapes of `first`; a modality that is not in `others` is absent from every sample."""
        return [
            stage(each, {name: (answers.maps[level], answers.given) for name, answers in others.items()})
            for level, (stage, each) in enumerate(zip(self.stages, first, strict=True))
        ]


class AttentionStage(nn.Module):
    """Every auxiliary answers the first modality; the answers are summed, so that their order is nothing and each may be absent."""

    def __init__(self, config: FusionConfig, width: int, heads: int, auxiliaries: Sequence[str]) -> None:
        """Take the width of the features."""
        super().__init__()
        self.residual = config.kind == "residual_xattn"
        self.norm = nn.LayerNorm(width, eps=1e-6)
        # the published number of parameters is met when every auxiliary is asked by queries of its own
        self.queries = nn.ModuleList([nn.Linear(width, width) for _ in (auxiliaries if config.mlp else auxiliaries[:1])])
        self.answers = nn.ModuleDict({name: AuxiliaryAttention(config, width, heads, silent=self.residual) for name in auxiliaries})
        self.projection = _identity_convolution(width)

    def forward(self, first: Tensor, others: Mapping[str, tuple[Tensor, Tensor | None]]) -> Tensor:
        """Return (B, width, y, x)."""
        asking = self.norm(first.permute(0, 2, 3, 1))  # (B, y, x, width)
        total = first if self.residual else torch.zeros_like(first)
        for number, (name, answer) in enumerate(self.answers.items()):
            if name not in others:
                continue
            features, given = others[name]
            query = self.queries[min(number, len(self.queries) - 1)](asking)
            heard = answer(query, only_given(features, given).permute(0, 2, 3, 1))
            total = total + only_given(heard.permute(0, 3, 1, 2), given)
        projected: Tensor = self.projection(total)
        return projected


class JoinedStage(nn.Module):
    """The controls: features are concatenated, or summed, and projected."""

    def __init__(self, kind: str, width: int, auxiliaries: Sequence[str]) -> None:
        """Take the width of the features of every modality."""
        super().__init__()
        self.names = tuple(auxiliaries)
        self.reduce = nn.Conv2d(width * (1 + len(self.names)), width, 1) if kind == "concat" else None
        if self.reduce is not None:
            nn.init.dirac_(self.reduce.weight)
            _silence(self.reduce)
        self.projection = _identity_convolution(width)

    def forward(self, first: Tensor, others: Mapping[str, tuple[Tensor, Tensor | None]]) -> Tensor:
        """Return (B, width, y, x)."""
        maps = [first] + [only_given(*others[name]) if name in others else torch.zeros_like(first) for name in self.names]
        joined = torch.stack(maps).sum(0) if self.reduce is None else self.reduce(torch.cat(maps, 1))
        projected: Tensor = self.projection(joined)
        return projected


def only_given(features: Tensor, given: Tensor | None) -> Tensor:
    """Features (B, ...) with 0 where a sample lacks the modality: chosen, not multiplied, because 0 * NaN is NaN."""
    if given is None:
        return features
    return torch.where(given.reshape(-1, *(1 for _ in features.shape[1:])), features, features.new_zeros(()))


def _stage(config: FusionConfig, width: int, heads: int, auxiliaries: Sequence[str]) -> nn.Module:
    if config.kind in {"residual_xattn", "xattn"}:
        return AttentionStage(config, width, heads, auxiliaries)
    return JoinedStage(config.kind, width, auxiliaries)


def _identity_convolution(width: int) -> nn.Conv2d:
    """3 x 3 convolution that hands on what it gets until it has learned better."""
    projection = nn.Conv2d(width, width, 3, padding=1)
    nn.init.dirac_(projection.weight)
    _silence(projection)
    return projection


def _silence(convolution: nn.Conv2d) -> None:
    assert convolution.bias is not None
    nn.init.zeros_(convolution.bias)
