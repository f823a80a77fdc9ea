"""Prithvi-Res: a Prithvi transformer and a residual network look at the same channels, and one pyramid comes of both.

Source: GLACIA (tapped Prithvi layers beside a ResNet-34, joined level by level, a feature pyramid on top). Two things differ from the
released code: levels keep their own resolution (there, all are brought to the grid of tokens, and what is finer is lost), and norms are
those of groups, because batches are of four images and of one.
"""

import warnings
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from catalog.facts.describer_cards import EncoderConfig

with warnings.catch_warnings():
    # terratorch's import warns of its own optional parts
    warnings.simplefilter("ignore")
    from terratorch.models.backbones.prithvi_mae import PrithviViT

_GROUPS = 8


class PrithviRes(nn.Module):
    """Channels of a scene to levels of a pyramid of features."""

    def __init__(self, config: EncoderConfig, wanted: Sequence[int] = (0, 1)) -> None:
        """Build with fresh weights; `wanted` are the levels that are given out, from 0 the finest."""
        super().__init__()
        self.config, self.wanted = config, tuple(wanted)
        self.prithvi = None if config.kind == "res" else build_prithvi(config)
        self.pixels = None if config.kind == "prithvi" else ResidualStages(len(config.channels), config)
        self.fusions = nn.ModuleList(_Fusion(config, level) for level in range(len(config.widths)))
        self.smooth = nn.ModuleList(nn.Conv2d(config.width, config.width, 3, padding=1) for _ in self.wanted)
        self.requires_grad_(not config.frozen)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Image (B, channels, y, x) to the wanted levels (B, width, y / s, x / s), s = stem stride times 1, 2, 4, 8."""
        height, width = image.shape[-2:]
        patch, stem = self.config.patch_px, self.config.stem_stride
        tokens = self._tokens(image, (height // patch, width // patch))
        stages = [None] * len(self.fusions) if self.pixels is None else self.pixels(image)
        levels = []
        for level, (fusion, stage) in enumerate(zip(self.fusions, stages, strict=True)):
            stride = patch if self.config.levels == "token_grid" else stem * 2**level
            levels.append(fusion(None if tokens is None else tokens[level], stage, (height // stride, width // stride)))
        return self._pyramid(levels)

    def _tokens(self, image: Tensor, grid: tuple[int, int]) -> list[Tensor] | None:
        """Tapped tokens as images (B, embed, y / patch, x / patch); the first token stands for no place and is dropped."""
        if self.prithvi is None:
            return None
        layers = self.prithvi.forward_features(image)
        return [layers[tap][:, 1:].transpose(1, 2).unflatten(2, grid) for tap in self.config.taps]

    def _pyramid(self, levels: Sequence[Tensor]) -> list[Tensor]:
        """Carry what coarse levels know to the finer ones."""
        merged = [levels[-1]]
        for level in reversed(levels[:-1]):
            merged.insert(0, level + _resized(merged[0], level.shape[-2:]))
        return [smooth(merged[level]) for smooth, level in zip(self.smooth, self.wanted, strict=True)]


class ResidualStages(nn.Module):
    """The residual half: a stem and four stages, as ResNet-34 has them, over any number of channels."""

    def __init__(self, channels: int, config: EncoderConfig) -> None:
        """Build with fresh weights."""
        super().__init__()
        first = config.widths[0]
        self.stem = _deep_stem(channels, first) if config.stem_stride == 2 else _resnet_stem(channels, first)
        given, stages = first, []
        for level, (width, count) in enumerate(zip(config.widths, config.blocks, strict=True)):
            blocks = [_Residual(given, width, stride=1 if level == 0 else 2)]
            blocks += [_Residual(width, width) for _ in range(count - 1)]
            stages.append(nn.Sequential(*blocks))
            given = width
        self.stages = nn.ModuleList(stages)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return the output of every stage."""
        features, found = self.stem(image), []
        for stage in self.stages:
            features = stage(features)
            found.append(features)
        return found


class _Residual(nn.Module):
    """The basic block of ResNet (He et al. 2016), with norms of groups."""

    def __init__(self, given: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(given, width, 3, stride, 1, bias=False), _norm(width), nn.ReLU(), nn.Conv2d(width, width, 3, 1, 1, bias=False), _norm(width)
        )  # fmt: skip
        straight = given == width and stride == 1
        self.shortcut = nn.Identity() if straight else nn.Sequential(nn.Conv2d(given, width, 1, stride, bias=False), _norm(width))

    def forward(self, features: Tensor) -> Tensor:
        return functional.relu(self.body(features) + self.shortcut(features))


class _Fusion(nn.Module):
    """Tokens and pixels of one level, side by side, to one map."""

    def __init__(self, config: EncoderConfig, level: int) -> None:
        super().__init__()
        width = config.width
        self.tokens = None if config.kind == "res" else nn.Conv2d(config.embed, width, 1)
        self.pixels = None if config.kind == "prithvi" else nn.Conv2d(config.widths[level], width, 1)
        sources = (self.tokens is not None) + (self.pixels is not None)
        self.join = nn.Sequential(nn.Conv2d(sources * width, width, 1), *_convolution(width), *_convolution(width))

    def forward(self, tokens: Tensor | None, pixels: Tensor | None, size: tuple[int, int]) -> Tensor:
        given = []
        if self.tokens is not None and tokens is not None:
            given.append(_resized(self.tokens(tokens), size))
        if self.pixels is not None and pixels is not None:
            given.append(_resized(self.pixels(pixels), size))
        fused: Tensor = self.join(torch.cat(given, dim=1))
        return fused


def build_prithvi(config: EncoderConfig) -> PrithviViT:
    """Build terratorch's Prithvi encoder in the sizes of a configuration, for one date, with fresh weights."""
    return PrithviViT(
        img_size=config.image_px,
        patch_size=(1, config.patch_px, config.patch_px),
        num_frames=1,
        in_chans=len(config.channels),
        embed_dim=config.embed,
        depth=config.depth,
        num_heads=config.heads,
    )


def _resized(features: Tensor, size: Sequence[int]) -> Tensor:
    if tuple(features.shape[-2:]) == tuple(size):
        return features
    return functional.interpolate(features, size=tuple(size), mode="bilinear", align_corners=False)


def _norm(width: int) -> nn.GroupNorm:
    return nn.GroupNorm(min(_GROUPS, width), width)


def _convolution(width: int) -> list[nn.Module]:
    return [nn.Conv2d(width, width, 3, padding=1, bias=False), _norm(width), nn.ReLU()]


def _resnet_stem(channels: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, width, 7, 2, 3, bias=False), _norm(width), nn.ReLU(), nn.MaxPool2d(3, 2, 1)
    )  # fmt: skip


def _deep_stem(channels: int, width: int) -> nn.Sequential:
    first = [nn.Conv2d(channels, width, 3, 1, 1, bias=False), _norm(width), nn.ReLU()]
    return nn.Sequential(*first, nn.Conv2d(width, width, 3, 2, 1, bias=False), _norm(width), nn.ReLU())
