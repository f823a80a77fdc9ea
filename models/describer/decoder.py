"""The prompt mask decoder: pixels ask the words which of them are meant.

Source: GLACIA (the state of the mark of segmentation, a small network and a prompt encoder, cross-attention with the image as query and
the prompt as key and value, self-attention of the pixels, convolutions). What the sources leave open or get wrong is decided here:

- The prompt is several tokens. Attention over a single key is 1 everywhere, so that every pixel would receive the same vector.
- It is given at two levels of the pyramid, on a coarse one, on which pixels also attend to each other, and on the finest.
- Queries know where they are: a referring prompt speaks of places.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from catalog.facts.describer_cards import DecoderConfig

_FREQUENCIES = 4


class PromptEncoder(nn.Module):
    """The state of a mark of segmentation to the tokens of a prompt."""

    def __init__(self, given: int, width: int, config: DecoderConfig) -> None:
        """Build for states of `given` numbers; a constant prompt is learned once and looks at no state."""
        super().__init__()
        self.tokens, self.width = config.prompt_tokens, width
        self.constant = nn.Parameter(torch.randn(self.tokens, width)) if config.prompt == "constant" else None
        self.project = (
            None
            if config.prompt == "constant"
            else nn.Sequential(nn.LayerNorm(given), nn.Linear(given, given), nn.GELU(), nn.Linear(given, width * self.tokens))
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, states: Tensor) -> Tensor:
        """States (N, given) to prompts (N, tokens, width)."""
        if self.project is None:
            assert self.constant is not None
            constant: Tensor = self.norm(self.constant)
            return constant.expand(len(states), -1, -1)
        prompts: Tensor = self.norm(self.project(states).unflatten(1, (self.tokens, self.width)))
        return prompts


class MaskDecoder(nn.Module):
    """Two levels of a pyramid and a prompt to the logits of one mask."""

    def __init__(self, width: int, config: DecoderConfig) -> None:
        """Build with fresh weights."""
        super().__init__()
        self.coarse, self.fine = _Asking(width, config.heads), _Asking(width, config.heads)
        self.among = nn.TransformerEncoderLayer(
            width, config.heads, 2 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.head = nn.Sequential(
            nn.Conv2d(width, width // 2, 3, padding=1), nn.GroupNorm(4, width // 2), nn.GELU(),
            nn.Conv2d(width // 2, width // 4, 3, padding=1), nn.GELU(), nn.Conv2d(width // 4, 1, 1),
        )  # fmt: skip

    def forward(self, pyramid: list[Tensor], prompts: Tensor, size: tuple[int, int]) -> Tensor:
        """The finest level and a coarse one (N, width, y, x) and prompts (N, tokens, width) to logits (N, 1, *size)."""
        fine, level = pyramid
        asked = self.coarse(level, prompts)
        pixels = self.among(asked.flatten(2).transpose(1, 2))  # (N, pixels, width)
        asked = pixels.transpose(1, 2).unflatten(2, level.shape[-2:])
        carried = functional.interpolate(asked, size=fine.shape[-2:], mode="bilinear", align_corners=False)
        features = self.fine(fine + carried, prompts) + fine
        return functional.interpolate(self.head(features), size=size, mode="bilinear", align_corners=False)


class _Asking(nn.Module):
    """Cross-attention: every pixel asks the prompt; residual, norm and a small network after it."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.where = nn.Linear(4 * _FREQUENCIES, width)
        self.before, self.after = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mix = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, level: Tensor, prompts: Tensor) -> Tensor:
        height, width = level.shape[-2:]
        pixels = level.flatten(2).transpose(1, 2)  # (N, pixels, width)
        queries = self.before(pixels) + self.where(positions(height, width).to(level))
        answer, _ = self.attention(queries, prompts, prompts, need_weights=False)
        pixels = pixels + answer
        pixels = pixels + self.mix(self.after(pixels))
        asked: Tensor = pixels.transpose(1, 2).reshape(level.shape)
        return asked


def positions(height: int, width: int) -> Tensor:
    """Sines and cosines of the place of every pixel (pixels, 16), shares of height and width."""
    rows = (torch.arange(height) + 0.5) / height
    columns = (torch.arange(width) + 0.5) / width
    places = torch.stack(torch.meshgrid(rows, columns, indexing="ij"), dim=-1).reshape(-1, 2, 1)
    angles = places * math.pi * 2.0 ** torch.arange(_FREQUENCIES)  # (pixels, 2, frequencies)
    return torch.cat([angles.sin(), angles.cos()], dim=-1).flatten(1)
