"""The class-wise learnable memory: what features of a class look like, kept in a bank, and read when one of them is drawn.

Source: GeoPix, equations 1 to 3. In the released code nothing of it reaches the mask: the results of both attentions, of the mask encoder
and of the network behind them are thrown away, and the class is always row 74. Here they are used, and a test follows the gradient from
the mask to the rows that were read.
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from catalog.facts.referrer_cards import MemoryConfig, Norm
from models.referrer.fusion import fusion_of
from models.referrer.norms import norm_2d

FIRST_SHARE: Final = 0.1
"""Of what is read, in the first step; at 0 the bank would have no gradient."""
_SPREAD: Final = 0.1


@dataclass(frozen=True, slots=True)
class ClassQuery:
    """Which rows each of T referents reads."""

    rows: Tensor
    """(T,)."""
    shares: Tensor | None = None
    """(T, rows), how much of every row is read; None: only that of its number."""


class ClassMemory(nn.Module):
    """Bank, mask encoder and readers of all levels."""

    def __init__(self, config: MemoryConfig, width: int, levels: int, norm: Norm) -> None:
        """Build for images of `width` channels with a bank of small random numbers."""
        super().__init__()
        self.config = config
        self.bank = nn.Parameter(
            _SPREAD * torch.randn(config.rows, levels, config.slots, config.depth, config.side, config.side)
        )  # (rows, levels, N, D, y, x)
        self.fusion = fusion_of(config, norm)
        self.encoder = _MaskEncoder(config.depth, config.side, norm)
        self.readers = nn.ModuleList(_Reader(width, config) for _ in range(levels))

    def forward(self, level: int, image: Tensor, place: Tensor, logits: Tensor, query: ClassQuery) -> Tensor:
        """Image (T, C, y, x), its positions (C, y, x) and a first mask (T, 1, y, x, logits) to an image that knows the class."""
        seen = self.encoder(logits)  # (T, D, y, x)
        known = self.read(level, query, seen)
        refined: Tensor = self.readers[level](image, place, seen + known)
        return refined

    def read(self, level: int, query: ClassQuery, seen: Tensor) -> Tensor:
        """What the bank holds for T referents, its slots fused: (T, D, y, x)."""
        if query.shares is None:
            fused: Tensor = self.fusion(self.bank[query.rows, level], seen)
            return fused
        # every row is fused for every referent, as fusion may look at its mask
        count, rows = query.shares.shape
        each = self.bank[:, level].repeat(count, 1, 1, 1, 1)
        mixed = self.fusion(each, seen.repeat_interleave(rows, 0)).unflatten(0, (count, rows))
        return torch.einsum("tr,trdyx->tdyx", query.shares.to(mixed), mixed)

    @property
    def generic(self) -> int:
        """Row of what is of no known class."""
        return self.config.rows - 1


class _MaskEncoder(nn.Module):
    """A mask to channels on the grid of the memory: halved, halved, and once more without."""

    def __init__(self, depth: int, side: int, norm: Norm) -> None:
        super().__init__()
        self.size = 4 * side
        widths = (1, max(depth // 4, 2), max(depth // 2, 2), depth)
        self.blocks = nn.Sequential(*(_Residual(a, b, stride, norm) for a, b, stride in zip(widths, widths[1:], (2, 2, 1), strict=False)))

    def forward(self, logits: Tensor) -> Tensor:
        whole = functional.interpolate(logits, size=(self.size, self.size), mode="bilinear", align_corners=False)
        encoded: Tensor = self.blocks(whole.sigmoid())
        return encoded


class _Residual(nn.Module):
    def __init__(self, given: int, width: int, stride: int, norm: Norm) -> None:
        super().__init__()
        self.convolved = nn.Sequential(
            nn.Conv2d(given, width, 3, stride, 1), norm_2d(norm, width), nn.ReLU(), nn.Conv2d(width, width, 3, 1, 1), norm_2d(norm, width)
        )
        self.straight = nn.Conv2d(given, width, 1, stride)

    def forward(self, images: Tensor) -> Tensor:
        return functional.relu(self.convolved(images) + self.straight(images))


class _Reader(nn.Module):
    """Pixels look at each other, then at the memory: out = x + alpha * attention(x, memory), x = attention among pixels + position."""

    def __init__(self, width: int, config: MemoryConfig) -> None:
        super().__init__()
        self.attended = config.attended
        self.before = nn.LayerNorm(width)
        self.among = nn.MultiheadAttention(width, config.heads, batch_first=True)
        self.asked = nn.MultiheadAttention(width, config.heads, kdim=config.depth, vdim=config.depth, batch_first=True)
        self.alpha = nn.Parameter(torch.tensor(FIRST_SHARE))

    def forward(self, image: Tensor, place: Tensor, known: Tensor) -> Tensor:
        mixed = (image + self._among(image) + place).flatten(2).transpose(1, 2)  # (T, pixels, C): referents do not see each other
        kept = known.flatten(2).transpose(1, 2)  # (T, pixels of the memory, D)
        answer, _ = self.asked(mixed, kept, kept, need_weights=False)
        refined: Tensor = (mixed + self.alpha * answer).transpose(1, 2).reshape(image.shape)
        return refined

    def _among(self, image: Tensor) -> Tensor:
        """What pixels learn from each other, (T, C, y, x); on a coarser grid where there are too many of them."""
        size = (image.shape[-2], image.shape[-1])
        coarse = min(size) > self.attended
        asking = functional.adaptive_avg_pool2d(image, (self.attended, self.attended)) if coarse else image
        pixels = self.before(asking.flatten(2).transpose(1, 2))
        answer, _ = self.among(pixels, pixels, pixels, need_weights=False)
        found: Tensor = answer.transpose(1, 2).reshape(asking.shape)
        return functional.interpolate(found, size=size, mode="bilinear", align_corners=False) if coarse else found
