"""Norm of the heads: independent of the batch, whose boxes may be one or none."""

from math import gcd

from torch import nn


def group_norm(width: int) -> nn.GroupNorm:
    """Group norm with 32 groups, or the most that divide the width."""
    return nn.GroupNorm(gcd(32, width), width)
