"""Boxes that are judged, moved and judged again, each stage asking for a better overlap.

Source: Cai and Vasconcelos 2018, Cascade R-CNN (arXiv 1712.00726), as in the published system: classes of boxes alone, all
boxes moved by one regression, scores averaged over the stages. With one stage it is the box head of Mask R-CNN.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.detection.faster_rcnn import FastRCNNConvFCHead

from catalog.facts.detector_cards import DetectorConfig
from models.detector.matching import NOT_ASKED, SLUMP, BoxCode, Truth, clip, match, sample
from models.detector.norms import group_norm
from models.detector.pooling import pool
from models.detector.proposals import SMOOTH, Proposed

CELLS: Final = 7
OVERLAPS: Final = (0.5, 0.6, 0.7)
WEIGHTS: Final = ((10.0, 10.0, 5.0, 5.0), (20.0, 20.0, 10.0, 10.0), (30.0, 30.0, 15.0, 15.0))
SLUMP_SHARE: Final = 0.25


@dataclass(frozen=True, slots=True)
class Stage:
    """What one stage saw and should have said."""

    boxes: Tensor
    """(n, 4), before the stage moves them."""
    image: Tensor
    index: Tensor
    label: Tensor

    @property
    def slumps(self) -> Tensor:
        """Places (k,) of the boxes that are slumps."""
        return torch.where(self.label == SLUMP)[0]


class BoxHead(nn.Module):
    """Features inside boxes to two logits (background, slump) and one code."""

    def __init__(self, config: DetectorConfig) -> None:
        """Build with fresh weights."""
        super().__init__()
        widths = [config.channels] * config.head_convolutions
        self.body = FastRCNNConvFCHead((config.channels, CELLS, CELLS), widths, [config.head_width], norm_layer=group_norm)
        self.classes = nn.Linear(config.head_width, 2)
        self.code = nn.Linear(config.head_width, 4)
        nn.init.normal_(self.classes.weight, std=0.01)
        nn.init.normal_(self.code.weight, std=0.001)
        nn.init.zeros_(self.classes.bias)
        nn.init.zeros_(self.code.bias)

    def forward(self, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (n, 2) and codes (n, 4) of features (n, channels, 7, 7)."""
        if not len(pooled):
            return pooled.new_zeros((0, 2)), pooled.new_zeros((0, 4))
        hidden = self.body(pooled)
        return self.classes(hidden).float(), self.code(hidden).float()


class BoxCascade(nn.Module):
    """Stages of box heads."""

    def __init__(self, config: DetectorConfig) -> None:
        """Build with fresh weights."""
        super().__init__()
        count = len(OVERLAPS) if config.heads == "cascade" else 1
        self.side, self.per_window = config.network_px, config.rois_per_image
        self.heads = nn.ModuleList([BoxHead(config) for _ in range(count)])
        self.codes = [BoxCode(weights) for weights in WEIGHTS[:count]]

    def losses(self, levels: Sequence[Tensor], proposed: Proposed, truth: Truth) -> tuple[dict[str, Tensor], list[Stage]]:
        """Losses of every stage, and what each saw."""
        stages: list[Stage] = []
        losses: dict[str, Tensor] = {}
        stage = self._first(proposed, truth, len(levels[0]))
        for number in range(len(self.heads)):
            stages.append(stage)
            logits, codes = self.judge(number, levels, stage.boxes, stage.image)
            losses |= self._loss(number, stage, (logits, codes), truth)
            if number + 1 < len(self.heads):
                stage = self._next(number, stage, codes, truth)
        return losses, stages

    def detect(self, levels: Sequence[Tensor], proposed: Proposed) -> tuple[Tensor, Tensor, Tensor]:
        """Return boxes (n, 4) after the last stage, scores (n,) averaged over the stages, and windows (n,)."""
        boxes, image = proposed.boxes, proposed.image
        scores = boxes.new_zeros(len(boxes))
        for number in range(len(self.heads)):
            logits, codes = self.judge(number, levels, boxes, image)
            scores = scores + logits.softmax(1)[:, 1]
            boxes, covers = clip(self.codes[number].decode(codes, boxes), self.side)
            boxes, image, scores = boxes[covers], image[covers], scores[covers]
        return boxes, scores / len(self.heads), image

    def judge(self, number: int, levels: Sequence[Tensor], boxes: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (n, 2) and codes (n, 4) of one stage for boxes (n, 4) of windows `image` (n,)."""
        pooled = pool(levels, boxes, image, CELLS)
        if pooled.requires_grad:
            # the features are shared by all stages and would else hear them three times as loud as the proposals
            pooled.register_hook(lambda gradient: gradient / len(self.heads))  # type: ignore[no-untyped-call]  # torch has no types for it
        logits, codes = self.heads[number](pooled)
        return logits, codes

    def _first(self, proposed: Proposed, truth: Truth, windows: int) -> Stage:
        """Sampled proposals, true boxes among them."""
        boxes, image = torch.cat([proposed.boxes, truth.boxes]), torch.cat([proposed.image, truth.image])
        matches = match(boxes, image, truth, OVERLAPS[0])
        drawn = sample(matches.label, image, windows, self.per_window, SLUMP_SHARE)
        return Stage(boxes[drawn], image[drawn], matches.index[drawn], matches.label[drawn])

    def _next(self, number: int, stage: Stage, codes: Tensor, truth: Truth) -> Stage:
        """Boxes as the stage moved them, matched anew; none is drawn again."""
        boxes, covers = clip(self.codes[number].decode(codes.detach(), stage.boxes), self.side)
        boxes, image = boxes[covers], stage.image[covers]
        matches = match(boxes, image, truth, OVERLAPS[number + 1])
        return Stage(boxes, image, matches.index, matches.label)

    def _loss(self, number: int, stage: Stage, answer: tuple[Tensor, Tensor], truth: Truth) -> dict[str, Tensor]:
        logits, codes = answer
        asked = stage.label != NOT_ASKED
        count = max(1, int(asked.sum()))
        weight = torch.ones_like(stage.label, dtype=torch.float32)
        slumps = stage.slumps
        weight[slumps] = truth.weights[stage.index[slumps]]
        each = functional.cross_entropy(logits, stage.label.clamp(min=0), reduction="none")
        wanted = self.codes[number].encode(truth.boxes[stage.index[slumps]], stage.boxes[slumps])
        placed = functional.smooth_l1_loss(codes[slumps], wanted, beta=SMOOTH, reduction="sum")
        return {f"class_{number + 1}": (each * weight * asked).sum() / count, f"box_{number + 1}": placed / count}
