"""The slump network: a backbone per modality, their fusion, one pyramid, proposals, a cascade of boxes, and masks.

Source: arXiv 2504.17822, with the decisions that docs/detector.md gives: images are enlarged inside, attention knows where it
looks, masks are cut and pasted at sub-pixel places.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.ops import FeaturePyramidNetwork, batched_nms

from catalog.facts.detector_cards import DetectorConfig, channels_of
from catalog.facts.errors import BandsMissing, GridMismatch
from models.detector.cascade import BoxCascade
from models.detector.fusion import Answers, Fusion, only_given
from models.detector.masks import MaskHead, mask_loss, mask_targets
from models.detector.matching import Truth, join
from models.detector.mvit import MVitBackbone
from models.detector.proposals import ProposalNetwork
from models.detector.resnet import ResNetBackbone
from models.detector.targets import Target

MOST_DETECTIONS: Final = 100
"""Per window."""
SAME_SLUMP: Final = 0.5
"""IoU from which two boxes of one window are one slump."""
SCORE_FLOOR: Final = 0.02
STACK: Final = "stack"
"""Name of the one backbone that sees all modalities as one image."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in one window, in falling order of score."""

    boxes: Tensor
    """(n, 4), x0 y0 x1 y1 in network px."""
    scores: Tensor
    """(n,)"""
    masks: Tensor
    """(n, 28, 28), probability inside the frame of the box."""


class SlumpNetwork(nn.Module):
    """Standardised modalities to slumps."""

    def __init__(self, config: DetectorConfig) -> None:
        """Build with fresh weights; raises RecipeWrong for a shape that cannot be, WeightsUnfit for an unknown modality."""
        super().__init__()
        self.config = config
        self.frozen = False
        self.looks = looks_of(config)
        self.backbones = nn.ModuleDict({name: _backbone(config, channels) for name, channels in self.looks.items()})
        first = self.backbones[next(iter(self.looks))]
        assert isinstance(first, MVitBackbone | ResNetBackbone)
        late = config.fusion.level == "fpn"
        widths = list(first.widths)
        self.pyramids = nn.ModuleDict(
            {name: FeaturePyramidNetwork(widths, config.channels) for name in tuple(self.looks)[: None if late else 1]}
        )
        self.fusion = _fusion(config, tuple(self.looks)[1:], first)
        self.proposals = ProposalNetwork(config)
        self.boxes = BoxCascade(config)
        self.masks = nn.ModuleList([MaskHead(config) for _ in range(min(config.mask_stages, len(self.boxes.heads)))])

    def train(self, mode: bool = True) -> Self:
        """Switch between learning and looking; frozen backbones only look."""
        super().train(mode)
        if self.frozen:
            self.backbones.eval()
        return self

    def freeze_backbones(self) -> None:
        """Stop the backbones and their norms from learning; they no longer keep what a backward pass would need."""
        self.frozen = True
        self.backbones.requires_grad_(requires_grad=False)
        self.train(self.training)

    def losses(self, images: Mapping[str, Tensor], targets: Sequence[Target], present: Tensor | None = None) -> dict[str, Tensor]:
        """Return one loss per part, to be summed.

        `images` per modality (B, channels, window_px, window_px), standardised; `present` (B, modalities - 1) bool says which
        windows have the second and later modalities (all, when it is None).
        """
        return self.losses_of(self.levels(images, present), targets)

    def losses_of(self, levels: Sequence[Tensor], targets: Sequence[Target]) -> dict[str, Tensor]:
        """Return the losses of what follows the pyramid `levels`."""
        truth = join(targets, levels[0].device)
        answered = self.proposals(levels)
        losses = self.proposals.losses(answered, truth)
        proposed = self.proposals.propose(answered, training=True)
        of_boxes, stages = self.boxes.losses(levels, proposed, truth)
        of_masks = [
            self._mask_loss(head, levels, (stage.boxes[stage.slumps], stage.image[stage.slumps], stage.index[stage.slumps]), truth)
            for head, stage in zip(self.masks, stages, strict=False)
        ]
        return losses | of_boxes | {"mask": torch.stack(of_masks).sum()}

    @torch.no_grad()
    def detect(self, images: Mapping[str, Tensor], present: Tensor | None = None, *, floor: float = SCORE_FLOOR) -> list[Found]:
        """Return what each window shows, from a score of `floor` on; arguments as for `losses`."""
        levels = self.levels(images, present)
        proposed = self.proposals.propose(self.proposals(levels), training=False)
        boxes, scores, image = self.boxes.detect(levels, proposed)
        sure = scores >= floor
        boxes, scores, image = boxes[sure], scores[sure], image[sure]
        kept = batched_nms(boxes, scores, image, SAME_SLUMP)
        kept = torch.cat([kept[image[kept] == number][:MOST_DETECTIONS] for number in range(len(levels[0]))])
        boxes, scores, image = boxes[kept], scores[kept], image[kept]
        masks = torch.stack([head(levels, boxes, image).sigmoid() for head in self.masks]).mean(0)
        return [
            Found(boxes[here], scores[here], masks[here]) for here in (torch.where(image == number)[0] for number in range(len(levels[0])))
        ]

    def levels(self, images: Mapping[str, Tensor], present: Tensor | None = None) -> list[Tensor]:
        """Return the fused pyramid, maps (B, channels, y, x) at strides 4, 8, 16, 32 and 64 of network px."""
        seen = self._seen(images, present)
        first = next(iter(self.looks))
        if self.fusion is None:
            maps = self._pyramid(first, self._maps(first, seen[first][0]))
        elif self.config.fusion.level == "fpn":
            pyramids = {name: Answers(self._pyramid(name, self._maps(name, image)), given) for name, (image, given) in seen.items()}
            maps = self.fusion(pyramids.pop(first).maps, pyramids)
        else:
            features = {name: Answers(self._maps(name, image), given) for name, (image, given) in seen.items()}
            maps = self._pyramid(first, self.fusion(features.pop(first).maps, features))
        return [*maps, maps[-1][..., ::2, ::2]]

    def _maps(self, name: str, image: Tensor) -> list[Tensor]:
        enlarged = functional.interpolate(image, scale_factor=float(self.config.up), mode="bilinear", align_corners=False)
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            maps: list[Tensor] = self.backbones[name](enlarged)
        return maps

    def _pyramid(self, name: str, maps: Sequence[Tensor]) -> list[Tensor]:
        levels = self.pyramids[name]({str(number): each for number, each in enumerate(maps)})
        return list(levels.values())

    def _seen(self, images: Mapping[str, Tensor], present: Tensor | None) -> dict[str, tuple[Tensor, Tensor | None]]:
        """What each backbone sees, and which windows have it; a modality that no window has is not looked at."""
        self._check(images)
        modalities = self.config.modalities
        given = {name: None if present is None or not number else present[:, number - 1] for number, name in enumerate(modalities)}
        # absent images may hold anything, and what is not a number would reach gradients even where its answer is not heard
        clean = {name: only_given(images[name], given[name]) for name in (modalities if self.config.stacked else self.looks)}
        if self.config.stacked:
            return {STACK: (torch.cat(list(clean.values()), 1), None)}
        return {name: (image, has) for name, image in clean.items() if (has := given[name]) is None or bool(has.any())}

    def _check(self, images: Mapping[str, Tensor]) -> None:
        wanted = (self.config.window_px, self.config.window_px)
        for name in self.config.modalities if self.config.stacked else self.looks:
            if name not in images:
                raise BandsMissing(f"The detector looks at {name} and was given {', '.join(images) or 'nothing'}.")
            shape = tuple(images[name].shape[1:])
            if shape != (channels_of(name), *wanted):
                raise GridMismatch(f"Windows of {name} are {shape}, the detector looks at {(channels_of(name), *wanted)}: cut them so.")

    def _mask_loss(self, head: nn.Module, levels: Sequence[Tensor], slumps: tuple[Tensor, Tensor, Tensor], truth: Truth) -> Tensor:
        boxes, image, index = slumps
        return mask_loss(head(levels, boxes, image), mask_targets(truth.masks, index, boxes), truth.weights[index])


def build(config: DetectorConfig) -> SlumpNetwork:
    """Build a network of that shape with fresh weights."""
    return SlumpNetwork(config)


def looks_of(config: DetectorConfig) -> dict[str, int]:
    """Channels that each backbone sees, by its name."""
    if config.stacked:
        return {STACK: sum(channels_of(name) for name in config.modalities)}
    heard = config.modalities[:1] if config.fusion.kind == "none" else config.modalities
    return {name: channels_of(name) for name in heard}


def _backbone(config: DetectorConfig, channels: int) -> nn.Module:
    if config.backbone.startswith("resnet"):
        return ResNetBackbone(config.backbone, channels, config.network_px)
    return MVitBackbone(config.backbone, channels, config.network_px, config.drop_path)


def _fusion(config: DetectorConfig, auxiliaries: Sequence[str], like: MVitBackbone | ResNetBackbone) -> Fusion | None:
    if not auxiliaries:
        return None
    sides = [config.network_px // stride for stride in (4, 8, 16, 32)]
    if config.fusion.level == "fpn":
        heads = next(count for count in range(max(1, config.channels // 32), 0, -1) if config.channels % count == 0)
        return Fusion(config.fusion, [(config.channels, heads, side) for side in sides], auxiliaries)
    return Fusion(config.fusion, list(zip(like.widths, like.heads, sides, strict=True)), auxiliaries)
