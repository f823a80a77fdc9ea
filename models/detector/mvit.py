"""MViTv2 as a backbone of a pyramid: one per modality.

Source: Li et al. 2022, MViTv2: Improved multiscale vision transformers for classification and detection (arXiv 2112.01526), in
timm's implementation. A layer norm per stage output is the detection networks' addition, which timm's features lack.
"""

from collections.abc import Mapping
from typing import Final

from timm.models import adapt_input_conv
from timm.models.mvitv2 import MultiScaleVit, MultiScaleVitCfg, checkpoint_filter_fn, model_cfgs
from torch import Tensor, nn

from catalog.facts.errors import GridMismatch, RecipeWrong, WeightsUnfit

STRIDES: Final = (4, 8, 16, 32)
_EPSILON: Final = 1e-6
_OWN: Final = {
    "mvitv2_nano": MultiScaleVitCfg(depths=(1, 1, 2, 1), embed_dim=24, num_heads=1),
    # three of these with fusion and heads stay under 9 M parameters, which two CPU cores can train
    "mvitv2_micro": MultiScaleVitCfg(depths=(1, 2, 3, 1), embed_dim=(32, 64, 128, 160), num_heads=(1, 2, 4, 5)),
}
_STEM: Final = "patch_embed.proj.weight"
_UNUSED: Final = ("head.", "norm.")


class MVitBackbone(nn.Module):
    """Images (B, channels, side, side) to four maps at strides 4, 8, 16 and 32."""

    def __init__(self, name: str, channels: int, side_px: int, drop_path: float) -> None:
        """Build with fresh weights; raises RecipeWrong for a side that is no multiple of 32 pixels."""
        super().__init__()
        if side_px % STRIDES[-1] != 0:
            raise RecipeWrong(
                f"{name} cannot see images of {side_px} px: choose window_px and up so that their product is a multiple of 32."
            )
        shape = _OWN.get(name) or model_cfgs[name]
        self.side_px = side_px
        self.trunk = MultiScaleVit(shape, img_size=side_px, in_chans=channels, num_classes=0, drop_path_rate=drop_path)
        self.trunk.norm = nn.Identity()  # its output is never read, and a parameter without gradient would hide one that broke
        self.widths: tuple[int, ...] = tuple(stage["num_chs"] for stage in self.trunk.feature_info)
        self.heads: tuple[int, ...] = tuple(shape.num_heads)
        self.norms = nn.ModuleList([nn.LayerNorm(width, eps=_EPSILON) for width in self.widths])

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return maps (B, width, side/stride, side/stride); raises GridMismatch for an image of another size.

        timm runs smaller images than it was built for, and reads the wrong relative positions without a word.
        """
        if image.shape[-2:] != (self.side_px, self.side_px):
            height, width = image.shape[-2:]
            raise GridMismatch(
                f"The backbone was built for {self.side_px} x {self.side_px} px and was given {height} x {width}: cut windows of its size."
            )
        maps = self.trunk.forward_intermediates(image, intermediates_only=True)
        return [norm(each.permute(0, 2, 3, 1)).permute(0, 3, 1, 2) for norm, each in zip(self.norms, maps, strict=True)]


def load_published(backbone: MVitBackbone, state: Mapping[str, Tensor]) -> None:
    """Take over weights published for classification of RGB images, in timm's names.

    Relative positions are resampled to the size that the backbone sees and the first convolution to its channels, both by
    timm's own functions; stage norms stay fresh. Raises WeightsUnfit for weights of another network.
    """
    if _STEM not in state:
        raise WeightsUnfit(f"Published weights lack {_STEM}: take a file of timm's mvitv2 models, such as mvitv2_tiny.fb_in1k.")
    named = {key: value for key, value in state.items() if not key.startswith(_UNUSED)}
    own = backbone.trunk.state_dict()
    unknown = sorted(own.keys() ^ named.keys())
    if unknown:
        raise WeightsUnfit(f"Published weights do not fit the backbone at {len(unknown)} tensors, the first {unknown[0]}: choose its size.")
    named = dict(checkpoint_filter_fn(named, backbone.trunk))
    named[_STEM] = adapt_input_conv(own[_STEM].shape[1], named[_STEM])
    wrong = [key for key in own if own[key].shape != named[key].shape]
    if wrong:
        raise WeightsUnfit(
            f"Published {wrong[0]} is {tuple(named[wrong[0]].shape)} and the backbone's {tuple(own[wrong[0]].shape)}: choose its size."
        )
    backbone.trunk.load_state_dict(named)
