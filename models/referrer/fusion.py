"""The slots of a memory to one entry: the five strategies that GeoPix compares.

Sizes of the convolutions over volumes are the paper's (2 723 parameters for 64 slots); it does not tell how its other strategies are built.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import torch
from torch import Tensor, nn

from catalog.facts.referrer_cards import Fusion, MemoryConfig, Norm
from models.referrer.norms import norm_2d, norm_3d


def fusion_of(config: MemoryConfig, norm: Norm) -> nn.Module:
    """Build a strategy: slots (T, N, D, y, x) and an encoded mask (T, D, y, x) to one entry (T, D, y, x)."""
    return _STRATEGIES[config.fusion](config, norm)


class _Conv3d(nn.Module):
    """Slots as channels, N to N/2 to N/4 to one."""

    def __init__(self, config: MemoryConfig, norm: Norm) -> None:
        super().__init__()
        first, second = max(config.slots // 2, 1), max(config.slots // 4, 1)
        self.layers = nn.Sequential(
            nn.Conv3d(config.slots, first, 1), norm_3d(norm, first), nn.ReLU(),
            nn.Conv3d(first, second, 1), norm_3d(norm, second), nn.ReLU(),
            nn.Conv3d(second, 1, 1), norm_3d(norm, 1),
        )  # fmt: skip

    def forward(self, slots: Tensor, seen: Tensor) -> Tensor:  # noqa: ARG002 - strategies are called alike
        fused: Tensor = self.layers(slots)[:, 0]
        return fused


class _Conv2d(nn.Module):
    """Slots as channels of each layer of depth by itself, N to N to N/4 to one."""

    def __init__(self, config: MemoryConfig, norm: Norm) -> None:
        super().__init__()
        first, second = config.slots, max(config.slots // 4, 1)
        self.layers = nn.Sequential(
            nn.Conv2d(config.slots, first, 1), norm_2d(norm, first), nn.ReLU(),
            nn.Conv2d(first, second, 1), norm_2d(norm, second), nn.ReLU(), nn.Conv2d(second, 1, 1),
        )  # fmt: skip

    def forward(self, slots: Tensor, seen: Tensor) -> Tensor:  # noqa: ARG002 - see above
        count, _, depth = slots.shape[:3]
        fused: Tensor = self.layers(slots.transpose(1, 2).flatten(0, 1))  # (T D, 1, y, x)
        return fused.reshape(count, depth, *slots.shape[-2:])


class _Argmax(nn.Module):
    """At every place the slot that is most like the mask; nothing is learned."""

    def __init__(self, config: MemoryConfig, norm: Norm) -> None:  # noqa: ARG002 - see above
        super().__init__()

    def forward(self, slots: Tensor, seen: Tensor) -> Tensor:
        alike = (slots * seen[:, None]).sum(dim=2)  # (T, N, y, x)
        chosen = alike.argmax(dim=1)[:, None, None].expand(-1, 1, slots.shape[2], -1, -1)
        return slots.gather(1, chosen)[:, 0]


class _Attention(nn.Module):
    """At every place the mask asks the slots."""

    def __init__(self, config: MemoryConfig, norm: Norm) -> None:  # noqa: ARG002 - see above
        super().__init__()
        self.asked = nn.MultiheadAttention(config.depth, _heads(config), batch_first=True)

    def forward(self, slots: Tensor, seen: Tensor) -> Tensor:
        count, number, depth, height, width = slots.shape
        keys = slots.permute(0, 3, 4, 1, 2).reshape(-1, number, depth)
        queries = seen.permute(0, 2, 3, 1).reshape(-1, 1, depth)
        answer, _ = self.asked(queries, keys, keys, need_weights=False)
        return torch.as_tensor(answer).reshape(count, height, width, depth).permute(0, 3, 1, 2)


class _DualAttention(nn.Module):
    """The mask asks the slots, then the places look at each other."""

    def __init__(self, config: MemoryConfig, norm: Norm) -> None:
        super().__init__()
        self.slots = _Attention(config, norm)
        self.places = nn.TransformerEncoderLayer(
            config.depth, _heads(config), 4 * config.depth, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )

    def forward(self, slots: Tensor, seen: Tensor) -> Tensor:
        fused = self.slots(slots, seen)
        mixed: Tensor = self.places(fused.flatten(2).transpose(1, 2))
        return mixed.transpose(1, 2).reshape(fused.shape)


def _heads(config: MemoryConfig) -> int:
    return config.heads if config.depth % config.heads == 0 else 1


_STRATEGIES: Final[Mapping[Fusion, Callable[[MemoryConfig, Norm], nn.Module]]] = MappingProxyType(
    {"conv3d": _Conv3d, "conv2d": _Conv2d, "argmax": _Argmax, "attention": _Attention, "dual_attention": _DualAttention}
)
