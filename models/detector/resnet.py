"""ResNet with group norm as a backbone of a pyramid: the baseline that the published comparison starts from.

Source: He et al. 2016, Deep residual learning for image recognition (doi:10.1109/CVPR.2016.90), in torchvision's
implementation; batch statistics of one to four windows would not fit the next ones, hence group norm (arXiv 1803.08494).
"""

from torch import Tensor, nn
from torchvision.models import resnet18, resnet50

from catalog.facts.errors import GridMismatch

_BUILDERS = {"resnet18": resnet18, "resnet50": resnet50}
_GROUPS = 32
_HEAD_WIDTH = 64


class ResNetBackbone(nn.Module):
    """Images (B, channels, side, side) to four maps at strides 4, 8, 16 and 32."""

    def __init__(self, name: str, channels: int, side_px: int) -> None:
        """Build with fresh weights."""
        super().__init__()
        body = _BUILDERS[name](weights=None, norm_layer=lambda width: nn.GroupNorm(_GROUPS, width))
        stem = nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
        nn.init.kaiming_normal_(stem.weight, mode="fan_out", nonlinearity="relu")
        self.side_px = side_px
        self.stem = nn.Sequential(stem, body.bn1, body.relu, body.maxpool)
        self.stages = nn.ModuleList([body.layer1, body.layer2, body.layer3, body.layer4])
        self.widths: tuple[int, ...] = tuple(width * (4 if name == "resnet50" else 1) for width in (64, 128, 256, 512))
        self.heads: tuple[int, ...] = tuple(width // _HEAD_WIDTH for width in self.widths)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return maps (B, width, side/stride, side/stride); raises GridMismatch for an image of another size."""
        if image.shape[-2:] != (self.side_px, self.side_px):
            height, width = image.shape[-2:]
            raise GridMismatch(
                f"The backbone was built for {self.side_px} x {self.side_px} px and was given {height} x {width}: cut windows of its size."
            )
        maps = []
        each = self.stem(image)
        for stage in self.stages:
            each = stage(each)
            maps.append(each)
        return maps
