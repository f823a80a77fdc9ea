"""The shape of a slump inside its box: what the network should say, what it says, and how wrong it is.

Targets are cut by aligned pooling from masks in the same continuous coordinates in which `paste` brings answers back.
"""

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.ops import roi_align

from catalog.facts.detector_cards import MASK_PX, DetectorConfig
from models.detector.norms import group_norm
from models.detector.pooling import pool

CELLS: Final = 14
_SAMPLES: Final = 2


class MaskHead(nn.Module):
    """Features inside boxes to the logits of a mask of 28 x 28."""

    def __init__(self, config: DetectorConfig) -> None:
        """Build with fresh weights."""
        super().__init__()
        widths = [config.channels] * config.mask_convolutions
        self.body = MaskRCNNHeads(config.channels, widths, 1, norm_layer=group_norm)
        self.predictor = MaskRCNNPredictor(config.channels, config.channels, 1)

    def forward(self, levels: Sequence[Tensor], boxes: Tensor, image: Tensor) -> Tensor:
        """Return logits (n, 28, 28) for boxes (n, 4) of windows `image` (n,)."""
        if not len(boxes):
            return levels[0].new_zeros((0, MASK_PX, MASK_PX))
        logits: Tensor = self.predictor(self.body(pool(levels, boxes, image, CELLS)))
        return logits[:, 0].float()


def mask_targets(masks: Tensor, index: Tensor, boxes: Tensor) -> Tensor:
    """Return what 28 x 28 cells (n, 28, 28) of boxes (n, 4) hold of the masks (g, S, S) numbered `index` (n,); soft, in 0..1."""
    frames = torch.cat([index[:, None].to(boxes.dtype), boxes], 1)
    cells: Tensor = roi_align(masks[:, None], frames, MASK_PX, 1.0, _SAMPLES, aligned=True)
    return cells[:, 0].clamp(0, 1)


def mask_loss(logits: Tensor, wanted: Tensor, weights: Tensor) -> Tensor:
    """Cross entropy of logits (n, 28, 28) against soft masks, weighted per instance (n,); 0 where there is none."""
    each = functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none").mean((1, 2))
    return (each * weights).sum() / max(1, len(logits))
