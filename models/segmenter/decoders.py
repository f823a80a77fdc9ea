"""Decoders: a pyramid of four feature maps (strides 4, 8, 16, 32) to one map at stride 4."""

from collections.abc import Sequence

from terratorch.models.decoders.upernet_decoder import UperNetDecoder
from torch import Tensor, nn
from torch.nn import functional


class CompactDecoder(nn.Module):
    """Top-down sums at the strides of the pyramid and one 3 x 3 convolution at stride 4.

    UperNet's fusion convolves four concatenated maps; summing them first costs a fraction (`benchmarks/bench_segmenter.py`).
    Source: Kirillov et al. 2019, Panoptic feature pyramid networks (doi:10.1109/CVPR.2019.00656).
    """

    def __init__(self, widths: Sequence[int], channels: int) -> None:
        """Take the widths of the pyramid's levels, finest first."""
        super().__init__()
        self.lateral = nn.ModuleList([nn.Conv2d(width, channels, 1) for width in widths])
        self.fuse = convolution(channels, channels)

    def forward(self, levels: Sequence[Tensor]) -> Tensor:
        """Return (B, channels, y, x) at the stride of the finest level."""
        whole: Tensor = self.lateral[-1](levels[-1])
        for lateral, level in zip(list(self.lateral)[-2::-1], levels[-2::-1], strict=True):
            whole = lateral(level) + functional.interpolate(whole, size=level.shape[-2:], mode="bilinear", align_corners=False)
        fused: Tensor = self.fuse(whole)
        return fused


def build_upernet(widths: Sequence[int], channels: int) -> nn.Module:
    """Build terratorch's UperNet on a pyramid that exists: with `scale_modules` it would build a second one on top."""
    decoder: nn.Module = UperNetDecoder(list(widths), channels=channels, scale_modules=False)
    return decoder


def convolution(inputs: int, outputs: int, *, stride: int = 1) -> nn.Sequential:
    """3 x 3 convolution, group norm (independent of the batch and of its modalities), GELU."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.GroupNorm(min(8, outputs), outputs), nn.GELU())
