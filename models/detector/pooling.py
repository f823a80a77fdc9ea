"""Features inside boxes, from the level of the pyramid that fits their size.

Source: He et al. 2017, Mask R-CNN (arXiv 1703.06870), with the half pixel that the first implementation lost (`aligned`), and
the rule for levels of Lin et al. 2017, Feature pyramid networks (arXiv 1612.03144).
"""

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor
from torchvision.ops import roi_align

STRIDES: Final = (4, 8, 16, 32)
_SAMPLES: Final = 2
_CANONICAL_PX: Final = 224.0
_CANONICAL_LEVEL: Final = 2
"""Of a box of 224 px: stride 16."""


def pool(levels: Sequence[Tensor], boxes: Tensor, image: Tensor, cells: int) -> Tensor:
    """Return features (n, channels, cells, cells) inside boxes (n, 4, network px) of windows `image` (n,).

    `levels` are maps (B, channels, y, x) at strides 4, 8, 16 and 32; coarser ones are not looked at.
    """
    level = level_of(boxes)
    frames = torch.cat([image[:, None].to(boxes.dtype), boxes], 1)
    places = [torch.where(level == number)[0] for number in range(len(STRIDES))]
    parts = [
        roi_align(levels[number], frames[place], cells, 1 / STRIDES[number], _SAMPLES, aligned=True)
        for number, place in enumerate(places)
        if len(place)
    ]
    if not parts:
        return levels[0].new_zeros((0, levels[0].shape[1], cells, cells))
    return torch.cat(parts)[torch.cat(places).argsort()]


def level_of(boxes: Tensor) -> Tensor:
    """Number (n,) of the level that boxes (n, 4) are pooled from."""
    side = ((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])).clamp(min=1e-6).sqrt()
    return (_CANONICAL_LEVEL + torch.log2(side / _CANONICAL_PX) + 1e-6).floor().clamp(0, len(STRIDES) - 1).long()
