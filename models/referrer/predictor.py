"""Masks from two levels of an image and the prompts of a referent, the rough one first.

Source: GeoPix on PixelLM's mask predictor and SAM's two-way transformer. At each level a first mask is drawn, the memory of its class is
read, and the mask is drawn again with the same weights. The weights of the levels are a parameter: in the released code they lie in a
plain list, where nothing moves, saves or learns them.
"""

import math
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import SamMaskDecoderConfig
from transformers.models.sam.modeling_sam import SamTwoWayTransformer

from catalog.facts.referrer_cards import PredictorConfig
from models.referrer.memory import ClassMemory, ClassQuery

MASK_TOKENS = 4
"""SAM's; the first is drawn from."""
_LAYERS = 2


@dataclass(frozen=True, slots=True)
class Drawn:
    """Masks of T referents, logits."""

    masks: Tensor
    """(T, 1, 4 side, 4 side)."""
    levels: tuple[Tensor, ...]
    """What each level adds, (T, 1, 2 side, 2 side) and (T, 1, 4 side, 4 side)."""
    agreement: Tensor
    """(T,), IoU with the truth that both levels expect, 0..1."""


class MaskPredictor(nn.Module):
    """Both levels."""

    def __init__(self, config: PredictorConfig) -> None:
        """Build with fresh weights."""
        super().__init__()
        width = config.width
        self.levels = nn.ModuleList(_Level(config) for _ in range(2))
        self.raised = nn.ConvTranspose2d(width, width, 2, 2)
        self.no_mask = nn.Parameter(torch.zeros(width))
        self.weights = nn.Parameter(torch.full((2,), 0.5))
        # random Fourier features, as SAM tells pixels where they are
        self.register_buffer("frequencies", torch.randn(2, width // 2))

    def forward(self, rough: Tensor, detail: Tensor, prompts: Tensor, memory: ClassMemory | None, query: ClassQuery) -> Drawn:
        """Images (T, C, side, side) of both levels and prompts (T, 2, C) to masks."""
        first, expected = self._drawn(0, rough, prompts[:, 0], memory, query)
        # where the rough mask is, the details count for more
        fine = self.raised(detail) * (1 + first.sigmoid())  # (T, C, 2 side, 2 side)
        second, agreement = self._drawn(1, fine, prompts[:, 1], memory, query)
        whole = functional.interpolate(first, size=second.shape[-2:], mode="bilinear", align_corners=False)
        return Drawn(self.weights[0] * whole + self.weights[1] * second, (first, second), (expected + agreement) / 2)

    def _drawn(self, number: int, image: Tensor, prompt: Tensor, memory: ClassMemory | None, query: ClassQuery) -> tuple[Tensor, Tensor]:
        level, given = self.levels[number], image + self.no_mask[:, None, None]
        place = self.positions(image.shape[-2], image.shape[-1])
        masks, agreement = level(given, place, prompt)
        if memory is not None:
            masks, agreement = level(memory(number, given, place, masks, query), place, prompt)
        return masks, agreement

    def positions(self, height: int, width: int) -> Tensor:
        """Code of every pixel's place (C, y, x)."""
        like = cast("Tensor", self.frequencies)
        rows = (torch.arange(height, device=like.device) + 0.5) / height * 2 - 1
        columns = (torch.arange(width, device=like.device) + 0.5) / width * 2 - 1
        places = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), dim=-1)
        angles = 2 * math.pi * places.to(like) @ like  # (y, x, C / 2)
        return torch.cat([angles.sin(), angles.cos()], dim=-1).permute(2, 0, 1)


class _Level(nn.Module):
    """SAM's two-way transformer over tokens and pixels; the first mask token becomes the mask."""

    def __init__(self, config: PredictorConfig) -> None:
        super().__init__()
        width, drawn = config.width, max(config.width // 8, 16)
        self.tokens = nn.Parameter(torch.randn(1 + MASK_TOKENS, width) / math.sqrt(width))
        self.level = nn.Parameter(torch.zeros(width))
        self.among: Any = SamTwoWayTransformer(_two_way(config))
        self.up = nn.Sequential(nn.ConvTranspose2d(width, width // 4, 2, 2), nn.GroupNorm(1, width // 4), nn.GELU(),
                                nn.Conv2d(width // 4, drawn, 3, padding=1), nn.GELU())  # fmt: skip
        self.drawing = _three_layers(width, drawn)
        self.expecting = _three_layers(width, 1)

    def forward(self, image: Tensor, place: Tensor, prompt: Tensor) -> tuple[Tensor, Tensor]:
        count = len(image)
        tokens = torch.cat([self.tokens.expand(count, -1, -1), prompt[:, None]], dim=1) + self.level  # (T, tokens, C)
        queries, keys = self.among(
            point_embeddings=tokens[:, None],
            image_embeddings=image,
            image_positional_embeddings=place.expand(count, -1, -1, -1),
            attention_similarity=None,
            target_embedding=None,
        )[:2]
        pixels = self.up(keys[:, 0].transpose(1, 2).reshape(image.shape))  # (T, drawn, 2 y, 2 x)
        drawing = self.drawing(queries[:, 0, 1])  # (T, drawn)
        masks = torch.einsum("tc,tcyx->tyx", drawing, pixels)[:, None]
        return masks, self.expecting(queries[:, 0, 0])[:, 0].sigmoid()


def _two_way(config: PredictorConfig) -> SamMaskDecoderConfig:
    built = SamMaskDecoderConfig(
        hidden_size=config.width,
        num_hidden_layers=_LAYERS,
        num_attention_heads=config.heads,
        mlp_dim=config.intermediate,
        attention_downsample_rate=2,
    )
    # outside of a whole SAM nobody chooses one
    built._attn_implementation = "eager"
    return built


def _three_layers(width: int, told: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, told))
