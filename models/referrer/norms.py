"""Norms by name: over a batch, as published, or over groups of channels, which few referents at once do not disturb."""

from torch import nn

from catalog.facts.referrer_cards import Norm


def norm_2d(kind: Norm, width: int) -> nn.Module:
    """Of images (B, width, y, x)."""
    return nn.BatchNorm2d(width) if kind == "batch" else nn.GroupNorm(_groups(width), width)


def norm_3d(kind: Norm, width: int) -> nn.Module:
    """Of volumes (B, width, z, y, x)."""
    return nn.BatchNorm3d(width) if kind == "batch" else nn.GroupNorm(_groups(width), width)


def _groups(width: int) -> int:
    return next(number for number in (8, 4, 2, 1) if (width % number == 0 and width > number) or number == 1)
