"""Which box is which slump: overlaps, ground that is not asked about, sampling, and the code of boxes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.models.detection._utils import BoxCoder  # private, but unchanged since torchvision 0.3
from torchvision.ops import box_iou

from models.detector.targets import Target

IGNORED_SHARE: Final = 0.5
"""Share of a box on ignored ground from which it is neither right nor wrong."""
SLUMP, BACKGROUND, NOT_ASKED = 1, 0, -1


@dataclass(frozen=True, slots=True)
class Truth:
    """Targets of a batch in one piece; boxes of all windows follow each other."""

    boxes: Tensor
    """(g, 4), network pixels."""
    image: Tensor
    """(g,) int64, number of the window."""
    weights: Tensor
    """(g,)"""
    masks: Tensor
    """(g, S, S)"""
    ignored: tuple[Target | None, ...]
    """Per window, its target when some of its ground is ignored."""


@dataclass(frozen=True, slots=True)
class Matches:
    """What boxes are."""

    index: Tensor
    """(n,) int64, the instance with the highest overlap; 0 where there is none."""
    label: Tensor
    """(n,) int64: 1 slump, 0 background, -1 not asked."""


def join(targets: Sequence[Target], device: torch.device) -> Truth:
    """Targets of a batch in one piece on one device."""
    counts = torch.tensor([len(target.boxes) for target in targets])
    return Truth(
        boxes=torch.cat([target.boxes for target in targets]).to(device, torch.float32),
        image=torch.repeat_interleave(torch.arange(len(targets)), counts).to(device),
        weights=torch.cat([target.weights for target in targets]).to(device, torch.float32),
        masks=torch.cat([target.masks for target in targets]).to(device, torch.float32),
        ignored=tuple(target if len(target.ignore_boxes) or bool(target.ignore.any()) else None for target in targets),
    )


def match(boxes: Tensor, image: Tensor, truth: Truth, threshold: float) -> Matches:
    """Match boxes (n, 4) of windows `image` (n,) to the slumps of their window: those from `threshold` on are slumps."""
    index, best = _best(boxes, truth, truth.image[:, None] == image[None])
    label = torch.where(best >= threshold, SLUMP, BACKGROUND)
    for number, target in enumerate(truth.ignored):
        if target is not None:
            here = (image == number) & (label == BACKGROUND)
            label[here] = torch.where(ignored_share(boxes[here], target) >= IGNORED_SHARE, NOT_ASKED, BACKGROUND)
    return Matches(index, label)


def match_anchors(anchors: Tensor, truth: Truth, number: int, thresholds: tuple[float, float]) -> Matches:
    """Match the anchors (n, 4) of window `number`: background under the first threshold, slump from the second on.

    Anchors with the best overlap of a slump are slumps too, so that every slump has one.
    """
    mine = truth.image == number
    index, best = _best(anchors, truth, mine[:, None].expand(-1, len(anchors)))
    label = torch.where(best < thresholds[0], BACKGROUND, NOT_ASKED)
    label[best >= thresholds[1]] = SLUMP
    if bool(mine.any()):
        overlaps = box_iou(truth.boxes[mine], anchors)
        label[((overlaps == overlaps.amax(1, keepdim=True)) & (overlaps > 0)).any(0)] = SLUMP
    target = truth.ignored[number]
    if target is not None:
        asked = torch.where(label == BACKGROUND)[0]
        label[asked[ignored_share(anchors[asked], target) >= IGNORED_SHARE]] = NOT_ASKED
    return Matches(index, label)


def ignored_share(boxes: Tensor, target: Target) -> Tensor:
    """Share (n,) of each box, within the window, that lies on ignored ground or in one box of an ignored slump."""
    side = target.ignore.shape[-1]
    within = boxes.clamp(0, side)
    area = ((within[:, 2] - within[:, 0]) * (within[:, 3] - within[:, 1])).clamp(min=1e-6)
    summed = functional.pad(target.ignore.to(boxes.device, torch.float32).cumsum(0).cumsum(1), (1, 0, 1, 0))
    x0, y0, x1, y1 = within.unbind(1)
    ground = _at(summed, y1, x1) - _at(summed, y0, x1) - _at(summed, y1, x0) + _at(summed, y0, x0)
    if not len(target.ignore_boxes):
        return ground / area
    other = target.ignore_boxes.to(boxes.device, torch.float32)
    low, high = torch.maximum(within[:, None, :2], other[None, :, :2]), torch.minimum(within[:, None, 2:], other[None, :, 2:])
    return torch.maximum(ground, (high - low).clamp(min=0).prod(-1).amax(1)) / area


def sample(label: Tensor, image: Tensor, windows: int, count: int, share: float) -> Tensor:
    """Draw up to `count` places per window, up to `share` of them slumps and the rest background; places (k,), ascending."""
    drawn = []
    for number in range(windows):
        here = image == number
        slumps = _draw(torch.where(here & (label == SLUMP))[0], int(count * share))
        drawn += [slumps, _draw(torch.where(here & (label == BACKGROUND))[0], count - len(slumps))]
    return torch.cat(drawn).sort().values


class BoxCode:
    """Boxes as differences to reference boxes, scaled by weights for x, y, width and height."""

    def __init__(self, weights: tuple[float, float, float, float]) -> None:
        """Take the weights."""
        self._coder = BoxCoder(weights)

    def encode(self, boxes: Tensor, references: Tensor) -> Tensor:
        """Return codes (n, 4) of boxes (n, 4)."""
        coded: Tensor = self._coder.encode_single(boxes, references)
        return coded

    def decode(self, codes: Tensor, references: Tensor) -> Tensor:
        """Return boxes (n, 4) of codes (n, 4)."""
        boxes: Tensor = self._coder.decode_single(codes, references)
        return boxes


def clip(boxes: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Boxes (n, 4) within the window, and which (n,) still cover something."""
    within = boxes.clamp(0, side)
    return within, ((within[:, 2:] - within[:, :2]) > 1e-3).all(1)


def _best(boxes: Tensor, truth: Truth, same: Tensor) -> tuple[Tensor, Tensor]:
    if not len(truth.boxes):
        return boxes.new_zeros(len(boxes), dtype=torch.int64), boxes.new_zeros(len(boxes))
    overlaps = torch.where(same, box_iou(truth.boxes, boxes), -1.0)
    best, index = overlaps.max(0)
    return index, best


def _draw(places: Tensor, count: int) -> Tensor:
    if len(places) <= count:
        return places
    return places[torch.randperm(len(places), device=places.device)[:count]]


def _at(summed: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """A summed table (S + 1, S + 1) between its nodes: bilinear, which is exact."""
    last = summed.shape[0] - 2
    row, column = y.long().clamp(max=last), x.long().clamp(max=last)
    down, across = y - row, x - column
    upper = summed[row, column] * (1 - across) + summed[row, column + 1] * across
    lower = summed[row + 1, column] * (1 - across) + summed[row + 1, column + 1] * across
    return upper * (1 - down) + lower * down
