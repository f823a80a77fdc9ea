"""Where a slump of some size might be: the region proposal network.

Source: Ren et al. 2015, Faster R-CNN (arXiv 1506.01497), as in the published system: two convolutions, three shapes per place.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.rpn import RPNHead
from torchvision.ops import batched_nms

from catalog.facts.detector_cards import DetectorConfig
from catalog.facts.errors import RecipeWrong
from models.detector.matching import SLUMP, BoxCode, Truth, clip, match_anchors, sample

STRIDES: Final = (4, 8, 16, 32, 64)
RATIOS: Final = (0.5, 1.0, 2.0)
THRESHOLDS: Final = (0.3, 0.7)
ANCHORS_PER_WINDOW: Final = 256
SLUMP_SHARE: Final = 0.5
MOST_OVERLAP: Final = 0.7
SMOOTH: Final = 1 / 9


@dataclass(frozen=True, slots=True)
class Proposed:
    """Proposals of a batch."""

    boxes: Tensor
    """(n, 4), network px, without gradient."""
    image: Tensor
    """(n,) int64, ascending."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What the network says of every anchor."""

    logits: list[Tensor]
    """Per level (B, anchors)."""
    codes: list[Tensor]
    """Per level (B, anchors, 4)."""


class ProposalNetwork(nn.Module):
    """Pyramid to proposals."""

    def __init__(self, config: DetectorConfig) -> None:
        """Build with fresh weights; raises RecipeWrong unless there is one size of anchors per level."""
        super().__init__()
        if len(config.anchors) != len(STRIDES):
            raise RecipeWrong(f"anchors has {len(config.anchors)} sizes: give one for each of the {len(STRIDES)} levels of the pyramid.")
        self.side = config.network_px
        self.counts = {True: config.proposals_training, False: config.proposals}
        self.head = RPNHead(config.channels, len(RATIOS), conv_depth=2)
        self.code = BoxCode((1.0, 1.0, 1.0, 1.0))
        anchors = anchors_of(config.anchors, self.side)
        self.sizes = [len(each) for each in anchors]
        self.register_buffer("anchors", torch.cat(anchors), persistent=False)
        self.anchors: Tensor

    def forward(self, levels: Sequence[Tensor]) -> Answered:
        """Judge every anchor of the levels (B, channels, y, x)."""
        logits, codes = self.head(list(levels))
        windows = len(levels[0])
        return Answered(
            [each.permute(0, 2, 3, 1).reshape(windows, -1).float() for each in logits],
            [each.permute(0, 2, 3, 1).reshape(windows, -1, 4).float() for each in codes],
        )

    def propose(self, answered: Answered, *, training: bool) -> Proposed:
        """Return the likeliest boxes that do not overlap by 0.7, at most as many per window as configured."""
        most = self.counts[training]
        parts = []
        ends = list(accumulate(self.sizes, initial=0))
        for number, (logits, codes) in enumerate(zip(answered.logits, answered.codes, strict=True)):
            anchors = self.anchors[ends[number] : ends[number + 1]]
            score, place = logits.detach().topk(min(2 * most, logits.shape[1]), dim=1)  # (B, k)
            chosen = codes.detach().gather(1, place[..., None].expand(-1, -1, 4)).flatten(0, 1)
            boxes = self.code.decode(chosen, anchors[place.flatten()])
            image = torch.arange(len(logits), device=boxes.device).repeat_interleave(place.shape[1])
            parts.append((boxes, score.flatten(), image, torch.full_like(image, number)))
        boxes, score, image, level = (torch.cat(part) for part in zip(*parts, strict=True))
        boxes, covers = clip(boxes, self.side)
        boxes, score, image, level = boxes[covers], score[covers], image[covers], level[covers]
        kept = batched_nms(boxes, score, image * len(STRIDES) + level, MOST_OVERLAP)
        return _likeliest(boxes[kept], image[kept], len(answered.logits[0]), most)

    def losses(self, answered: Answered, truth: Truth) -> dict[str, Tensor]:
        """Loss of finding and of placing, over 256 anchors per window."""
        logits, codes = torch.cat(answered.logits, 1), torch.cat(answered.codes, 1)
        matches = [match_anchors(self.anchors, truth, number, THRESHOLDS) for number in range(len(logits))]
        places = torch.arange(len(self.anchors), device=logits.device)
        drawn = [sample(each.label, torch.zeros_like(places), 1, ANCHORS_PER_WINDOW, SLUMP_SHARE) for each in matches]
        label = torch.cat([each.label[place] for each, place in zip(matches, drawn, strict=True)])
        index = torch.cat([each.index[place] for each, place in zip(matches, drawn, strict=True)])
        window = torch.cat([torch.full_like(place, number) for number, place in enumerate(drawn)])
        place = torch.cat(drawn)
        slump = label == SLUMP
        weight = torch.ones_like(label, dtype=torch.float32)
        weight[slump] = truth.weights[index[slump]]
        found = functional.binary_cross_entropy_with_logits(logits[window, place], slump.float(), weight, reduction="sum")
        wanted = self.code.encode(truth.boxes[index[slump]], self.anchors[place[slump]])
        placed = functional.smooth_l1_loss(codes[window[slump], place[slump]], wanted, beta=SMOOTH, reduction="sum")
        return {"objectness": found / max(1, len(place)), "proposal_box": placed / (ANCHORS_PER_WINDOW * len(logits))}


def anchors_of(sizes: Sequence[int], side: int) -> list[Tensor]:
    """Anchors (n, 4) per level of a square window, in the order of its cells and then of shapes.

    Strides are the true ones: torchvision divides sides, and misplaces the coarsest level where its side is not whole.
    """
    grids = [[-(-side // stride)] * 2 for stride in STRIDES]
    generator = AnchorGenerator(tuple((size,) for size in sizes), (RATIOS,) * len(STRIDES))
    strides = [[stride] * 2 for stride in STRIDES]
    boxes: list[Tensor] = generator.grid_anchors(grids, strides)
    return [each.float() for each in boxes]


def _likeliest(boxes: Tensor, image: Tensor, windows: int, most: int) -> Proposed:
    """First `most` of every window, from boxes in falling order of score."""
    chosen = torch.cat([torch.where(image == number)[0][:most] for number in range(windows)])
    return Proposed(boxes[chosen], image[chosen])
