"""Attention from a grid of queries to another modality's grid: inside windows, to pooled keys, or everywhere."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from catalog.facts.detector_cards import FusionConfig

_PEAK = 3.0
_FLOOR = -4.0


class AuxiliaryAttention(nn.Module):
    """Keys and values of one modality, and what becomes of its answer."""

    def __init__(self, config: FusionConfig, width: int, heads: int, *, silent: bool) -> None:
        """Take the width of the features; `silent` starts with an answer of 0 that still gets gradients."""
        super().__init__()
        self.config, self.heads = config, heads
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.keys_values = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)
        if silent:
            nn.init.zeros_(self.out.weight)
            nn.init.zeros_(self.out.bias)
        self.bias = RelativeBias(config.window, heads) if config.scope == "window" and config.positions else None
        self.mlp = _Mlp(width, silent=silent) if config.mlp else None

    def forward(self, query: Tensor, features: Tensor) -> Tensor:
        """Return the answer (B, y, x, width) to queries (B, y, x, width) from features (B, y, x, width)."""
        features = self.norm(features)
        windows = self.config.scope == "window"
        answer: Tensor = self.out(self._in_windows(query, features) if windows else self._everywhere(query, features))
        return answer if self.mlp is None else answer + self.mlp(answer)

    def _in_windows(self, query: Tensor, features: Tensor) -> Tensor:
        height, width = query.shape[1:3]
        window = self.config.window
        mask = None if self.bias is None else self.bias()[None]  # (1, heads, n, n)
        if height % window or width % window:
            barred = _padding_mask((height, width), window, query)[:, None, None, :]  # (windows, 1, 1, n)
            mask = (barred if mask is None else mask + barred).repeat(query.shape[0], 1, 1, 1)
        asked = self._heads(to_windows(query, window))
        keys, values = (self._heads(part) for part in to_windows(self.keys_values(features), window).chunk(2, -1))
        heard = functional.scaled_dot_product_attention(asked, keys, values, attn_mask=mask)
        return from_windows(heard.transpose(1, 2).flatten(2), window, (height, width))

    def _everywhere(self, query: Tensor, features: Tensor) -> Tensor:
        size = (query.shape[1], query.shape[2])
        if self.config.scope == "pooled":
            pooled = functional.adaptive_avg_pool2d(features.permute(0, 3, 1, 2), min(self.config.pooled, *size))
            features = pooled.permute(0, 2, 3, 1)
        keys, values = self.keys_values(features).chunk(2, -1)
        if self.config.positions:
            query, keys = query + sine_positions(query, size), keys + sine_positions(keys, size)
        asked, keys, values = (self._heads(part.flatten(1, 2)) for part in (query, keys, values))
        heard = functional.scaled_dot_product_attention(asked, keys, values)
        return heard.transpose(1, 2).reshape(query.shape)

    def _heads(self, tokens: Tensor) -> Tensor:
        """(B, n, width) to (B, heads, n, width / heads)."""
        return tokens.reshape(*tokens.shape[:2], self.heads, -1).transpose(1, 2)


class RelativeBias(nn.Module):
    """What attention adds for an offset (dy, dx) between cells; it starts as "look at the same place"."""

    def __init__(self, window: int, heads: int) -> None:
        """Take the side of a window in cells."""
        super().__init__()
        away = torch.arange(1 - window, window) ** 2
        start = (_PEAK - (away[:, None] + away[None, :])).clamp(min=_FLOOR).flatten()
        self.table = nn.Parameter(start.repeat(heads, 1))  # (heads, offsets)
        places = torch.cartesian_prod(torch.arange(window), torch.arange(window))
        offsets = places[:, None] - places[None, :] + window - 1  # (n, n, 2)
        self.register_buffer("index", offsets[..., 0] * (2 * window - 1) + offsets[..., 1], persistent=False)
        self.index: Tensor

    def forward(self) -> Tensor:
        """Return (heads, n, n)."""
        return self.table[:, self.index]


class _Mlp(nn.Module):
    """Two layers of four times the width on a normed answer."""

    def __init__(self, width: int, *, silent: bool) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        if silent:
            nn.init.zeros_(self.narrow.weight)
            nn.init.zeros_(self.narrow.bias)

    def forward(self, answer: Tensor) -> Tensor:
        added: Tensor = self.narrow(functional.gelu(self.widen(self.norm(answer))))
        return added


def to_windows(grid: Tensor, window: int) -> Tensor:
    """Cut a grid (B, y, x, width), padded with 0 below and to the right, to (B * windows, window * window, width)."""
    height, width = grid.shape[1:3]
    padded = functional.pad(grid, (0, 0, 0, -width % window, 0, -height % window))
    rows, columns = padded.shape[1] // window, padded.shape[2] // window
    cut = padded.reshape(-1, rows, window, columns, window, grid.shape[3])
    return cut.transpose(2, 3).reshape(-1, window * window, grid.shape[3])


def from_windows(windows: Tensor, window: int, size: tuple[int, int]) -> Tensor:
    """Put windows together again to a grid (B, y, x, width) without the padding."""
    rows, columns = -(-size[0] // window), -(-size[1] // window)
    cut = windows.reshape(-1, rows, columns, window, window, windows.shape[-1]).transpose(2, 3)
    return cut.reshape(-1, rows * window, columns * window, windows.shape[-1])[:, : size[0], : size[1]]


def sine_positions(like: Tensor, size: tuple[int, int]) -> Tensor:
    """Sines and cosines of the places (1, y, x, width) of a grid that covers `size` cells, half of the width per direction."""
    rows, columns, width = like.shape[1:]
    quarter = width // 4
    rates = 10_000 ** (-torch.arange(quarter, device=like.device) / quarter)
    parts = []
    for count, whole in ((rows, size[0]), (columns, size[1])):
        angles = ((torch.arange(count, device=like.device) + 0.5) * (whole / count))[:, None] * rates
        parts.append(torch.cat([angles.sin(), angles.cos()], -1))
    down = parts[0][:, None].expand(rows, columns, -1)
    across = parts[1][None, :].expand(rows, columns, -1)
    both = torch.cat([down, across], -1)
    return functional.pad(both, (0, width - both.shape[-1]))[None].to(like.dtype)


def _padding_mask(size: tuple[int, int], window: int, like: Tensor) -> Tensor:
    """Minus infinity (windows, n) where a key is padding."""
    real = like.new_zeros((1, *size, 1))
    padded = functional.pad(real, (0, 0, 0, -size[1] % window, 0, -size[0] % window), value=float("-inf"))
    return to_windows(padded, window)[..., 0]
